#include "providers/webdav/host.h"

#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "providers/address.h"
#include "providers/careful_write.h"

namespace stsctl::providers::webdav {

namespace {

using Body = std::optional<std::string>;

// A server that still says "changed" of what is the same compares in a way of its own.
constexpr int conditional_tries = 2;
// Apache's ETag is weak while the file is younger than a second.
constexpr std::chrono::milliseconds until_strong{1100};

}  // namespace

Host::Host(Client client, Options options, const io::Services& services)
    : client_(std::move(client)), options_(std::move(options)), services_(services) {}

std::vector<Result<Body>> Host::read(const std::vector<dns::Name>& domains, const Watch& watch) {
  const auto one = [&](const dns::Name& domain) -> Result<Body> {
    Result<Stored> stored = client_.get(options_.location.resource(domain), longest_body);
    watch.advanced(1);
    return stored ? Result<Body>(std::move(stored->body)) : fail(stored);
  };
  return or_cancelled(parallel_map(domains, client_.concurrency(), watch.stop, one), "read");
}

std::vector<Result<Done>> Host::write(const std::vector<plan::PolicyEdit>& edits,
                                      const Watch& watch) {
  const auto one = [&](const plan::PolicyEdit& edit) {
    Result<Done> done = write_one(edit);
    watch.advanced(1);
    return done;
  };
  return or_cancelled(parallel_map(edits, client_.concurrency(), watch.stop, one), "written");
}

std::size_t Host::write_requests(std::size_t policies) const {
  const std::size_t asked = options_.location.has_own_hosts() ? policies : 1;
  const std::size_t collections =
      options_.make_collections ? options_.location.own_collections() : 0;
  const std::size_t look_and_put = 2;
  const std::size_t move = options_.replacing == Replacing::put ? 0 : 1;
  return (options_.replacing == Replacing::ask ? asked : 0) +
         policies * (look_and_put + move + collections);
}

std::optional<plan::Address> Host::address(const dns::Name& /*domain*/) const {
  return if_any(options_.address);
}

Result<Done> Host::write_one(const plan::PolicyEdit& edit) {
  const std::string url = options_.location.resource(domain_of(edit));
  return careful_write(
      edit, url, services_, [&] { return client_.get(url, longest_body); },
      [&](const Stored& live, int attempt) { return carry_out(edit, live, attempt); });
}

Result<Done> Host::carry_out(const plan::PolicyEdit& edit, const Stored& live, int attempt) {
  const dns::Name& domain = domain_of(edit);
  const std::string url = options_.location.resource(domain);
  const Result<bool> atomic =
      options_.replacing == Replacing::ask ? puts_atomically(domain) : Result<bool>(false);
  if (!atomic) return fail(atomic);
  const Result<Condition> condition = condition_for(url, live, *atomic, attempt);
  if (!condition) return fail(condition);
  if (!edit.after) return client_.remove(url, *condition);
  if (!live.body && options_.make_collections)
    if (const Result<Done> made = make_collections(domain); !made) return made;
  if (*atomic || options_.replacing == Replacing::put)
    return client_.put(url, edit.after->body, *condition, false);
  return put_beside(domain, edit.after->body, *condition);
}

Result<Done> Host::make_collections(const dns::Name& domain) const {
  for (const std::string& collection : options_.location.collections(domain))
    if (const Result<Done> made = client_.make_collection(collection); !made) return made;
  return Done{};
}

Result<Done> Host::put_beside(const dns::Name& domain, const std::string& body,
                              const Condition& condition) const {
  const std::string beside = options_.location.beside(domain, run_);
  Result<Done> done = client_.put(beside, body, {}, true);
  if (done) done = client_.move(beside, options_.location.resource(domain), condition);
  // Whether it was there, and whether it goes, changes nothing of what is told.
  if (!done) {
    [[maybe_unused]] const auto gone = client_.remove(beside, {});
  }
  return done;
}

// What must still be so, as far as the server can compare it with what was read.
Result<Condition> Host::condition_for(const std::string& url, const Stored& live, bool atomic,
                                      int attempt) const {
  if (!live.body) return Condition{Condition::Kind::absent};
  if (!atomic && attempt > conditional_tries) return Condition{};
  if (live.etag.is_strong()) return Condition{Condition::Kind::unchanged, live.etag};
  if (!atomic) return Condition{};
  services_.clock.sleep(until_strong, services_.stop);
  const Result<Stored> later = client_.get(url, longest_body);
  if (!later) return fail(later);
  if (later->body != live.body)
    return fail(Code::conflict, "it changed while it was looked at", url,
                "run plan again to see what is there");
  if (later->etag.is_strong()) return Condition{Condition::Kind::unchanged, later->etag};
  return Condition{};
}

Result<bool> Host::puts_atomically(const dns::Name& domain) {
  const std::string origin = options_.location.origin(domain);
  // Held while one asks: the others want the same answer.
  const std::scoped_lock lock(asking_);
  if (const auto known = atomic_.find(origin); known != atomic_.end()) return known->second;
  const Result<bool> told = client_.puts_atomically(options_.location.base(domain));
  if (told) atomic_[origin] = *told;
  return told;
}

}  // namespace stsctl::providers::webdav
