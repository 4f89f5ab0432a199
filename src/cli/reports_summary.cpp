#include <algorithm>
#include <map>
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/planning.h"
#include "cli/report_files.h"
#include "cli/report_page.h"
#include "cli/report_view.h"
#include "cli/reports.h"

namespace stsctl::cli {

namespace {

constexpr std::size_t newest_aside = 5;

struct SummaryCommand {
  std::vector<std::string> domains;
  std::string since = "14d";
  std::string store;
  bool published = false;
  bool as_json = false;
  std::string html;
};

using Policies = std::map<std::string, std::string>;

// The domains of the store that the patterns fit, by their numbers; none: all.
Result<std::vector<reports::TextId>> chosen(reports::Store& store,
                                            const std::vector<std::string>& patterns) {
  const auto known = store.domains();
  if (!known) return fail(known);
  std::vector<reports::TextId> ids;
  for (const std::string& domain : *known) {
    const bool wanted = std::ranges::any_of(patterns, [&](const std::string& pattern) {
      const auto name = dns::Name::parse(pattern);  // U-labels too
      return glob_matches(name ? name->text() : pattern, domain);
    });
    if (!wanted) continue;
    const auto id = store.find_text(domain);
    if (!id) return fail(id);
    if (*id) ids.push_back(**id);
  }
  return ids;
}

Result<Done> tally(reports::Store& store, const std::vector<reports::Window>& windows,
                   reports::Tally& into) {
  for (const reports::Window& window : windows) {
    auto done = store.each_policy(window, [&](const reports::PolicyRow& row) { into.add(row); });
    if (done)
      done = store.each_failure(window, [&](const reports::FailureRow& row) { into.add(row); });
    if (!done) return done;
  }
  return Done{};
}

Result<std::vector<reports::Window>> windows(reports::Store& store,
                                             const std::vector<std::string>& patterns,
                                             const ReportView& view) {
  if (patterns.empty())
    return std::vector{reports::Window{.domain = {}, .from = view.from, .to = view.to}};
  const auto ids = chosen(store, patterns);
  if (!ids) return fail(ids);
  std::vector<reports::Window> list;
  for (const reports::TextId id : *ids)
    list.push_back({.domain = id, .from = view.from, .to = view.to});
  return list;
}

Result<Done> fill(reports::Store& store, const SummaryCommand& command, const Policies& policies,
                  ReportView& view) {
  const auto asked = windows(store, command.domains, view);
  if (!asked) return fail(asked);
  reports::Tally sums;
  if (const auto done = tally(store, *asked, sums); !done) return done;
  std::optional<Error> fault;
  view.summary = sums.summary(
      [&](reports::TextId id) {
        const Result<std::string> text = store.text(id);
        if (!text && !fault) fault = text.error();
        return text.value_or("");
      },
      [&](const std::string& domain) {
        const auto found = policies.find(domain);
        return found == policies.end() ? std::nullopt : std::optional(found->second);
      });
  if (fault) return std::unexpected(*fault);
  const auto count = store.aside_count();
  if (!count) return fail(count);
  view.set_aside = *count;
  auto newest = store.aside(newest_aside);
  if (!newest) return fail(newest);
  view.newest = std::move(*newest);
  return Done{};
}

// What the configured domains publish now; none when that cannot be told, which has been printed.
std::optional<Policies> published_policies(Context& context) {
  const std::optional<Session> session = open_session(context, {});
  if (!session) return std::nullopt;
  Policies policies;
  for (const plan::Observed& observed : observe(context, *session))
    if (observed.policy && *observed.policy)
      policies[observed.domain.text()] = reports::canonical_policy(**observed.policy);
  return policies;
}

int show(Context& context, const SummaryCommand& command, const ReportView& view, Time now) {
  World& world = context.world;
  if (!command.html.empty()) {
    const auto written = world.services.files.replace(command.html, summary_page(view, now), false);
    if (!written) {
      world.err << "stsctl: " << printable(to_string(written.error())) << '\n';
      return exit_failed;
    }
  }
  if (command.as_json)
    world.out << summary_json(view);
  else if (command.html.empty())
    world.out << summary_text(view);
  return exit_done;
}

int summary(Context& context, const SummaryCommand& command) {
  World& world = context.world;
  const Result<Duration> since = parse_duration(command.since);
  if (!since) {
    world.err << "stsctl: --since: " << to_string(since.error()) << '\n';
    return exit_usage;
  }
  const auto files = find_report_files(context, command.store);
  if (!files) return exit_usage;
  Policies policies;
  if (command.published) {
    auto found = published_policies(context);
    if (!found) return exit_usage;
    policies = std::move(*found);
  }
  auto store = open_store(context, files->store, reports::Database::Mode::must_exist);
  if (!store) return exit_failed;
  const Time now = world.services.clock.now();
  // Whole days, as reports are.
  ReportView view{.from = std::chrono::floor<std::chrono::days>(now - *since),
                  .to = now + std::chrono::days{2},
                  .domains = command.domains};
  if (const auto done = fill(*store, command, policies, view); !done) {
    world.err << "stsctl: " << printable(to_string(done.error())) << '\n';
    return exit_failed;
  }
  return show(context, command, view, now);
}

}  // namespace

void add_reports_summary(CLI::App& group, Context& context) {
  const auto options = std::make_shared<SummaryCommand>();
  CLI::App* command = add_command(group, context, "summary",
                                  "What the reports say: sessions, failures, how to mend them",
                                  "  stsctl reports summary --domain example.com --since 4w",
                                  [&context, options] { return summary(context, *options); });
  command->add_option("-d,--domain", options->domains, "Only these domains (names or globs)")
      ->type_name("DOMAIN")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("--since", options->since, "Reports that begin in this time until now")
      ->type_name("DURATION")
      ->capture_default_str();
  command->add_option("--store", options->store, "The file they are kept in")->type_name("FILE");
  command->add_flag("--published", options->published,
                    "Hold caches against the policies that are published now, asking the "
                    "providers; else against the newest that reports name");
  command->add_flag("--json", options->as_json, "Print one JSON object");
  command->add_option("--html", options->html, "Write one self-contained web page")
      ->type_name("FILE");
}

}  // namespace stsctl::cli
