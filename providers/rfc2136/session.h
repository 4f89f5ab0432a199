#pragma once
// Signed requests to one server over one connection, many at once. Knows no zone.

#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "io/services.h"
#include "io/turns.h"
#include "providers/rfc2136/wire.h"

namespace stsctl::providers::rfc2136 {

/// Where the server is and what it knows us by.
struct Server {
  std::string host;
  std::uint16_t port = 53;
  std::chrono::milliseconds timeout{10000};  ///< For one connect, one send or one answer.
  Key key;

  std::string text() const;  ///< "192.0.2.1 port 53"
};

struct Question {
  std::string owner;
  std::uint16_t type = 0;
};

/// One UPDATE; without updates it only asks whether its prerequisites hold.
struct UpdateRequest {
  dns::Name zone;
  std::vector<Record> prerequisites;
  std::vector<Record> updates;
};

/// Used by one thread at a time. Connects when there is something to send.
class Session {
 public:
  /// With `turns` every message waits for its turn; they must outlive the session.
  Session(const Server& server, const io::Services& services, io::Turns* turns = nullptr)
      : server_(server), services_(services), turns_(turns) {}

  /// Sends questions without waiting for each answer; those a broken connection left open are asked
  /// again on a new one while that brings answers, three times in a row at most. Results pair with
  /// `questions`; errors as read_reply's and io::DnsConnection's.
  std::vector<Result<Reply>> ask(const std::vector<Question>& questions);
  /// The same for updates that only test prerequisites.
  std::vector<Result<Reply>> probe(const std::vector<UpdateRequest>& probes);
  /// Sends one update, once. After Code::unreachable, timeout or protocol it may have happened.
  Result<Reply> update(const UpdateRequest& update);
  /// The zone's records at `owners`, by transfer. Code::unsupported or unauthorized when the server
  /// does not give it; it may still answer questions.
  Result<std::vector<Record>> transfer(const dns::Name& zone,
                                       const std::unordered_set<std::string>& owners);

 private:
  using Make = std::function<Result<Request>(std::uint16_t id)>;
  struct Exchange;

  Result<Done> await_turn();
  Result<Done> connect();
  std::vector<Result<Reply>> exchange(const std::vector<Make>& makes, int tries);
  Result<Done> exchange_some(Exchange& open);
  Result<Done> receive_one(Exchange& open);

  const Server& server_;
  io::Services services_;
  io::Turns* turns_;
  std::unique_ptr<io::DnsConnection> connection_;
  std::uint16_t next_id_ = 1;
};

enum class Purpose { question, update };

/// What an answer that only says no means, for a question about `name` or an update of it.
Error refusal(const Reply& reply, const Key& key, Purpose purpose, const std::string& name);

}  // namespace stsctl::providers::rfc2136
