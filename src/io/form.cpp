#include "io/form.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/text.h"

namespace stsctl::io {

namespace {

constexpr std::string_view form_type = "multipart/form-data";

std::string boundary_for(const std::vector<FormPart>& parts) {
  std::string all;
  for (const FormPart& part : parts)
    all += part.content;
  std::string boundary;
  do {
    boundary = "stsctl-" + hex(sha256(all + boundary));
  } while (all.find(boundary) != std::string::npos);
  return boundary;
}

std::unexpected<Error> no_form(const char* why) {
  return fail(Code::protocol, fmt::format("this is no multipart/form-data: {}", why));
}

// The parameter `name` of a field's value: `form-data; name="a"; filename=b`.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  for (std::size_t at = value.find(';'); at != std::string_view::npos;) {
    std::size_t begin = at + 1;
    const std::size_t equals = value.find('=', begin);
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string key = lower(trim(value.substr(begin, equals - begin)));
    begin = equals + 1;
    const bool quoted = begin < value.size() && value[begin] == '"';
    const std::size_t end = value.find(quoted ? '"' : ';', quoted ? ++begin : begin);
    if (quoted && end == std::string_view::npos) return std::nullopt;
    if (key == name) {
      const std::string_view found = value.substr(begin, end - begin);
      return std::string(quoted ? found : trim(found));
    }
    at = quoted ? value.find(';', end) : end;
  }
  return std::nullopt;
}

Result<FormPart> read_part(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return no_form("a part has no head");
  FormPart part{.content = std::string(text.substr(end + 4))};
  std::optional<std::string> name;
  std::string_view head = text.substr(0, end);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string field = lower(line.substr(0, colon));
    const std::string_view value = trim(line.substr(std::min(colon + 1, line.size())));
    if (field == "content-disposition") {
      name = parameter(value, "name");
      part.filename = parameter(value, "filename").value_or("");
    }
    if (field == "content-type") part.type = value;
  }
  if (!name) return no_form("a part has no name");
  part.name = *name;
  return part;
}

}  // namespace

Form write_form(const std::vector<FormPart>& parts) {
  const std::string boundary = boundary_for(parts);
  std::string body;
  for (const FormPart& part : parts) {
    body += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"", boundary, part.name);
    if (!part.filename.empty()) body += fmt::format("; filename=\"{}\"", part.filename);
    if (!part.type.empty()) body += fmt::format("\r\nContent-Type: {}", part.type);
    body += "\r\n\r\n" + part.content + "\r\n";
  }
  body += "--" + boundary + "--\r\n";
  return {fmt::format("{}; boundary={}", form_type, boundary), std::move(body)};
}

Result<std::vector<FormPart>> read_form(std::string_view type, std::string_view body) {
  const std::optional<std::string> boundary = parameter(type, "boundary");
  if (!lower(type).starts_with(form_type) || !boundary || boundary->empty())
    return no_form("its Content-Type is another");
  const std::string delimiter = "\r\n--" + *boundary;
  // The first one may stand at the very beginning, without a line end.
  std::size_t at = delimiter.size() - 2;
  if (!body.starts_with(std::string_view(delimiter).substr(2))) {
    at = body.find(delimiter);
    if (at == std::string_view::npos) return no_form("it has no boundary");
    at += delimiter.size();
  }
  std::vector<FormPart> parts;
  while (!body.substr(at).starts_with("--")) {
    const std::size_t begin = body.find("\r\n", at);
    const std::size_t end = begin == std::string_view::npos ? begin : body.find(delimiter, begin);
    if (end == std::string_view::npos) return no_form("it ends in the middle");
    if (!trim(body.substr(at, begin - at)).empty()) return no_form("a boundary goes on");
    const std::size_t first = std::min(begin + 2, end);
    Result<FormPart> part = read_part(body.substr(first, end - first));
    if (!part) return fail(part);
    parts.push_back(std::move(*part));
    at = end + delimiter.size();
  }
  return parts;
}

}  // namespace stsctl::io
