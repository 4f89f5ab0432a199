#include "engine/report_source.h"

#include <memory>
#include <optional>
#include <utility>

#include "reports/evidence.h"
#include "reports/report.h"
#include "reports/store.h"

namespace stsctl::engine {

namespace {

rollout::ReportedSessions as_evidence(reports::ReportedSessions said) {
  return {.begin = said.begin,
          .end = said.end,
          .sessions = said.sessions,
          .failed = said.failed,
          .failures = std::move(said.failures)};
}

// A store that is opened when it is needed.
class Source {
 public:
  Source(std::string path, std::vector<std::string> signers)
      : path_(std::move(path)), signers_(std::move(signers)) {}

  Result<std::vector<rollout::ReportedSessions>> ask(const dns::Name& domain,
                                                     const sts::Policy& policy, Time since) {
    if (!store_) store_ = reports::Store::open(path_, reports::Database::Mode::must_exist);
    if (!*store_ && store_->error().code == Code::not_found)
      return fail(Code::not_found, "no reports", path_,
                  "'stsctl reports import' fills a first store");
    if (!*store_) return fail(*store_);
    auto said = reports::sessions_under(
        **store_, {.domain = domain,
                   .policy = reports::canonical_policy(sts::format_policy(policy)),
                   .since = since,
                   .signers = signers_});
    if (!said) return fail(said);
    std::vector<rollout::ReportedSessions> evidence;
    for (reports::ReportedSessions& one : *said)
      evidence.push_back(as_evidence(std::move(one)));
    return evidence;
  }

 private:
  std::string path_;
  std::vector<std::string> signers_;
  std::optional<Result<reports::Store>> store_;
};

}  // namespace

rollout::ReportSource report_source(std::string path, std::vector<std::string> signers) {
  const auto source = std::make_shared<Source>(std::move(path), std::move(signers));
  return [source](const dns::Name& domain, const sts::Policy& policy, Time since) {
    return source->ask(domain, policy, since);
  };
}

}  // namespace stsctl::engine
