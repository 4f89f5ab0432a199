#include "providers/cloudflare/script.h"

#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace stsctl::providers::cloudflare {

namespace {

// Whoever changes a byte of these must go on reading what earlier versions wrote.
constexpr std::string_view head =
    R"(// Written by stsctl: the MTA-STS policies (RFC 8461) of mail domains, by the host that serves each.
// Change them with stsctl; a script that was changed by hand is left alone from then on.
// Each character is one byte of the file: \r\n ends its lines, \xNN is a byte beyond ASCII.
const policies = new Map([
)";

constexpr std::string_view tail = R"(]);

export default {
  fetch(request) {
    const { hostname, pathname } = new URL(request.url);
    const policy = pathname === "/.well-known/mta-sts.txt" ? policies.get(hostname) : undefined;
    if (policy === undefined) return answer(404, "not found\n", "no-store");
    if (request.method !== "GET" && request.method !== "HEAD")
      return answer(405, "method not allowed\n", "no-store", { "Allow": "GET, HEAD" });
    return answer(200, policy, "max-age=60");
  },
};

function answer(status, text, caching, more = {}) {
  return new Response(Uint8Array.from(text, (character) => character.charCodeAt(0)), {
    status,
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": caching,
      "X-Content-Type-Options": "nosniff",
      ...more,
    },
  });
}
)";

constexpr std::string_view entry_begin = "  [\"mta-sts.";
constexpr std::string_view entry_end = "\",";
constexpr std::string_view piece_begin = "    \"";
constexpr std::string_view piece_end = "\" +";
constexpr std::string_view last_piece_end = "\"],";

void append_escaped(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\')
    out += {'\\', c};
  else if (c == '\n')
    out += "\\n";
  else if (c == '\r')
    out += "\\r";
  else if (byte >= 0x20U && byte < 0x7fU)
    out += c;
  else
    out += fmt::format("\\x{:02x}", byte);
}

// A string a line of the body.
std::string literal(std::string_view body) {
  std::string out(piece_begin);
  for (std::size_t i = 0; i < body.size(); ++i) {
    append_escaped(out, body[i]);
    if (body[i] == '\n' && i + 1 < body.size())
      out += std::string(piece_end) + "\n" + std::string(piece_begin);
  }
  return out + std::string(last_piece_end) + "\n";
}

// Undoes append_escaped() over a whole piece; what it never writes may come out as anything.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char kind = text[++i];
    unsigned byte = 0;
    if (kind == 'x' && i + 2 < text.size()) {
      std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += kind == 'n' ? '\n' : kind == 'r' ? '\r' : kind;
    }
  }
  return out;
}

// `line` without what it begins and ends with; none if it does not.
std::optional<std::string_view> between(std::string_view line, std::string_view begin,
                                        std::string_view end) {
  if (line.size() < begin.size() + end.size() || !line.starts_with(begin) || !line.ends_with(end))
    return std::nullopt;
  line.remove_prefix(begin.size());
  line.remove_suffix(end.size());
  return line;
}

// What the lines of the map seem to say; whether they say just that is render_script()'s to tell.
Policies parse(std::string_view lines) {
  Policies policies;
  std::string* body = nullptr;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (const auto name = between(line, entry_begin, entry_end)) {
      const Result<dns::Name> domain = dns::Name::parse(*name);
      body = domain ? &policies[*domain] : nullptr;
    } else if (body != nullptr) {
      auto piece = between(line, piece_begin, piece_end);
      if (!piece) piece = between(line, piece_begin, last_piece_end);
      if (piece) *body += unescaped(*piece);
    }
  }
  return policies;
}

}  // namespace

std::string render_script(const Policies& policies) {
  std::string out(head);
  for (const auto& [domain, body] : policies) {
    out += fmt::format("{}{}{}\n", entry_begin, domain.text(), entry_end);
    out += literal(body);
  }
  return out + std::string(tail);
}

Result<Policies> read_script(std::string_view text) {
  const auto lines = between(text, head, tail);
  Policies policies = lines ? parse(*lines) : Policies{};
  if (!lines || render_script(policies) != text)
    return fail(Code::refused, "the Worker's script is not one that stsctl wrote");
  return policies;
}

}  // namespace stsctl::providers::cloudflare
