#include "providers/github/repository.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/text.h"
#include "providers/github/message.h"
#include "providers/policy_edit.h"
#include "providers/tries.h"

namespace stsctl::providers::github {

namespace {

using plan::PolicyEdit;

// GitHub gives a request ten seconds.
constexpr std::size_t files_a_tree = 500;
constexpr int most_tries = 6;
constexpr std::chrono::milliseconds first_pause{250};  // doubles with every further try

}  // namespace

std::vector<Result<std::optional<std::string>>> Repository::read(
    const std::vector<dns::Name>& domains, const Watch& watch) {
  std::vector<Result<std::optional<std::string>>> results;
  results.reserve(domains.size());
  const Result<Snapshot> now = look(paths_of(domains), watch.stop);
  const Bodies contents = now ? bodies(now->entries, watch) : Bodies{};
  for (const dns::Name& domain : domains) {
    watch.advanced(1);
    if (now)
      results.push_back(body_at(path_.file(domain), *now, contents));
    else
      results.emplace_back(fail(now));
  }
  return results;
}

Result<std::optional<std::string>> Repository::body_at(const std::string& path, const Snapshot& now,
                                                       const Bodies& contents) {
  const auto entry = now.entries.find(path);
  if (entry == now.entries.end()) return std::nullopt;
  if (entry->second.is_file() && std::cmp_greater(entry->second.size, longest_body))
    return fail(Code::invalid, "the file is larger than 1 MiB: it is no policy", path);
  const auto body = contents.find(entry->second.sha);
  if (body == contents.end() || !entry->second.is_file())
    return fail(Code::unsupported, "what stands there is no policy file", path);
  if (!body->second) return fail_at(body->second, path);
  return *body->second;
}

std::vector<Result<Done>> Repository::write(const std::vector<PolicyEdit>& edits,
                                            const Watch& watch) {
  const std::scoped_lock lock(writing_);
  std::vector<Result<Done>> results(edits.size(),
                                    fail(Code::cancelled, "stopped before it was written"));
  std::vector<std::size_t> open;  // indices of edits that are not settled
  for (std::size_t i = 0; i < edits.size(); ++i)
    open.push_back(i);
  std::optional<Error> lost;
  for (int attempt = 1; attempt <= most_tries && !open.empty(); ++attempt) {
    pause_before(attempt, first_pause, services_);
    if (watch.stop.stop_requested() || services_.stop.stop_requested()) break;
    std::vector<dns::Name> domains;
    for (const std::size_t i : open)
      domains.push_back(domain_of(edits[i]));
    const Result<Snapshot> now = look(paths_of(domains), watch.stop);
    if (!now) {
      for (const std::size_t i : open)
        results[i] = lost ? unknown_outcome(*lost, now.error()) : fail(now);
      break;
    }
    std::vector<PolicyEdit> left;
    std::erase_if(open, [&](std::size_t i) {
      const std::optional<Result<Done>> result = judged(edits[i], *now);
      if (result)
        results[i] = *result;
      else
        left.push_back(edits[i]);
      return result.has_value();
    });
    if (open.empty()) break;
    const Result<Done> done = commit(*now, left);
    for (const std::size_t i : open)
      results[i] = done;
    if (done || !worth_another_look(done.error().code)) break;
    if (done.error().code != Code::conflict) lost = done.error();
  }
  watch.advanced(edits.size());
  return results;
}

std::size_t Repository::write_requests(std::size_t policies) const {
  return policies > 0 ? 5 + (policies + files_a_tree - 1) / files_a_tree : 0;
}

Repository::Paths Repository::paths_of(const std::vector<dns::Name>& domains) const {
  Paths paths;
  for (const dns::Name& domain : domains) {
    const std::string path = path_.file(domain);
    paths.insert(path);
    for (std::string& folder : folders_to(path))
      paths.insert(std::move(folder));
  }
  return paths;
}

Result<Repository::Snapshot> Repository::look(const Paths& paths,
                                              const std::stop_token& stop) const {
  if (stop.stop_requested()) return fail(Code::cancelled, "stopped before it was read");
  const Result<std::string> commit = client_->head(options_.repository, options_.branch);
  if (!commit) return fail(commit);
  Result<Tree> tree = client_->tree(options_.repository, *commit);
  if (!tree) return fail(tree);
  if (tree->truncated) {
    Result<Entries> entries = walk(*commit, paths, stop);
    if (!entries) return fail(entries);
    return Snapshot{*commit, std::move(*entries)};
  }
  std::erase_if(tree->entries, [&](const auto& entry) { return !paths.contains(entry.first); });
  return Snapshot{*commit, std::move(tree->entries)};
}

// Folder by folder, only those on the way.
Result<Entries> Repository::walk(const std::string& commit, const Paths& paths,
                                 const std::stop_token& stop) const {
  struct Folder {
    std::string prefix;
    std::string sha;
  };
  Entries found;
  std::vector<Folder> level{{"", commit}};
  while (!level.empty()) {
    const auto listings = parallel_map(
        level, client_->concurrency(), stop,
        [&](const Folder& folder) { return client_->folder(options_.repository, folder.sha); });
    std::vector<Folder> next;
    for (std::size_t i = 0; i < level.size(); ++i) {
      if (!listings[i]) return fail(Code::cancelled, "stopped before it was read");
      const Result<Tree>& listing = *listings[i];
      if (!listing) return fail(listing);
      if (listing->truncated)
        return fail(Code::unsupported, "GitHub lists this folder only in part",
                    options_.repository + " " + level[i].prefix);
      for (const auto& [name, entry] : listing->entries) {
        const std::string path = level[i].prefix + name;
        if (!paths.contains(path)) continue;
        found.emplace(path, entry);
        if (entry.type == "tree") next.push_back({path + "/", entry.sha});
      }
    }
    level = std::move(next);
  }
  return found;
}

// The contents of all files among `entries`, fetched where we do not have them: equal files once.
Repository::Bodies Repository::bodies(const Entries& entries, const Watch& watch) {
  Bodies all;
  std::set<std::string> missing;
  {
    const std::scoped_lock lock(guard_);
    for (const auto& [path, entry] : entries) {
      if (!entry.is_file() || std::cmp_greater(entry.size, longest_body)) continue;
      const auto known = known_.find(entry.sha);
      if (known != known_.end())
        all.emplace(entry.sha, known->second);
      else
        missing.insert(entry.sha);
    }
  }
  const std::vector<std::string> shas(missing.begin(), missing.end());
  const auto fetched =
      parallel_map(shas, client_->concurrency(), watch.stop,
                   [&](const std::string& sha) { return client_->blob(options_.repository, sha); });
  const std::scoped_lock lock(guard_);
  for (std::size_t i = 0; i < shas.size(); ++i) {
    if (!fetched[i]) {
      all.emplace(shas[i], fail(Code::cancelled, "stopped before it was read"));
      continue;
    }
    if (*fetched[i]) known_.emplace(shas[i], **fetched[i]);
    all.emplace(shas[i], *fetched[i]);
  }
  return all;
}

// The result of an edit that needs no commit, or cannot have one.
std::optional<Result<Done>> Repository::judged(const PolicyEdit& edit, const Snapshot& now) const {
  const std::string path = path_.file(domain_of(edit));
  std::optional<Result<Done>> result = settled(edit, path, now.entries);
  if (!result && edit.after && !is_utf8(edit.after->body))
    return fail(Code::unsupported, "the policy is not UTF-8 text", path);
  return result;
}

// One commit on top of what was looked at.
Result<Done> Repository::commit(const Snapshot& now, const std::vector<PolicyEdit>& edits) {
  Result<std::string> tree = client_->tree_of(options_.repository, now.commit);
  for (std::size_t begin = 0; tree && begin < edits.size(); begin += files_a_tree) {
    std::vector<Change> changes;
    for (std::size_t i = begin; i < std::min(begin + files_a_tree, edits.size()); ++i) {
      Change change{.path = path_.file(domain_of(edits[i]))};
      const auto found = now.entries.find(change.path);
      if (found != now.entries.end()) change.mode = found->second.mode;
      if (edits[i].after) change.content = edits[i].after->body;
      changes.push_back(std::move(change));
    }
    tree = client_->create_tree(options_.repository, tree_body(*tree, changes));
  }
  if (!tree) return fail(tree);
  const Result<std::string> made = client_->create_commit(
      options_.repository,
      commit_body(*tree, now.commit, {commit_message(edits), options_.person}));
  if (!made) return fail(made);
  const Result<Done> moved =
      client_->move_branch(options_.repository, options_.branch, ref_body(*made));
  if (!moved) return moved;
  const std::scoped_lock lock(guard_);
  for (const PolicyEdit& edit : edits)
    if (edit.after) known_.emplace(blob_sha(edit.after->body), edit.after->body);
  return moved;
}

}  // namespace stsctl::providers::github
