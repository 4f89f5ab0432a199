#include "dns/name.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <idn2.h>

#include "base/text.h"

namespace stsctl::dns {

namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }
};
using IdnText = std::unique_ptr<char, Free>;

constexpr std::size_t max_name = 253;  // 255 octets on the wire (RFC 1035 §2.3.4)
constexpr std::size_t max_label = 63;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_label_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// Why `name`, lower-case ASCII without a final dot, is no domain name; empty if it is one.
std::string fault(std::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > max_name) return "it is longer than 253 characters";
  for (const std::string_view label : split(name, '.')) {
    if (label.empty()) return "it has an empty label";
    if (label.size() > max_label) return "a label is longer than 63 characters";
    const auto odd = std::ranges::find_if_not(label, is_label_char);
    if (odd != label.end())
      return fmt::format("'{}' cannot stand in a domain name",
                         printable(std::string_view(&*odd, 1)));
    if (label.front() == '-' || label.back() == '-') return "a label begins or ends with '-'";
  }
  return {};
}

Result<std::string> to_ascii(std::string_view text) {
  const std::string input(text);
  char* output = nullptr;
  // No STD3 rules: '_' is part of every name we publish at. fault() checks the characters.
  const int status =
      idn2_to_ascii_8z(input.c_str(), &output, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
  const IdnText owned(output);
  if (status != IDN2_OK) return fail(Code::invalid, idn2_strerror(status));
  return std::string(owned.get());
}

}  // namespace

Result<Name> Name::parse(std::string_view text) {
  std::string name = lower(text.ends_with('.') ? text.substr(0, text.size() - 1) : text);
  const auto bad = [&](std::string_view why) {
    return fail(Code::invalid,
                fmt::format("'{}' is no domain name: {}", printable(text.substr(0, 80)), why));
  };
  if (name.find('\0') != std::string::npos) return bad("it has a NUL byte");
  if (name.size() > 4 * max_name) return bad("it is longer than 253 characters");
  if (!is_ascii(name) || name.find("xn--") != std::string::npos) {
    Result<std::string> ascii = to_ascii(name);
    if (!ascii) return bad(ascii.error().what);
    name = lower(*ascii);
  }
  if (const std::string why = fault(name); !why.empty()) return bad(why);
  return Name(std::move(name));
}

std::string Name::unicode() const {
  char* output = nullptr;
  const int status = idn2_to_unicode_8z8z(text_.c_str(), &output, 0);
  const IdnText owned(output);
  return status == IDN2_OK ? std::string(owned.get()) : text_;
}

bool Name::within(const Name& zone) const {
  const std::size_t length = zone.text_.size();
  return text_ == zone.text_ || (text_.size() > length && text_.ends_with(zone.text_) &&
                                 text_[text_.size() - length - 1] == '.');
}

std::optional<Name> Name::parent() const {
  const std::size_t dot = text_.find('.');
  return dot == std::string::npos ? std::nullopt : std::optional(Name(text_.substr(dot + 1)));
}

std::vector<std::string_view> Name::labels() const {
  return split(text_, '.');
}

const Name* longest_zone(const std::vector<Name>& zones, const Name& name) {
  std::string_view rest = name.text();
  while (true) {
    const auto found =
        std::ranges::lower_bound(zones, rest, std::ranges::less{},
                                 [](const Name& zone) -> std::string_view { return zone.text(); });
    if (found != zones.end() && found->text() == rest) return &*found;
    const std::size_t dot = rest.find('.');
    if (dot == std::string_view::npos) return nullptr;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace stsctl::dns
