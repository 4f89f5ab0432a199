// The explicit list of what `provider:` may name. One line a provider; no self-registration, since
// the linker drops unreferenced objects of a static library.

#include "providers/provider.h"

namespace stsctl::providers {

const std::vector<DnsKind>& dns_kinds() {
  static const std::vector<DnsKind> kinds{};
  return kinds;
}

const std::vector<HostKind>& host_kinds() {
  static const std::vector<HostKind> kinds{};
  return kinds;
}

}  // namespace stsctl::providers
