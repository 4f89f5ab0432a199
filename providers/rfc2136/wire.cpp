#include "providers/rfc2136/wire.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/text.h"
#include "io/ldns_ptr.h"

namespace stsctl::providers::rfc2136 {

namespace {

using io::FieldPtr;
using io::PacketPtr;
using io::RecordPtr;
using io::TextPtr;
using io::WirePtr;

constexpr std::uint16_t fudge = 300;  // RFC 8945 §10
constexpr std::size_t header_size = 12;

constexpr std::array<std::pair<std::uint16_t, const char*>, 14> rcode_names{
    {{rcode::no_error, "NOERROR"},
     {rcode::form_error, "FORMERR"},
     {rcode::server_failure, "SERVFAIL"},
     {rcode::nx_domain, "NXDOMAIN"},
     {rcode::not_implemented, "NOTIMP"},
     {rcode::refused, "REFUSED"},
     {rcode::yx_domain, "YXDOMAIN"},
     {rcode::yx_rrset, "YXRRSET"},
     {rcode::nx_rrset, "NXRRSET"},
     {rcode::not_auth, "NOTAUTH"},
     {rcode::not_zone, "NOTZONE"},
     {rcode::bad_sig, "BADSIG"},
     {rcode::bad_key, "BADKEY"},
     {rcode::bad_time, "BADTIME"}}};

// Fields of a TSIG record (RFC 8945 §4.2).
enum TsigField : std::size_t { tsig_time = 1, tsig_mac = 3, tsig_error_field = 5, tsig_other = 6 };

std::unexpected<Error> garbage(std::string_view why) {
  return fail(Code::protocol, fmt::format("the server's answer cannot be read: {}", why), {},
              "is this port a DNS server?");
}

Result<FieldPtr> make_name(const std::string& name) {
  FieldPtr field(ldns_dname_new_frm_str((name + ".").c_str()));
  if (!field) return fail(Code::invalid, fmt::format("'{}' is no domain name", printable(name)));
  return field;
}

Result<RecordPtr> make_record(const Record& record) {
  Result<FieldPtr> owner = make_name(record.owner);
  if (!owner) return fail(owner);
  RecordPtr made(ldns_rr_new());
  ldns_rr_set_owner(made.get(), owner->release());
  ldns_rr_set_type(made.get(), static_cast<ldns_rr_type>(record.type));
  ldns_rr_set_class(made.get(), static_cast<ldns_rr_class>(record.cls));
  ldns_rr_set_ttl(made.get(), record.ttl);
  // As one opaque field: the bytes are in wire form already.
  if (!record.rdata.empty())
    ldns_rr_push_rdf(made.get(), ldns_rdf_new_frm_data(LDNS_RDF_TYPE_NONE, record.rdata.size(),
                                                       record.rdata.data()));
  return made;
}

Result<Done> push(ldns_pkt* packet, ldns_pkt_section section, const std::vector<Record>& records) {
  for (const Record& record : records) {
    Result<RecordPtr> made = make_record(record);
    if (!made) return fail(made);
    ldns_pkt_push_rr(packet, section, made->release());
  }
  return Done{};
}

Result<PacketPtr> make_packet(std::uint16_t id, const std::string& name, std::uint16_t type) {
  Result<RecordPtr> question = make_record({.owner = name, .type = type});
  if (!question) return fail(question);
  ldns_rr_set_question(question->get(), true);
  PacketPtr packet(ldns_pkt_new());
  ldns_pkt_set_id(packet.get(), id);
  ldns_pkt_push_rr(packet.get(), LDNS_SECTION_QUESTION, question->release());
  return packet;
}

Bytes bytes_of(const ldns_rdf* field) {
  const std::uint8_t* data = ldns_rdf_data(field);
  return {data, data + ldns_rdf_size(field)};
}

Result<Request> sign(PacketPtr packet, const Key& key) {
  const std::string algorithm = key.algorithm + ".";
  const std::string name = key.name + ".";
  // ldns forgets memory where it fails.
  const bool is_base64 = decode_base64(key.secret).has_value();
  const ldns_status status =
      is_base64 ? ldns_pkt_tsig_sign(packet.get(), name.c_str(), key.secret.c_str(), fudge,
                                     algorithm.c_str(), nullptr)
                : LDNS_STATUS_INVALID_B64;
  if (status != LDNS_STATUS_OK)
    return fail(Code::invalid, "the TSIG key cannot be used", key.name,
                "the secret is base64, as tsig-keygen or keymgr printed it");
  std::uint8_t* wire = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&wire, packet.get(), &size) != LDNS_STATUS_OK)
    return fail(Code::invalid, "the change is too long for one DNS message");
  const WirePtr owned(wire);
  return Request{ldns_pkt_id(packet.get()), Bytes(wire, wire + size),
                 bytes_of(ldns_rr_rdf(ldns_pkt_tsig(packet.get()), tsig_mac))};
}

Result<Record> read_record(const ldns_rr* rr) {
  const TextPtr owner(ldns_rdf2str(ldns_rr_owner(rr)));
  if (!owner) return garbage("a record has no owner");
  Record record{.owner = lower(owner.get()),
                .type = static_cast<std::uint16_t>(ldns_rr_get_type(rr)),
                .cls = static_cast<std::uint16_t>(ldns_rr_get_class(rr)),
                .ttl = ldns_rr_ttl(rr),
                .rdata = {}};
  if (record.owner.ends_with('.')) record.owner.pop_back();
  for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i) {
    const Bytes field = bytes_of(ldns_rr_rdf(rr, i));
    record.rdata.insert(record.rdata.end(), field.begin(), field.end());
  }
  return record;
}

Result<std::vector<Record>> read_section(const ldns_rr_list* list) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    Result<Record> record = read_record(ldns_rr_list_rr(list, i));
    if (!record) return fail(record);
    records.push_back(std::move(*record));
  }
  return records;
}

std::uint64_t number(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes)
    value = value << 8U | byte;
  return value;
}

Time at(std::uint64_t seconds) {
  return Time(Duration(static_cast<std::int64_t>(seconds)));
}

// The packet, if it is an answer to `request` at all.
Result<PacketPtr> parse(std::span<const std::uint8_t> message, const Request& request) {
  if (message_id(message) != request.id) return garbage("it answers another question");
  ldns_pkt* raw = nullptr;
  const ldns_status status = ldns_wire2pkt(&raw, message.data(), message.size());
  PacketPtr packet(raw);
  if (status != LDNS_STATUS_OK) return garbage(ldns_get_errorstr_by_id(status));
  if (!ldns_pkt_qr(packet.get())) return garbage("it is a question");
  if (ldns_pkt_tc(packet.get())) return garbage("it is cut off, which TCP never needs");
  return packet;
}

// What the answer's TSIG record says, unverified.
void read_tsig(const ldns_rr* tsig, Reply& reply) {
  if (tsig == nullptr || ldns_rr_rd_count(tsig) <= tsig_other) return;
  const Bytes error = bytes_of(ldns_rr_rdf(tsig, tsig_error_field));
  const Bytes other = bytes_of(ldns_rr_rdf(tsig, tsig_other));
  reply.tsig_error = static_cast<std::uint16_t>(number(error));
  reply.signed_at = at(number(bytes_of(ldns_rr_rdf(tsig, tsig_time))));
  // BADTIME repeats our time in its own field and gives the server's here (RFC 8945 §5.2.3).
  if (reply.tsig_error == rcode::bad_time && other.size() == 8)
    reply.signed_at = at(number(std::span(other).subspan(2)));
}

FieldPtr mac_field(const Bytes& mac) {
  return FieldPtr(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, mac.size(), mac.data()));
}

bool verifies(ldns_pkt* packet, std::span<const std::uint8_t> message, const Key& key,
              const Bytes& mac, bool first) {
  if (ldns_pkt_tsig(packet) == nullptr) return false;
  const FieldPtr before = mac_field(mac);
  const std::string name = key.name + ".";
  return ldns_pkt_tsig_verify_next(packet, message.data(), message.size(), name.c_str(),
                                   key.secret.c_str(), before.get(), first ? 0 : 1);
}

std::unexpected<Error> unsigned_answer(const ldns_pkt* packet) {
  if (ldns_pkt_tsig(packet) == nullptr)
    return fail(Code::protocol, "the server's answer is not signed", {},
                "the server must know the TSIG key; something in between may have answered");
  return fail(Code::unauthorized, "the signature of the server's answer is wrong", {},
              "compare the key's secret and algorithm with the server's");
}

Result<Done> check_time(Time signed_at, Time now) {
  const Duration apart = std::max(signed_at - now, now - signed_at);
  if (apart <= Duration(fudge)) return Done{};
  return fail(Code::unauthorized,
              fmt::format("the server signed its answer at {}, but it is {} here",
                          format_time(signed_at), format_time(now)),
              {}, "set the clocks of both machines");
}

bool may_be_unsigned(std::uint16_t code) {
  return code == rcode::form_error || code == rcode::server_failure ||
         code == rcode::not_implemented || code == rcode::refused || code == rcode::not_auth;
}

}  // namespace

std::string rcode_name(std::uint16_t code) {
  for (const auto& [known, name] : rcode_names)
    if (known == code) return name;
  return fmt::format("RCODE {}", code);
}

std::string type_name(std::uint16_t code) {
  const TextPtr name(ldns_rr_type2str(static_cast<ldns_rr_type>(code)));
  return name ? std::string(name.get()) : fmt::format("TYPE{}", code);
}

std::uint16_t type_code(dns::Type type) {
  switch (type) {
    case dns::Type::a:
      return type::a;
    case dns::Type::aaaa:
      return type::aaaa;
    case dns::Type::cname:
      return type::cname;
    case dns::Type::txt:
      return type::txt;
    case dns::Type::mx:
      return type::mx;
    case dns::Type::other:
    case dns::Type::locked:
      break;
  }
  return type::any;
}

Result<Request> make_query(std::uint16_t id, const std::string& owner, std::uint16_t type,
                           const Key& key) {
  Result<PacketPtr> packet = make_packet(id, owner, type);
  if (!packet) return fail(packet);
  return sign(std::move(*packet), key);
}

Result<Request> make_update(std::uint16_t id, const dns::Name& zone,
                            const std::vector<Record>& prerequisites,
                            const std::vector<Record>& updates, const Key& key) {
  Result<PacketPtr> packet = make_packet(id, zone.text(), type::soa);
  if (!packet) return fail(packet);
  ldns_pkt_set_opcode(packet->get(), LDNS_PACKET_UPDATE);
  // UPDATE names the sections anew: prerequisites and updates stand where a query has answer and
  // authority (RFC 2136 §2.1).
  if (const auto done = push(packet->get(), LDNS_SECTION_ANSWER, prerequisites); !done)
    return fail(done);
  if (const auto done = push(packet->get(), LDNS_SECTION_AUTHORITY, updates); !done)
    return fail(done);
  return sign(std::move(*packet), key);
}

std::optional<std::uint16_t> message_id(std::span<const std::uint8_t> message) {
  if (message.size() < header_size) return std::nullopt;
  return static_cast<std::uint16_t>(number(message.first(2)));
}

Result<Reply> read_reply(std::span<const std::uint8_t> message, const Request& request,
                         const Key& key, Time now) {
  Result<PacketPtr> packet = parse(message, request);
  if (!packet) return fail(packet);
  Reply reply;
  reply.rcode = static_cast<std::uint16_t>(ldns_pkt_get_rcode(packet->get()));
  reply.authoritative = ldns_pkt_aa(packet->get());
  read_tsig(ldns_pkt_tsig(packet->get()), reply);
  reply.verified = verifies(packet->get(), message, key, request.mac, true);
  if (!reply.verified && !may_be_unsigned(reply.rcode)) return unsigned_answer(packet->get());
  if (reply.verified && reply.tsig_error == 0)
    if (const auto timely = check_time(reply.signed_at, now); !timely) return fail(timely);
  if (!reply.verified) return reply;
  Result<std::vector<Record>> answer = read_section(ldns_pkt_answer(packet->get()));
  if (!answer) return fail(answer);
  Result<std::vector<Record>> authority = read_section(ldns_pkt_authority(packet->get()));
  if (!authority) return fail(authority);
  reply.answer = std::move(*answer);
  reply.authority = std::move(*authority);
  return reply;
}

Result<std::vector<Record>> TransferReader::next(std::span<const std::uint8_t> message, Time now) {
  Result<PacketPtr> packet = parse(message, request_);
  if (!packet) return fail(packet);
  if (const auto code = static_cast<std::uint16_t>(ldns_pkt_get_rcode(packet->get())); code != 0)
    return fail(Code::unauthorized, "the zone transfer was answered " + rcode_name(code));
  const ldns_rr* tsig = ldns_pkt_tsig(packet->get());
  if (tsig == nullptr) return fail(Code::unsupported, "a message of the zone transfer is unsigned");
  Reply reply;
  read_tsig(tsig, reply);
  Bytes mac = bytes_of(ldns_rr_rdf(tsig, tsig_mac));
  const bool first = mac_.empty();
  if (!verifies(packet->get(), message, key_, first ? request_.mac : mac_, first))
    return unsigned_answer(packet->get());
  if (const auto timely = check_time(reply.signed_at, now); !timely) return fail(timely);
  mac_ = std::move(mac);
  Result<std::vector<Record>> records = read_section(ldns_pkt_answer(packet->get()));
  if (!records) return fail(records);
  if (first && (records->empty() || records->front().type != type::soa))
    return garbage("a zone transfer begins with the SOA");
  soas_ += static_cast<int>(std::ranges::count(*records, type::soa, &Record::type));
  return records;
}

}  // namespace stsctl::providers::rfc2136
