#include "servers/test_ca.h"

#include <fstream>
#include <vector>

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

}  // namespace stsctl::servers
