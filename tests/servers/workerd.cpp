#include "servers/workerd.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

namespace stsctl::servers {

namespace {

namespace fs = std::filesystem;

constexpr const char* sources = STSCTL_SOURCE_DIR "/tests/servers/workerd";

std::string content(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The binary for this processor, in the package that npm chose.
std::string binary() {
  static const std::string found = [] {
    std::string folder =
        run({"/usr/bin/env", "STSCTL_BINARY_DIR=" STSCTL_BINARY_DIR, "/usr/bin/python3", "-B",
             STSCTL_SOURCE_DIR "/tests/emulators/npm.py", sources});
    folder.erase(folder.find_last_not_of('\n') + 1);
    for (const auto& entry : fs::directory_iterator(folder + "/node_modules/@cloudflare"))
      if (fs::exists(entry.path() / "bin/workerd")) return (entry.path() / "bin/workerd").string();
    throw std::runtime_error("npm has no workerd for this machine");
  }();
  return found;
}

}  // namespace

Workerd::Workerd(const std::string& script) : port_(free_port()) {
  folder_.write("worker.js", script);
  start("http = ()", "", R"(modules = [(name = "worker.js", esModule = embed "worker.js")])");
}

Workerd::Workerd(std::uint16_t api_port, const std::string& account, const std::string& token,
                 const std::optional<TestCa::Pair>& tls)
    : port_(free_port()) {
  folder_.write("edge.js", content(std::string(sources) + "/edge.js"));
  std::string socket = "http = ()";
  if (tls) {
    folder_.write("key.pem", content(tls->key));
    folder_.write("cert.pem", content(tls->certificate));
    socket = R"(https = (options = (), tlsOptions = (keypair = (privateKey = embed "key.pem",
                certificateChain = embed "cert.pem"))))";
  }
  start(socket,
        fmt::format(R"(, (name = "api", external = (address = "127.0.0.1:{}", http = ())))",
                    api_port),
        fmt::format(R"(modules = [(name = "edge.js", esModule = embed "edge.js")], bindings = [
    (name = "API", service = "api"), (name = "LOADER", workerLoader = (id = "edge")),
    (name = "ACCOUNT", text = "{}"), (name = "TOKEN", text = "{}")])",
                    account, token));
}

void Workerd::start(const std::string& socket, const std::string& services,
                    const std::string& worker) {
  const std::string config =
      folder_.write("config.capnp", fmt::format(R"(using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker){}],
  sockets = [(name = "socket", address = "127.0.0.1:{}", {}, service = "worker")]);
const worker :Workerd.Worker = ({}, compatibilityDate = "2025-01-01");
)",
                                                services, port_, socket, worker));
  const std::string log = folder_.file("log");
  // The loader of Workers is experimental.
  running_ = std::make_unique<Running>(
      std::vector<std::string>{binary(), "serve", config, "--experimental"}, log);
  const bool up = wait_until([&] { return accepts(port_) || !running_->alive(); });
  if (!up || !running_->alive())
    throw std::runtime_error("workerd does not start: " + content(log));
}

}  // namespace stsctl::servers
