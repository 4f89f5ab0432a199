#include "providers/sftp/session.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::sftp {

namespace {

using io::Turn;

constexpr std::size_t longest_shown = 200;

std::string where(const Login& login) {
  return "sftp " + login.host;
}

// Why nothing more is heard; `turn` is not Turn::heard.
Error silence(Turn turn, const Login& login, const io::Dialogue& dialogue) {
  switch (turn) {
    case Turn::cancelled:
      return {Code::cancelled, "stopped", where(login), {}};
    case Turn::silent:
      return {Code::timeout,
              fmt::format("no answer from the server within {}", describe_duration(login.timeout)),
              where(login),
              {}};
    default:
      return login_problem(dialogue.errors(), login);
  }
}

// What came in place of a greeting.
Error no_greeting(const Error& error, std::string_view said, const Login& login) {
  if (error.code != Code::protocol) return {error.code, error.what, where(login), {}};
  return {Code::protocol,
          fmt::format("the server's login prints text in place of SFTP: {}",
                      printable(trim(said.substr(0, longest_shown)))),
          where(login), "ssh HOST true must print nothing: see the shell's start files"};
}

std::string outcome(const Answer& answer) {
  switch (answer.type) {
    case Type::data:
      return fmt::format("{} bytes", answer.text.size());
    case Type::status:
      if (answer.status == Status::ok) return "done";
      return fmt::format("status {} ({})", static_cast<std::uint32_t>(answer.status),
                         printable(shortened(answer.text, longest_shown)));
    default:
      return "done";
  }
}

}  // namespace

bool Pending::await_ready() const {
  const auto slot = session_->slots_.find(id_);
  return slot == session_->slots_.end() || slot->second.answer || session_->broken_;
}

void Pending::await_suspend(std::coroutine_handle<> waiter) const {
  session_->slots_.at(id_).waiter = waiter;
}

Result<Answer> Pending::await_resume() const {
  const auto slot = session_->slots_.find(id_);
  if (slot == session_->slots_.end() || !slot->second.answer)
    return std::unexpected(*session_->broken_);
  Answer answer = std::move(*slot->second.answer);
  session_->slots_.erase(slot);
  return answer;
}

Result<std::unique_ptr<Session>> Session::open(const Login& login, const io::Services& services,
                                               const std::stop_token& stop) {
  std::unique_ptr<Session> session(new Session(login, services));
  Result<std::unique_ptr<io::Dialogue>> dialogue = services.process.start(arguments(login));
  if (!dialogue)
    return fail(dialogue.error().code, dialogue.error().what, dialogue.error().where,
                "install OpenSSH's client (Debian: openssh-client)");
  session->dialogue_ = std::move(*dialogue);
  const auto begin = services.clock.steady();
  const Result<Done> greeted = session->greet(stop);
  const auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(services.clock.steady() - begin);
  services.log.write(io::LogLevel::debug,
                     fmt::format("sftp {}: {} in {} ms", login.host,
                                 greeted ? "session" : "no session", elapsed.count()));
  if (!greeted) return fail(greeted);
  return session;
}

Result<Done> Session::greet(const std::stop_token& stop) {
  append_init(outgoing_);
  while (true) {
    const Result<std::optional<std::string_view>> packet = first_packet(incoming_);
    const Result<Greeting> greeting = !packet   ? fail(packet)
                                      : *packet ? read_greeting(**packet)
                                                : Greeting{};
    if (!greeting) return std::unexpected(no_greeting(greeting.error(), incoming_, login_));
    if (*packet) {
      greeting_ = *greeting;
      incoming_.erase(0, static_cast<std::size_t>((*packet)->end() - incoming_.data()));
      return Done{};
    }
    // Connecting has its own deadline in ssh; one second more lets ssh be the one that tells.
    const Turn turn = dialogue_->exchange(outgoing_, incoming_, login_.timeout + Duration{1}, stop);
    if (turn != Turn::heard) return std::unexpected(silence(turn, login_, *dialogue_));
  }
}

Pending Session::send(const Request& request) {
  return {*this, enqueue(request, true)};
}

void Session::send_and_forget(const Request& request) {
  enqueue(request, false);
}

std::uint32_t Session::enqueue(const Request& request, bool is_wanted) {
  const std::uint32_t id = ++last_id_;
  if (broken_) return id;
  append(outgoing_, id, request);
  slots_.emplace(id, Slot{.request = {request.type, {}, request.words}, .is_wanted = is_wanted});
  return id;
}

void Session::exchange(const std::stop_token& stop) {
  const Turn turn = dialogue_->exchange(outgoing_, incoming_, login_.timeout, stop);
  if (turn == Turn::heard) return take_in();
  Error error = silence(turn, login_, *dialogue_);
  if (turn == Turn::ended) {
    // Nothing that ends a session is anything else: the login was good.
    error.code = Code::unreachable;
    error.what = "the connection broke: " + error.what;
  }
  break_off(std::move(error));
}

void Session::take_in() {
  std::string_view rest = incoming_;
  while (!broken_) {
    const Result<std::optional<std::string_view>> packet = first_packet(rest);
    if (packet && !*packet) break;
    Result<NumberedAnswer> answer = packet ? read_answer(**packet) : fail(packet);
    if (!answer) return break_off({Code::protocol, answer.error().what, where(login_), {}});
    rest.remove_prefix(static_cast<std::size_t>((*packet)->end() - rest.begin()));
    deliver(std::move(*answer));
  }
  incoming_.erase(0, incoming_.size() - rest.size());
}

void Session::deliver(NumberedAnswer numbered) {
  const auto found = slots_.find(numbered.id);
  if (found == slots_.end() || found->second.answer ||
      !fits(found->second.request, numbered.answer))
    return break_off({Code::protocol,
                      "the server's answer is none to a request that was made",
                      where(login_),
                      {}});
  Slot& slot = found->second;
  trace(slot.request, outcome(numbered.answer));
  if (!slot.is_wanted) {
    slots_.erase(found);
    return;
  }
  slot.answer = std::move(numbered.answer);
  if (slot.waiter) slot.waiter.resume();  // takes the slot away
}

void Session::break_off(Error error) {
  broken_ = std::move(error);
  std::vector<std::coroutine_handle<>> waiters;
  for (const auto& [id, slot] : slots_) {
    if (!slot.answer) trace(slot.request, "no answer");
    if (slot.waiter) waiters.push_back(slot.waiter);
  }
  // They see that it is broken; whatever they send now is broken too.
  for (const std::coroutine_handle<> waiter : waiters)
    waiter.resume();
}

void Session::trace(const Request& request, const std::string& outcome) const {
  if (services_.log.enabled(io::LogLevel::debug))
    services_.log.write(io::LogLevel::debug,
                        fmt::format("sftp {}: {} -> {}", login_.host, request.words, outcome));
}

}  // namespace stsctl::providers::sftp
