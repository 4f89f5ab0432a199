#include "host_contract.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

namespace stsctl::contract {

namespace {

std::vector<HostWorldKind>& registered() {
  static std::vector<HostWorldKind> kinds;
  return kinds;
}

[[noreturn]] void cannot(HostNeed need) {
  throw std::logic_error(std::string("this world does not say that it lacks: ") + to_string(need));
}

// A world's server serves all cases of the program.
HostWorld& standing_world(const HostWorldKind& kind) {
  static std::map<std::string, std::unique_ptr<HostWorld>> worlds;
  std::unique_ptr<HostWorld>& world = worlds[kind.name];
  if (!world) world = kind.make();
  return *world;
}

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

}  // namespace

std::string path_template(Layout layout) {
  return layout == Layout::flat ? "policies/{domain}.txt"
                                : "mta-sts.{domain}/.well-known/mta-sts.txt";
}

const char* to_string(HostNeed need) {
  switch (need) {
    case HostNeed::credentials:
      return "credentials";
    case HostNeed::permissions:
      return "permissions";
    case HostNeed::disk:
      return "disk";
    case HostNeed::wire:
      return "wire";
    case HostNeed::folders:
      return "folders";
    case HostNeed::layouts:
      return "layouts";
  }
  return "";
}

void HostWorld::forbid_reading(const std::string&) {
  cannot(HostNeed::permissions);
}
void HostWorld::forbid_writing(const std::string&) {
  cannot(HostNeed::permissions);
}
void HostWorld::fill_disk() {
  cannot(HostNeed::disk);
}
void HostWorld::free_disk() {
  cannot(HostNeed::disk);
}
servers::Relay& HostWorld::wire() {
  cannot(HostNeed::wire);
}
void HostWorld::put_folder(const std::string&) {
  cannot(HostNeed::folders);
}

bool add_host_world(HostWorldKind kind) {
  registered().push_back(std::move(kind));
  std::ranges::sort(registered(), {}, &HostWorldKind::name);
  return true;
}

const std::vector<HostWorldKind>& host_worlds() {
  return registered();
}

std::vector<const HostWorldKind*> all_host_worlds() {
  std::vector<const HostWorldKind*> all;
  for (const HostWorldKind& kind : host_worlds())
    all.push_back(&kind);
  return all;
}

std::vector<const HostWorldKind*> host_worlds_with(HostNeed need) {
  std::vector<const HostWorldKind*> all = all_host_worlds();
  std::erase_if(all, [&](const HostWorldKind* kind) { return kind->lacks.contains(need); });
  return all;
}

std::vector<const HostWorldKind*> host_worlds_together() {
  std::vector<const HostWorldKind*> all = all_host_worlds();
  std::erase_if(all, [](const HostWorldKind* kind) { return !kind->together; });
  return all;
}

std::string host_world_name(const testing::TestParamInfo<const HostWorldKind*>& entry) {
  return entry.param->name;
}

std::string policy(int max_age) {
  return fmt::format("version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: {}\r\n",
                     max_age);
}

plan::PolicyEdit edit(const std::string& domain, const std::optional<std::string>& before,
                      const std::optional<std::string>& after) {
  const auto file = [&](const std::optional<std::string>& body) {
    return body ? std::optional(plan::PolicyFile{name(domain), *body}) : std::nullopt;
  };
  return {file(before), file(after)};
}

HostContract::HostContract() : world_(standing_world(*GetParam())) {}

void HostContract::TearDown() {
  std::string said = machine_.log();
  for (const std::string& text : noted_)
    said += text + "\n";
  for (const std::string& secret : world().secrets())
    EXPECT_EQ(said.find(secret), std::string::npos) << "a secret was told:\n" << said;
}

PolicyHost& HostContract::open(const HostAccess& access) {
  Result<std::unique_ptr<PolicyHost>> host = world().open(access, machine_.services());
  if (!host) throw std::runtime_error("the host does not open: " + to_string(host.error()));
  opened_.push_back(std::move(*host));
  return *opened_.back();
}

std::vector<Result<HostContract::Body>> HostContract::read(PolicyHost& host,
                                                           const std::vector<std::string>& domains,
                                                           const providers::Watch& watch) {
  std::vector<dns::Name> names;
  for (const std::string& domain : domains)
    names.push_back(name(domain));
  std::vector<Result<Body>> bodies = host.read(names, watch);
  if (bodies.size() != domains.size()) throw std::runtime_error("results do not pair");
  note(bodies);
  return bodies;
}

Result<HostContract::Body> HostContract::read_one(PolicyHost& host, const std::string& domain) {
  return read(host, {domain}).front();
}

HostContract::Body HostContract::must_read(PolicyHost& host, const std::string& domain) {
  const Result<Body> body = read_one(host, domain);
  EXPECT_TRUE(body) << to_string(body.error());
  return body ? *body : std::nullopt;
}

std::vector<Result<Done>> HostContract::write(PolicyHost& host,
                                              const std::vector<plan::PolicyEdit>& edits,
                                              const providers::Watch& watch) {
  std::vector<Result<Done>> results = host.write(edits, watch);
  if (results.size() != edits.size()) throw std::runtime_error("results do not pair");
  note(results);
  return results;
}

Result<Done> HostContract::write_one(PolicyHost& host, const plan::PolicyEdit& one) {
  return write(host, {one}).front();
}

void HostContract::must_write(const plan::PolicyEdit& one) {
  const Result<Done> done = write_one(open(), one);
  EXPECT_TRUE(done) << to_string(done.error());
}

}  // namespace stsctl::contract
