#include "providers/sftp/session.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/random.h"
#include "providers/sftp/batch.h"

namespace stsctl::providers::sftp {

namespace {

using Ending = io::Heard::Ending;

// sun_path holds 108 bytes, and ssh appends up to 17 while it makes the socket.
constexpr std::size_t longest_socket = 90;

// Why a turn ended before its last mark.
Error broken(const io::Heard& heard, std::string_view rest, const Login& login) {
  switch (heard.ending) {
    case Ending::cancelled:
      return {Code::cancelled, "stopped", "sftp " + login.host, {}};
    case Ending::silent:
      return {Code::timeout,
              fmt::format("no answer from the server within {}", describe_duration(login.timeout)),
              "sftp " + login.host,
              {}};
    default:
      break;
  }
  Error error = login_problem(rest, login);
  // Nothing that ends a session is anything else: the login was good.
  error.code = Code::unreachable;
  error.what = "the connection broke: " + error.what;
  return error;
}

}  // namespace

Session::Session(const Login& login, io::Scratch& scratch, const std::string& name,
                 const io::Services& services)
    : login_(login),
      scratch_(scratch),
      outgoing_("out-" + name),
      incoming_("in-" + name),
      services_(services),
      mark_(random_word()) {}

Result<std::unique_ptr<Session>> Session::open(const Login& login, const Part& part,
                                               io::Scratch& scratch, const io::Services& services,
                                               const std::stop_token& stop) {
  std::unique_ptr<Session> session(new Session(login, scratch, part.name, services));
  Result<std::unique_ptr<io::Dialogue>> dialogue =
      services.process.start(arguments(login, part.sharing, part.socket));
  if (!dialogue)
    return fail(dialogue.error().code, dialogue.error().what, dialogue.error().where,
                "install OpenSSH's client (Debian: openssh-client)");
  session->dialogue_ = std::move(*dialogue);
  const auto begin = services.clock.steady();
  // Connecting has its own deadline in ssh; one second more lets ssh be the one that tells.
  const io::Heard heard = session->dialogue_->exchange(
      script({}, session->mark_), last_line(0, session->mark_), login.timeout + Duration{1}, stop);
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(services.clock.steady() - begin);
  services.log.write(
      io::LogLevel::debug,
      fmt::format("sftp {}: {} in {} ms", login.host,
                  heard.ending == Ending::said ? "session" : "no session", elapsed.count()));
  if (heard.ending == Ending::said) return session;
  if (heard.ending == Ending::ended) return std::unexpected(login_problem(heard.text, login));
  return std::unexpected(broken(heard, {}, login));
}

Result<std::vector<std::string>> Session::run(const std::vector<std::string>& commands,
                                              const std::stop_token& stop) {
  if (commands.empty()) return std::vector<std::string>{};
  const io::Heard heard = dialogue_->exchange(
      script(commands, mark_), last_line(commands.size(), mark_), login_.timeout, stop);
  Transcript transcript = part(heard.text, mark_);
  trace(commands, transcript.answers);
  if (transcript.answers.size() == commands.size()) return std::move(transcript.answers);
  usable_ = false;
  return std::unexpected(broken(heard, transcript.rest, login_));
}

void Session::trace(const std::vector<std::string>& commands,
                    const std::vector<std::string>& answers) const {
  if (!services_.log.enabled(io::LogLevel::debug)) return;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const char* const none = i < answers.size() ? "done" : "no answer";
    const std::string answer = i < answers.size() && !answers[i].empty() ? answers[i] : none;
    services_.log.write(io::LogLevel::debug,
                        fmt::format("sftp {}: {} -> {}", login_.host, commands[i], answer));
  }
}

Result<std::unique_ptr<Connection>> Connection::open(const Login& login, std::size_t sessions,
                                                     const io::Services& services,
                                                     const std::stop_token& stop) {
  std::unique_ptr<Connection> connection(new Connection(login, sessions, services));
  Result<std::unique_ptr<io::Scratch>> scratch = services.files.scratch();
  if (!scratch) return fail(scratch);
  connection->scratch_ = std::move(*scratch);
  connection->socket_ = connection->scratch_->path() + "/ssh";
  if (connection->socket_.size() > longest_socket) connection->most_ = 1;
  const bool alone = connection->most_ == 1;
  Result<std::unique_ptr<Session>> first =
      Session::open(login, {alone ? Sharing::alone : Sharing::master, connection->socket_, "0"},
                    *connection->scratch_, services, stop);
  if (!first) return fail(first);
  connection->idle_.push_back(std::move(*first));
  connection->opened_ = connection->alive_ = 1;
  return connection;
}

Result<std::unique_ptr<Session>> Connection::take(const std::stop_token& stop) {
  std::unique_lock lock(guard_);
  while (true) {
    if (!idle_.empty()) {
      std::unique_ptr<Session> session = std::move(idle_.back());
      idle_.pop_back();
      return session;
    }
    if (alive_ == 0) return std::unexpected(*last_error_);
    if (!more_ || opened_ == most_) {
      changed_.wait(lock);
      continue;
    }
    const std::string name = std::to_string(opened_++);
    ++alive_;
    lock.unlock();
    auto session =
        Session::open(login_, {Sharing::member, socket_, name}, *scratch_, services_, stop);
    lock.lock();
    if (session) return session;
    more_ = false;
    --alive_;
    last_error_ = session.error();
    changed_.notify_all();
  }
}

void Connection::give(std::unique_ptr<Session> session, std::optional<Error> error) {
  const std::lock_guard lock(guard_);
  if (session->is_usable()) {
    idle_.push_back(std::move(session));
    changed_.notify_one();
    return;
  }
  // What follows shares the connection, or would not get through either.
  last_error_ = std::move(error);
  more_ = false;
  --alive_;
  changed_.notify_all();
}

}  // namespace stsctl::providers::sftp
