#include "providers/address.h"

#include "dns/record_set.h"

namespace stsctl::providers {

namespace {

Result<std::vector<std::string>> addresses(const Settings& settings, const std::string& key,
                                           dns::Type type, const dns::Name& owner) {
  auto set = dns::make_record_set(owner, type, Duration{0}, settings.list(key));
  if (!set) return fail(Code::invalid, set.error().what, settings.where(key));
  return std::move(set->values);
}

}  // namespace

SettingSpec address_setting() {
  return {
      .name = "address",
      .type = SettingType::object,
      .description = "The address record that mta-sts.DOMAIN gets; left out, none is planned.",
      .fields = {
          {.name = "cname", .type = SettingType::name, .description = "Name of the web server."},
          {.name = "a", .type = SettingType::list, .description = "IPv4 addresses."},
          {.name = "aaaa", .type = SettingType::list, .description = "IPv6 addresses."}}};
}

Result<plan::Address> read_address(const Settings& settings) {
  plan::Address address;
  const dns::Name any = *dns::Name::parse("invalid");
  if (settings.has("address.cname")) {
    const Result<dns::Name> target = dns::Name::parse(settings.text("address.cname"));
    if (!target) return fail_at(target, settings.where("address.cname"));
    address.cname = *target;
  }
  auto a = addresses(settings, "address.a", dns::Type::a, any);
  if (!a) return fail(a);
  auto aaaa = addresses(settings, "address.aaaa", dns::Type::aaaa, any);
  if (!aaaa) return fail(aaaa);
  address.a = std::move(*a);
  address.aaaa = std::move(*aaaa);
  if (address.cname && !(address.a.empty() && address.aaaa.empty()))
    return fail(Code::invalid, "'cname' cannot stand beside 'a' or 'aaaa'",
                settings.where("address"));
  return address;
}

std::optional<plan::Address> if_any(const plan::Address& address) {
  if (!address.cname && address.a.empty() && address.aaaa.empty()) return std::nullopt;
  return address;
}

SettingSpec edge_delay_setting() {
  return {.name = "edge_delay",
          .type = SettingType::duration,
          .description = "How long a cache in front may still serve an older policy.",
          .fallback = "0s",
          .most = 31557600};
}

}  // namespace stsctl::providers
