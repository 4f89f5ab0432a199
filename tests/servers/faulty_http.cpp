#include "servers/faulty_http.h"

#include <fstream>
#include <stdexcept>
#include <utility>

namespace stsctl::servers {

namespace {

// openssl req with a new key: a request, or a certificate signed by itself.
void make(const std::vector<std::string>& more, const std::string& key,
          const std::string& subject) {
  std::vector<std::string> argv{
      "openssl", "req",     "-newkey", "ec",    "-pkeyopt", "ec_paramgen_curve:prime256v1",
      "-nodes",  "-keyout", key,       "-subj", subject};
  argv.insert(argv.end(), more.begin(), more.end());
  run(argv);
}

std::vector<std::string> with_pair(const TestCa::Pair& pair,
                                   const std::vector<std::string>& arguments) {
  std::vector<std::string> all{"--cert", pair.certificate, "--key", pair.key};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

}  // namespace

TestCa::TestCa() : ca_(folder_.file("ca.pem")) {
  make({"-x509", "-days", "30", "-out", ca_}, folder_.file("ca.key"), "/CN=stsctl test CA");
}

TestCa::Pair TestCa::next() const {
  const std::string base = folder_.file("server" + std::to_string(count_++));
  return {base + ".pem", base + ".key"};
}

TestCa::Pair TestCa::issue(const std::string& names, int days) const {
  const Pair pair = next();
  const std::string wanted = pair.certificate + ".csr";
  make({"-out", wanted}, pair.key, "/CN=server");
  const std::string extensions = pair.certificate + ".cnf";
  std::ofstream(extensions) << "subjectAltName=" << names << '\n';
  run({"openssl", "x509", "-req", "-in", wanted, "-CA", ca_, "-CAkey", folder_.file("ca.key"),
       "-CAcreateserial", "-days", std::to_string(days), "-extfile", extensions, "-out",
       pair.certificate});
  return pair;
}

TestCa::Pair TestCa::self_signed(const std::string& names) const {
  const Pair pair = next();
  make({"-x509", "-days", "30", "-addext", "subjectAltName=" + names, "-out", pair.certificate},
       pair.key, "/CN=server");
  return pair;
}

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
