// How fast reports are imported and summed up, and how much memory it takes.
//   stsctl_reports_bench import REPORTS   gzip reports, a file each
//   stsctl_reports_bench mbox MIB         one mbox of mails of that size
//   stsctl_reports_bench summary ROWS     entries over 1,000 domains
//   stsctl_reports_bench read PATH        whatever is there
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <fmt/format.h>
#include <sys/resource.h>

#include "base/digest.h"
#include "reports/evidence.h"
#include "reports/import.h"
#include "reports/summary.h"
#include "tests/reports/gzip.h"

namespace {

namespace fs = std::filesystem;
namespace reports = stsctl::reports;
using stsctl::Time;

const Time now = *stsctl::parse_time("2026-11-25T12:00:00Z");

// A folder that is removed at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "stsctl-bench-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

template <class T>
T must(stsctl::Result<T> result) {
  if (!result) {
    std::cerr << to_string(result.error()) << '\n';
    std::exit(1);
  }
  return std::move(*result);
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return fmt::format("{} MiB at the peak", usage.ru_maxrss / 1024);
}

constexpr const char* senders[] = {"Google Inc.", "Microsoft Corporation", "Mail.ru", "Comcast"};

// The report number `i`: a domain of 1,000, a sender of 4, a day of 365; every twentieth has
// failures.
std::string report(std::size_t i) {
  const auto begin = now - std::chrono::days{1 + i / 4000 % 365} - std::chrono::hours{12};
  const std::string day = stsctl::format_day(std::chrono::floor<std::chrono::days>(begin));
  const std::string domain = fmt::format("d{:04}.example", i % 1000);
  std::string failures;
  if (i % 20 == 0)
    for (int n = 0; n < 4; ++n)
      failures += fmt::format(
          R"({}{{"result-type":"certificate-expired","sending-mta-ip":"192.0.2.{}","receiving-mx-hostname":"mx{}.{}","receiving-ip":"198.51.100.{}","failed-session-count":1}})",
          n == 0 ? "" : ",", n, n, domain, n);
  const std::string policy = fmt::format(
      R"({{"policy":{{"policy-type":"sts","policy-string":["version: STSv1","mode: enforce","mx: mx1.{0}","mx: mx2.{0}","max_age: 604800"],"policy-domain":"{0}","mx-host":["mx1.{0}","mx2.{0}"]}},"summary":{{"total-successful-session-count":{1},"total-failure-session-count":{2}}},"failure-details":[{3}]}})",
      domain, i % 97, failures.empty() ? 0 : 4, failures);
  return fmt::format(
      R"({{"organization-name":"{0}","date-range":{{"start-datetime":"{1}T00:00:00Z","end-datetime":"{1}T23:59:59Z"}},"contact-info":"tls@sender.example","report-id":"{2}","policies":[{3}]}})",
      senders[i / 1000 % 4], day, i, policy);
}

std::string mail(std::size_t i) {
  const std::string body = stsctl::base64(reports::gzip(report(i)));
  std::string lines;
  for (std::size_t at = 0; at < body.size(); at += 76)
    lines += body.substr(at, 76) + "\n";
  return "From sender@example.net Wed Nov 25 12:00:00 2026\n"
         "Authentication-Results: mx.example.net; dkim=pass header.d=sender.example\n"
         "From: <tls@sender.example>\nTo: <tls@example.net>\nMIME-Version: 1.0\n"
         "Content-Type: multipart/report; report-type=tlsrpt; boundary=b\n\n--b\n"
         "Content-Type: text/plain\n\nA report.\n\n--b\nContent-Type: application/tlsrpt+gzip\n"
         "Content-Transfer-Encoding: base64\n\n" +
         lines + "--b--\n\n";
}

void import_from(const fs::path& path, const fs::path& store_path) {
  const auto begin = std::chrono::steady_clock::now();
  reports::Store store =
      must(reports::Store::open(store_path.string(), reports::Database::Mode::create));
  reports::Importer importer(store, now, {});
  const auto files = stsctl::io::real_files();
  reports::Inbox inbox(*files, {.authserv_ids = {"mx.example.net"}}, [&](reports::Arrival arrival) {
    must(importer.take(std::move(arrival)));
    return true;
  });
  must(inbox.read(path.string()));
  must(importer.finish());
  const double seconds = seconds_since(begin);
  const std::size_t count = importer.counts().stored;
  fmt::print("{} reports stored, {} others, in {:.2f} s: {:.0f} a second; store {} MiB; {}\n",
             count, importer.counts().found() - count, seconds,
             static_cast<double>(importer.counts().found()) / seconds,
             fs::file_size(store_path) >> 20U, peak_memory());
}

void import_files(std::size_t count) {
  const Folder folder;
  for (std::size_t i = 0; i < count; ++i) {
    const fs::path below = folder / fmt::format("in/{:03}", i / 1000);
    fs::create_directories(below);
    std::ofstream(below / fmt::format("{}.json.gz", i), std::ios::binary)
        << reports::gzip(report(i));
  }
  import_from(folder / "in", folder / "store");
}

void import_mbox(std::size_t mib) {
  const Folder folder;
  {
    std::ofstream out(folder / "mbox", std::ios::binary);
    for (std::size_t i = 0; static_cast<std::size_t>(out.tellp()) < (mib << 20U); ++i)
      out << mail(i);
  }
  import_from(folder / "mbox", folder / "store");
}

void read(const fs::path& path) {
  const Folder folder;
  import_from(path, folder / "store");
}

void summarise(std::size_t rows) {
  const Folder folder;
  reports::Store store =
      must(reports::Store::open((folder / "store").string(), reports::Database::Mode::create));
  reports::Importer importer(store, now, {});
  const auto signer = must(stsctl::dns::Name::parse("sender.example"));
  for (std::size_t i = 0; i < rows; ++i)
    must(importer.take({.source = "bench", .json = report(i), .raw = {}, .signer = signer}));
  must(importer.finish());
  for (const std::int64_t days : {400, 14}) {
    const auto begin = std::chrono::steady_clock::now();
    const reports::Window window{.domain = {}, .from = now - std::chrono::days{days}, .to = now};
    reports::Tally tally;
    std::size_t failures = 0;
    must(store.each_policy(window, [&](const reports::PolicyRow& row) { tally.add(row); }));
    must(store.each_failure(window, [&](const reports::FailureRow& row) {
      tally.add(row);
      ++failures;
    }));
    const auto summary = tally.summary([&](reports::TextId id) { return must(store.text(id)); });
    fmt::print("{} days: {} reports and {} failures of {} domains summed up in {:.3f} s\n", days,
               summary.reports, failures, summary.domains.size(), seconds_since(begin));
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto evidence = must(reports::sessions_under(
      store, {.domain = must(stsctl::dns::Name::parse("d0040.example")),
              .policy = reports::canonical_policy(
                  "version: STSv1\nmode: enforce\nmx: mx1.d0040.example\nmx: mx2.d0040.example\n"
                  "max_age: 604800\n"),
              .since = now - std::chrono::days{14}}));
  fmt::print("evidence of one domain, {} days of senders, in {:.3f} ms; {}\n", evidence.size(),
             1000 * seconds_since(begin), peak_memory());
  {
  }\n", evidence.sessions(),
             1000 * seconds_since(begin), peak_memory());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 3 ? argv[1] : "";
  const std::size_t number = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (what == "import")
    import_files(number);
  else if (what == "mbox")
    import_mbox(number);
  else if (what == "summary")
    summarise(number);
  else if (what == "read")
    read(argv[2]);
  else
    return 64;
  return 0;
}
