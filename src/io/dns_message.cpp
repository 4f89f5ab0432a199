#include "io/dns_message.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "io/ldns_ptr.h"

namespace stsctl::io {

namespace {

constexpr std::uint16_t udp_size = 1232;  // what passes everywhere unfragmented (DNS flag day 2020)
constexpr std::size_t longest_chain = 16;
constexpr std::size_t id_size = 2;

ldns_rr_type type_of(Question question) {
  return static_cast<ldns_rr_type>(static_cast<std::uint16_t>(question));
}

std::unexpected<Error> garbage(std::string_view why) {
  return fail(Code::protocol, fmt::format("the answer cannot be read: {}", why));
}

// A name as RecordSet writes it; "." is the root.
std::string name_text(const ldns_rdf* field) {
  const TextPtr text(ldns_rdf2str(field));
  std::string name = lower(text ? text.get() : "");
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  return name;
}

std::string field_text(const ldns_rdf* field) {
  if (ldns_rdf_get_type(field) == LDNS_RDF_TYPE_DNAME) return name_text(field);
  const TextPtr text(ldns_rdf2str(field));
  return text ? text.get() : "";
}

// The bytes of a character-string, without the length in front.
std::string string_bytes(const ldns_rdf* field) {
  const std::uint8_t* data = ldns_rdf_data(field);
  return {data + 1, data + ldns_rdf_size(field)};
}

std::string value_of(const ldns_rr* rr) {
  std::string value;
  const bool text = ldns_rr_get_type(rr) == LDNS_RR_TYPE_TXT;
  for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i) {
    if (text) {
      value += string_bytes(ldns_rr_rdf(rr, i));
    } else {
      if (i > 0) value += ' ';
      value += field_text(ldns_rr_rdf(rr, i));
    }
  }
  return value;
}

// Calls `use(record)` for each record of a type at `owner`.
template <class Use>
void each(const ldns_rr_list* list, const std::string& owner, ldns_rr_type type, Use use) {
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const ldns_rr* rr = ldns_rr_list_rr(list, i);
    if (ldns_rr_get_type(rr) == type && ldns_rr_rd_count(rr) > 0 &&
        name_text(ldns_rr_owner(rr)) == owner)
      use(rr);
  }
}

class Reading {
 public:
  Reading(const ldns_pkt* packet, Question question) : packet_(packet), type_(type_of(question)) {}

  Result<DnsAnswer> run(const dns::Name& name) {
    std::string owner = name.text();
    if (type_ != LDNS_RR_TYPE_CNAME)
      if (const auto followed = follow(owner); !followed) return fail(followed);
    each(ldns_pkt_answer(packet_), owner, type_, [&](const ldns_rr* rr) {
      answer_.values.push_back(value_of(rr));
      shorten(ldns_rr_ttl(rr));
    });
    if (answer_.values.empty()) read_nothing();
    answer_.ttl = Duration(ttl_.value_or(0));
    answer_.authoritative = ldns_pkt_aa(packet_);
    answer_.authenticated = ldns_pkt_ad(packet_);
    return std::move(answer_);
  }

 private:
  Result<Done> follow(std::string& owner) {
    while (true) {
      std::string target;
      each(ldns_pkt_answer(packet_), owner, LDNS_RR_TYPE_CNAME, [&](const ldns_rr* rr) {
        target = name_text(ldns_rr_rdf(rr, 0));
        shorten(ldns_rr_ttl(rr));
      });
      if (target.empty()) return Done{};
      if (answer_.aliases.size() == longest_chain ||
          std::ranges::find(answer_.aliases, target) != answer_.aliases.end())
        return fail(Code::protocol, fmt::format("the CNAMEs go in a circle or on and on, to {}",
                                                printable(target)));
      answer_.aliases.push_back(target);
      owner = target;
    }
  }

  // How long nothing holds stands in the zone's SOA (RFC 2308 §5).
  void read_nothing() {
    answer_.kind = ldns_pkt_get_rcode(packet_) == LDNS_RCODE_NXDOMAIN ? DnsAnswer::Kind::no_name
                                                                      : DnsAnswer::Kind::no_data;
    const ldns_rr_list* authority = ldns_pkt_authority(packet_);
    constexpr std::size_t minimum = 6;
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(authority); ++i) {
      const ldns_rr* rr = ldns_rr_list_rr(authority, i);
      if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA || ldns_rr_rd_count(rr) <= minimum) continue;
      shorten(ldns_rr_ttl(rr));
      shorten(ldns_rdf2native_int32(ldns_rr_rdf(rr, minimum)));
    }
  }

  void shorten(std::uint32_t ttl) { ttl_ = std::min(ttl_.value_or(ttl), ttl); }

  const ldns_pkt* packet_;
  ldns_rr_type type_;
  DnsAnswer answer_;
  std::optional<std::uint32_t> ttl_;
};

// Somebody who guesses must guess the question too.
bool answers(const ldns_pkt* packet, const dns::Name& name, Question question) {
  const ldns_rr_list* list = ldns_pkt_question(packet);
  if (ldns_rr_list_rr_count(list) != 1) return false;
  const ldns_rr* asked = ldns_rr_list_rr(list, 0);
  return ldns_rr_get_type(asked) == type_of(question) &&
         name_text(ldns_rr_owner(asked)) == name.text();
}

std::string rcode_text(ldns_pkt_rcode code) {
  const TextPtr text(ldns_pkt_rcode2str(code));
  return text ? text.get() : fmt::format("RCODE {}", static_cast<int>(code));
}

}  // namespace

DnsMessage make_query(const dns::Name& name, Question question, const QueryOptions& options) {
  ldns_rdf* owner = ldns_dname_new_frm_str((name.text() + ".").c_str());
  const PacketPtr packet(ldns_pkt_query_new(owner, type_of(question), LDNS_RR_CLASS_IN,
                                            options.recursion ? LDNS_RD : 0));
  ldns_pkt_set_id(packet.get(), options.id);
  ldns_pkt_set_edns_udp_size(packet.get(), udp_size);
  ldns_pkt_set_ad(packet.get(), true);  // RFC 6840 §5.7: tell whether it validated
  std::uint8_t* wire = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&wire, packet.get(), &size) != LDNS_STATUS_OK) return {};
  const WirePtr owned(wire);
  return {wire, wire + size};
}

Result<ReadAnswer> read_answer(std::span<const std::uint8_t> message, const dns::Name& name,
                               Question question, std::uint16_t id) {
  if (message.size() < id_size || (message[0] << 8U | message[1]) != id)
    return garbage("it answers another question");
  ldns_pkt* raw = nullptr;
  const ldns_status status = ldns_wire2pkt(&raw, message.data(), message.size());
  const PacketPtr packet(raw);
  if (status != LDNS_STATUS_OK) return garbage(ldns_get_errorstr_by_id(status));
  if (!ldns_pkt_qr(packet.get())) return garbage("it is a question");
  const ldns_pkt_rcode code = ldns_pkt_get_rcode(packet.get());
  const bool failed = code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN;
  // A failure may come without the question (RFC 1035 §4.1.1, FORMERR).
  if (failed) return fail(Code::unreachable, "the server answers " + rcode_text(code));
  if (!answers(packet.get(), name, question)) return garbage("it answers another question");
  if (ldns_pkt_tc(packet.get())) return ReadAnswer{.truncated = true, .answer = {}};
  Result<DnsAnswer> answer = Reading(packet.get(), question).run(name);
  if (!answer) return fail(answer);
  return ReadAnswer{.truncated = false, .answer = std::move(*answer)};
}

}  // namespace stsctl::io
