#include "providers/sftp/remote_file.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "providers/policy_path.h"
#include "providers/sftp/batch.h"

namespace stsctl::providers::sftp {

namespace {

using Commands = std::vector<std::string>;

std::string below(const std::string& root, const std::string& path) {
  return root.ends_with('/') ? root + path : root + "/" + path;
}

std::string get(Session& session, const Place& place) {
  // The scratch folder's path is mkdtemp's: it can always be said.
  const std::string local = session.scratch().path() + "/" + session.incoming();
  return fmt::format("get {} {}", place.file, path_word(local).value_or("\"\""));
}

// What `get` cannot tell apart: a file that does not exist from one that is out of reach.
Result<std::optional<std::string>> probe(Session& session, const Place& place,
                                         const std::stop_token& stop) {
  const auto answers = session.run({"cd " + place.file}, stop);
  if (!answers) return fail(answers);
  const std::string& answer = answers->front();
  if (meaning(answer) == Meaning::absent) return std::optional<std::string>{};
  if (meaning(answer) != Meaning::done)
    return std::unexpected(problem(answer, "read the file", place.path));
  if (const auto back = session.run({"cd"}, stop); !back) return fail(back);
  return fail(Code::invalid, "cannot read the file: it is a folder", place.path);
}

// The outcome of get().
Result<std::optional<std::string>> received(Session& session, const Place& place,
                                            const std::string& answer, std::size_t limit,
                                            const std::stop_token& stop) {
  Result<std::string> content = session.scratch().take(session.incoming(), limit);
  switch (meaning(answer)) {
    case Meaning::done:
      if (content) return std::optional<std::string>(std::move(*content));
      return fail(content.error().code, content.error().what, place.path);
    case Meaning::absent:
      return std::optional<std::string>{};
    case Meaning::unfound:
      return probe(session, place, stop);
    default:
      return std::unexpected(problem(answer, "read the file", place.path));
  }
}

// Who may read a folder may search it.
unsigned folder_mode(unsigned mode) {
  return mode | ((mode & 0444U) >> 2U) | 0300U;
}

std::string put(Session& session, const Place& place, bool exact, bool sync) {
  const std::string local = session.scratch().path() + "/" + session.outgoing();
  return fmt::format("put {}{}{} {}", exact ? "-p " : "", sync ? "-f " : "",
                     path_word(local).value_or("\"\""), place.temporary);
}

// One turn: `before`, the upload beside the file, `after`. The answers are those to all three, the
// upload's being one.
Result<Commands> upload(Session& session, const Place& place, const std::string& content,
                        const Finish& finish, Commands before, const Commands& after) {
  const bool learn = finish.mode && !session.umask();
  const bool exact = !learn && finish.mode && (*session.umask() & *finish.mode) != 0;
  const Result<Done> ready = session.scratch().write(session.outgoing(), content,
                                                     learn ? 0777 : finish.mode.value_or(0666));
  if (!ready) return fail(ready);
  Commands commands = std::move(before);
  commands.push_back(put(session, place, exact, finish.sync));
  // The first upload of a session asks for all permissions, and so learns what the server grants.
  const std::size_t learnt = commands.size();
  if (learn) {
    commands.push_back("ls -ln " + place.temporary);
    commands.push_back(fmt::format("chmod {:o} {}", *finish.mode, place.temporary));
  }
  commands.insert(commands.end(), after.begin(), after.end());
  Result<Commands> answers = session.run(commands, {});
  if (!answers || !learn) return answers;
  if (const std::optional<unsigned> granted = permissions((*answers)[learnt]))
    session.set_umask(0777U & ~*granted);
  std::string& said = (*answers)[learnt - 1];
  if (said.empty()) said = (*answers)[learnt + 1];
  const auto begin = answers->begin() + static_cast<std::ptrdiff_t>(learnt);
  answers->erase(begin, begin + 2);
  return answers;
}

Result<Done> uploaded(const std::string& answer, const Place& place) {
  if (answer.empty()) return Done{};
  return std::unexpected(problem(answer, "write beside the file", place.path));
}

}  // namespace

Result<Place> place(const std::string& root, const std::string& file, const std::string& run) {
  Place place{.path = below(root, file), .file = {}, .temporary = {}, .folders = {}};
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : file.substr(0, slash + 1);
  const std::string name = file.substr(folder.size());
  const auto word = [&](const std::string& path) { return path_word(below(root, path)); };
  Result<std::string> target = word(file);
  Result<std::string> temporary = word(fmt::format("{}.{}.stsctl-{}", folder, name, run));
  if (!target) return fail(target);
  if (!temporary) return fail(temporary);
  place.file = std::move(*target);
  place.temporary = std::move(*temporary);
  for (const std::string& one : folders_to(file))
    place.folders.push_back(*word(one));  // shorter than the file, of the same characters
  return place;
}

Result<Done> check_root(Session& session, const std::string& root, const std::stop_token& stop) {
  const Result<std::string> folder = path_word(root);
  if (!folder) return fail(folder);
  const auto answers = session.run({"cd " + *folder, "cd"}, stop);
  if (!answers) return fail(answers);
  const std::string& answer = answers->front();
  switch (meaning(answer)) {
    case Meaning::done:
      return Done{};
    case Meaning::absent:
      return fail(Code::not_found, "the folder 'root' does not exist on the server", root,
                  "make it, or correct 'root': it begins with / or where the login begins");
    case Meaning::wrong_kind:
      return fail(Code::invalid, "'root' is no folder on the server", root);
    default:
      return std::unexpected(problem(answer, "enter the folder 'root'", root));
  }
}

Result<std::optional<std::string>> read(Session& session, const Place& place, std::size_t limit,
                                        const std::stop_token& stop) {
  const auto answers = session.run({get(session, place)}, stop);
  if (!answers) return fail(answers);
  return received(session, place, answers->front(), limit, stop);
}

Result<Done> upload_new(Session& session, const Place& place, const std::string& content,
                        const Finish& finish) {
  const std::size_t folders = place.folders.size();
  Commands make;
  for (const std::string& folder : place.folders)
    make.push_back("mkdir " + folder);
  const auto answers = upload(session, place, content, finish, make, {});
  if (!answers) return fail(answers);
  if (const Result<Done> done = uploaded(answers->back(), place); !done) return done;
  // mkdir asks for 0777.
  if (!finish.mode || (session.umask() && (0777U & ~*session.umask()) == folder_mode(*finish.mode)))
    return Done{};
  Commands open;
  for (std::size_t i = 0; i < folders; ++i)
    if ((*answers)[i].empty())
      open.push_back(fmt::format("chmod {:o} {}", folder_mode(*finish.mode), place.folders[i]));
  const auto opened = session.run(open, {});
  if (!opened) return fail(opened);
  for (const std::string& answer : *opened)
    if (const Result<Done> done = uploaded(answer, place); !done) return done;
  return Done{};
}

Staged upload_and_read(Session& session, const Place& place, const std::string& content,
                       const Finish& finish, std::size_t limit) {
  const auto answers = upload(session, place, content, finish, {}, {get(session, place)});
  if (!answers) return {fail(answers), fail(answers)};
  return {uploaded(answers->front(), place), received(session, place, answers->back(), limit, {})};
}

// SSH_FXP_RENAME makes a link, and so fails where something stands.
Result<Done> claim(Session& session, const Place& place) {
  const auto answers =
      session.run({fmt::format("rename -l {} {}", place.temporary, place.file)}, {});
  if (!answers) return fail(answers);
  if (answers->front().empty()) return Done{};
  return fail(Code::conflict, "the file exists", place.path);
}

Result<Done> commit(Session& session, const Place& place) {
  const auto answers = session.run({fmt::format("rename {} {}", place.temporary, place.file)}, {});
  if (!answers) return fail(answers);
  if (answers->front().empty()) return Done{};
  Error error = problem(answers->front(), "replace the file", place.path);
  if (meaning(answers->front()) == Meaning::failure)
    error.hint = "the server must replace a file by a rename (posix-rename@openssh.com)";
  discard(session, place);
  return std::unexpected(std::move(error));
}

void discard(Session& session, const Place& place) {
  // Whether it was there, and whether it goes, changes nothing of what is told.
  [[maybe_unused]] const auto gone = session.run({"rm " + place.temporary}, {});
}

Result<Done> remove(Session& session, const Place& place) {
  Commands commands{"rm " + place.file};
  for (auto folder = place.folders.rbegin(); folder != place.folders.rend(); ++folder)
    commands.push_back("rmdir " + *folder);
  const auto answers = session.run(commands, {});
  if (!answers) return fail(answers);
  const std::string& answer = answers->front();
  if (answer.empty() || meaning(answer) == Meaning::absent) return Done{};
  return std::unexpected(problem(answer, "remove the file", place.path));
}

}  // namespace stsctl::providers::sftp
