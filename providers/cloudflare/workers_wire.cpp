#include "providers/cloudflare/workers_wire.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stsctl::providers::cloudflare {

namespace {

constexpr const char* main_module = "worker.js";
// Of the runtime's behaviour: what the script was tried with.
constexpr const char* compatibility_date = "2025-01-01";

}  // namespace

io::Form upload_form(const std::string& script) {
  const nlohmann::json metadata{{"main_module", main_module},
                                {"compatibility_date", compatibility_date},
                                {"bindings", nlohmann::json::array()}};
  return io::write_form(
      {{.name = "metadata", .type = "application/json", .content = metadata.dump()},
       {.name = main_module,
        .filename = main_module,
        .type = "application/javascript+module",
        .content = script}});
}

Result<std::string> parse_script(const io::Reply& reply) {
  const std::string type = reply.header("Content-Type").value_or("");
  if (!lower(type).starts_with("multipart/")) return reply.body;
  Result<std::vector<io::FormPart>> parts = io::read_form(type, reply.body);
  if (!parts) return fail(parts);
  if (parts->size() != 1)
    return fail(Code::refused, "the Worker has other modules than the one that stsctl writes");
  return std::move(parts->front().content);
}

std::string custom_domain_body(const std::string& hostname, const std::string& service) {
  return nlohmann::json{{"hostname", hostname}, {"service", service}}.dump();
}

}  // namespace stsctl::providers::cloudflare
