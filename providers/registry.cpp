// The explicit list of what `provider:` may name. One line a provider; no self-registration, since
// the linker drops unreferenced objects of a static library.

#include "providers/aws/route53.h"
#include "providers/aws/s3.h"
#include "providers/cloudflare/dns.h"
#include "providers/cloudflare/workers.h"
#include "providers/directory/directory.h"
#include "providers/github/github.h"
#include "providers/powerdns/powerdns.h"
#include "providers/provider.h"
#include "providers/rfc2136/rfc2136.h"
#include "providers/serve/serve.h"
#include "providers/sftp/sftp.h"
#include "providers/webdav/webdav.h"
#include "providers/zonefile/zonefile.h"

namespace stsctl::providers {

const std::vector<DnsKind>& dns_kinds() {
  static const std::vector<DnsKind> kinds{cloudflare::dns_kind(), powerdns::kind(), rfc2136::kind(),
                                          aws::route53_kind(), zonefile::kind()};
  return kinds;
}

const std::vector<HostKind>& host_kinds() {
  static const std::vector<HostKind> kinds{cloudflare::workers_kind(),
                                           directory::kind(),
                                           github::kind(),
                                           webdav::put_kind(),
                                           aws::s3_kind(),
                                           serve::kind(),
                                           sftp::kind(),
                                           webdav::kind()};
  return kinds;
}

}  // namespace stsctl::providers
