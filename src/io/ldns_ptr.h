#pragma once
// Owners for what libldns allocates. The only header of ours that includes ldns; include it from
// .cpp files only.

#include <cstdlib>
#include <memory>

#include <ldns/ldns.h>

namespace stsctl::io {

struct FreePacket {
  void operator()(ldns_pkt* packet) const { ldns_pkt_free(packet); }
};
struct FreeRecord {
  void operator()(ldns_rr* record) const { ldns_rr_free(record); }
};
struct FreeField {
  void operator()(ldns_rdf* field) const { ldns_rdf_deep_free(field); }
};
struct FreeBytes {
  void operator()(void* bytes) const { std::free(bytes); }
};

using PacketPtr = std::unique_ptr<ldns_pkt, FreePacket>;
using RecordPtr = std::unique_ptr<ldns_rr, FreeRecord>;
using FieldPtr = std::unique_ptr<ldns_rdf, FreeField>;
using WirePtr = std::unique_ptr<std::uint8_t, FreeBytes>;
using TextPtr = std::unique_ptr<char, FreeBytes>;

}  // namespace stsctl::io
