#include "providers/aws/cloudfront_wire.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "base/sorted.h"
#include "providers/aws/identity_error.h"
#include "providers/aws/xml.h"

namespace stsctl::providers::aws {

namespace {

constexpr const char* xml_namespace = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
constexpr const char* page = "docs/providers/s3.md";
constexpr std::size_t most_paths = 100;

bool is_unsafe(char c) {
  constexpr std::string_view marks = " <>\"#%{}|\\^~[]`";  // RFC 1738 §2.2
  return c < 0x20 || c > 0x7E || marks.find(c) != std::string_view::npos;
}

std::string encoded(std::string_view path) {
  std::string text;
  for (const char c : path) {
    if (is_unsafe(c))
      text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      text += c;
  }
  return text;
}

std::string_view common_beginning(const std::vector<std::string>& sorted) {
  const std::string& first = sorted.front();
  const std::string& last = sorted.back();
  const auto differ = std::ranges::mismatch(first, last);
  return std::string_view(first).substr(0, static_cast<std::size_t>(differ.in1 - first.begin()));
}

bool is_throttling(std::string_view code) {
  return code == "Throttling" || code == "ThrottlingException";
}

}  // namespace

std::vector<std::string> invalidation_paths(std::vector<std::string> keys) {
  std::vector<std::string> paths{std::string(policy_url_path)};
  if (keys.empty()) return {};
  sort_unique(keys);
  if (keys.size() >= most_paths) {
    paths.push_back(fmt::format("/{}*", encoded(common_beginning(keys))));
    return paths;
  }
  for (const std::string& key : keys)
    paths.push_back("/" + encoded(key));
  return paths;
}

std::string invalidation_body(const std::vector<std::string>& paths, const std::string& reference) {
  pugi::xml_document document;
  pugi::xml_node batch = document.append_child("InvalidationBatch");
  batch.append_attribute("xmlns").set_value(xml_namespace);
  pugi::xml_node list = batch.append_child("Paths");
  list.append_child("Quantity").text().set(static_cast<unsigned long long>(paths.size()));
  pugi::xml_node items = list.append_child("Items");
  for (const std::string& path : paths)
    items.append_child("Path").text().set(path.c_str());
  batch.append_child("CallerReference").text().set(reference.c_str());
  std::ostringstream text;
  document.save(text, "", pugi::format_raw);
  return text.str();
}

Result<Invalidation> parse_invalidation(std::string_view xml) {
  const auto unexpected = [] {
    return fail(Code::protocol, "the answer is not the invalidation expected", {},
                "does 'cloudfront_endpoint' name CloudFront?");
  };
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return unexpected();
  const pugi::xml_node root = document.document_element();
  const std::string status = text_of(root, "Status");
  Invalidation invalidation{.id = text_of(root, "Id"), .completed = status == "Completed"};
  if (std::string_view(root.name()) != "Invalidation" || !is_id(invalidation.id) || status.empty())
    return unexpected();
  return invalidation;
}

bool cloudfront_asks_to_wait(const io::Reply& reply) {
  return reply.status == 400 && is_throttling(parse_error(reply.body).code);
}

Error cloudfront_error(const io::Reply& reply, Time now, std::string_view action) {
  const ApiError error = parse_error(reply.body);
  const bool named = !error.code.empty();
  const std::string said = named ? fmt::format("{}: {}", error.code, error.message)
                                 : fmt::format("the service answers {}", reply.status);
  if (error.code == "TooManyInvalidationsInProgress" || is_throttling(error.code) ||
      reply.status == 429)
    return {Code::rate_limited, said};
  if (error.code.starts_with("AccessDenied"))
    return {Code::unauthorized,
            said,
            {},
            fmt::format("allow cloudfront:{} of the distribution in the IAM policy of these "
                        "credentials; {} has one",
                        action, page)};
  if (auto identity = identity_error(error, reply, now, page)) return *std::move(identity);
  if (error.code == "NoSuchDistribution")
    return {Code::not_found, said, {}, "'distribution' is the id of one of this account"};
  if (reply.status >= 500) return {Code::unreachable, said};
  if (named && reply.status == 404) return {Code::not_found, said};
  if (named && (reply.status == 400 || reply.status == 413)) return {Code::invalid, said};
  return {Code::protocol, said, {}, "does 'cloudfront_endpoint' name CloudFront?"};
}

}  // namespace stsctl::providers::aws
