// Reads the JSON of a report (RFC 8460 §4) into a value.

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "reports/report.h"

namespace stsctl::reports {

namespace {

using nlohmann::json;

// Builds the tree of a JSON text within limits, and refuses names that stand twice, which readers
// disagree about (RFC 7493 §2.3).
class TreeBuilder : public json::json_sax_t {
 public:
  TreeBuilder(json& root, const ReportLimits& limits) : limits_(limits), root_(root) {}

  bool null() override { return add(nullptr) != nullptr; }
  bool boolean(bool value) override { return add(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return add(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return add(value) != nullptr; }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return add(value) != nullptr;
  }
  bool string(string_t& value) override { return add(std::move(value)) != nullptr; }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*elements*/) override { return open(json::object()); }
  bool start_array(std::size_t /*elements*/) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name))
      return stop(fmt::format("'{}' stands twice in one object (RFC 7493 §2.3)",
                              printable(shortened(name, 60))));
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const json::exception& /*error*/) override {
    return stop(fmt::format("it is no JSON at byte {}", position));
  }

  std::string why;

 private:
  bool stop(std::string reason) {
    if (why.empty()) why = std::move(reason);
    return false;
  }

  // Null: too many.
  json* add(json value) {
    if (++values_ > limits_.values) {
      stop(fmt::format("it holds more than {} values", limits_.values));
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_object()) return &(parent[std::move(key_)] = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }

  bool open(json container) {
    if (open_.size() == limits_.depth)
      return stop(fmt::format("it is nested deeper than {} levels", limits_.depth));
    json* added = add(std::move(container));
    if (added != nullptr) open_.push_back(added);
    return added != nullptr;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const ReportLimits& limits_;
  json& root_;
  std::vector<json*> open_;
  std::string key_;
  std::size_t values_ = 0;
};

constexpr std::size_t longest_name = 255;    // organization and report id, which identify
constexpr std::size_t longest_text = 1000;   // what is only shown
constexpr std::size_t longest_address = 64;  // an IP address with a scope
constexpr std::size_t most_patterns = 100;
constexpr std::size_t most_deviations = 20;
// MTA-STS and TLS-RPT were drafts then; nobody reported.
constexpr Time first_reports{std::chrono::sys_days{std::chrono::year{2016} / 1 / 1}};

// Fills a Report from the tree. The first fault counts; after it values are of no matter.
class ReportReader {
 public:
  ReportReader(Time now, const ReportLimits& limits) : now_(now), limits_(limits) {}

  Result<Report> read(const json& root) {
    if (!root.is_object()) return fail(Code::invalid, "the report is no JSON object");
    report_.organization = name(root, "organization-name");
    report_.id = name(root, "report-id");
    report_.contact = text(root, "contact-info", longest_text);
    if (report_.contact.empty()) deviate("contact-info is missing");
    range(root);
    policies(root);
    if (fault_) return std::unexpected(*fault_);
    return std::move(report_);
  }

 private:
  void fault(std::string what) {
    if (!fault_) fault_ = Error{Code::invalid, std::move(what), place_, {}};
  }

  void deviate(std::string what) {
    std::string line = place_.empty() ? std::move(what) : place_ + ": " + what;
    if (report_.deviations.size() < most_deviations) report_.deviations.push_back(std::move(line));
  }

  // The member, or null where there is none or it is null, which some senders write for "none".
  static const json* member(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }

  const json* object(const json& from, const char* key) {
    const json* found = member(from, key);
    if (found == nullptr)
      fault(fmt::format("{} is missing", key));
    else if (!found->is_object())
      fault(fmt::format("{} is no object", key));
    return found != nullptr && found->is_object() ? found : nullptr;
  }

  // An optional text, printable and cut.
  std::string text(const json& from, const char* key, std::size_t most) {
    const json* found = member(from, key);
    if (found == nullptr) return {};
    if (!found->is_string()) {
      fault(fmt::format("{} is no string", key));
      return {};
    }
    return shown(found->get_ref<const std::string&>(), most);
  }

  static std::string shown(const std::string& raw, std::size_t most) {
    return shortened(printable(trim(shortened(raw, most))), most);
  }

  // A text that identifies: there, and whole.
  std::string name(const json& from, const char* key) {
    const json* found = member(from, key);
    if (found != nullptr && found->is_string() &&
        found->get_ref<const std::string&>().size() > longest_name)
      fault(fmt::format("{} is longer than {} bytes", key, longest_name));
    std::string value = text(from, key, 4 * longest_name);
    if (value.empty()) fault(fmt::format("{} is missing", key));
    return value;
  }

  Time time(const json& range, const char* key) {
    bool zoned = true;
    const Result<Time> time = parse_report_time(text(range, key, longest_text), zoned);
    if (!time) fault(fmt::format("{}: {}", key, time.error().what));
    if (!zoned) deviate(fmt::format("{} has no time zone: taken for UTC", key));
    return time.value_or(Time{});
  }

  void range(const json& root) {
    const json* range = object(root, "date-range");
    if (range == nullptr) return;
    report_.begin = time(*range, "start-datetime");
    report_.end = time(*range, "end-datetime");
    if (fault_) return;
    if (report_.end < report_.begin) fault("date-range ends before it begins");
    if (report_.begin < first_reports) fault("date-range begins before 2016");
    if (report_.end > now_ + std::chrono::days{2}) fault("date-range lies in the future");
    if (report_.end - report_.begin > limits_.range)
      fault(fmt::format("date-range is longer than {}", describe_duration(limits_.range)));
  }

  void policies(const json& root) {
    const json* list = member(root, "policies");
    if (list == nullptr || !list->is_array()) return fault("policies is missing or no list");
    if (list->empty()) return fault("policies is empty");
    for (std::size_t i = 0; i < list->size() && !fault_; ++i) {
      place_ = fmt::format("policies[{}]", i);
      if (list->at(i).is_object())
        policy(list->at(i));
      else
        fault("it is no object");
    }
    place_.clear();
  }

  void policy(const json& from) {
    PolicyEntry entry;
    if (const json* applied = object(from, "policy")) {
      entry.type = policy_type(*applied);
      entry.domain = domain(*applied, entry.type);
      entry.policy = policy_string(*applied);
      mx_hosts(*applied, entry);
    }
    if (const json* summary = object(from, "summary")) counts(*summary, entry);
    if (const json* details = member(from, "failure-details")) {
      if (!details->is_array()) return fault("failure-details is no list");
      for (const json& detail : *details)
        entry.failures.push_back(failure(detail));
    }
    report_.policies.push_back(std::move(entry));
  }

  PolicyType policy_type(const json& policy) {
    const std::string word = text(policy, "policy-type", longest_text);
    for (const PolicyType type : {PolicyType::sts, PolicyType::tlsa, PolicyType::no_policy_found})
      if (word == to_string(type)) return type;
    if (word.empty()) fault("policy-type is missing");
    deviate(fmt::format("policy-type '{}' is unknown", shortened(word, 60)));
    return PolicyType::other;
  }

  std::optional<dns::Name> domain(const json& policy, PolicyType type) {
    const std::string text_form = text(policy, "policy-domain", longest_text);
    if (text_form.empty()) {
      if (type == PolicyType::sts || type == PolicyType::tlsa)
        fault("policy-domain is missing");
      else
        deviate("policy-domain is missing");
      return std::nullopt;
    }
    Result<dns::Name> name = dns::Name::parse(text_form);
    if (name) return std::move(*name);
    fault(fmt::format("policy-domain: {}", name.error().what));
    return std::nullopt;
  }

  // A list of strings, or one string where a list belongs.
  std::vector<std::string> strings(const json& from, const char* key) {
    const json* found = member(from, key);
    if (found == nullptr) return {};
    if (found->is_string()) {
      deviate(fmt::format("{} is a string, not a list", key));
      return {found->get<std::string>()};
    }
    std::vector<std::string> list;
    if (!found->is_array()) fault(fmt::format("{} is no list", key));
    for (const json& one : *found) {
      if (!one.is_string()) {
        fault(fmt::format("{} holds something else than strings", key));
        break;
      }
      list.push_back(one.get<std::string>());
    }
    return list;
  }

  std::string policy_string(const json& policy) {
    const std::vector<std::string> lines = strings(policy, "policy-string");
    return lines.empty() ? std::string() : canonical_policy(join(lines, "\n"));
  }

  void mx_hosts(const json& policy, PolicyEntry& entry) {
    for (const std::string& pattern : strings(policy, "mx-host"))
      if (entry.mx.size() < most_patterns) entry.mx.push_back(lower(shown(pattern, longest_name)));
  }

  // A count; none where it is left out.
  std::optional<std::uint64_t> count(const json& from, const char* key) {
    const json* found = member(from, key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_number_unsigned()) {
      fault(fmt::format("{} is no whole number from 0", key));
      return std::nullopt;
    }
    const auto number = found->get<std::uint64_t>();
    if (number > limits_.sessions)
      fault(fmt::format("{} is {}, at most {} are believed", key, number, limits_.sessions));
    return number;
  }

  void counts(const json& summary, PolicyEntry& entry) {
    const auto successful = count(summary, "total-successful-session-count");
    const auto failed = count(summary, "total-failure-session-count");
    if (!successful && !failed) return fault("summary counts nothing");
    if (!successful) deviate("total-successful-session-count is missing: taken for 0");
    if (!failed) deviate("total-failure-session-count is missing: taken for 0");
    entry.successful = successful.value_or(0);
    entry.failed = failed.value_or(0);
  }

  FailureDetail failure(const json& from) {
    FailureDetail detail;
    if (!from.is_object()) {
      fault("a failure detail is no object");
      return detail;
    }
    detail.result_name = text(from, "result-type", 100);
    detail.result = detail.result_name.empty() ? ResultType::unspecified
                                               : parse_result_type(detail.result_name);
    if (detail.result_name.empty()) deviate("result-type is missing");
    detail.sending_ip = text(from, "sending-mta-ip", longest_address);
    detail.receiving_mx = host(from, "receiving-mx-hostname");
    detail.receiving_helo = text(from, "receiving-mx-helo", longest_name);
    detail.receiving_ip = text(from, "receiving-ip", longest_address);
    const auto sessions = count(from, "failed-session-count");
    if (!sessions) deviate("failed-session-count is missing: taken for 0");
    detail.sessions = sessions.value_or(0);
    detail.information = text(from, "additional-information", longest_text);
    detail.reason = text(from, "failure-reason-code", longest_text);
    return detail;
  }

  std::string host(const json& from, const char* key) {
    std::string name = lower(text(from, key, longest_name));
    if (name.ends_with('.')) name.pop_back();
    return name;
  }

  Time now_;
  const ReportLimits& limits_;
  Report report_;
  std::string place_;
  std::optional<Error> fault_;
};

}  // namespace

Result<Report> read_report(std::string_view text, Time now, const ReportLimits& limits) {
  if (text.size() > limits.bytes)
    return fail(Code::invalid, fmt::format("it is longer than {} bytes", limits.bytes));
  if (trim(text).empty()) return fail(Code::invalid, "it is empty");
  json root;
  TreeBuilder builder(root, limits);
  if (!json::sax_parse(text, &builder)) return fail(Code::invalid, builder.why);
  return ReportReader(now, limits).read(root);
}

}  // namespace stsctl::reports
