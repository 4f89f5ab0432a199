#include "providers/cloudflare/client.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "providers/cloudflare/workers_wire.h"

namespace stsctl::providers::cloudflare {

namespace {

constexpr const char* workers_permission = "Account > Workers Scripts > Edit";
constexpr std::size_t zones_a_page = 50;      // the most the API documents
constexpr std::size_t records_a_page = 5000;  // one page, but for giants
constexpr std::size_t most_pages = 100'000;
constexpr std::size_t longest_answer = std::size_t{64} << 20U;

// Published: 1,200 requests in five minutes for a user, 200 a second for an address. Of the latter
// half, since what starts in two seconds may arrive in one.
ApiDefaults defaults() {
  return {.endpoint = "https://api.cloudflare.com/client/v4", .rate = "1200/5m, 100/s"};
}

// A list put together from its pages.
template <class Item>
class Listing {
 public:
  Listing(const char* what, std::size_t page_size) : what_(what), page_size_(page_size) {}

  Result<Done> take(const Result<Page<Item>>& page) {
    if (!page) return fail(page);
    goes_on_ = page->info.may_continue(page_size_);
    if (goes_on_ && page->info.first == first_)
      return fail(Code::protocol, fmt::format("the API sends the same page of {} again", what_));
    first_ = page->info.first;
    items_.insert(items_.end(), page->items.begin(), page->items.end());
    return Done{};
  }
  bool goes_on() const { return goes_on_; }
  const std::vector<Item>& items() const { return items_; }

 private:
  const char* what_;
  std::size_t page_size_;
  std::vector<Item> items_;
  std::string first_;
  bool goes_on_ = false;
};

// The API filters too; this holds whatever it makes of the filter.
std::vector<Zone> of_account(std::vector<Zone> zones, const std::string& account) {
  if (!account.empty())
    std::erase_if(zones, [&](const Zone& zone) { return zone.account_id != account; });
  return zones;
}

bool is_account_id(const std::string& text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::vector<SettingSpec> account_settings(std::vector<SettingSpec> own) {
  std::vector<SettingSpec> settings{
      {.name = "token",
       .type = SettingType::secret,
       .description = "An API token (Zone Read, DNS Edit); or 'email' and 'key'"},
      {.name = "email",
       .type = SettingType::text,
       .description = "E-mail address of the user whose 'key' is given"},
      {.name = "key",
       .type = SettingType::secret,
       .description = "The user's global API key, which opens everything; prefer 'token'"},
      {.name = "account",
       .type = SettingType::text,
       .description = "Id of the only account whose zones are meant",
       .fallback = "every account there is access to"},
  };
  std::ranges::move(own, std::back_inserter(settings));
  return with_api_settings(std::move(settings), defaults());
}

Client::Client(Api api, Credentials credentials, std::string account, const io::Services& services)
    : api_(std::move(api)),
      credentials_(std::move(credentials)),
      account_(std::move(account)),
      log_(services.log),
      stop_(services.stop) {
  log_.hide(credentials_.token);
  log_.hide(credentials_.key);
}

Result<io::Reply> Client::exchange(io::Request request) const {
  request.url.insert(0, api_.endpoint);
  request.answer_limit = longest_answer;
  if (credentials_.token.empty()) {
    request.headers.push_back({"X-Auth-Email", credentials_.email});
    request.headers.push_back({"X-Auth-Key", credentials_.key});
  } else {
    request.headers.push_back({"Authorization", "Bearer " + credentials_.token});
  }
  return api_.http->send(request);
}

Client::Send Client::checked(const Result<io::Reply>& reply) const {
  if (!reply) return fail(reply);
  if (reply->ok()) return reply->body;
  Error error = error_of(reply->status, reply->body);
  error.what = log_.mask(error.what);  // some services repeat what they refuse
  return std::unexpected(std::move(error));
}

Client::Send Client::send(const char* method, const std::string& path, const std::string& body,
                          bool repeatable) const {
  io::Request request{.method = method,
                      .url = path,
                      .headers = {{"Accept", "application/json"}},
                      .body = body,
                      .repeatable = repeatable || body.empty()};
  if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
  return checked(exchange(std::move(request)));
}

Result<Page<Zone>> Client::zone_page(const std::string& filter, std::size_t page) const {
  const Send answer =
      send("GET", fmt::format("/zones?page={}&per_page={}{}", page, zones_a_page, filter));
  Result<Page<Zone>> zones = answer ? parse_zones(*answer) : fail(answer);
  if (!zones) return explain(zones.error(), "GET /zones", "Zone > Zone > Read");
  return zones;
}

// The number of pages that the first one states is only a hint: what it promises is fetched side by
// side, and the list goes on for as long as pages are full.
Result<std::vector<Zone>> Client::zones(bool everywhere) const {
  const std::string filter = everywhere || account_.empty() ? "" : "&account.id=" + account_;
  Listing<Zone> list("zones", zones_a_page);
  const Result<Page<Zone>> first = zone_page(filter, 1);
  if (const auto taken = list.take(first); !taken) return fail(taken);
  std::vector<std::size_t> promised;
  for (std::size_t number = 2; list.goes_on() && number <= std::min(first->info.pages, most_pages);
       ++number)
    promised.push_back(number);
  for (const auto& page : parallel_map(promised, api_.concurrency, stop_, [&](std::size_t number) {
         return zone_page(filter, number);
       })) {
    if (!page) return fail(Code::cancelled, "stopped before all zones were listed");
    if (const auto taken = list.take(*page); !taken) return fail(taken);
  }
  for (std::size_t number = promised.size() + 2; list.goes_on(); ++number)
    if (const auto taken = list.take(zone_page(filter, number)); !taken) return fail(taken);
  return of_account(list.items(), everywhere ? "" : account_);
}

Result<std::vector<Zone>> Client::zones_named(const dns::Name& name) const {
  std::string filter = "&name=" + name.text();
  if (!account_.empty()) filter += "&account.id=" + account_;
  Result<Page<Zone>> page = zone_page(filter, 1);
  if (!page) return fail(page);
  std::erase_if(page->items, [&](const Zone& zone) { return zone.name != name; });
  return of_account(std::move(page->items), account_);
}

Result<std::vector<Record>> Client::records(const Zone& zone, const std::string& filter) const {
  Listing<Record> list("records", records_a_page);
  for (std::size_t number = 1; number == 1 || list.goes_on(); ++number)
    if (const auto taken = list.take(record_page(zone, filter, number)); !taken) return fail(taken);
  return list.items();
}

Result<Page<Record>> Client::record_page(const Zone& zone, const std::string& filter,
                                         std::size_t page) const {
  const Send answer =
      send("GET", fmt::format("/zones/{}/dns_records?page={}&per_page={}{}{}", zone.id, page,
                              records_a_page, filter.empty() ? "" : "&", filter));
  Result<Page<Record>> records = answer ? parse_records(*answer) : fail(answer);
  const std::string& name = zone.name.text();
  if (!records)
    return explain(records.error(), fmt::format("GET /zones/{}/dns_records", name),
                   "Zone > DNS > Read for " + name);
  return records;
}

Result<Done> Client::batch(const Zone& zone, const std::string& body) const {
  const Send answer = send("POST", "/zones/" + zone.id + "/dns_records/batch", body);
  const Result<Done> done = answer ? parse_done(*answer) : fail(answer);
  const std::string& name = zone.name.text();
  if (!done)
    return explain(done.error(), fmt::format("POST /zones/{}/dns_records/batch", name),
                   "Zone > DNS > Edit for " + name);
  return done;
}

std::string Client::workers_path(const std::string& rest) const {
  return fmt::format("/accounts/{}/workers/{}", account_, rest);
}

Result<std::optional<std::string>> Client::script(const std::string& name) const {
  const std::string path = fmt::format("scripts/{}/content/v2", name);
  const Result<io::Reply> reply = exchange(io::get(workers_path(path)));
  if (reply && reply->status == 404 && is_no_such_worker(reply->body)) return std::nullopt;
  const Send answer = checked(reply);
  const Result<std::string> text = answer ? parse_script(*reply) : fail(answer);
  if (!text) return explain(text.error(), "GET /workers/" + path, workers_permission);
  return *text;
}

Result<Done> Client::upload(const std::string& name, const std::string& script) const {
  const io::Form form = upload_form(script);
  const Send answer = checked(exchange({.method = "PUT",
                                        .url = workers_path("scripts/" + name),
                                        .headers = {{"Content-Type", form.type}},
                                        .body = form.body}));
  const Result<Done> done = answer ? parse_done(*answer) : fail(answer);
  if (!done) return explain(done.error(), "PUT /workers/scripts/" + name, workers_permission);
  return done;
}

// The list is documented to come whole; should it be announced in pages one day, all are read.
Result<std::vector<CustomDomain>> Client::custom_domains() const {
  Page<CustomDomain> all;
  std::size_t pages = 1;
  for (std::size_t number = 1; number <= pages; ++number) {
    const std::string query = number == 1 ? "" : fmt::format("?page={}", number);
    const Send answer = send("GET", workers_path("domains" + query));
    Result<Page<CustomDomain>> page = answer ? parse_custom_domains(*answer) : fail(answer);
    if (page && number > 1 && page->info.first == all.info.first)
      page = fail(Code::protocol, "the API sends the same page of Custom Domains again");
    if (!page) return explain(page.error(), "GET /workers/domains", workers_permission);
    if (number == 1) pages = std::min(page->info.pages, most_pages);
    all.info.first = page->info.first;
    std::ranges::move(page->items, std::back_inserter(all.items));
  }
  return all.items;
}

Result<Done> Client::attach(const std::string& hostname, const std::string& service) const {
  const Send answer =
      send("PUT", workers_path("domains"), custom_domain_body(hostname, service), true);
  Result<Done> done = answer ? parse_done(*answer) : fail(answer);
  if (done) return done;
  if (done.error().code == Code::conflict)
    done.error().hint = fmt::format(
        "a Custom Domain brings its own record: remove those of {} at Cloudflare, run apply again",
        hostname);
  if (done.error().code == Code::invalid || done.error().code == Code::not_found)
    done.error().hint = fmt::format(
        "its zone must be active in account {}, and has room for 100 Custom Domains unless "
        "Cloudflare raised that",
        account_);
  return explain(done.error(), fmt::format("PUT /workers/domains {}", hostname),
                 workers_permission);
}

Result<Done> Client::detach(const CustomDomain& domain) const {
  const Send answer = send("DELETE", workers_path("domains/" + domain.id));
  if (answer || answer.error().code == Code::not_found) return Done{};
  return explain(answer.error(), fmt::format("DELETE /workers/domains {}", domain.hostname),
                 workers_permission);
}

// What verifying the token says of a refusal; Code::invalid when the token is in order.
Error Client::token_trouble() const {
  const std::scoped_lock lock(mutex_);
  if (trouble_) return *trouble_;
  Send answer = send("GET", "/user/tokens/verify");
  // Tokens that belong to an account are known there only.
  if (!answer && answer.error().code == Code::unauthorized && !account_.empty())
    answer = send("GET", "/accounts/" + account_ + "/tokens/verify");
  const Result<std::string> status = answer ? parse_token_status(*answer) : fail(answer);
  if (!status && status.error().code == Code::unauthorized)
    trouble_ = Error{Code::unauthorized,
                     "Cloudflare does not accept the API token",
                     {},
                     "check 'token'; one that belongs to an account needs 'account' too"};
  else if (status && !status->starts_with("active"))
    trouble_ = Error{Code::unauthorized,
                     fmt::format("the API token is {}", *status),
                     {},
                     "make a new one in Cloudflare's dashboard, or prolong it"};
  else
    trouble_ = Error{Code::invalid, {}, {}, {}};
  return *trouble_;
}

std::unexpected<Error> Client::explain(Error error, const std::string& call,
                                       const std::string& permission) const {
  error.where = "cloudflare " + call;  // with the zone's name, where the URL has its id
  if (error.code != Code::unauthorized) return std::unexpected(std::move(error));
  if (credentials_.token.empty()) {
    error.hint = fmt::format("check 'email' and 'key'; the user needs {}", permission);
    return std::unexpected(std::move(error));
  }
  Error trouble = token_trouble();
  if (trouble.code == Code::unauthorized) {
    trouble.where = error.where;
    return std::unexpected(std::move(trouble));
  }
  error.hint = fmt::format("give the token the permission {}", permission);
  return std::unexpected(std::move(error));
}

Result<std::unique_ptr<Client>> open_client(const Settings& settings,
                                            const io::Services& services) {
  const Credentials credentials{settings.text("token"), settings.text("email"),
                                settings.text("key")};
  const bool by_key = !credentials.email.empty() && !credentials.key.empty();
  const bool any_key = !credentials.email.empty() || !credentials.key.empty();
  if (credentials.token.empty() ? !by_key : any_key)
    return fail(Code::invalid, "cloudflare needs either 'token' or both 'email' and 'key'",
                settings.place, "an API token can be limited to what is needed; a key cannot");
  const std::string account = settings.text("account");
  if (!account.empty() && !is_account_id(account))
    return fail(Code::invalid, "'account' is no account id", settings.where("account"),
                "it is the 32 hexadecimal digits in the address of the account's dashboard");
  Result<Api> api = open_api(settings, services, defaults());
  if (!api) return fail(api);
  return std::make_unique<Client>(std::move(*api), credentials, account, services);
}

}  // namespace stsctl::providers::cloudflare
