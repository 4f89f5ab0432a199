#pragma once
// One sftp program, and several that share one connection. Knows no policy.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/result.h"
#include "io/services.h"
#include "providers/sftp/login.h"

namespace stsctl::providers::sftp {

/// A session's part in a connection. `socket` is where ssh shares it; `name` is part of the names
/// of the session's files in the scratch folder.
struct Part {
  Sharing sharing;
  std::string socket;
  std::string name;
};

/// One sftp program at the server's prompt. One thread at a time.
class Session {
 public:
  /// Logs in.
  static Result<std::unique_ptr<Session>> open(const Login& login, const Part& part,
                                               io::Scratch& scratch, const io::Services& services,
                                               const std::stop_token& stop);

  /// Says `commands` and returns the answer to each, "" being success. Code::unreachable when the
  /// connection broke, timeout when the server is silent for too long, cancelled: how many of the
  /// commands were carried out is unknown then, and the session is of no more use.
  Result<std::vector<std::string>> run(const std::vector<std::string>& commands,
                                       const std::stop_token& stop);
  bool is_usable() const { return usable_; }

  /// The permissions that the server takes from what it is asked to make; none while unknown.
  const std::optional<unsigned>& umask() const { return umask_; }
  void set_umask(unsigned umask) { umask_ = umask; }

  io::Scratch& scratch() const { return scratch_; }
  /// Names, in the scratch folder, of the file to be sent and the one received.
  const std::string& outgoing() const { return outgoing_; }
  const std::string& incoming() const { return incoming_; }

 private:
  Session(const Login& login, io::Scratch& scratch, const std::string& name,
          const io::Services& services);
  void trace(const std::vector<std::string>& commands,
             const std::vector<std::string>& answers) const;

  Login login_;
  io::Scratch& scratch_;
  std::string outgoing_;
  std::string incoming_;
  const io::Services& services_;
  std::string mark_;
  std::unique_ptr<io::Dialogue> dialogue_;
  bool usable_ = true;
  std::optional<unsigned> umask_;
};

/// Sessions over one connection, opened as they are needed. The first must be let in; where the
/// server grants no more, those there are do the work.
class Connection {
 public:
  /// At most `sessions` of them, at least 1.
  static Result<std::unique_ptr<Connection>> open(const Login& login, std::size_t sessions,
                                                  const io::Services& services,
                                                  const std::stop_token& stop);

  /// Calls `work(session, item)` for every item, side by side, and returns its Results in the order
  /// of the items; nothing for what was not begun when `stop` was requested. An item for which no
  /// session is left gets the Error that ended the last one.
  template <class Item, class Work>
  auto each(const std::vector<Item>& items, const std::stop_token& stop, Work work) {
    using Out = std::invoke_result_t<Work&, Session&, const Item&>;
    return parallel_map(items, most_, stop, [&](const Item& item) -> Out {
      Result<std::unique_ptr<Session>> session = take(stop);
      if (!session) return fail(session);
      Out result = work(**session, item);
      give(std::move(*session), result ? std::nullopt : std::optional(result.error()));
      return result;
    });
  }

 private:
  Connection(const Login& login, std::size_t sessions, const io::Services& services)
      : login_(login), services_(services), most_(sessions) {}

  Result<std::unique_ptr<Session>> take(const std::stop_token& stop);
  void give(std::unique_ptr<Session> session, std::optional<Error> error);

  Login login_;
  const io::Services& services_;
  std::size_t most_;
  std::string socket_;
  // Declared before the sessions, which leave files in it.
  std::unique_ptr<io::Scratch> scratch_;

  std::mutex guard_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Session>> idle_;
  std::size_t opened_ = 0;  ///< Ever, those being opened included.
  std::size_t alive_ = 0;   ///< Now, those being opened included.
  bool more_ = true;        ///< The server has not refused one yet.
  std::optional<Error> last_error_;
};

}  // namespace stsctl::providers::sftp
