// rfc2136 at PowerDNS.

#include "rfc2136.h"

namespace stsctl::contract {
namespace {

const bool added = add_rfc2136_world("powerdns", servers::start_powerdns);

}  // namespace
}  // namespace stsctl::contract
