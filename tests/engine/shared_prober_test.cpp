// Many domains at few mail servers.

#include "engine/shared_prober.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace stsctl::engine {
namespace {

// Answers when told to, and counts who is there.
class Gate : public io::Prober {
 public:
  io::HttpsProbe fetch_policy(const io::ProbeTarget&) override {
    return {.tls = {}, .reply = fail(Code::unreachable, "nobody listens")};
  }
  io::SmtpProbe look_at_mx(const io::ProbeTarget& target) override {
    std::unique_lock lock(mutex_);
    ++looks;
    most = std::max(most, ++inside_[target.address]);
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    --inside_[target.address];
    return {.verdict = fail(Code::unsupported, target.host)};
  }

  // Waits until so many are inside; false if they do not come.
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return looks >= count; });
  }
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

  int looks = 0;
  int most = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> inside_;
  bool open_ = false;
};

TEST(SharedProber, LooksAtOneServerOnceForAllWhoAsk) {
  Gate gate;
  SharedProber prober(gate);
  std::vector<std::jthread> askers;
  std::atomic<int> answers{0};
  for (int i = 0; i < 8; ++i)
    askers.emplace_back([&] {
      const io::SmtpProbe seen = prober.look_at_mx({"mail.example.com", "192.0.2.1", 25});
      if (seen.verdict.error().what == "mail.example.com") ++answers;
    });
  ASSERT_TRUE(gate.wait_for(1));
  gate.open();
  askers.clear();
  EXPECT_EQ(answers, 8);
  EXPECT_EQ(gate.looks, 1);
  prober.look_at_mx({"mail.example.com", "192.0.2.2", 25});
  prober.look_at_mx({"mail.example.net", "192.0.2.1", 25});
  prober.look_at_mx({"mail.example.com", "192.0.2.1", 26});
  prober.look_at_mx({"mail.example.com", "192.0.2.1", 25});
  EXPECT_EQ(gate.looks, 4);
}

TEST(SharedProber, OpensFewConnectionsToOneAddress) {
  Gate gate;
  SharedProber prober(gate);
  constexpr int hosts = SharedProber::most_at_once + 30;
  std::vector<std::jthread> askers;
  for (int i = 0; i < hosts; ++i)
    askers.emplace_back(
        [&, i] { prober.look_at_mx({"mail" + std::to_string(i) + ".example", "192.0.2.1", 25}); });
  // Another address is not held up by those that wait.
  askers.emplace_back([&] { prober.look_at_mx({"mail.example", "192.0.2.2", 25}); });
  EXPECT_TRUE(gate.wait_for(SharedProber::most_at_once + 1));
  gate.open();
  askers.clear();
  EXPECT_EQ(gate.looks, hosts + 1);
  EXPECT_EQ(gate.most, SharedProber::most_at_once);
}

}  // namespace
}  // namespace stsctl::engine
