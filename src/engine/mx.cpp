#include "engine/mx.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"

namespace stsctl::engine {

namespace {

constexpr std::size_t asked_at_once = 256;

// "10 mail.example.com"; none for what cannot be read.
std::optional<std::pair<int, std::string>> read_mx(std::string_view value) {
  const std::size_t blank = value.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  int preference = 0;
  if (std::from_chars(value.data(), value.data() + blank, preference).ptr != value.data() + blank)
    return std::nullopt;
  return std::pair{preference, std::string(value.substr(blank + 1))};
}

}  // namespace

std::optional<dns::Name> mail_host(std::string_view text) {
  const std::string_view last = text.substr(text.rfind('.') + 1);
  if (std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  auto name = dns::Name::parse(text);
  return name ? std::optional(std::move(*name)) : std::nullopt;
}

Result<plan::LiveMx> live_mx(const dns::Name& domain, const io::DnsAnswer& answer) {
  if (answer.kind == io::DnsAnswer::Kind::no_name)
    return fail(Code::not_found, "the domain does not exist in DNS", domain.text(),
                "check its name, and that its registration has not run out");
  plan::LiveMx mx{.hosts = {}, .ttl = answer.ttl};
  if (answer.kind == io::DnsAnswer::Kind::no_data) {
    mx.hosts.push_back(domain);
    mx.implicit = true;
    return mx;
  }
  std::vector<std::pair<int, std::string>> records;
  for (const std::string& value : answer.values)
    if (auto record = read_mx(value)) records.push_back(std::move(*record));
  std::ranges::stable_sort(records, {}, &std::pair<int, std::string>::first);
  for (const auto& [preference, host] : records)
    if (auto name = mail_host(host)) mx.hosts.push_back(std::move(*name));
  return mx;
}

std::vector<Result<plan::LiveMx>> observe_mx(const std::vector<dns::Name>& domains,
                                             io::Resolver& resolver,
                                             const providers::Watch& watch) {
  auto answers = parallel_map(
      domains, asked_at_once, watch.stop, [&](const dns::Name& domain) -> Result<plan::LiveMx> {
        const Result<io::DnsAnswer> answer = resolver.resolve(domain, io::Question::mx);
        watch.advanced(1);
        return answer ? live_mx(domain, *answer) : fail(answer);
      });
  std::vector<Result<plan::LiveMx>> found;
  found.reserve(answers.size());
  for (auto& answer : answers)
    found.push_back(answer ? std::move(*answer)
                           : fail(Code::cancelled, "stopped before it was read"));
  return found;
}

}  // namespace stsctl::engine
