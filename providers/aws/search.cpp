#include "providers/aws/search.h"

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "base/text.h"
#include "providers/aws/keys.h"
#include "providers/aws/region.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::size_t longest_file = std::size_t{1} << 20U;
constexpr Duration process_patience{60};
constexpr std::size_t longest_said = 300;

constexpr const char* no_source_hint =
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a 'profile', or run where a role is at "
    "hand";

Answer none(std::string why) {
  return {{}, std::move(why)};
}

std::string file_path(const io::Environment& env, const char* variable, const char* usual) {
  if (const auto path = env(variable); path && !path->empty()) return *path;
  const auto home = env("HOME");
  return home && !home->empty() ? fmt::format("{}/.aws/{}", *home, usual) : std::string();
}

Result<std::string> read_file(io::Files& files, const std::string& path) {
  if (path.empty()) return std::string();
  Result<std::string> text = files.read(path, longest_file);
  if (!text && text.error().code == Code::not_found) return std::string();
  return text;
}

// The keys that stand in a section; an Error for half of them.
Result<Answer> static_keys(const Section& section, const std::string& where) {
  const auto value = [&](const char* key) {
    const auto found = section.find(key);
    return found == section.end() ? std::string() : found->second;
  };
  Credentials keys{value("aws_access_key_id"), value("aws_secret_access_key"),
                   value("aws_session_token")};
  if (keys.access_key.empty() && keys.secret_key.empty()) return none("no keys in " + where);
  if (keys.access_key.empty() || keys.secret_key.empty())
    return fail(Code::invalid, fmt::format("only one of aws_access_key_id and "
                                           "aws_secret_access_key stands in {}",
                                           where));
  return Answer{std::move(keys), {}};
}

Role role_of(const Profile& profile) {
  return {.arn = profile.get("role_arn").value_or(""),
          .session_name = profile.get("role_session_name").value_or(""),
          .external_id = profile.get("external_id").value_or(""),
          .duration = profile.get("duration_seconds").value_or("")};
}

bool uses_sso(const Profile& profile) {
  return profile.get("sso_session") || profile.get("sso_start_url");
}

std::unexpected<Error> nothing_found(const std::vector<std::string>& tried) {
  return fail(Code::unauthorized, "no AWS credentials: " + join(tried, "; "), {}, no_source_hint);
}

std::unexpected<Error> source_failed(Error error, const std::string& source,
                                     const std::vector<std::string>& tried) {
  error.what = fmt::format("no AWS credentials: {}: {}", source, error.what);
  if (!tried.empty()) error.what += fmt::format(" (before that, {})", join(tried, "; "));
  return std::unexpected(std::move(error));
}

}  // namespace

Result<Profiles> load_profiles(io::Files& files, const io::Environment& env) {
  Profiles profiles;
  const std::string config = file_path(env, "AWS_CONFIG_FILE", "config");
  const std::string credentials = file_path(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  const Result<std::string> config_text = read_file(files, config);
  if (!config_text) return fail(config_text);
  const Result<std::string> credentials_text = read_file(files, credentials);
  if (!credentials_text) return fail(credentials_text);
  if (const auto read = read_config(*config_text, config, profiles); !read) return fail(read);
  if (const auto read = read_credentials(*credentials_text, credentials, profiles); !read)
    return fail(read);
  return profiles;
}

std::string profile_name(const Identity& identity, const io::Environment& env) {
  if (!identity.profile.empty()) return identity.profile;
  for (const char* name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"})
    if (const auto value = env(name); value && !value->empty()) return *value;
  return "default";
}

std::string find_region(const Identity& identity, const io::Services& services) {
  if (!identity.region.empty()) return identity.region;
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (const auto value = services.env(name); value && !value->empty()) return *value;
  const Result<Profiles> profiles = load_profiles(services.files, services.env);
  if (!profiles) return {};
  const auto found = profiles->find(profile_name(identity, services.env));
  return found == profiles->end() ? std::string() : found->second.get("region").value_or("");
}

Search::Search(const io::Services& services, io::Http& http, const Identity& identity)
    : services_(services),
      http_(http),
      identity_(identity),
      profile_(profile_name(identity, services.env)),
      profile_stated_(!identity.profile.empty() || services.env("AWS_PROFILE").has_value() ||
                      services.env("AWS_DEFAULT_PROFILE").has_value()),
      profiles_(load_profiles(services.files, services.env)) {}

Result<Credentials> Search::run() {
  Result<Credentials> found = find();
  if (!found || identity_.role_arn.empty()) return found;
  Result<Credentials> keys = take_on({.arn = identity_.role_arn}, *found);
  if (!keys)
    keys.error().what =
        fmt::format("the role {} is not to be had: {}", identity_.role_arn, keys.error().what);
  return keys;
}

// The service may repeat what it was sent: it is hidden before that.
Result<Credentials> Search::take_on(const Role& role, const Credentials& source) const {
  hide(source, services_.log);
  return sts().assume_role(role, source);
}

Result<Credentials> Search::find() {
  const std::string profile = fmt::format("profile '{}'", printable(profile_));
  const std::vector<std::pair<std::string, std::function<Answered()>>> sources{
      {"environment", [this] { return from_environment(); }},
      {"role of " + profile, [this] { return from_profile_role(); }},
      {"web identity", [this] { return from_web_identity(); }},
      {profile, [this] { return from_profile_keys(); }},
      {"container", [this] { return from_container(http_, services_.files, services_.env); }},
      {"instance", [this] { return Answered(from_instance(http_, services_.env)); }},
  };
  std::vector<std::string> tried;
  for (const auto& [name, ask] : sources) {
    Answered answer = ask();
    if (!answer) return source_failed(answer.error(), name, tried);
    if (answer->keys) return *std::move(answer->keys);
    tried.push_back(fmt::format("{}: {}", name, answer->nothing));
  }
  return nothing_found(tried);
}

Search::Answered Search::from_environment() const {
  if (!identity_.profile.empty()) return none("not looked at, since 'profile' is set");
  return environment_keys();
}

Search::Answered Search::environment_keys() const {
  const auto access = variable("AWS_ACCESS_KEY_ID");
  const auto secret = variable("AWS_SECRET_ACCESS_KEY");
  if (!access && !secret) return none("AWS_ACCESS_KEY_ID is not set");
  if (!access || !secret)
    return fail(Code::invalid, "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set");
  return Answer{Credentials{*access, *secret, variable("AWS_SESSION_TOKEN").value_or("")}, {}};
}

Search::Answered Search::from_profile_role() {
  if (!profiles_) return fail(profiles_);
  const auto found = profiles_->find(profile_);
  if (found == profiles_->end()) {
    if (!profile_stated_) return none("there is no such profile");
    return fail(find_profile(profile_));
  }
  return assume_profile_role(profile_, {});
}

// `visited`: the profiles whose source this one is.
Search::Answered Search::assume_profile_role(const std::string& name,
                                             std::set<std::string> visited) {
  const Result<const Profile*> found = find_profile(name);
  if (!found) return fail(found);
  const Profile& profile = **found;
  if (!profile.get("role_arn")) return none("no role_arn");
  if (profile.get("web_identity_token_file")) return none("its role is taken by web identity");
  if (profile.get("mfa_serial"))
    return fail(Code::unsupported, "its role asks for a one-time password (mfa_serial)", {},
                "get a session with your own tool, and set AWS_ACCESS_KEY_ID and its companions");
  const Result<Credentials> source = source_of(name, profile, std::move(visited));
  if (!source) return fail(source);
  Result<Credentials> keys = take_on(role_of(profile), *source);
  if (!keys) return fail(keys);
  return Answer{std::move(*keys), {}};
}

// Whose credentials take on the role of profile `name`.
Result<Credentials> Search::source_of(const std::string& name, const Profile& profile,
                                      std::set<std::string> visited) {
  const auto source_profile = profile.get("source_profile");
  const auto credential_source = profile.get("credential_source");
  if (source_profile.has_value() == credential_source.has_value())
    return fail(Code::invalid, fmt::format("profile '{}' has a role_arn and needs either "
                                           "source_profile or credential_source",
                                           printable(name)));
  if (source_profile) {
    visited.insert(name);
    return keys_of_source(*source_profile, std::move(visited));
  }
  Answered answer = none("");
  if (*credential_source == "Environment")
    answer = environment_keys();
  else if (*credential_source == "EcsContainer")
    answer = from_container(http_, services_.files, services_.env);
  else if (*credential_source == "Ec2InstanceMetadata")
    answer = from_instance(http_, services_.env);
  else
    return fail(Code::invalid,
                fmt::format("'{}' is no credential_source", printable(*credential_source)), {},
                "Environment, EcsContainer and Ec2InstanceMetadata are");
  if (!answer) return fail(answer);
  if (answer->keys) return *std::move(answer->keys);
  return fail(Code::unauthorized, fmt::format("its credential_source {} gives nothing: {}",
                                              *credential_source, answer->nothing));
}

Result<Credentials> Search::keys_of_source(const std::string& name, std::set<std::string> visited) {
  const Result<const Profile*> profile = find_profile(name);
  if (!profile) return fail(profile);
  std::vector<std::function<Answered()>> ways;
  // A profile may name itself for the keys that stand beside its role.
  if (!visited.contains(name))
    ways.emplace_back([&] { return assume_profile_role(name, visited); });
  ways.emplace_back([&] { return web_identity_of(**profile); });
  ways.emplace_back([&] { return keys_of(name); });
  std::string why;
  for (const auto& ask : ways) {
    Answered answer = ask();
    if (!answer) return fail(answer);
    if (answer->keys) return *std::move(answer->keys);
    why = answer->nothing;
  }
  return fail(Code::unauthorized,
              fmt::format("its source_profile '{}' gives nothing: {}", printable(name), why));
}

Search::Answered Search::from_web_identity() const {
  if (identity_.profile.empty()) {
    if (const auto file = variable("AWS_WEB_IDENTITY_TOKEN_FILE")) {
      const auto arn = variable("AWS_ROLE_ARN");
      if (!arn)
        return fail(Code::invalid, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
      return as_web_identity(
          {.arn = *arn, .session_name = variable("AWS_ROLE_SESSION_NAME").value_or("")}, *file);
    }
  }
  const auto found = profiles_->find(profile_);
  if (found != profiles_->end() && found->second.get("web_identity_token_file"))
    return web_identity_of(found->second);
  return none("AWS_WEB_IDENTITY_TOKEN_FILE is not set");
}

Search::Answered Search::web_identity_of(const Profile& profile) const {
  const auto file = profile.get("web_identity_token_file");
  if (!file) return none("no web_identity_token_file");
  if (!profile.get("role_arn"))
    return fail(Code::invalid, "it has a web_identity_token_file and no role_arn");
  return as_web_identity(role_of(profile), *file);
}

Search::Answered Search::as_web_identity(const Role& role, const std::string& token_file) const {
  const Result<std::string> text = services_.files.read(token_file, longest_file);
  if (!text) return fail(text);
  const std::string token(trim(*text));
  if (token.empty()) return fail(Code::invalid, "the token file is empty", token_file);
  services_.log.hide(token);
  Result<Credentials> keys = sts().assume_role_with_web_identity(role, token);
  if (!keys) return fail(keys);
  return Answer{std::move(*keys), {}};
}

Search::Answered Search::from_profile_keys() {
  if (!profiles_->contains(profile_)) return none("there is no such profile");
  return keys_of(profile_);
}

// Keys in the credentials file, a credential_process, keys in the config file.
Search::Answered Search::keys_of(const std::string& name) const {
  const Result<const Profile*> found = find_profile(name);
  if (!found) return fail(found);
  const Profile& profile = **found;
  Answered stored = static_keys(profile.credentials, "the credentials file");
  if (!stored || stored->keys) return stored;
  if (const auto command = profile.get("credential_process")) return from_process(*command);
  Answered configured = static_keys(profile.config, "the config file");
  if (!configured || configured->keys) return configured;
  if (uses_sso(profile))
    return fail(Code::unsupported,
                fmt::format("profile '{}' signs in by IAM Identity Center, which is not done here",
                            printable(name)),
                {},
                "let the AWS CLI do it: credential_process = aws configure export-credentials "
                "--profile NAME, in a profile of its own");
  return none("it holds no keys and no credential_process");
}

Search::Answered Search::from_process(const std::string& command) const {
  const auto argv = shell_words(command);
  if (!argv || argv->empty())
    return fail(Code::invalid, "its credential_process is no command: a quote stays open");
  const Result<io::Exit> exit = services_.process.run(*argv, {}, process_patience);
  if (!exit) return fail(exit.error().code, "its credential_process: " + exit.error().what);
  if (exit->status != 0)
    return fail(Code::unauthorized,
                fmt::format("its credential_process exits with {}: {}", exit->status,
                            printable(trim(exit->errors).substr(0, longest_said))));
  Result<Credentials> keys = parse_key_document(exit->output);
  if (!keys) return fail(keys.error().code, "its credential_process: " + keys.error().what);
  return Answer{std::move(*keys), {}};
}

Result<const Profile*> Search::find_profile(const std::string& name) const {
  if (!profiles_) return fail(profiles_);
  const auto found = profiles_->find(name);
  if (found != profiles_->end()) return &found->second;
  std::vector<std::string> names;
  for (const auto& [known, profile] : *profiles_)
    names.push_back(known);
  const auto near = nearest(name, names);
  return fail(Code::not_found,
              fmt::format("there is no profile '{}' in AWS's config and credentials files",
                          printable(name)),
              {}, near ? fmt::format("did you mean '{}'?", printable(*near)) : "");
}

std::optional<std::string> Search::variable(const char* name) const {
  std::optional<std::string> value = services_.env(name);
  if (value && value->empty()) value.reset();
  return value;
}

std::string Search::region() const {
  const std::string region = find_region(identity_, services_);
  return region.empty() ? "us-east-1" : region;
}

Sts Search::sts() const {
  const std::string region = this->region();
  return {http_,
          services_.clock,
          {variable("AWS_ENDPOINT_URL_STS").value_or(sts_endpoint(region)), region}};
}

}  // namespace stsctl::providers::aws
