#pragma once
// The misbehaving HTTP server of faulty_http.py, and certificates for it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "servers/running.h"

namespace stsctl::servers {

/// A private CA and what it issues, in files.
class TestCa {
 public:
  TestCa();
  const std::string& file() const { return ca_; }

  struct Pair {
    std::string certificate;
    std::string key;
  };
  /// For `names` such as "DNS:localhost,IP:127.0.0.1"; valid for `days` from now, negative:
  /// expired.
  Pair issue(const std::string& names, int days = 30) const;
  /// The same, signed by itself.
  Pair self_signed(const std::string& names) const;

 private:
  Pair next() const;

  Folder folder_;
  std::string ca_;
  mutable int count_ = 0;
};

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
