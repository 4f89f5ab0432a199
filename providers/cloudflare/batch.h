#pragma once
// From wanted record sets to the bodies of POST /zones/{id}/dns_records/batch. Pure; knows no
// connection.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "providers/cloudflare/wire.h"

namespace stsctl::providers::cloudflare {

/// How records are written.
struct RecordStyle {
  std::optional<bool> proxied;  ///< Of address records; none: as it is there, new ones are not.
  std::string comment;          ///< For records that have none; "": none.
};

/// `edits` as the service can store them where `live` stands at their owners: the TTL of a proxied
/// record is automatic. Code::invalid for a TTL that the service takes for something else or not at
/// all, and where a TTL is to change that cannot.
Result<std::vector<plan::RecordEdit>> storable(const std::vector<Record>& live,
                                               std::vector<plan::RecordEdit> edits,
                                               const RecordStyle& style);

/// The bodies that make `edits` true, each of at most `limit` operations; what belongs to one name
/// is in one body. Records are changed in place, so that comments, tags and settings stay; values
/// that stay keep their spelling. None when all are done.
/// Code::refused where another product keeps a record that would change.
Result<std::vector<std::string>> batches(const std::vector<Record>& live,
                                         const std::vector<plan::RecordEdit>& edits,
                                         std::size_t limit, const RecordStyle& style);

}  // namespace stsctl::providers::cloudflare
