#include "servers/github.h"

#include <nlohmann/json.hpp>

#include "base/digest.h"

namespace stsctl::servers {

namespace {

nlohmann::json branch_of(const Emulator& emulator, const std::string& repository,
                         const std::string& branch) {
  return nlohmann::json::parse(emulator.dump())
      .at("repositories")
      .at(repository)
      .at("branches")
      .at(branch);
}

}  // namespace

std::map<std::string, std::string> GitHub::files(const std::string& repository,
                                                 const std::string& branch) const {
  return branch_of(emulator_, repository, branch).at("files");
}

std::map<std::string, std::map<std::string, std::string>> GitHub::all_files() const {
  std::map<std::string, std::map<std::string, std::string>> files;
  const nlohmann::json state = nlohmann::json::parse(emulator_.dump());
  for (const auto& [name, facts] : state.at("repositories").items())
    files[name] = facts.at("branches").at("main").at("files");
  return files;
}

std::optional<std::string> GitHub::file(const std::string& repository,
                                        const std::string& path) const {
  const std::string answer = emulator_.look("repository=" + repository + "&path=" + path);
  const nlohmann::json content = nlohmann::json::parse(answer).at("content");
  if (content.is_null()) return std::nullopt;
  return decode_base64(content.get<std::string>());
}

std::string GitHub::git_folder(const std::string& repository) const {
  return nlohmann::json::parse(emulator_.dump()).at("repositories").at(repository).at("git");
}

std::string GitHub::mode(const std::string& repository, const std::string& path) const {
  return branch_of(emulator_, repository, "main").at("modes").at(path);
}

std::vector<GitHub::Commit> GitHub::commits(const std::string& repository,
                                            const std::string& branch) const {
  std::vector<Commit> commits;
  const nlohmann::json facts = branch_of(emulator_, repository, branch);
  for (const auto& one : facts.at("commits"))
    commits.push_back({one.at("sha"), one.at("author"), one.at("message")});
  return commits;
}

void GitHub::commit(const std::string& repository,
                    const std::map<std::string, std::optional<std::string>>& files,
                    const std::string& branch) const {
  nlohmann::json contents = nlohmann::json::object();
  for (const auto& [path, text] : files)
    contents[path] = text ? nlohmann::json{{"base64", base64(*text)}} : nlohmann::json();
  const nlohmann::json commit{{"repository", repository}, {"branch", branch}, {"files", contents}};
  emulator_.load(nlohmann::json{{"commit", commit}}.dump());
}

std::vector<std::string> GitHub::requests() const {
  std::vector<std::string> requests;
  for (const Journaled& one : emulator_.journal())
    requests.push_back(one.method + " " + one.path);
  return requests;
}

}  // namespace stsctl::servers
