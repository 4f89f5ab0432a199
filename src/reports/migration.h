#pragma once
// The tables of the store, and how an older store becomes a newer one.

#include <span>

#include "reports/sqlite.h"

namespace stsctl::reports {

/// SQL scripts; the first makes the tables of version 1 out of nothing, the next version 2 of it.
std::span<const char* const> store_migrations();

/// Brings a database to the version of the last of `migrations`, in one transaction, and marks it
/// as ours. Code::unsupported when it is of a later version; Code::invalid, and nothing touched,
/// when it is somebody else's database.
Result<Done> migrate(Database& database, std::span<const char* const> migrations);

}  // namespace stsctl::reports
