#include "providers/sftp/remote_file.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/policy_path.h"
#include "providers/sftp/trouble.h"

namespace stsctl::providers::sftp {

namespace {

using Body = std::optional<std::string>;

constexpr std::size_t longest_path = 4095;  // PATH_MAX of Linux
constexpr unsigned kind_bits = 0170000;     // stat(2)
constexpr unsigned regular_file = 0100000;
constexpr unsigned folder_kind = 0040000;

std::string below(const std::string& root, const std::string& path) {
  return root.ends_with('/') ? root + path : root + "/" + path;
}

// Who may read a folder may search it.
std::optional<unsigned> folder_mode(const std::optional<unsigned>& mode) {
  if (!mode) return std::nullopt;
  return *mode | ((*mode & 0444U) >> 2U) | 0300U;
}

std::string shown(const Login& login, const std::string& path) {
  const bool is_address = login.host.find(':') != std::string::npos;
  return printable((is_address ? "[" + login.host + "]" : login.host) + ":" + path);
}

unsigned kind_of(const Answer& answer) {
  return answer.type == Type::attributes ? answer.attributes.mode.value_or(0) & kind_bits : 0;
}

// Where the look says "no regular file": some servers open folders, and only reading fails.
std::optional<Error> not_a_file(const Answer& look, const Place& place) {
  const unsigned kind = kind_of(look);
  if (kind == 0 || kind == regular_file) return std::nullopt;
  return Error{Code::invalid,
               kind == folder_kind ? "cannot read the file: it is a folder"
                                   : "cannot read the file: it is no regular file",
               place.where,
               {}};
}

// What an open file holds. A short piece is its end (§6.4), unless it is known to be longer.
Task<Result<Body>> content_of(Session& session, const Place& place, const Handle& handle,
                              std::size_t limit) {
  const Pending looking = session.send(Request::fstat(handle));
  const Pending reading = session.send(Request::read(handle, 0));
  const Result<Answer> look = co_await looking;
  Result<Answer> piece = co_await reading;
  if (!look) co_return fail(look);
  if (std::optional<Error> error = not_a_file(*look, place))
    co_return std::unexpected(std::move(*error));
  std::string content;
  while (piece && piece->type == Type::data) {
    content += piece->text;
    if (content.size() > limit)
      co_return fail(Code::invalid, fmt::format("longer than {} bytes", limit), place.where);
    const bool is_short = piece->text.size() < longest_piece;
    if (is_short && content.size() >= look->attributes.size.value_or(SIZE_MAX))
      co_return Body(std::move(content));
    const Pending next = session.send(Request::read(handle, content.size()));
    piece = co_await next;
  }
  if (!piece) co_return fail(piece);
  if (piece->status == Status::end_of_file) co_return Body(std::move(content));
  co_return std::unexpected(trouble(*piece, "read the file", place.where));
}

// What the answer to Request::open leads to.
Task<Result<Body>> received(Session& session, const Place& place, Pending opening,
                            std::size_t limit) {
  const Result<Answer> opened = co_await opening;
  if (!opened) co_return fail(opened);
  if (opened->type != Type::handle) {
    if (opened->status == Status::no_such_file) co_return Body{};
    co_return std::unexpected(trouble(*opened, "read the file", place.where));
  }
  const Handle handle{opened->text, place.file};
  Task<Result<Body>> reading = content_of(session, place, handle, limit);
  Result<Body> body = co_await reading;
  session.send_and_forget(Request::close(handle));
  co_return body;
}

// Requests on the way, and what each is for.
struct Step {
  Pending pending;
  const char* what;
};

constexpr const char* writing = "write beside the file";
constexpr const char* permitting = "set the permissions";

// All that follows when the temporary file is open, in a row: a policy is a few pieces at most.
std::vector<Step> fill(Session& session, const Handle& handle, const std::string& content,
                       const Finish& finish) {
  std::vector<Step> steps;
  const auto send = [&](const Request& request, const char* what) {
    steps.push_back({session.send(request), what});
  };
  if (finish.mode) send(Request::fchmod(handle, *finish.mode), permitting);
  for (std::size_t at = 0; at < content.size(); at += longest_piece)
    send(Request::write(handle, at, std::string_view(content).substr(at, longest_piece)), writing);
  if (finish.sync) send(Request::fsync(handle), "flush the file");
  send(Request::close(handle), writing);
  return steps;
}

// Success when all are; else the first failure.
Task<Result<Done>> all_of(std::vector<Step> steps, const Place& place) {
  Result<Done> all = Done{};
  for (const Step& step : steps) {
    const Result<Answer> answer = co_await step.pending;
    Result<Done> success = done(answer, step.what, place.where);
    if (!all || success) continue;
    all = std::move(success);
    if (answer && std::string_view(step.what) == permitting)
      all.error().hint = "'mode: server' leaves them as the server sets them";
  }
  co_return all;
}

Error not_opened(const Answer& refused, const Place& place) {
  return trouble(refused, writing, place.where);
}

// What mkdir says of a folder: whether it was made, or the Error that keeps it from being there, as
// far as that is known: a server says no more than "failure" when it is there.
struct Made {
  bool is_new = false;
  std::optional<Error> error;
};

Made made(const Answer& answer, const Place& place) {
  if (answer.status == Status::ok) return {.is_new = true, .error = {}};
  if (answer.status == Status::failure) return {};
  return {.is_new = false, .error = trouble(answer, "make the folder", place.where)};
}

// Opens the temporary file with the folders to it made one after the other: each waits for the one
// before, and whatever is refused is told.
Task<Result<Answer>> open_step_by_step(Session& session, const Place& place, const Finish& finish,
                                       std::vector<bool>& is_new) {
  std::optional<Error> first_error;
  for (std::size_t i = 0; i < place.folders.size(); ++i) {
    const Pending making = session.send(Request::mkdir(place.folders[i], folder_mode(finish.mode)));
    const Result<Answer> answer = co_await making;
    if (!answer) co_return fail(answer);
    Made folder = made(*answer, place);
    if (folder.is_new) is_new[i] = true;
    if (!first_error) first_error = std::move(folder.error);
  }
  const Pending opening = session.send(Request::create(place.temporary, finish.mode));
  Result<Answer> opened = co_await opening;
  if (opened && opened->status == Status::no_such_file && first_error)
    co_return std::unexpected(std::move(*first_error));
  co_return opened;
}

// The same in a row, which servers carry out in that order; those that do not get a second chance.
Task<Result<Answer>> open_new(Session& session, const Place& place, const Finish& finish,
                              std::vector<bool>& is_new) {
  std::vector<Pending> making;
  for (const std::string& folder : place.folders)
    making.push_back(session.send(Request::mkdir(folder, folder_mode(finish.mode))));
  const Pending opening = session.send(Request::create(place.temporary, finish.mode));
  for (std::size_t i = 0; i < making.size(); ++i) {
    const Result<Answer> answer = co_await making[i];
    if (!answer) co_return fail(answer);
    is_new[i] = answer->status == Status::ok;
  }
  Result<Answer> opened = co_await opening;
  if (!opened || opened->status != Status::no_such_file) co_return opened;
  Task<Result<Answer>> again = open_step_by_step(session, place, finish, is_new);
  co_return co_await again;
}

}  // namespace

Result<Place> place(const Login& login, const std::string& root, const std::string& file,
                    const std::string& run) {
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : file.substr(0, slash + 1);
  const std::string name = file.substr(folder.size());
  Place place{.where = shown(login, below(root, file)),
              .file = below(root, file),
              .temporary = below(root, fmt::format("{}.{}.stsctl-{}", folder, name, run)),
              .folders = {}};
  if (std::ranges::any_of(place.file,
                          [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }))
    return fail(Code::invalid, "a path with a control character", place.where);
  if (place.temporary.size() > longest_path)
    return fail(Code::invalid, fmt::format("a path of more than {} bytes", longest_path),
                place.where);
  for (const std::string& one : folders_to(file))
    place.folders.push_back(below(root, one));
  return place;
}

Task<Result<Done>> check_root(Session& session, const std::string& root) {
  const std::string where = shown(session.login(), root);
  const Pending looking = session.send(Request::stat(root));
  const Result<Answer> look = co_await looking;
  if (!look) co_return fail(look);
  if (look->type == Type::attributes) {
    const unsigned kind = kind_of(*look);
    if (kind == 0 || kind == folder_kind) co_return Done{};
    co_return fail(Code::invalid, "'root' is no folder on the server", where);
  }
  if (look->status == Status::no_such_file)
    co_return fail(Code::not_found, "the folder 'root' does not exist on the server", where,
                   "make it, or correct 'root': it begins with / or where the login begins");
  co_return std::unexpected(trouble(*look, "enter the folder 'root'", where));
}

Task<Result<Body>> read(Session& session, const Place& place, std::size_t limit) {
  Task<Result<Body>> reading =
      received(session, place, session.send(Request::open(place.file)), limit);
  co_return co_await reading;
}

Task<Result<Done>> upload_new(Session& session, const Place& place, const std::string& content,
                              const Finish& finish) {
  std::vector<bool> is_new(place.folders.size());
  Task<Result<Answer>> opening = open_new(session, place, finish, is_new);
  const Result<Answer> opened = co_await opening;
  if (!opened) co_return fail(opened);
  if (opened->type != Type::handle) co_return std::unexpected(not_opened(*opened, place));
  std::vector<Step> steps;
  for (std::size_t i = 0; i < place.folders.size() && finish.mode; ++i)
    if (is_new[i])
      steps.push_back(
          {session.send(Request::chmod(place.folders[i], *folder_mode(finish.mode))), permitting});
  for (const Step& step : fill(session, {opened->text, place.temporary}, content, finish))
    steps.push_back(step);
  Task<Result<Done>> filling = all_of(std::move(steps), place);
  co_return co_await filling;
}

Task<Staged> upload_and_read(Session& session, const Place& place, const std::string& content,
                             const Finish& finish, std::size_t limit) {
  const Pending creating = session.send(Request::create(place.temporary, finish.mode));
  const Result<Answer> created = co_await creating;
  if (!created) co_return Staged{fail(created), fail(created)};
  std::vector<Step> steps;
  if (created->type == Type::handle)
    steps = fill(session, {created->text, place.temporary}, content, finish);
  // Looked at when it is written, but on the same way.
  const Pending opening = session.send(Request::open(place.file));
  Task<Result<Done>> filling = all_of(std::move(steps), place);
  Result<Done> uploaded = co_await filling;
  if (created->type != Type::handle) uploaded = std::unexpected(not_opened(*created, place));
  Task<Result<Body>> reading = received(session, place, opening, limit);
  Result<Body> live = co_await reading;
  co_return Staged{std::move(uploaded), std::move(live)};
}

Task<Result<Done>> claim(Session& session, const Place& place) {
  const Pending renaming = session.send(Request::rename(place.temporary, place.file));
  const Result<Answer> renamed = co_await renaming;
  if (!renamed) co_return fail(renamed);
  if (renamed->status == Status::ok) co_return Done{};
  co_return fail(Code::conflict, "the file exists", place.where);
}

Task<Result<Done>> commit(Session& session, const Place& place) {
  const bool posix = session.greeting().posix_rename;
  const Pending renaming = session.send(posix ? Request::replace(place.temporary, place.file)
                                              : Request::rename(place.temporary, place.file));
  const Result<Answer> renamed = co_await renaming;
  if (!renamed) co_return fail(renamed);
  if (renamed->status == Status::ok) co_return Done{};
  Error error = trouble(*renamed, "replace the file", place.where);
  if (!posix) error.hint = "the server must replace a file by a rename (posix-rename@openssh.com)";
  Task<Done> discarding = discard(session, place);
  co_await discarding;
  co_return std::unexpected(std::move(error));
}

Task<Done> discard(Session& session, const Place& place) {
  // Whether it was there, and whether it goes, changes nothing of what is told.
  const Pending removing = session.send(Request::remove(place.temporary));
  co_await removing;
  co_return Done{};
}

Task<Result<Done>> remove(Session& session, const Place& place) {
  const Pending removing = session.send(Request::remove(place.file));
  const Result<Answer> removed = co_await removing;
  if (!removed) co_return fail(removed);
  if (removed->status != Status::ok && removed->status != Status::no_such_file)
    co_return std::unexpected(trouble(*removed, "remove the file", place.where));
  for (auto folder = place.folders.rbegin(); folder != place.folders.rend(); ++folder) {
    const Pending leaving = session.send(Request::rmdir(*folder));
    const Result<Answer> left = co_await leaving;
    // One that holds more stays, and so do those around it.
    if (!left || left->status != Status::ok) break;
  }
  co_return Done{};
}

}  // namespace stsctl::providers::sftp
