// rfc2136 at Knot.

#include "rfc2136.h"

namespace stsctl::contract {
namespace {

const bool added = add_rfc2136_world(
    "knot", servers::start_knot,
    {{Need::every_type, "Knot answers ANY with one set of its choice (RFC 8482)"}});

}  // namespace
}  // namespace stsctl::contract
