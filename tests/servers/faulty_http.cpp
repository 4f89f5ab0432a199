#include "servers/faulty_http.h"

#include <fstream>
#include <stdexcept>
#include <utility>

namespace stsctl::servers {

namespace {

std::vector<std::string> with_pair(const TestCa::Pair& pair,
                                   const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"--cert", pair.certificate, "--key", pair.key};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

}  // namespace

PythonServer::PythonServer(const std::string& script, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"/usr/bin/python3", "-W", "ignore",
                                       STSCTL_SOURCE_DIR "/tests/servers/" + script});
  const std::string log = folder_.file("log");
  server_ = std::make_unique<Running>(arguments, log);
  const bool started = wait_until([&] {
    std::ifstream in(log);
    return (in >> port_ && in.get() == '\n') || !server_->alive();
  });
  if (!started || port_ == 0) throw std::runtime_error(script + " does not start");
}

PythonServer start_smtp(const TestCa::Pair& pair, const std::string& behaviour,
                        const std::vector<std::string>& more) {
  std::vector<std::string> arguments = with_pair(pair, more);
  arguments.push_back(behaviour);
  return {"faulty_smtp.py", std::move(arguments)};
}

FaultyHttp::FaultyHttp(const std::vector<std::string>& arguments)
    : server_("faulty_http.py", arguments),
      url_("http://127.0.0.1:" + std::to_string(server_.port())) {}

FaultyHttp::FaultyHttp(const TestCa::Pair& pair, const std::vector<std::string>& arguments)
    : server_("faulty_http.py", with_pair(pair, arguments)),
      url_("https://localhost:" + std::to_string(server_.port())) {}

}  // namespace stsctl::servers
