#pragma once
// The misbehaving HTTP server of faulty_http.py.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "servers/running.h"
#include "servers/test_ca.h"

namespace stsctl::servers {

/// A program of tests/servers in Python that prints its port first; runs while it exists.
class PythonServer {
 public:
  PythonServer(const std::string& script, std::vector<std::string> arguments);
  std::uint16_t port() const { return port_; }

 private:
  Folder folder_;
  std::unique_ptr<Running> server_;
  std::uint16_t port_ = 0;
};

/// The mail server of faulty_smtp.py; `more`: its further options.
PythonServer start_smtp(const TestCa::Pair& pair, const std::string& behaviour,
                        const std::vector<std::string>& more = {});

/// Runs while it exists.
class FaultyHttp {
 public:
  /// Further arguments of faulty_http.py.
  explicit FaultyHttp(const std::vector<std::string>& arguments = {});
  FaultyHttp(const TestCa::Pair& pair, const std::vector<std::string>& arguments = {});

  /// "http://127.0.0.1:PORT" or, with a certificate, "https://localhost:PORT".
  const std::string& url() const { return url_; }
  std::uint16_t port() const { return server_.port(); }

 private:
  PythonServer server_;
  std::string url_;
};

}  // namespace stsctl::servers
