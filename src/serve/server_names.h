#pragma once
// Which certificate answers for a server name. Pure: knows no TLS.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace stsctl::serve {

/// Certificates by the DNS names in them.
class ServerNames {
 public:
  /// `name` as it stands in a certificate, "*.example.com" too; any case. The first certificate
  /// added for a name keeps it, so add the best first.
  void add(std::string_view name, std::size_t certificate);
  /// For a name that a client asks for (RFC 6066 §3): the certificate that holds it, or else the
  /// one with the wildcard for its left-most label (RFC 6125 §6.4.3). None: no certificate fits.
  std::optional<std::size_t> find(std::string_view server_name) const;

 private:
  std::unordered_map<std::string, std::size_t> names_;
};

}  // namespace stsctl::serve
