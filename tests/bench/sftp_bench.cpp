// The sftp host against rsync, over the same sshd and the same policies, turn by turn so that both
// meet the same machine. Prints medians. `stsctl_sftp_bench [POLICIES [TURNS]]`.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "providers/sftp/sftp.h"
#include "servers/real_services.h"
#include "servers/sshd.h"

namespace {

namespace fs = std::filesystem;
using namespace std::chrono;
using stsctl::Result;
namespace servers = stsctl::servers;

std::string body(std::size_t number, int turn) {
  return fmt::format("version: STSv1\r\nmode: enforce\r\nmx: mail.d{}.example\r\nmax_age: {}\r\n",
                     number, 86400 + turn);
}

class Bench {
 public:
  explicit Bench(std::size_t policies) : policies_(policies) {
    for (const char* const name : {"stsctl", "rsync"})
      fs::create_directory(folder_.file(name));
    host_ = open(false);
    syncing_host_ = open(true);
    for (std::size_t i = 0; i < policies_; ++i)
      domains_.push_back(*stsctl::dns::Name::parse(fmt::format("d{}.example", i)));
  }

  void write(bool sync, int before, int after) {
    std::vector<stsctl::plan::PolicyEdit> edits;
    for (std::size_t i = 0; i < policies_; ++i) {
      stsctl::plan::PolicyEdit edit;
      if (before >= 0) edit.before = {domains_[i], body(i, before)};
      if (after >= 0) edit.after = {domains_[i], body(i, after)};
      edits.push_back(std::move(edit));
    }
    for (const Result<stsctl::Done>& done : (sync ? *syncing_host_ : *host_).write(edits, {}))
      if (!done) throw std::runtime_error(to_string(done.error()));
  }

  void read(int turn) {
    const auto bodies = host_->read(domains_, {});
    for (std::size_t i = 0; i < policies_; ++i)
      if (!bodies[i] || *bodies[i] != body(i, turn)) throw std::runtime_error("read wrongly");
  }

  // The same tree on this side, as rsync takes it from there.
  void lay_out(int turn) {
    for (std::size_t i = 0; i < policies_; ++i) {
      const std::string folder =
          fmt::format("{}/mta-sts.d{}.example/.well-known", folder_.file("tree"), i);
      fs::create_directories(folder);
      std::ofstream(folder + "/mta-sts.txt", std::ios::binary) << body(i, turn);
      // rsync takes equal sizes and times for equal files.
      fs::last_write_time(folder + "/mta-sts.txt",
                          fs::file_time_type::clock::now() - hours(1000 - turn));
    }
  }

  void rsync_up(const std::vector<std::string>& more = {}) {
    rsync(more, folder_.file("tree") + "/", remote("rsync"));
  }
  void rsync_down() { rsync({}, remote("rsync"), folder_.file("copy") + "/"); }

  void empty() {
    fs::remove_all(folder_.file("copy"));
    for (const char* const name : {"stsctl", "rsync"})
      for (const fs::directory_entry& entry : fs::directory_iterator(folder_.file(name)))
        fs::remove_all(entry);
  }

  std::size_t logins() const { return sshd_.logins(); }

 private:
  std::unique_ptr<stsctl::providers::PolicyHost> open(bool sync) {
    stsctl::Settings settings;
    settings.set("host", std::string("127.0.0.1"), "");
    settings.set("port", std::int64_t{sshd_.port()}, "");
    settings.set("identity", sshd_.key(), "");
    settings.set("known_hosts", sshd_.known_hosts(), "");
    settings.set("root", folder_.file("stsctl"), "");
    settings.set("sync", sync, "");
    services_.services().log.set_level(stsctl::io::LogLevel::warn);
    return std::move(*stsctl::providers::sftp::kind().make(settings, services_.services()));
  }

  std::string remote(const std::string& name) const {
    return fmt::format("127.0.0.1:{}/", folder_.file(name));
  }

  void rsync(const std::vector<std::string>& more, const std::string& from, const std::string& to) {
    std::vector<std::string> argv{
        "rsync", "-rt", "-e",
        fmt::format("ssh -p {} -i {} -o BatchMode=yes -o UserKnownHostsFile={}", sshd_.port(),
                    sshd_.key(), sshd_.known_hosts())};
    argv.insert(argv.end(), more.begin(), more.end());
    argv.insert(argv.end(), {from, to});
    servers::run(argv);
  }

  std::size_t policies_;
  servers::Folder folder_;
  servers::Sshd sshd_{{.as_self = true}};
  servers::RealServices services_;
  std::unique_ptr<stsctl::providers::PolicyHost> host_;
  std::unique_ptr<stsctl::providers::PolicyHost> syncing_host_;
  std::vector<stsctl::dns::Name> domains_;
};

double seconds_of(const std::function<void()>& work) {
  const auto begin = steady_clock::now();
  work();
  return duration<double>(steady_clock::now() - begin).count();
}

class Row {
 public:
  explicit Row(std::string what) : what_(std::move(what)) {}
  void add(const std::function<void()>& ours, const std::function<void()>& theirs) {
    ours_.push_back(seconds_of(ours));
    theirs_.push_back(seconds_of(theirs));
  }
  void print() { fmt::print("| {} | {:.2f} | {:.2f} |\n", what_, median(ours_), median(theirs_)); }

 private:
  static double median(std::vector<double>& times) {
    std::ranges::sort(times);
    return times[times.size() / 2];
  }
  std::string what_;
  std::vector<double> ours_;
  std::vector<double> theirs_;
};

}  // namespace

int main(int count, char** words) {
  const std::size_t policies = count > 1 ? std::strtoul(words[1], nullptr, 10) : 1000;
  const int turns = count > 2 ? std::atoi(words[2]) : 5;
  Bench bench(policies);
  Row create("publish into an empty folder");
  Row change("change all, compared before each");
  Row sync("the same, each file flushed to the disk");
  Row read("read all");
  for (int turn = 0; turn < turns; ++turn) {
    const int now = 3 * turn;
    bench.empty();
    bench.lay_out(now);
    create.add([&] { bench.write(false, -1, now); }, [&] { bench.rsync_up(); });
    bench.lay_out(now + 1);
    change.add([&] { bench.write(false, now, now + 1); }, [&] { bench.rsync_up(); });
    read.add([&] { bench.read(now + 1); }, [&] { bench.rsync_down(); });
    bench.lay_out(now + 2);
    sync.add([&] { bench.write(true, now + 1, now + 2); }, [&] { bench.rsync_up({"--fsync"}); });
  }
  fmt::print("{} policies, median of {} turns, seconds\n\n| | sftp | rsync |\n|---|---|---|\n",
             policies, turns);
  for (Row* const row : {&create, &change, &sync, &read})
    row->print();
  fmt::print("\n{} logins of 4 calls and 4 rsyncs a turn\n", bench.logins());
}
