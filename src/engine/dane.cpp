#include "engine/dane.h"

#include <algorithm>
#include <charconv>

#include "base/digest.h"
#include "base/text.h"

namespace stsctl::engine {

namespace {

constexpr std::uint8_t dane_ta = 2;
constexpr std::uint8_t dane_ee = 3;

std::optional<std::uint8_t> read_byte(std::string_view text) {
  std::uint8_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_usable(const Tlsa& record) {
  return (record.usage == dane_ta || record.usage == dane_ee) && record.selector <= 1 &&
         record.matching <= 2;
}

bool is_of(const Tlsa& record, const io::ShownCertificate& certificate) {
  const std::string& chosen = record.selector == 0 ? certificate.der : certificate.key;
  if (record.matching == 1) return record.data == bytes(sha256(chosen));
  if (record.matching == 2) return record.data == bytes(sha512(chosen));
  return record.data == chosen;
}

bool fits(const Tlsa& record, const io::TlsFacts& tls) {
  if (tls.chain.empty()) return false;
  if (record.usage == dane_ee) return is_of(record, tls.chain.front());
  return tls.named && std::any_of(tls.chain.begin() + 1, tls.chain.end(),
                                  [&](const auto& above) { return is_of(record, above); });
}

}  // namespace

std::optional<Tlsa> parse_tlsa(std::string_view text) {
  std::vector<std::string_view> words = split(text, ' ');
  std::erase(words, "");
  if (words.size() < 4) return std::nullopt;
  const auto usage = read_byte(words[0]);
  const auto selector = read_byte(words[1]);
  const auto matching = read_byte(words[2]);
  std::string digits;
  for (std::size_t i = 3; i < words.size(); ++i)
    digits += words[i];
  const auto data = decode_hex(digits);
  if (!usage || !selector || !matching || !data) return std::nullopt;
  return Tlsa{*usage, *selector, *matching, *data};
}

Dane judge_tlsa(const std::vector<std::string>& records, const io::TlsFacts& tls) {
  Dane found = Dane::unusable;
  for (const std::string& text : records) {
    const std::optional<Tlsa> record = parse_tlsa(text);
    if (!record || !is_usable(*record)) continue;
    if (fits(*record, tls)) return Dane::matches;
    found = Dane::differs;
  }
  return found;
}

}  // namespace stsctl::engine
