#pragma once
// What `defaults`, a group, and a domain itself say, each only in part, and how they add up.

#include <optional>
#include <string>
#include <vector>

#include "config/reader.h"
#include "plan/desired.h"

namespace stsctl::config {

/// A place in one of the files.
struct Place {
  Reader* reader = nullptr;
  Mark mark;
};

/// A value and where it was written.
template <class T>
struct Said {
  T value;
  Place place;
};

/// A part that may be left out, switched off (null), or on.
enum class Part { unsaid, off, on };

/// One layer; what it does not say is left to the layer outside.
struct Layer {
  std::optional<Said<std::string>> dns;
  std::optional<Said<std::string>> host;
  std::optional<Said<sts::Mode>> mode;
  std::optional<std::vector<sts::MxPattern>> mx;  ///< Own ones and the preset's.
  std::optional<Said<Duration>> max_age;
  std::optional<Said<std::string>> rollout;  ///< The name of one,
  Part rollout_part = Part::unsaid;          ///< if it is on.
  std::optional<Said<bool>> hold;
  std::optional<Said<std::int64_t>> stage;
  std::optional<Said<std::int64_t>> start;
  std::optional<std::vector<std::string>> rua;
  plan::Address address_value;
  std::optional<plan::IdStrategy> id_strategy;
  std::optional<std::string> fixed_id;
  plan::Ttls ttls;
  std::optional<plan::SenderKind> safety;
  std::optional<bool> takeover;
  std::optional<Duration> longest_max_age;
  std::optional<bool> retired;
  bool tlsrpt_retired = false;  ///< With `tlsrpt` on.
  Part policy = Part::unsaid;
  Part tlsrpt = Part::unsaid;
  Part address = Part::unsaid;
  bool mx_live = false;  ///< With `mx`: in place of any.
  bool faulty = false;   ///< Something in it was wrong and is reported: what is missing follows.
};

/// Reads a layer from the mapping of `defaults` or of a domain.
Layer read_layer(Reader& reader, const Node& mapping, std::string_view what);

/// `inner` over `outer`. A rollout takes the place of a mode and max_age that are said further out.
Layer merge(const Layer& outer, const Layer& inner);

}  // namespace stsctl::config
