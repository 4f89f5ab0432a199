#pragma once
// A resolver and a prober that answer what a test tells them.

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "io/probe.h"
#include "io/resolver.h"

namespace stsctl::fakes {

class FakeResolver : public io::Resolver {
 public:
  Result<io::DnsAnswer> resolve(const dns::Name& name, io::Question question) override {
    const std::scoped_lock lock(mutex_);
    const auto found = answers.find({name.text(), question});
    if (found != answers.end()) return found->second;
    return io::DnsAnswer{.kind = io::DnsAnswer::Kind::no_data};
  }
  Result<io::DnsAnswer> ask(const io::Nameserver&, const dns::Name& name,
                            io::Question question) override {
    return resolve(name, question);
  }

  void set(const std::string& name, io::Question question, std::vector<std::string> values) {
    answers.insert_or_assign(std::pair{name, question},
                             io::DnsAnswer{.values = std::move(values), .ttl = Duration(60)});
  }

  std::map<std::pair<std::string, io::Question>, Result<io::DnsAnswer>> answers;

 private:
  std::mutex mutex_;
};

class FakeProber : public io::Prober {
 public:
  io::HttpsProbe fetch_policy(const io::ProbeTarget& target) override {
    const std::scoped_lock lock(mutex_);
    ++fetches;
    if (policy) return {.tls = {}, .reply = policy(target)};
    return {.tls = {}, .reply = fail(Code::unreachable, "nobody listens")};
  }
  io::SmtpProbe look_at_mx(const io::ProbeTarget&) override {
    return {.verdict = fail(Code::unreachable, "nobody listens")};
  }

  /// What an address serves.
  std::function<Result<io::Reply>(const io::ProbeTarget&)> policy;
  int fetches = 0;

 private:
  std::mutex mutex_;
};

}  // namespace stsctl::fakes
