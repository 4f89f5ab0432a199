#include "config/excerpt.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/text.h"

namespace stsctl::config {

namespace {

bool sounds_secret(std::string_view key) {
  constexpr std::array words{"secret", "token", "passw", "key", "credential"};
  const std::string name = lower(key);
  return std::ranges::any_of(
      words, [&](const char* word) { return name.find(word) != std::string::npos; });
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
}

// The word that ends before the colon at `colon`, quotes around it left out.
std::string_view key_before(std::string_view line, std::size_t colon) {
  std::size_t end = colon;
  while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '"' || line[end - 1] == '\''))
    --end;
  std::size_t begin = end;
  while (begin > 0 && is_word(line[begin - 1]))
    --begin;
  return line.substr(begin, end - begin);
}

// Where the value that begins at `begin` ends.
std::size_t end_of_value(std::string_view line, std::size_t begin) {
  if (line[begin] == '"' || line[begin] == '\'') {
    const std::size_t close = line.find(line[begin], begin + 1);
    return close == std::string_view::npos ? line.size() : close + 1;
  }
  // Plain text in a mapping with braces holds none of these (YAML 1.2 §7.3.3).
  const bool in_braces = line.substr(0, begin).find('{') != std::string_view::npos;
  const std::size_t end = in_braces ? line.find_first_of(",}]", begin) : line.find(" #", begin);
  return std::min(end, line.size());
}

// Does a secret stand at `begin`, rather than a mapping, a reference or nothing?
bool is_secret_value(std::string_view line, std::size_t begin) {
  if (begin >= line.size() || line[begin] == '{') return false;
  const bool quoted = line[begin] == '"' || line[begin] == '\'';
  return !line.substr(begin + (quoted ? 1 : 0)).starts_with("${");
}

}  // namespace

Excerpt without_secrets(const Excerpt& excerpt) {
  const std::string_view line = excerpt.line;
  Excerpt shown{{}, excerpt.column};
  std::size_t done = 0;
  for (std::size_t colon = line.find(':'); colon != std::string_view::npos;
       colon = line.find(':', std::max(colon + 1, done))) {
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    if (!sounds_secret(key_before(line, colon)) || !is_secret_value(line, begin)) continue;
    const std::size_t end = end_of_value(line, begin);
    shown.line += line.substr(done, begin - done);
    const std::size_t masked_at = shown.line.size();
    shown.line += "***";
    // `column` counts from 1 in the line as it is.
    if (excerpt.column > end)
      shown.column = excerpt.column - end + shown.line.size();
    else if (excerpt.column > begin)
      shown.column = masked_at + 1;
    done = end;
  }
  shown.line += line.substr(done);
  return shown;
}

}  // namespace stsctl::config
