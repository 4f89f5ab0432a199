// The sftp host against rsync, over the same sshd and the same policies, turn by turn so that both
// meet the same machine. Prints medians of the time and, steadier on a busy machine, of the
// processor time of all that takes part, servers too. `stsctl_sftp_bench [POLICIES [TURNS]]`.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

  // What was there is moved away: for some seconds after a removal ext4 is slow to make files.
  void empty(int turn) {
    for (const char* const name : {"stsctl", "rsync", "copy"}) {
      const std::string path = folder_.file(name);
      if (fs::exists(path)) fs::rename(path, fmt::format("{}-before-{}", path, turn));
      fs::create_directory(path);
    }
  }

  std::size_t logins() const { return sshd_.logins(); }
  pid_t sshd() const { return sshd_.pid(); }

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

std::string proc(pid_t pid, const std::string& file) {
  std::ifstream in(fmt::format("/proc/{}/{}", pid, file));
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<pid_t> children(pid_t parent) {
  std::vector<pid_t> all;
  for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", parent))) {
    std::istringstream in(proc(parent, "task/" + task.path().filename().string() + "/children"));
    all.insert(all.end(), std::istream_iterator<pid_t>(in), {});
  }
  return all;
}

// Only what has ended is counted: waits for all programs, and for sshd's part of each login.
void wait_for_all(pid_t sshd) {
  for (const pid_t child : children(getpid()))
    if (child != sshd) waitpid(child, nullptr, 0);
  if (!servers::wait_until([&] { return children(sshd).empty(); }))
    throw std::runtime_error("a login stays");
}

// User and system time of this program, of sshd, and of all that they have waited for.
double processor_seconds(pid_t sshd) {
  double seconds = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    getrusage(who, &used);
    for (const timeval& time : {used.ru_utime, used.ru_stime})
      seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  }
  const std::string stat = proc(sshd, "stat");
  std::istringstream in(stat.substr(stat.rfind(')') + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(in), {}};
  for (std::size_t i = 11; i < 15; ++i)  // utime, stime, cutime, cstime
    seconds += std::stod(fields.at(i)) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return seconds;
}

struct Spent {
  double time = 0;
  double processor = 0;
};

Spent spent_on(const std::function<void()>& work, pid_t sshd) {
  wait_for_all(sshd);
  const double before = processor_seconds(sshd);
  const auto begin = steady_clock::now();
  work();
  const double time = duration<double>(steady_clock::now() - begin).count();
  wait_for_all(sshd);
  return {time, processor_seconds(sshd) - before};
}

class Row {
 public:
  Row(std::string what, pid_t sshd) : what_(std::move(what)), sshd_(sshd) {}

  // Who comes first changes from turn to turn.
  void add(const std::function<void()>& ours, const std::function<void()>& theirs) {
    const bool turned = ours_.size() % 2 != 0;
    if (turned) theirs_.push_back(spent_on(theirs, sshd_));
    ours_.push_back(spent_on(ours, sshd_));
    if (!turned) theirs_.push_back(spent_on(theirs, sshd_));
  }

  void print() const {
    fmt::print("| {} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} |\n", what_,
               median(ours_, &Spent::time), median(theirs_, &Spent::time), ratio(&Spent::time),
               median(ours_, &Spent::processor), median(theirs_, &Spent::processor),
               ratio(&Spent::processor));
  }

 private:
  static double middle(std::vector<double> numbers) {
    std::ranges::sort(numbers);
    return numbers[numbers.size() / 2];
  }
  static double median(const std::vector<Spent>& all, double Spent::* part) {
    std::vector<double> numbers;
    for (const Spent& one : all)
      numbers.push_back(one.*part);
    return middle(std::move(numbers));
  }
  double ratio(double Spent::* part) const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours_.size(); ++i)
      ratios.push_back(ours_[i].*part / theirs_[i].*part);
    return middle(std::move(ratios));
  }

  std::string what_;
  pid_t sshd_;
  std::vector<Spent> ours_;
  std::vector<Spent> theirs_;
};

}  // namespace

int main(int count, char** words) {
  const std::size_t policies = count > 1 ? std::strtoul(words[1], nullptr, 10) : 1000;
  const int turns = count > 2 ? std::atoi(words[2]) : 5;
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // what a login of sshd leaves behind is waited for, and counts
  Bench bench(policies);
  Row create("publish into an empty folder", bench.sshd());
  Row change("change all, compared before each", bench.sshd());
  Row sync("the same, each file flushed to the disk", bench.sshd());
  Row read("read all", bench.sshd());
  for (int turn = 0; turn < turns; ++turn) {
    const int now = 3 * turn;
    bench.empty(turn);
    bench.lay_out(now);
    create.add([&] { bench.write(false, -1, now); }, [&] { bench.rsync_up(); });
    bench.lay_out(now + 1);
    change.add([&] { bench.write(false, now, now + 1); }, [&] { bench.rsync_up(); });
    read.add([&] { bench.read(now + 1); }, [&] { bench.rsync_down(); });
    bench.lay_out(now + 2);
    sync.add([&] { bench.write(true, now + 1, now + 2); }, [&] { bench.rsync_up({"--fsync"}); });
  }
  fmt::print(
      "{} policies, medians of {} turns, seconds\n\n"
      "| | sftp | rsync | ratio | processor: sftp | rsync | ratio "
      "|\n|---|---|---|---|---|---|---|\n",
      policies, turns);
  for (const Row* const row : {&create, &change, &sync, &read})
    row->print();
  fmt::print("\n{} logins of 4 calls and 4 rsyncs a turn\n", bench.logins());
}
