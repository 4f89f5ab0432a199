#pragma once
// What the answers of HTTP and WebDAV servers mean. Pure: knows no connection.

#include <string>

#include "base/result.h"
#include "io/http.h"

namespace stsctl::providers::webdav {

/// A validator (RFC 9110 §8.8.3), as it stands in the header: "\"5f-1\"", "W/\"5f-1\"", "".
struct Etag {
  std::string text;
  bool is_weak() const { return text.starts_with("W/"); }
  /// May it stand in If-Match? A weak one never matches there (§13.1.1).
  bool is_strong() const { return text.size() >= 2 && text.front() == '"' && text.back() == '"'; }
};

/// Is it Apache's mod_dav with files below it, from the answer to OPTIONS? Its PUT replaces a file
/// atomically and heeds If-Match; its MOVE removes the old file before it puts the new one there.
bool is_mod_dav_fs(const io::Reply& options);

/// Why a request failed. Code::unauthorized (401, 403), not_found (404, 409, 410), conflict (412,
/// 423), unsupported (405, 501), invalid (413 and the like), unreachable (502, 503, 504), internal
/// (500, 507), protocol (a redirect, and the rest).
Error problem(const io::Reply& reply, const std::string& method, const std::string& url);

}  // namespace stsctl::providers::webdav
