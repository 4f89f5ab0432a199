#include "providers/aws/sigv4.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/text.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";

bool is_s3(const Scope& scope) {
  return scope.service == "s3";
}

// The parts of an absolute URL as they stand on the wire.
struct Parts {
  std::string_view host;  // with its port, unless that is the scheme's own
  std::string_view path;
  std::string_view query;
};

std::string_view without_usual_port(std::string_view scheme, std::string_view authority) {
  const std::string_view usual = lower(scheme) == "http" ? ":80" : ":443";
  if (authority.ends_with(usual)) authority.remove_suffix(usual.size());
  return authority;
}

Parts parts_of(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const std::size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end);
  std::string_view rest = url.substr(scheme_end == std::string_view::npos ? 0 : scheme_end + 3);
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  rest.remove_prefix(authority_end);
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  return {without_usual_port(scheme, authority), rest.substr(0, mark),
          rest.substr(std::min(mark + 1, rest.size()))};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string uri_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                         hex_digit(text[i + 2]) >= 0;
    if (!escaped) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

// Without "." and "..", and without empty segments but a last one (RFC 3986 §5.2.4).
std::string normalized(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..")
      kept.push_back(segment);
    else if (!kept.empty())
      kept.pop_back();
  }
  std::string out = fmt::format("/{}", fmt::join(kept, "/"));
  if (!kept.empty() && path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_path(std::string_view path, const Scope& scope) {
  if (path.empty()) return "/";
  if (is_s3(scope)) return std::string(path);
  return uri_encode(normalized(path), true);
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string_view piece : split(query, '&')) {
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    pairs.emplace_back(uri_encode(uri_decode(piece.substr(0, equals))),
                       uri_encode(uri_decode(piece.substr(std::min(equals + 1, piece.size())))));
  }
  std::ranges::sort(pairs);
  std::string out;
  for (const auto& [name, value] : pairs)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
  return out;
}

std::string single_spaced(std::string_view value) {
  std::string out;
  for (const char c : trim(value)) {
    const bool repeated = c == ' ' && !out.empty() && out.back() == ' ';
    if (!repeated) out += c;
  }
  return out;
}

// By name in lower case; values of one name with commas between, in the order they are sent.
std::map<std::string, std::string> canonical_headers(std::string_view host,
                                                     const std::vector<io::Header>& headers) {
  std::map<std::string, std::string> all;
  for (const io::Header& header : headers) {
    const std::string value = single_spaced(header.value);
    const auto [place, fresh] = all.try_emplace(lower(header.name), value);
    if (!fresh) place->second += "," + value;
  }
  all.try_emplace("host", host);
  return all;
}

std::string names_of(const std::map<std::string, std::string>& headers) {
  std::string names;
  for (const auto& [name, value] : headers)
    names += (names.empty() ? "" : ";") + name;
  return names;
}

std::string signing_key(const Credentials& credentials, const Scope& scope, std::string_view day) {
  std::string key = "AWS4" + credentials.secret_key;
  for (const std::string_view part :
       {day, std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")})
    key = bytes(hmac_sha256(key, part));
  return key;
}

std::vector<io::Header> joined(std::vector<io::Header> left, const std::vector<io::Header>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string canonical_request(const io::Request& request, const std::vector<io::Header>& signed_by,
                              const Scope& scope) {
  const Parts parts = parts_of(request.url);
  const auto headers = canonical_headers(parts.host, signed_by);
  std::string lines = fmt::format("{}\n{}\n{}\n", request.method, canonical_path(parts.path, scope),
                                  canonical_query(parts.query));
  for (const auto& [name, value] : headers)
    lines += fmt::format("{}:{}\n", name, value);
  return fmt::format("{}\n{}\n{}", lines, names_of(headers), hex(sha256(request.body)));
}

std::vector<io::Header> sign(const io::Request& request, const Credentials& credentials,
                             const Scope& scope, Time now) {
  const std::string stamp = format_compact_time(now);
  const std::string day = stamp.substr(0, 8);
  std::vector<io::Header> added{{"X-Amz-Date", stamp}};
  if (!credentials.session_token.empty())
    added.push_back({"X-Amz-Security-Token", credentials.session_token});
  if (is_s3(scope)) added.push_back({"X-Amz-Content-Sha256", hex(sha256(request.body))});

  const std::vector<io::Header> all = joined(request.headers, added);
  const std::string canonical = canonical_request(request, all, scope);
  const std::string names = names_of(canonical_headers(parts_of(request.url).host, all));
  const std::string credential_scope =
      fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign =
      fmt::format("{}\n{}\n{}\n{}", algorithm, stamp, credential_scope, hex(sha256(canonical)));
  const std::string signature = hex(hmac_sha256(signing_key(credentials, scope, day), to_sign));
  added.push_back({"Authorization",
                   fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", algorithm,
                               credentials.access_key, credential_scope, names, signature)});
  return added;
}

}  // namespace stsctl::providers::aws
