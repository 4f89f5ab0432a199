// rfc2136 at BIND.

#include "rfc2136.h"

namespace stsctl::contract {
namespace {

const bool added = add_rfc2136_world("bind", servers::start_bind);

}  // namespace
}  // namespace stsctl::contract
