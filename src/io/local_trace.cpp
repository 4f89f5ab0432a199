#include "io/local_trace.h"

#include <chrono>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::io {

namespace {

constexpr std::size_t longest_shown_output = 1000;

// Makes a call and, at level debug, says of it "WHAT -> RESULT in 3 ms".
template <class Call, class Describe>
auto traced(Clock& clock, Log& log, const char* verb, const std::string& object, Call call,
            Describe describe) {
  if (!log.enabled(LogLevel::debug)) return call();
  const auto begin = clock.steady();
  auto result = call();
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady() - begin);
  const std::string said =
      result ? describe(*result)
             : fmt::format("{}: {}", to_string(result.error().code), result.error().what);
  log.write(LogLevel::debug,
            fmt::format("{} {} -> {} in {} ms", verb, object, said, elapsed.count()));
  return result;
}

std::string size_of(const std::string& content) {
  return fmt::format("{} bytes", content.size());
}
std::string count_of(const std::vector<std::string>& names) {
  return fmt::format("{} names", names.size());
}
constexpr auto done = [](const auto&) { return std::string("done"); };

// Arguments may carry what was configured as ${env:…}; only the program is sure to carry nothing.
std::string program(const std::vector<std::string>& argv) {
  if (argv.empty()) return "nothing";
  return fmt::format("{} with {} arguments", argv.front(), argv.size() - 1);
}

std::string found(const FileState& state) {
  return state.is_folder ? "a folder" : fmt::format("{} bytes", state.size);
}

std::string ending(const Exit& exit) {
  std::string text = fmt::format("status {}", exit.status);
  if (exit.status != 0 && !exit.errors.empty())
    text += fmt::format(" ({})", printable(trim(exit.errors.substr(0, longest_shown_output))));
  return text;
}

}  // namespace

Result<std::string> FilesTrace::read(const std::string& path, std::size_t limit) {
  return traced(clock_, log_, "read", path, [&] { return next_.read(path, limit); }, size_of);
}

Result<std::unique_ptr<Input>> FilesTrace::open(const std::string& path) {
  return traced(clock_, log_, "open", path, [&] { return next_.open(path); }, done);
}

Result<std::string> FilesTrace::read_stream(const std::string& path, std::size_t limit) {
  return traced(
      clock_, log_, "read", path, [&] { return next_.read_stream(path, limit); }, size_of);
}

Result<Done> FilesTrace::replace(const std::string& path, std::string_view content,
                                 bool make_folders, unsigned mode) {
  return traced(
      clock_, log_, "write", path, [&] { return next_.replace(path, content, make_folders, mode); },
      [&](const Done&) { return fmt::format("{} bytes", content.size()); });
}

Result<Done> FilesTrace::remove(const std::string& path) {
  return traced(clock_, log_, "remove", path, [&] { return next_.remove(path); }, done);
}

Result<Done> FilesTrace::remove_empty_folder(const std::string& folder) {
  return traced(
      clock_, log_, "remove if empty", folder, [&] { return next_.remove_empty_folder(folder); },
      done);
}

Result<std::vector<std::string>> FilesTrace::list(const std::string& folder) {
  return traced(clock_, log_, "list", folder, [&] { return next_.list(folder); }, count_of);
}

Result<FileState> FilesTrace::state(const std::string& path) {
  return traced(clock_, log_, "look at", path, [&] { return next_.state(path); }, found);
}

Result<std::vector<std::string>> FilesTrace::glob(const std::string& pattern) {
  return traced(clock_, log_, "glob", pattern, [&] { return next_.glob(pattern); }, count_of);
}

Result<std::unique_ptr<Lock>> FilesTrace::lock(const std::string& folder) {
  return traced(clock_, log_, "lock", folder, [&] { return next_.lock(folder); }, done);
}

Result<Exit> ProcessTrace::run(const std::vector<std::string>& argv, const std::string& input,
                               Duration deadline) {
  return traced(
      clock_, log_, "run", program(argv), [&] { return next_.run(argv, input, deadline); }, ending);
}

Result<std::unique_ptr<Dialogue>> ProcessTrace::start(const std::vector<std::string>& argv) {
  return traced(clock_, log_, "start", program(argv), [&] { return next_.start(argv); }, done);
}

}  // namespace stsctl::io
