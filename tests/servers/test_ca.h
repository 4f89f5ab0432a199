#pragma once
// Certificates for servers of tests.

#include <string>

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

}  // namespace stsctl::servers
