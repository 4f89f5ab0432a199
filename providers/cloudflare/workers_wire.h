#pragma once
// What the API is sent about Workers, and a script as it comes back. Pure; knows no connection.

#include <string>

#include "base/result.h"
#include "io/form.h"
#include "io/http.h"

namespace stsctl::providers::cloudflare {

/// PUT /accounts/{id}/workers/scripts/{name}: a Worker of one ES module, without bindings.
io::Form upload_form(const std::string& script);

/// GET …/content/v2: the one module of a Worker, or the text of an old one that has none.
/// Code::refused when there are several.
Result<std::string> parse_script(const io::Reply& reply);

/// PUT /accounts/{id}/workers/domains.
std::string custom_domain_body(const std::string& hostname, const std::string& service);

}  // namespace stsctl::providers::cloudflare
