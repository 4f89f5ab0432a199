#pragma once
// Domain names. Knows no resolver.

#include <compare>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stsctl::dns {

/// A domain name as A-labels, lower case, without the final dot: "mail.example.com". Only parse()
/// and under() make one, so a Name in hand is valid (RFC 1035 §2.3.4 lengths, RFC 5890 A-labels).
/// Labels may hold letters, digits, '-' and '_'.
class Name {
 public:
  /// Reads U-labels or A-labels, any case, with or without the final dot (libidn2, UTS #46
  /// non-transitional). Code::invalid with the reason.
  static Result<Name> parse(std::string_view text);

  const std::string& text() const { return text_; }
  /// For people: the U-labels, where the A-labels decode to them.
  std::string unicode() const;
  /// `label`.this: under("_mta-sts"). `label` must be one valid label or several with dots between.
  Name under(std::string_view label) const { return Name(std::string(label) + "." + text_); }
  /// Is this name `zone` or below it?
  bool within(const Name& zone) const;
  /// The name without its first label; none for a top-level domain.
  std::optional<Name> parent() const;
  /// The labels, left to right.
  std::vector<std::string_view> labels() const;

  auto operator<=>(const Name&) const = default;
  bool operator==(const Name&) const = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// The longest of `zones` that holds `name`, or null. `zones` sorted by Name's order.
const Name* longest_zone(const std::vector<Name>& zones, const Name& name);

}  // namespace stsctl::dns

template <>
struct std::hash<stsctl::dns::Name> {
  std::size_t operator()(const stsctl::dns::Name& name) const noexcept {
    return std::hash<std::string>{}(name.text());
  }
};
