#include <algorithm>
#include <istream>
#include <memory>
#include <ostream>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "cli/progress.h"
#include "cli/report_files.h"
#include "cli/reports.h"
#include "reports/import.h"

namespace stsctl::cli {

namespace {

constexpr std::size_t most_refusals_shown = 20;
constexpr std::size_t most_refusals_in_json = 1000;

struct ImportCommand {
  std::vector<std::string> paths;
  std::string store;
  std::vector<std::string> authserv_ids;
  bool any_domain = false;
  bool as_json = false;
};

// What one run did.
struct Outcome {
  reports::ImportCounts counts;
  reports::InboxCounts seen;
  std::vector<reports::Refusal> refused;  // some
  std::vector<Error> errors;              // paths that could not be read, or the store
};

std::string plural(std::size_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string as_text(const Outcome& outcome) {
  const reports::ImportCounts& counts = outcome.counts;
  std::string text = fmt::format("{} imported ({} verified), {} there already, {} set aside",
                                 plural(counts.stored + counts.replaced, "report", "reports"),
                                 counts.verified, counts.duplicates, counts.set_aside);
  if (outcome.seen.without_report > 0)
    text += ", " + plural(outcome.seen.without_report, "mail", "mails") + " without a report";
  if (outcome.seen.left_out > 0)
    text += ", " + plural(outcome.seen.left_out, "other file", "other files");
  return text + "\n";
}

std::string as_json(const Outcome& outcome) {
  using Json = nlohmann::ordered_json;
  Json refused = Json::array();
  for (const reports::Refusal& one : outcome.refused)
    refused.push_back({{"source", one.source}, {"reason", one.reason}});
  Json errors = Json::array();
  for (const Error& error : outcome.errors)
    errors.push_back(printable(to_string(error)));
  return Json{{"format", "stsctl-report-import"},
              {"version", 1},
              {"stored", outcome.counts.stored},
              {"replaced", outcome.counts.replaced},
              {"verified", outcome.counts.verified},
              {"duplicates", outcome.counts.duplicates},
              {"set_aside", outcome.counts.set_aside},
              {"mails", outcome.seen.mails},
              {"mails_without_report", outcome.seen.without_report},
              {"files_left_out", outcome.seen.left_out},
              {"refused", std::move(refused)},
              {"errors", std::move(errors)}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

Result<Done> read_input(std::istream& in, std::size_t most, reports::Inbox& inbox) {
  std::string text(most + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > most)
    return fail(Code::invalid, fmt::format("it is longer than {} bytes", most), "standard input");
  inbox.read_text("standard input", std::move(text));
  return Done{};
}

reports::ImportOptions import_options(const ImportCommand& command, const ReportFiles& files,
                                      Outcome& outcome) {
  reports::ImportOptions options;
  if (files.config && !command.any_domain) {
    auto ours = std::make_shared<std::set<dns::Name>>();
    for (const config::Domain& domain : files.config->domains)
      ours->insert(domain.desired.domain);
    options.ours = [ours](const dns::Name& name) { return ours->contains(name); };
  }
  options.refused = [&outcome](const reports::Refusal& one) {
    if (outcome.refused.size() < most_refusals_in_json) outcome.refused.push_back(one);
  };
  return options;
}

// Reads every path into the store.
void run_import(Context& context, const ImportCommand& command, const ReportFiles& files,
                reports::Store& store, Outcome& outcome) {
  World& world = context.world;
  reports::Importer importer(store, world.services.clock.now(),
                             import_options(command, files, outcome));
  Progress progress(world, "importing report", 0);
  const auto watch = progress.watch();
  std::optional<Error> broken;
  reports::InboxOptions options{.authserv_ids = command.authserv_ids, .stop = world.stop};
  if (options.authserv_ids.empty() && files.config)
    options.authserv_ids = files.config->reports.authserv_ids;
  reports::Inbox inbox(world.services.files, options, [&](reports::Arrival arrival) {
    if (const auto done = importer.take(std::move(arrival)); !done) broken = done.error();
    watch.advanced(1);
    return !broken;
  });
  for (const std::string& path : command.paths) {
    const auto done =
        path == "-" ? read_input(world.in, options.longest_mail, inbox) : inbox.read(path);
    if (!done) outcome.errors.push_back(done.error());
  }
  if (const auto done = importer.finish(); !done && !broken) broken = done.error();
  if (broken) outcome.errors.push_back(*broken);
  outcome.counts = importer.counts();
  outcome.seen = inbox.counts();
}

int import(Context& context, const ImportCommand& command) {
  World& world = context.world;
  const auto files = find_report_files(context, command.store);
  if (!files) return exit_usage;
  auto store = open_store(context, files->store, reports::Database::Mode::create);
  if (!store) return exit_failed;
  Outcome outcome;
  run_import(context, command, *files, *store, outcome);
  const std::size_t shown = std::min(outcome.refused.size(), most_refusals_shown);
  for (std::size_t i = 0; i < shown; ++i)
    world.err << fmt::format("set aside: {}: {}\n", outcome.refused[i].source,
                             outcome.refused[i].reason);
  if (outcome.counts.set_aside > shown)
    world.err << fmt::format("set aside: {} more\n", outcome.counts.set_aside - shown);
  for (const Error& error : outcome.errors)
    world.err << "stsctl: " << printable(to_string(error)) << '\n';
  world.out << (command.as_json ? as_json(outcome) : as_text(outcome));
  return outcome.errors.empty() ? exit_done : exit_failed;
}

}  // namespace

void add_reports_import(CLI::App& group, Context& context) {
  const auto options = std::make_shared<ImportCommand>();
  CLI::App* command =
      add_command(group, context, "import", "Take reports from files, mails, mailboxes and folders",
                  "  stsctl reports import ~/Maildir/.tlsrpt\n"
                  "  stsctl reports import inbox.mbox google.json.gz\n"
                  "  stsctl reports import -",
                  [&context, options] { return import(context, *options); });
  command
      ->add_option("FILE", options->paths,
                   "JSON, gzip, a mail, an mbox, a Maildir or a folder of them; - is standard "
                   "input, as a delivery agent hands a mail over")
      ->required();
  command->add_option("--store", options->store, "Keep them in this file")->type_name("FILE");
  command
      ->add_option("--authserv-id", options->authserv_ids,
                   "Believe what the mail server of this name says of DKIM; repeatable")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_flag("--any-domain", options->any_domain,
                    "Take reports about domains that are not configured too");
  command->add_flag("--json", options->as_json, "Print one JSON object");
}

}  // namespace stsctl::cli
