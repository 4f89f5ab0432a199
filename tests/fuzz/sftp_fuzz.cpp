// Paths and answers of sftp from outside: whatever path is said, sftp's reading of the word gives
// it back; no answer crashes, and none is taken for another command's.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "providers/sftp/batch.h"
#include "providers/sftp/login.h"

namespace sftp = stsctl::providers::sftp;

namespace {

void require(bool law) {
  if (!law) std::abort();
}

// A word in double quotes as OpenSSH's client reads it (sftp(1)): inside, a backslash keeps the
// quote and is kept before all else; the characters of globs are escaped for the glob that follows.
std::string unquoted(const std::string& word) {
  std::string out;
  require(word.size() >= 2 && word.front() == '"');
  std::size_t i = 1;
  for (; i < word.size() && word[i] != '"'; ++i) {
    const bool glob = word[i] == '*' || word[i] == '?' || word[i] == '[';
    if (word[i] != '\\') {
      out += glob ? "\\" : "";
      out += word[i];
      continue;
    }
    ++i;
    require(i < word.size());
    if (word[i] == '"')
      out += '"';
    else if (word[i] == '*' || word[i] == '?' || word[i] == '[')
      (out += "\\\\\\") += word[i];
    else
      (out += '\\') += word[i];
  }
  require(i + 1 == word.size());  // the word ends with its quote
  return out;
}

// What glob(3) and sftp's own unescaping leave: it must find nothing but escaped glob characters.
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    require(text[i] != '*' && text[i] != '?' && text[i] != '[');
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

void check_path(const std::string& path) {
  const auto word = sftp::path_word(path);
  if (!word) return;
  require(word->find('\n') == std::string::npos && word->size() <= 900);
  const std::string meant = path.starts_with('-') ? "./" + path : path;
  require(unescaped(unquoted(*word)) == meant);
}

void check_answers(const std::string& said) {
  const sftp::Transcript transcript = sftp::part(said, "m");
  std::size_t marks = 0;
  for (const std::string_view line : stsctl::split(said, '\n'))
    if (stsctl::trim(line).starts_with("sftp> #m-")) ++marks;
  require(transcript.answers.size() <= marks);
  for (const std::string& answer : transcript.answers) {
    if (sftp::meaning(answer) == sftp::Meaning::done)
      require(answer.empty());
    else
      require(!sftp::problem(answer, "read", "/x").what.empty());
    sftp::permissions(answer);
  }
  require(!sftp::login_problem(said, {.host = "h"}).what.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  check_path(text);
  check_answers(text);
  return 0;
}
