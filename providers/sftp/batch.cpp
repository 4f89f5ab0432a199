#include "providers/sftp/batch.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::sftp {

namespace {

// Two paths and a verb fit into a line.
constexpr std::size_t longest_word = 900;
constexpr std::size_t longest_shown = 300;

std::string mark_line(std::size_t number, std::string_view mark) {
  return fmt::format("#{}-{}", mark, number);
}

}  // namespace

Result<std::string> path_word(std::string_view path) {
  if (path.empty()) return fail(Code::invalid, "an empty path");
  std::string word = "\"";
  if (path.starts_with('-')) word += "./";
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      return fail(Code::invalid, "a path with a control character cannot be given to sftp",
                  printable(path));
    // sftp itself escapes what looks like a glob inside quotes.
    if (c == '"' || c == '\\') word += '\\';
    word += c;
  }
  word += '"';
  if (word.size() > longest_word)
    return fail(Code::invalid, fmt::format("longer than the {} bytes sftp takes", longest_word),
                printable(path));
  return word;
}

std::string script(const std::vector<std::string>& commands, std::string_view mark) {
  std::string lines;
  for (std::size_t i = 0; i < commands.size(); ++i)
    lines += fmt::format("-@{}\n{}\n", commands[i], mark_line(i, mark));
  if (commands.empty()) lines = mark_line(0, mark) + "\n";
  return lines;
}

std::string last_line(std::size_t commands, std::string_view mark) {
  return fmt::format("sftp> {}\n", mark_line(commands == 0 ? 0 : commands - 1, mark));
}

Transcript part(std::string_view said, std::string_view mark) {
  Transcript transcript;
  for (const std::string_view raw : split(said, '\n')) {
    const std::string_view line = trim(raw);
    if (line == "sftp> " + mark_line(transcript.answers.size(), mark))
      transcript.answers.push_back(std::exchange(transcript.rest, {}));
    else if (!line.empty())
      transcript.rest += (transcript.rest.empty() ? "" : "\n") + std::string(line);
  }
  return transcript;
}

Meaning meaning(std::string_view answer) {
  struct Ending {
    const char* text;
    Meaning meaning;
  };
  constexpr std::array endings{
      Ending{": No such file or directory", Meaning::absent},
      Ending{": No such file", Meaning::absent},  // sftp-server's realpath
      Ending{"\" not found.", Meaning::unfound},
      Ending{": Permission denied", Meaning::denied},
      Ending{": Failure", Meaning::failure},
      Ending{": not a regular file", Meaning::wrong_kind},
      Ending{" is not a directory", Meaning::wrong_kind},
      Ending{": Operation unsupported", Meaning::unsupported},
  };
  if (answer.empty()) return Meaning::done;
  const std::string_view line = answer.substr(0, answer.find('\n'));
  // What befalls the file on this side says nothing about the other.
  if (line.starts_with("open local") || line.starts_with("write local")) return Meaning::other;
  const auto* const found = std::ranges::find_if(
      endings, [&](const Ending& ending) { return line.ends_with(ending.text); });
  return found == endings.end() ? Meaning::other : found->meaning;
}

std::optional<unsigned> permissions(std::string_view line) {
  constexpr std::string_view letters = "rwxrwxrwx";
  if (line.size() <= letters.size() + 1 || line.front() != '-') return std::nullopt;
  unsigned mode = 0;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const char c = line[i + 1];
    if (c != letters[i] && c != '-') return std::nullopt;
    mode = (mode << 1U) | (c == '-' ? 0U : 1U);
  }
  return mode;
}

Error problem(std::string_view answer, const std::string& what, const std::string& path) {
  const auto error = [&](Code code, const std::string& why, std::string hint = {}) {
    return Error{code, fmt::format("cannot {}: {}", what, why), printable(path), std::move(hint)};
  };
  switch (meaning(answer)) {
    case Meaning::done:
      break;
    case Meaning::absent:
    case Meaning::unfound:
      return error(Code::not_found, "there is no such file or folder");
    case Meaning::denied:
      return error(Code::unauthorized, "permission denied",
                   "the user on the server must be allowed to read and write below 'root'");
    case Meaning::failure:
      return error(Code::internal, "the server says only 'Failure'",
                   "is its disk full, or something else in the way?");
    case Meaning::wrong_kind:
      return error(Code::invalid, "it is no regular file");
    case Meaning::unsupported:
      return error(Code::unsupported, "the server does not know this request");
    case Meaning::other:
      return error(Code::internal, printable(answer.substr(0, longest_shown)));
  }
  return error(Code::internal, "nothing was wrong");
}

}  // namespace stsctl::providers::sftp
