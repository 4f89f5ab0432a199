// Answers of Route 53 and of the token service from outside: reading never crashes; what is read
// can be walked, shown as record sets and replaced, and a replacement repeats exactly what is
// stored.
#include <cstdint>
#include <cstdlib>

#include "providers/aws/keys.h"
#include "providers/aws/route53_change.h"
#include "providers/aws/route53_order.h"
#include "providers/aws/route53_wire.h"
#include "providers/aws/xml.h"

namespace aws = stsctl::providers::aws;
namespace dns = stsctl::dns;

namespace {

void require(bool law) {
  if (!law) std::abort();
}

void check_txt(const std::string& text) {
  const auto value = aws::decode_api_txt(text);
  if (!value) return;
  const auto again = aws::decode_api_txt(aws::encode_api_txt(*value));
  require(again && *again == *value);
}

void check_replacement(const aws::ApiSet& set, const dns::Name& owner) {
  const dns::RecordSet now = aws::record_set(set, owner);
  if (now.type != dns::Type::txt) return;
  dns::RecordSet wanted = now;
  wanted.values = {"v=STSv1; id=a", "\"\\\x01\xff"};
  const auto swaps = aws::swaps({set}, {{now, wanted}});
  if (!swaps || swaps->empty()) return;
  require(swaps->front().before == set);
  require(aws::record_set(*swaps->front().after, owner) ==
          *dns::make_record_set(owner, dns::Type::txt, wanted.ttl, wanted.values));
  const auto batches = aws::batches(*swaps);
  require(!batches || batches->size() == 1);
}

void check_page(const aws::RecordPage& page) {
  std::vector<std::string> names;
  for (const aws::ApiSet& set : page.sets) {
    names.push_back(set.name);
    if (const auto owner = dns::Name::parse(set.name)) check_replacement(set, *owner);
    for (const std::string& value : set.values)
      check_txt(value);
  }
  aws::Sweep sweep({*dns::Name::parse("_mta-sts.example.com")});
  if (sweep.pass(names, page.next ? page.next->name : "")) require(sweep.left() <= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  if (const auto page = aws::parse_zones(text))
    for (const aws::HostedZone& zone : page->zones)
      require(zone.id.find_first_of("/?#%") == std::string::npos);
  if (const auto page = aws::parse_record_sets(text)) check_page(*page);
  if (const auto change = aws::parse_change(text)) require(!change->id.empty());
  const aws::ApiError error = aws::parse_error(text);
  require(error.message.find('\x1b') == std::string::npos);
  static_cast<void>(aws::parse_assumed_role(text));
  static_cast<void>(aws::parse_key_document(text));
  check_txt(text);
  return 0;
}
