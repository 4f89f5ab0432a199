// The program leads a domain through its rollout, night by night: real files, a clock that leaps,
// and eyes that see what the files say.

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_eyes.h"
#include "tests/fakes/fake_http.h"
#include "tests/fakes/fake_process.h"

namespace stsctl::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono::days;
using testing::HasSubstr;
using testing::Not;

constexpr const char* zone =
    "$TTL 1h\n@ IN SOA ns1 hostmaster 1 1d 2h 4w 5m\n@ NS ns1\n@ MX 10 mail\nns1 A 192.0.2.1\n"
    "mail A 192.0.2.25\n";

constexpr const char* head =
    "version: 1\n"
    "dns: {zones: {provider: zonefile, directory: zones}}\n"
    "hosts: {web: {provider: directory, root: www, address: {a: 192.0.2.10}}}\n"
    "rollouts:\n"
    "  careful:\n"
    "    - {mode: testing, max_age: 1d, for: 2w, gate: {verify: pass}}\n"
    "    - {mode: enforce, max_age: 1w, for: 1w}\n"
    "    - {mode: enforce, max_age: 4w}\n"
    "  reported:\n"
    "    - {mode: testing, max_age: 1d, for: 2w, gate: {sessions: 100, failures: 0.1%}}\n"
    "    - {mode: enforce, max_age: 1w, brake: {failures: 2%}}\n"
    "defaults: {dns: zones, host: web, policy: {mx: [mail.example.com]}}\n"
    "domains:\n";

std::string slurp(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Resolver : public fakes::FakeResolver {
 public:
  explicit Resolver(fs::path zone_file) : zone_file_(std::move(zone_file)) {
    set("mta-sts.example.com", io::Question::a, {"192.0.2.10"});
    set("example.com", io::Question::mx, {"10 mail.example.com"});
    set("example.com", io::Question::ns, {"ns1.example.com"});
    set("ns1.example.com", io::Question::a, {"192.0.2.1"});
    set("mail.example.com", io::Question::a, {"192.0.2.25"});
  }
  Result<io::DnsAnswer> resolve(const dns::Name& name, io::Question question) override {
    const std::string text = slurp(zone_file_);
    std::smatch found;
    if (name.text() == "_mta-sts.example.com" && question == io::Question::txt &&
        std::regex_search(text, found, std::regex("v=STSv1; id=[A-Za-z0-9]+")))
      return io::DnsAnswer{.values = {found.str()}, .ttl = Duration(60), .authoritative = true};
    return FakeResolver::resolve(name, question);
  }

 private:
  fs::path zone_file_;
};

class Prober : public io::Prober {
 public:
  Prober(fs::path root, const io::SmtpProbe& mail) : root_(std::move(root)), mail_(mail) {}
  io::HttpsProbe fetch_policy(const io::ProbeTarget& target) override {
    return {.tls = {},
            .reply = io::Reply{.status = 200,
                               .headers = {{"Content-Type", "text/plain"}},
                               .body = slurp(root_ / target.host / ".well-known/mta-sts.txt")}};
  }
  io::SmtpProbe look_at_mx(const io::ProbeTarget&) override { return mail_; }

 private:
  fs::path root_;
  const io::SmtpProbe& mail_;
};

const io::SmtpProbe good_mail{
    .reached = true, .greeted = true, .starttls = true, .tls = {}, .verdict = Done{}};
const io::SmtpProbe expired_mail{
    .reached = true,
    .greeted = true,
    .starttls = true,
    .tls = {},
    .verdict = fail(Code::unauthorized, "the certificate has expired")};
const io::SmtpProbe silent_mail{.verdict = fail(Code::timeout, "no answer")};

struct Ran {
  int code = 0;
  std::string out, err;
};

class RolloutRun : public testing::Test {
 protected:
  void SetUp() override {
    dir = fs::path(testing::TempDir()) /
          (std::string("rollout-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(dir);
    fs::create_directories(dir / "zones");
    fs::create_directories(dir / "www");
    std::ofstream(dir / "zones/example.com.zone") << zone;
    follow("rollout: careful");
  }
  void TearDown() override { fs::remove_all(dir); }

  void follow(const std::string& what) {
    std::ofstream(dir / "stsctl.yaml") << head << "  example.com: {" << what << "}\n";
  }

  Ran run(std::vector<std::string> args) {
    args.insert(args.begin(), {"stsctl", "-c", (dir / "stsctl.yaml").string()});
    std::vector<const char*> argv;
    for (const std::string& arg : args)
      argv.push_back(arg.c_str());
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    io::Log log(err);
    const auto files = io::real_files();
    const auto exchange = io::real_dns_exchange();
    World world{.services = {*files, process, clock, *exchange, http, log},
                .in = in,
                .out = out,
                .err = err,
                .open_resolver =
                    [this](const io::ResolverOptions&) {
                      return std::make_unique<Resolver>(dir / "zones/example.com.zone");
                    },
                .open_prober =
                    [this](const io::ProbeOptions&) {
                      return std::make_unique<Prober>(dir / "www", mail);
                    }};
    const int code = cli::run(static_cast<int>(argv.size()), argv.data(), world);
    return {code, out.str(), err.str()};
  }

  // A night's apply; what is published then.
  std::string night(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"apply", "--yes"});
    last = run(more);
    return published();
  }

  fs::path file() const { return dir / "www/mta-sts.example.com/.well-known/mta-sts.txt"; }
  std::string published() const {
    const std::string text = slurp(file());
    std::smatch found;
    if (!std::regex_search(text, found, std::regex("mode: (\\w+)[\\s\\S]*max_age: (\\d+)")))
      return "";
    return found[1].str() + " " + found[2].str();
  }
  std::string id() const {
    const std::string text = slurp(dir / "zones/example.com.zone");
    std::smatch found;
    return std::regex_search(text, found, std::regex("id=([A-Za-z0-9]+)")) ? found[1].str() : "";
  }

  fs::path dir;
  fakes::FakeClock clock;
  fakes::FakeProcess process;
  fakes::FakeHttp http;
  io::SmtpProbe mail = good_mail;
  Ran last;
};

constexpr const char* first = "testing 86400";
constexpr const char* second = "enforce 604800";
constexpr const char* third = "enforce 2419200";

TEST_F(RolloutRun, LeadsFromNothingToTheLastStage) {
  EXPECT_EQ(night(), first) << last.out << last.err;
  const std::string first_id = id();
  clock.advance(days{10});
  EXPECT_EQ(night(), first);
  EXPECT_EQ(last.code, exit_done) << last.out << last.err;
  EXPECT_THAT(last.out, HasSubstr("stage 1 of 3 of 'careful' (testing, max_age 1d), for 10 days"));
  EXPECT_THAT(last.out, HasSubstr("(at least 14 days): does not hold"));
  EXPECT_THAT(last.out, HasSubstr("verify: not looked at yet"));
  EXPECT_THAT(last.out, HasSubstr("then: enforce, max_age 1w, if every gate holds, from 20"));
  EXPECT_EQ(id(), first_id);

  clock.advance(days{5});
  EXPECT_EQ(night(), second) << last.out << last.err;
  EXPECT_THAT(last.out, HasSubstr("stage 2 of 3 of 'careful' (enforce, max_age 1w) begins"));
  EXPECT_THAT(last.out, HasSubstr("verify: pass (pass): holds"));
  EXPECT_NE(id(), first_id);
  EXPECT_EQ(night(), second) << "not two stages in one night";
  clock.advance(days{8});
  EXPECT_EQ(night(), third) << last.out << last.err;
  clock.advance(days{800});
  EXPECT_EQ(night(), third);
  EXPECT_THAT(last.out, Not(HasSubstr("then:")));
}

TEST_F(RolloutRun, StaysWhereMailWouldFail) {
  night();
  clock.advance(days{15});
  mail = expired_mail;
  EXPECT_EQ(night(), first);
  EXPECT_THAT(last.out, HasSubstr("verify: fail: mail.example.com [192.0.2.25]: the certificate "
                                  "has expired"));
  mail = silent_mail;
  EXPECT_EQ(night(), first);
  EXPECT_THAT(last.out, HasSubstr("verify: could not be run: mail.example.com did not answer"));
  mail = good_mail;
  EXPECT_EQ(night({"--no-smtp"}), first);
  EXPECT_THAT(last.out, HasSubstr("could not be run: the mail hosts were left alone"));
  EXPECT_EQ(night({"--no-evidence"}), first);
  EXPECT_THAT(last.out, HasSubstr("(evidence-left-out)"));
  EXPECT_EQ(night(), second) << last.out << last.err;
}

TEST_F(RolloutRun, WaitsForReports) {
  follow("rollout: reported");
  night();
  clock.advance(days{30});
  EXPECT_EQ(night(), first);
  EXPECT_THAT(last.out, HasSubstr("sessions: no reports (at least 100): does not hold"));
  EXPECT_THAT(last.out, HasSubstr("failures: no reports (at most 0.1% within 14 days)"));
}

TEST_F(RolloutRun, HoldsAndPins) {
  night();
  clock.advance(days{15});
  follow("rollout: careful, hold: true");
  EXPECT_EQ(night(), first);
  EXPECT_THAT(last.out, HasSubstr("every gate holds, and 'hold: true' stops here"));
  follow("rollout: careful, stage: 3");
  EXPECT_EQ(night(), third) << last.out << last.err;
  follow("rollout: careful, stage: 1");
  EXPECT_EQ(night(), first) << last.out << last.err;
  follow("rollout: careful");
  EXPECT_EQ(night(), first) << "its clock starts anew";
}

TEST_F(RolloutRun, PromotesNothingBehindAClockThatWentBack) {
  night();
  clock.advance(-days{100});
  EXPECT_EQ(night(), first);
  EXPECT_THAT(last.out, HasSubstr("later than now"));
}

TEST_F(RolloutRun, RefusesASavedPlanWhoseDecisionIsAnother) {
  night();
  clock.advance(days{15});
  const std::string plan = (dir / "plan.json").string();
  const Ran saved = run({"plan", "-o", plan});
  EXPECT_EQ(saved.code, exit_done) << saved.out << saved.err;
  EXPECT_THAT(saved.out, HasSubstr("begins: every gate holds"));
  EXPECT_THAT(slurp(plan), HasSubstr("\"action\": \"promote\""));
  mail = expired_mail;
  EXPECT_EQ(night({plan}), first);
  EXPECT_EQ(last.code, exit_stale);
  EXPECT_THAT(last.out, HasSubstr("its rollout now leads to stage 1 of 3"));
  EXPECT_EQ(night({plan, "--no-evidence"}), first);
  EXPECT_EQ(last.code, exit_stale);
  mail = good_mail;
  clock.advance(std::chrono::hours{3});
  EXPECT_EQ(night({plan}), second) << last.out << last.err;
}

TEST_F(RolloutRun, AdoptsWhatEnforcesOnlyWhenTold) {
  fs::create_directories(file().parent_path());
  const std::string foreign =
      "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 1209600\r\n";
  std::ofstream(file()) << foreign;
  std::ofstream(dir / "zones/example.com.zone", std::ios::app)
      << "_mta-sts TXT \"v=STSv1; id=20260101\"\n";
  EXPECT_EQ(night(), "enforce 1209600");
  EXPECT_EQ(last.code, exit_refused) << last.out << last.err;
  EXPECT_THAT(last.out, HasSubstr("it enforces already, with max_age 2w, which is no stage"));
  EXPECT_EQ(slurp(file()), foreign);
  EXPECT_EQ(id(), "20260101");
  follow("rollout: careful, start: 1");
  EXPECT_EQ(night(), "enforce 1209600");
  EXPECT_EQ(last.code, exit_refused);
  follow("rollout: careful, start: 2");
  EXPECT_EQ(night(), second) << last.out << last.err;
  clock.advance(days{8});
  EXPECT_EQ(night(), third) << last.out << last.err;
}

TEST_F(RolloutRun, StartsTheClockOfATestingDomainWithAForeignId) {
  fs::create_directories(file().parent_path());
  std::ofstream(file())
      << "version: STSv1\r\nmode: testing\r\nmx: mail.example.com\r\nmax_age: 86400\r\n";
  std::ofstream(dir / "zones/example.com.zone", std::ios::app)
      << "_mta-sts TXT \"v=STSv1; id=20260101\"\n";
  EXPECT_EQ(night(), first);
  EXPECT_EQ(id().size(), 32U) << last.out << last.err;
  clock.advance(days{15});
  EXPECT_EQ(night(), second) << last.out << last.err;
}

TEST_F(RolloutRun, BringsALostPolicyBackAsItWas) {
  night();
  clock.advance(days{15});
  ASSERT_EQ(night(), second) << last.out << last.err;
  fs::remove(file());
  EXPECT_EQ(night(), second) << last.out << last.err;
}

TEST_F(RolloutRun, ShowsWhereItStandsInTheStatus) {
  night();
  clock.advance(days{3});
  const Ran status = run({"status"});
  EXPECT_EQ(status.code, exit_done) << status.out << status.err;
  EXPECT_THAT(status.out,
              HasSubstr("in sync; stage 1 of 3 of 'careful' (testing, max_age 1d), waits "
                        "for time, verify"));
  EXPECT_THAT(run({"status", "--json"}).out, HasSubstr("\"in_stage\": 259"));  // and some seconds
}

TEST_F(RolloutRun, IsNotRenderedBlindly) {
  const Ran rendered = run({"render"});
  EXPECT_NE(rendered.code, exit_done);
  EXPECT_THAT(rendered.out, Not(HasSubstr("mode:")));
  EXPECT_THAT(rendered.out + rendered.err, HasSubstr("goes by what is published"));
}

}  // namespace
}  // namespace stsctl::cli
