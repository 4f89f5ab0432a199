#include "providers/rfc2136/session.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace stsctl::providers::rfc2136 {

namespace {

// So many small messages fit the socket buffers of both sides, so neither blocks the other.
constexpr std::size_t most_unanswered = 32;
constexpr int tries_without_progress = 3;
constexpr std::size_t longest_transfer = std::size_t{256} << 20U;  // bytes

}  // namespace

std::string Server::text() const {
  return fmt::format("{} port {}", host, port);
}

// What exchange() still has to do.
struct Session::Exchange {
  const std::vector<Make>& makes;
  std::vector<Result<Reply>> results;
  std::vector<std::size_t> waiting;                               // not sent, last first
  std::map<std::uint16_t, std::pair<std::size_t, Request>> sent;  // by id
};

// A message is over for the rate when it was let go: no server says what it grants.
Result<Done> Session::await_turn() {
  if (turns_ == nullptr) return Done{};
  Result<Done> turn = turns_->wait();
  if (turn) turns_->end();
  return turn;
}

Result<Done> Session::connect() {
  if (connection_) return Done{};
  auto opened = services_.dns.connect(server_.host, server_.port, server_.timeout);
  if (!opened) return fail(opened);
  connection_ = std::move(*opened);
  return Done{};
}

// Reads one answer and files it.
Result<Done> Session::receive_one(Exchange& open) {
  const auto message = connection_->receive(server_.timeout);
  if (!message) return fail(message);
  const auto id = message_id(*message);
  const auto found = id ? open.sent.find(*id) : open.sent.end();
  if (found == open.sent.end())
    return fail(Code::protocol, "the server answers what nobody asked", server_.text(),
                "is this port a DNS server?");
  const auto& [index, request] = found->second;
  open.results[index] = read_reply(*message, request, server_.key, services_.clock.now());
  open.sent.erase(found);
  return Done{};
}

// Fills the pipeline and reads one answer. Where each message has to wait for its turn, the answers
// to those before must not wait with it.
Result<Done> Session::exchange_some(Exchange& open) {
  const std::size_t pipeline = turns_ == nullptr ? most_unanswered : 1;
  if (const auto turn = await_turn(); !turn) return turn;
  if (const auto ready = connect(); !ready) return ready;
  std::vector<io::DnsMessage> messages;
  while (open.sent.size() < pipeline && !open.waiting.empty()) {
    const std::size_t index = open.waiting.back();
    open.waiting.pop_back();
    Result<Request> request = open.makes[index](next_id_);
    if (!request) {
      open.results[index] = fail(request);
      continue;
    }
    messages.push_back(request->message);
    open.sent.emplace(next_id_++, std::pair(index, std::move(*request)));
  }
  if (!messages.empty())
    if (const auto done = connection_->send(messages, server_.timeout); !done) return done;
  return open.sent.empty() ? Result<Done>(Done{}) : receive_one(open);
}

std::vector<Result<Reply>> Session::exchange(const std::vector<Make>& makes, int tries) {
  Exchange open{makes, std::vector<Result<Reply>>(makes.size(), Reply{}), {}, {}};
  for (std::size_t i = makes.size(); i > 0; --i)
    open.waiting.push_back(i - 1);
  int failures = 0;
  while (!open.waiting.empty() || !open.sent.empty()) {
    const Result<Done> done = exchange_some(open);
    if (done) {
      failures = 0;
      continue;
    }
    connection_.reset();
    for (const auto& [id, entry] : open.sent)
      open.waiting.push_back(entry.first);
    open.sent.clear();
    // Only a connection that broke is worth another; a slow server would be slow again.
    if (done.error().code == Code::unreachable && ++failures < tries) continue;
    for (const std::size_t index : open.waiting)
      open.results[index] = fail_at(done, server_.text());
    break;
  }
  return std::move(open.results);
}

std::vector<Result<Reply>> Session::ask(const std::vector<Question>& questions) {
  std::vector<Make> makes;
  makes.reserve(questions.size());
  for (const Question& question : questions)
    makes.emplace_back([&](std::uint16_t id) {
      return make_query(id, question.owner, question.type, server_.key);
    });
  return exchange(makes, tries_without_progress);
}

std::vector<Result<Reply>> Session::probe(const std::vector<UpdateRequest>& probes) {
  std::vector<Make> makes;
  makes.reserve(probes.size());
  for (const UpdateRequest& probe : probes)
    makes.emplace_back([&](std::uint16_t id) {
      return make_update(id, probe.zone, probe.prerequisites, {}, server_.key);
    });
  return exchange(makes, tries_without_progress);
}

Result<Reply> Session::update(const UpdateRequest& update) {
  const std::vector<Make> makes{[&](std::uint16_t id) {
    return make_update(id, update.zone, update.prerequisites, update.updates, server_.key);
  }};
  return exchange(makes, 1).front();
}

Result<std::vector<Record>> Session::transfer(const dns::Name& zone,
                                              const std::unordered_set<std::string>& owners) {
  const auto request = make_query(next_id_++, zone.text(), type::axfr, server_.key);
  if (!request) return fail(request);
  if (const auto turn = await_turn(); !turn) return fail(turn);
  // A connection of its own: what is left of a transfer given up must not meet other answers.
  auto connection = services_.dns.connect(server_.host, server_.port, server_.timeout);
  if (!connection) return fail(connection);
  const std::vector<io::DnsMessage> messages{request->message};
  if (const auto sent = (*connection)->send(messages, server_.timeout); !sent) return fail(sent);
  TransferReader reader(*request, server_.key);
  std::vector<Record> wanted;
  std::size_t received = 0;
  while (!reader.complete()) {
    const auto message = (*connection)->receive(server_.timeout);
    if (!message) return fail(message);
    received += message->size();
    if (received > longest_transfer) return fail(Code::unsupported, "the zone is too large");
    Result<std::vector<Record>> records = reader.next(*message, services_.clock.now());
    if (!records) return fail(records);
    for (Record& record : *records)
      if (owners.contains(record.owner)) wanted.push_back(std::move(record));
  }
  return wanted;
}

namespace {

Error unknown_key(const Key& key, std::string_view answer) {
  return {Code::unauthorized,
          fmt::format("the server does not know the TSIG key '{}', or not for this ({})", key.name,
                      answer),
          {},
          fmt::format("add the key with algorithm {} to the server and to what it may do there, or "
                      "correct its name or secret here",
                      key.algorithm)};
}

Error unusable_key(const Key& key) {
  return {
      Code::unauthorized,
      fmt::format("the server does not take the TSIG key '{}' (NOTAUTH)", key.name),
      {},
      "compare its name, algorithm and secret with the server's, and the clocks of both machines"};
}

Error key_refusal(const Reply& reply, const Key& key) {
  if (reply.tsig_error == rcode::bad_key) return unknown_key(key, "BADKEY");
  if (reply.tsig_error == rcode::bad_sig)
    return {Code::unauthorized,
            fmt::format("the secret of the TSIG key '{}' is not the server's (BADSIG)", key.name),
            {},
            "compare the key's secret and algorithm with the server's"};
  if (reply.tsig_error == rcode::bad_time)
    return {Code::unauthorized,
            fmt::format("the clocks differ: it is {} at the server (BADTIME)",
                        format_time(reply.signed_at)),
            {},
            "set the clocks of both machines"};
  return {Code::unauthorized,
          fmt::format("the server refuses the TSIG key '{}': {}", key.name,
                      rcode_name(reply.tsig_error)),
          {},
          "see the server's log"};
}

Error refused(const Reply& reply, const Key& key, const std::string& what) {
  // PowerDNS says no more when a key or a secret is wrong.
  if (!reply.verified)
    return {
        Code::unauthorized,
        fmt::format("the server refuses {} and signs no answer (REFUSED)", what),
        {},
        fmt::format("does it know the key '{}' with this secret, is its clock right, and may this "
                    "address ask?",
                    key.name)};
  return {Code::unauthorized,
          fmt::format("the server does not allow the key '{}' {} (REFUSED)", key.name, what),
          {},
          "allow it there: update-policy in BIND, an acl in Knot, TSIG-ALLOW-DNSUPDATE in "
          "PowerDNS"};
}

}  // namespace

Error refusal(const Reply& reply, const Key& key, Purpose purpose, const std::string& name) {
  if (reply.tsig_error != 0) return key_refusal(reply, key);
  const std::string what =
      purpose == Purpose::update ? "updates of " + name : "questions about " + name;
  switch (reply.rcode) {
    case rcode::refused:
      return refused(reply, key, what);
    case rcode::not_auth:
      // To a question only TSIG makes this answer (RFC 8945 §5.3); PowerDNS leaves out why.
      if (purpose == Purpose::question) return unusable_key(key);
      return {Code::not_found,
              fmt::format("the server is not the primary of {} (NOTAUTH)", name),
              {},
              "name the primary server of the zone"};
    case rcode::not_zone:
      return {Code::invalid, fmt::format("a name is outside the zone {} (NOTZONE)", name), {}, {}};
    case rcode::not_implemented:
      return {Code::unsupported,
              fmt::format("the server does not take {} (NOTIMP)", what),
              {},
              "turn DNS UPDATE on: 'dnsupdate=yes' in PowerDNS"};
    case rcode::server_failure:
      return {Code::internal,
              fmt::format("the server failed at {} (SERVFAIL)", what),
              {},
              "see the server's log"};
    default:
      return {Code::protocol,
              fmt::format("the server answers {} with {}", what, rcode_name(reply.rcode)),
              {},
              "see the server's log"};
  }
}

}  // namespace stsctl::providers::rfc2136
