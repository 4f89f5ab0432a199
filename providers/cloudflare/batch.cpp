#include "providers/cloudflare/batch.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace stsctl::providers::cloudflare {

namespace {

using nlohmann::json;
using plan::RecordEdit;

constexpr Duration shortest_ttl{30};  // of Enterprise zones; 60 of others, as the service will say
constexpr Duration longest_ttl{86400};
constexpr std::int64_t automatic = 1;

// What one or several owners need, in the order the service does it.
struct Operations {
  json deletes = json::array();
  json patches = json::array();
  json posts = json::array();

  std::size_t size() const { return deletes.size() + patches.size() + posts.size(); }

  void append(const Operations& other) {
    deletes.insert(deletes.end(), other.deletes.begin(), other.deletes.end());
    patches.insert(patches.end(), other.patches.begin(), other.patches.end());
    posts.insert(posts.end(), other.posts.begin(), other.posts.end());
  }

  std::string body() const {
    json body = json::object();
    if (!deletes.empty()) body["deletes"] = deletes;
    if (!patches.empty()) body["patches"] = patches;
    if (!posts.empty()) body["posts"] = posts;
    return body.dump();
  }
};

bool is_address(dns::Type type) {
  return type == dns::Type::a || type == dns::Type::aaaa || type == dns::Type::cname;
}

// Whether address records at `owner` are to be behind Cloudflare's proxy.
bool proxied_at(const std::vector<Record>& live, const dns::Name& owner, const RecordStyle& style) {
  if (style.proxied) return *style.proxied;
  return std::ranges::any_of(
      live, [&](const Record& record) { return record.owner == owner && record.proxied; });
}

std::vector<const Record*> records_of(const std::vector<Record>& live, const dns::RecordSet& set) {
  std::vector<const Record*> records;
  for (const Record& record : live)
    if (record.owner == set.owner && dns::parse_type(record.type) == set.type)
      records.push_back(&record);
  return records;
}

json fields(const dns::RecordSet& set, const std::string& content, bool proxied) {
  json fields{{"type", dns::to_string(set.type)},
              {"name", set.owner.text()},
              {"content", content},
              {"ttl", set.ttl.count() == 0 ? automatic : set.ttl.count()}};
  if (is_address(set.type)) fields["proxied"] = proxied;
  if (set.type == dns::Type::mx) {
    const std::size_t blank = content.find(' ');
    fields["priority"] = std::stoi(content.substr(0, blank));
    fields["content"] = content.substr(blank + 1);
  }
  return fields;
}

std::string content_of(dns::Type type, const std::string& value) {
  return type == dns::Type::txt ? dns::encode_txt(value) : value;
}

// Makes the records of one set hold what it asks for.
class SetWriter {
 public:
  SetWriter(const dns::RecordSet& after, bool proxied, const std::string& comment, Operations& into)
      : after_(after), proxied_(proxied), comment_(comment), into_(into) {}

  Result<Done> write(const std::vector<const Record*>& live) {
    std::vector<std::string> missing = after_.values;
    std::vector<const Record*> spare;
    for (const Record* record : live) {
      const auto value = value_of(*record);
      if (!value) return fail(value);
      const auto wanted = std::ranges::find(missing, **value);
      if (wanted == missing.end()) {
        spare.push_back(record);
        continue;
      }
      missing.erase(wanted);
      if (const auto kept = keep(*record); !kept) return kept;
    }
    for (const Record* record : spare) {
      const auto done = missing.empty() ? remove(*record, into_) : change(*record, missing.front());
      if (!done) return done;
      if (!missing.empty()) missing.erase(missing.begin());
    }
    for (const std::string& value : missing)
      add(value);
    return Done{};
  }

  static Result<Done> remove(const Record& record, Operations& into) {
    if (record.read_only) return locked(record);
    into.deletes.push_back({{"id", record.id}});
    return Done{};
  }

 private:
  static std::unexpected<Error> locked(const Record& record) {
    return fail(Code::refused,
                fmt::format("the {} record of {} is kept by another product of Cloudflare (such as "
                            "Email Routing or a Worker's domain)",
                            record.type, record.owner.text()),
                record.owner.text(), "remove it where it was made, or leave this name to it");
  }

  Result<Done> keep(const Record& record) {
    const bool same_proxy = !is_address(after_.type) || record.proxied == proxied_;
    if (record.ttl == after_.ttl && same_proxy) return Done{};
    std::string content = record.content;  // as it is spelt
    return patch(record, content);
  }

  Result<Done> change(const Record& record, const std::string& value) {
    return patch(record, content_of(after_.type, value));
  }

  // Members that are left out stay: comment, tags, settings.
  Result<Done> patch(const Record& record, const std::string& content) {
    if (record.read_only) return locked(record);
    json patch = fields(after_, content, proxied_);
    patch["id"] = record.id;
    if (!comment_.empty() && !record.commented) patch["comment"] = comment_;
    into_.patches.push_back(std::move(patch));
    return Done{};
  }

  void add(const std::string& value) {
    json post = fields(after_, content_of(after_.type, value), proxied_);
    if (!comment_.empty()) post["comment"] = comment_;
    into_.posts.push_back(std::move(post));
  }

  const dns::RecordSet& after_;
  const bool proxied_;
  const std::string& comment_;
  Operations& into_;
};

bool is_done(const std::vector<const Record*>& live, const RecordEdit& edit) {
  std::vector<Record> records;
  for (const Record* record : live)
    records.push_back(*record);
  const std::vector<dns::RecordSet> sets = record_sets(records);
  return sets.empty() ? !edit.after : edit.after == sets.front();
}

Result<Operations> operations_at(const std::vector<Record>& live,
                                 const std::vector<const RecordEdit*>& edits,
                                 const dns::Name& owner, const RecordStyle& style) {
  Operations operations;
  const bool proxied = proxied_at(live, owner, style);
  for (const RecordEdit* edit : edits) {
    const auto records = records_of(live, subject(*edit));
    if (is_done(records, *edit)) continue;
    Result<Done> done = Done{};
    if (edit->after) {
      done = SetWriter(*edit->after, proxied, style.comment, operations).write(records);
    } else {
      for (const Record* record : records)
        if (done) done = SetWriter::remove(*record, operations);
    }
    if (!done) return fail(done);
  }
  return operations;
}

Result<Done> check_ttl(const dns::RecordSet& set) {
  if (set.ttl.count() == 0 || (set.ttl >= shortest_ttl && set.ttl <= longest_ttl)) return Done{};
  return fail(Code::invalid,
              fmt::format("TTL {} is neither automatic (0) nor within 60 and {}", set.ttl.count(),
                          longest_ttl.count()),
              set.owner.text());
}

}  // namespace

Result<std::vector<RecordEdit>> storable(const std::vector<Record>& live,
                                         std::vector<RecordEdit> edits, const RecordStyle& style) {
  for (RecordEdit& edit : edits) {
    if (!edit.after) continue;
    if (const auto good = check_ttl(*edit.after); !good) return fail(good);
    if (!is_address(edit.after->type) || !proxied_at(live, edit.after->owner, style)) continue;
    const bool stated = edit.before && edit.before->ttl.count() == 0 && edit.after->ttl.count() > 0;
    if (stated)
      return fail(Code::invalid,
                  fmt::format("{} is behind Cloudflare's proxy, where its TTL is automatic",
                              edit.after->owner.text()),
                  edit.after->owner.text(),
                  "set no TTL for the address (or 0), or 'proxied: false' for the account");
    edit.after->ttl = Duration(0);
  }
  return edits;
}

Result<std::vector<std::string>> batches(const std::vector<Record>& live,
                                         const std::vector<RecordEdit>& edits, std::size_t limit,
                                         const RecordStyle& style) {
  std::map<dns::Name, std::vector<const RecordEdit*>> owners;
  for (const RecordEdit& edit : edits)
    owners[subject(edit).owner].push_back(&edit);
  std::vector<std::string> bodies;
  Operations batch;
  for (const auto& [owner, list] : owners) {
    const Result<Operations> operations = operations_at(live, list, owner, style);
    if (!operations) return fail(operations);
    if (batch.size() > 0 && batch.size() + operations->size() > limit) {
      bodies.push_back(batch.body());
      batch = {};
    }
    batch.append(*operations);
  }
  if (batch.size() > 0) bodies.push_back(batch.body());
  return bodies;
}

}  // namespace stsctl::providers::cloudflare
