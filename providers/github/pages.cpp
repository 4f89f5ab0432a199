#include "providers/github/pages.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "providers/github/edit.h"
#include "providers/github/message.h"
#include "providers/policy_edit.h"
#include "providers/tries.h"
#include "sts/policy.h"

namespace stsctl::providers::github {

namespace {

using plan::PolicyEdit;

constexpr int most_tries = 5;
constexpr std::chrono::milliseconds first_pause{250};  // doubles with every further try
// A build takes half a minute or more, and each look costs one of the hour's 5,000 requests.
constexpr std::chrono::seconds first_look_again{3};
constexpr std::chrono::seconds longest_look_again{60};

std::unexpected<Error> not_built(const std::string& repository) {
  return fail(Code::timeout, "GitHub Pages has not built the commit yet", repository,
              "see 'Actions' in the repository; run apply again when it is built");
}

std::unexpected<Error> not_served(const std::string& why, const std::string& repository,
                                  const std::string& hint) {
  return fail(Code::refused, why, repository, hint);
}

}  // namespace

std::vector<Result<std::optional<std::string>>> Pages::read(const std::vector<dns::Name>& domains,
                                                            const Watch& watch) {
  auto results =
      parallel_map(domains, client_->concurrency(), watch.stop, [&](const dns::Name& domain) {
        auto body = read_one(domain);
        watch.advanced(1);
        return body;
      });
  return or_cancelled(std::move(results), "read");
}

std::vector<Result<Done>> Pages::write(const std::vector<PolicyEdit>& edits, const Watch& watch) {
  const std::scoped_lock lock(writing_);
  std::vector<Result<Done>> all;
  all.reserve(edits.size());
  for (const PolicyEdit& edit : edits) {
    const bool stopped = watch.stop.stop_requested() || services_.stop.stop_requested();
    all.push_back(stopped ? fail(Code::cancelled, "stopped before it was written")
                          : write_one(edit));
    watch.advanced(1);
  }
  return all;
}

// Half of what a first policy takes are writes, which are paced.
std::vector<io::Rate> Pages::rates() const {
  std::vector<io::Rate> rates = client_->rates();
  if (client_->write_interval().count() > 0) rates.push_back({2, client_->write_interval()});
  return rates;
}

std::string Pages::root() const {
  return path_.substr(0, path_.size() - sts::policy_path.size() + 1);
}

Result<std::optional<std::string>> Pages::read_one(const dns::Name& domain) {
  const Place place = place_of(domain);
  std::optional<Pending> pending;
  {
    const std::scoped_lock lock(guard_);
    if (const auto found = pending_.find(place.repository); found != pending_.end())
      pending = found->second;
  }
  if (pending) {
    Result<std::optional<std::string>> built = read_built(place, *pending);
    const std::scoped_lock lock(guard_);
    if (built)
      pending_.erase(place.repository);
    else
      pending_.insert_or_assign(place.repository, *pending);
    return built;
  }
  Result<std::optional<File>> file = client_->contents(place.repository, path_, options_.branch);
  if (!file) return fail(file);
  if (!*file) return std::nullopt;
  return std::move((*file)->content);
}

// What Pages serves once it has built our commit, or a later one that still has our policy.
Result<std::optional<std::string>> Pages::read_built(const Place& place, Pending& pending) const {
  const auto now = services_.clock.steady();
  if (now < pending.next_look) return not_built(place.repository);
  pending.next_look = now + pending.pause;
  pending.pause = std::min(pending.pause * 2, longest_look_again);
  const Result<std::optional<Build>> build = client_->latest_build(place.repository);
  if (!build) return fail(build);
  const bool ours = *build && (*build)->commit == pending.commit;
  if (ours && (*build)->status == "errored")
    return fail(Code::internal,
                fmt::format("GitHub Pages could not build the site: {}", (*build)->error),
                place.repository, "see 'Actions' in the repository, then run apply again");
  if (!*build || (*build)->status != "built") return not_built(place.repository);
  if (ours) return pending.body;
  Result<std::optional<File>> file = client_->contents(place.repository, path_, (*build)->commit);
  if (!file) return fail(file);
  if (!*file || (*file)->content != pending.body) return not_built(place.repository);
  return pending.body;
}

Result<Done> Pages::write_one(const PolicyEdit& edit) {
  const Place place = place_of(domain_of(edit));
  Builder builder = Builder::unknown;
  if (edit.after) {
    const Result<Builder> checked = check_site(place);
    if (!checked) return fail(checked);
    builder = *checked;
  }
  std::optional<Error> lost;
  Result<std::string> done = fail(Code::cancelled, "stopped before it was written");
  for (int attempt = 1; attempt <= most_tries; ++attempt) {
    pause_before(attempt, first_pause, services_);
    const Result<Tree> tree = look(place);
    if (!tree) return lost ? unknown_outcome(*lost, tree.error()) : fail(tree);
    if (const auto result = settled(edit, path_, tree->entries)) {
      // Ours, by an answer that was lost: the branch is at it, or at a later one.
      if (*result && lost) done = client_->head(place.repository, options_.branch);
      if (*result && done && builder == Builder::branch) expect_build(place, *done, edit);
      return *result;
    }
    done = commit(place, edit, *tree, builder);
    if (done && builder == Builder::branch) expect_build(place, *done, edit);
    if (done) return Done{};
    if (!worth_another_look(done.error().code)) break;
    if (done.error().code != Code::conflict) lost = done.error();
  }
  return fail(done);
}

Result<Tree> Pages::look(const Place& place) const {
  Result<Tree> tree = client_->tree(place.repository, options_.branch);
  if (tree && tree->truncated)
    return fail(Code::unsupported, "the repository is too large to be listed", place.repository,
                "use a repository of its own for the policy");
  if (tree || tree.error().code != Code::not_found) return tree;
  // Which of repository and branch is missing?
  const Result<std::string> head = client_->head(place.repository, options_.branch);
  return head ? tree : fail(head);
}

Result<std::string> Pages::commit(const Place& place, const PolicyEdit& edit, const Tree& tree,
                                  Builder builder) const {
  const auto found = tree.entries.find(path_);
  const std::string sha = found == tree.entries.end() ? "" : found->second.sha;
  const CommitNote note{commit_message({edit}), options_.person};
  if (!edit.after)
    return client_->remove(place.repository, path_, delete_body(options_.branch, sha, note));
  if (builder != Builder::workflow)
    if (const Result<Done> ready = prepare(place, tree); !ready) return fail(ready);
  return client_->put(place.repository, path_,
                      put_body(options_.branch, edit.after->body, sha, note));
}

// Does Pages serve what we write?
Result<Pages::Builder> Pages::check_site(const Place& place) {
  const Result<std::optional<Site>> answer = client_->site(place.repository);
  if (!answer && answer.error().code == Code::unauthorized) {
    if (!std::exchange(told_of_permission_, true))
      services_.log.write(io::LogLevel::warn,
                          "github: the token may not read Pages settings ('Pages: read'), so it is "
                          "not checked that Pages serves the policies");
    return Builder::unknown;
  }
  if (!answer) return fail(answer);
  if (!*answer) {
    if (const Result<Done> seen = client_->see(place.repository); !seen) return fail(seen);
    return not_served(
        "GitHub Pages is off, so that nobody would see the policy", place.repository,
        fmt::format("turn it on: Settings > Pages > Deploy from a branch > {}", options_.branch));
  }
  const Site& site = **answer;
  if (!site.is_public)
    return not_served("the Pages site is private, so that no sender could read the policy",
                      place.repository, "make it public: Settings > Pages > Visibility");
  const std::string folder = root().empty() ? "/" : "/" + root().substr(0, root().size() - 1);
  if (site.from_branch && (site.branch != options_.branch || site.folder != folder))
    return not_served(
        fmt::format("GitHub Pages serves folder '{}' of branch '{}', not '{}' of '{}'",
                    printable(site.folder), printable(site.branch), folder, options_.branch),
        place.repository, "change 'branch' and 'path', or Settings > Pages");
  if (!site.from_branch && site.cname != place.host)
    return not_served(fmt::format("the Pages site is served as '{}', not as {}",
                                  printable(site.cname), place.host),
                      place.repository, "set the custom domain: Settings > Pages > Custom domain");
  report_certificate(place, site);
  return site.from_branch ? Builder::branch : Builder::workflow;
}

void Pages::report_certificate(const Place& place, const Site& site) const {
  if (site.cname != place.host || site.has_certificate()) return;
  services_.log.write(
      io::LogLevel::warn,
      fmt::format(
          "github: {} has no certificate yet ({}{}{}), and until then senders see no policy; "
          "GitHub makes one when {} is a CNAME to the owner's github.io name",
          place.host, site.certificate.empty() ? "none" : printable(site.certificate),
          site.certificate_story.empty() ? "" : ": ", printable(site.certificate_story),
          place.host));
}

// What a site from a branch needs beside the policy: without .nojekyll folders that begin with a
// dot are left out, and CNAME is the name it is served as.
Result<Done> Pages::prepare(const Place& place, const Tree& tree) const {
  const std::string marker = root() + ".nojekyll";
  if (!tree.entries.contains(marker)) {
    const auto made = client_->put(
        place.repository, marker,
        put_body(options_.branch, "", "",
                 {"Serve files as they are\n\nJekyll leaves out .well-known.\n", options_.person}));
    if (!made) return fail(made);
  }
  return prepare_cname(place, tree);
}

Result<Done> Pages::prepare_cname(const Place& place, const Tree& tree) const {
  const std::string path = root() + "CNAME";
  const std::string content = place.host + "\n";
  std::string sha;
  if (const auto found = tree.entries.find(path); found != tree.entries.end()) {
    sha = found->second.sha;
    if (sha == blob_sha(content) || sha == blob_sha(place.host)) return Done{};
    const Result<std::string> there = client_->blob(place.repository, sha);
    if (!there) return fail(there);
    const std::string name = lower(trim(*there));
    if (name == place.host) return Done{};
    // Somebody's site is served there: it is not ours to move.
    if (dns::Name::parse(name))
      return fail(Code::refused,
                  fmt::format("the repository's site is served as {}, not as {}", name, place.host),
                  place.repository + " " + path,
                  "use a repository of its own for the domain, or remove that file");
  }
  const auto made =
      client_->put(place.repository, path,
                   put_body(options_.branch, content, sha,
                            {fmt::format("Serve the site as {}\n", place.host), options_.person}));
  return made ? Result<Done>(Done{}) : fail(made);
}

void Pages::expect_build(const Place& place, const std::string& commit, const PolicyEdit& edit) {
  const std::scoped_lock lock(guard_);
  pending_.insert_or_assign(
      place.repository, Pending{commit, edit.after ? std::optional(edit.after->body) : std::nullopt,
                                services_.clock.steady(), first_look_again});
}

}  // namespace stsctl::providers::github
