#pragma once
// Edits of a zone's text, collected as the smallest patches that make the wanted record sets. Knows
// nothing of whether the result is right: edit_zone() reads it to see. Pure.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "providers/zonefile/zone.h"

namespace stsctl::providers::zonefile {

class Editor {
 public:
  /// `zone` must outlive the editor.
  explicit Editor(const Zone& zone);

  /// Makes the record set that `edit` names equal to its `after`. Values that stay keep their line;
  /// lines of values that go are used for those that come. Code::unsupported for a set that a
  /// $GENERATE makes.
  Result<Done> apply(const plan::RecordEdit& edit);

  /// The serial after the SOA's (serial.h).
  Result<Done> bump_serial(Time now);

  bool changed() const;

  /// Records that would take owner or TTL from another one than before get their own; `result` is
  /// the zone as it would read now. False when there is nothing to do.
  bool pin(const Zone& result);

  /// The files that change, by path.
  std::map<std::string, std::string> texts() const;

 private:
  // Replaces bytes [begin, end) of one file.
  struct Patch {
    std::size_t begin;
    std::size_t end;
    std::string text;
    bool pins_owner = false;  // it belongs to the record that begins at `begin`
  };
  // How far the lines of one file have moved: by how much, from which place on.
  using Shifts = std::vector<std::pair<std::size_t, std::size_t>>;
  using Places = std::vector<Zone::Place>;

  static std::pair<std::size_t, std::size_t> key(const Zone::Place& place) {
    return {place.file, place.record};
  }
  const Places& at_owner(const std::string& owner) const;
  void patch(std::size_t file, std::size_t begin, std::size_t end, std::string text);
  std::string_view line_end(std::size_t file) const;

  Result<Done> not_generated(const dns::RecordSet& named) const;
  void make_equal(const dns::RecordSet& after, const Places& places);
  void set_ttl(const Zone::Place& place, std::chrono::seconds ttl);
  void rewrite(const Zone::Place& place, const dns::RecordSet& after, const std::string& value);
  void remove(const Zone::Place& place);
  void insert(const dns::Name& owner, const Places& places, std::string lines);
  std::optional<Zone::Place> last_sibling(const dns::Name& owner) const;
  bool leaves_the_next_alone(const Zone::Place& place) const;

  std::vector<Shifts> shifts() const;
  const Record* moved(const Zone::Place& place, const std::vector<Shifts>& shifts,
                      const Zone& result) const;
  std::string patched(std::size_t file) const;

  const Zone& zone_;
  std::unordered_map<std::string, Places> places_;
  std::vector<std::vector<Patch>> patches_;
  std::set<std::pair<std::size_t, std::size_t>> replaced_;  // lines removed, or rewritten whole
  std::set<std::pair<std::size_t, std::size_t>> ttl_set_;   // records whose TTL is stated now
};

}  // namespace stsctl::providers::zonefile
