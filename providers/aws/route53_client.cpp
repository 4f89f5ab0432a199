#include "providers/aws/route53_client.h"

#include <utility>

#include <fmt/format.h>

#include "providers/aws/region.h"
#include "providers/aws/route53_error.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::size_t zones_a_page = 100;  // the most there are

std::string shown(const HostedZone& zone) {
  return fmt::format("{} ({})", zone.name.substr(0, zone.name.size() - 1), zone.id);
}
std::string query(std::initializer_list<std::pair<const char*, std::string>> parameters) {
  std::string text;
  for (const auto& [name, value] : parameters)
    if (!value.empty())
      text += fmt::format("{}{}={}", text.empty() ? "?" : "&", name, uri_encode(value));
  return text;
}

}  // namespace

ApiDefaults route53_defaults() {
  io::RetryOptions retry{.throttled_attempts = 8, .throttled = asks_to_wait};
  return {.endpoint = std::string(partition_of("").route53),
          .concurrency = 16,
          // A bucket of 50 that is filled by 10 a second, for all who use the account.
          .rate = "50/5s",
          .timeout = Duration(60),
          .retry = std::move(retry)};
}

Route53Client::Route53Client(const io::Services& services, std::unique_ptr<SignedApi> signed_api)
    : log_(services.log),
      clock_(services.clock),
      signed_(std::move(signed_api)),
      slots_(static_cast<std::ptrdiff_t>(signed_->api().concurrency)) {}

Result<std::unique_ptr<Route53Client>> Route53Client::open(const Settings& settings,
                                                           const io::Services& services) {
  const std::string region = find_region(read_identity(settings), services);
  const Partition& partition = partition_of(region);
  ApiDefaults defaults = route53_defaults();
  defaults.endpoint = partition.route53;
  Result<std::unique_ptr<SignedApi>> signed_api = SignedApi::open(
      settings, services, {route53_signing_region(region, settings.has("endpoint")), "route53"},
      std::move(defaults));
  if (!signed_api) return fail(signed_api);
  return std::unique_ptr<Route53Client>(new Route53Client(services, std::move(*signed_api)));
}

template <class Value>
Result<Value> Route53Client::ask(const io::Request& request, const std::string& call,
                                 Result<Value> (*parse)(std::string_view)) {
  slots_.acquire();
  const Result<io::Reply> reply = signed_->send(request);
  slots_.release();
  Result<Value> value = !reply
                            ? fail(reply)
                            : (reply->ok() ? parse(reply->body)
                                           : std::unexpected(route53_error(*reply, clock_.now())));
  if (value) return value;
  Error error = value.error();
  error.what = log_.mask(error.what);
  // The call says more than its URL does.
  if (error.where.empty() || error.where.starts_with(request.method + " "))
    error.where = "route53 " + call;
  return std::unexpected(std::move(error));
}

Result<ZonePage> Route53Client::zones(const ZoneMarker& begin) {
  return ask(io::get(endpoint() + "/2013-04-01/hostedzonesbyname" +
                     query({{"dnsname", begin.name},
                            {"hostedzoneid", begin.id},
                            {"maxitems", std::to_string(zones_a_page)}})),
             "ListHostedZonesByName", parse_zones);
}

Result<RecordPage> Route53Client::record_sets(const HostedZone& zone, const RecordMarker& begin,
                                              std::size_t most) {
  return ask(io::get(fmt::format("{}/2013-04-01/hostedzone/{}/rrset", endpoint(), zone.id) +
                     query({{"name", begin.name},
                            {"type", begin.type},
                            {"identifier", begin.identifier},
                            {"maxitems", std::to_string(most)}})),
             "ListResourceRecordSets " + shown(zone), parse_record_sets);
}

Result<ChangeInfo> Route53Client::change(const HostedZone& zone, const std::string& body) {
  return ask({.method = "POST",
              .url = fmt::format("{}/2013-04-01/hostedzone/{}/rrset/", endpoint(), zone.id),
              .headers = {{"Content-Type", "text/xml"}},
              .body = body},
             "ChangeResourceRecordSets " + shown(zone), parse_change);
}

Result<ChangeInfo> Route53Client::change_status(const std::string& change_id) {
  return ask(io::get(fmt::format("{}/2013-04-01/change/{}", endpoint(), change_id)),
             "GetChange " + change_id, parse_change);
}

}  // namespace stsctl::providers::aws
