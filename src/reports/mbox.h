#pragma once
// Mail after mail in one text (RFC 4155), however long. Knows no mail's inside.

#include <functional>
#include <string>
#include <string_view>

namespace stsctl::reports {

/// One mail of an mbox.
struct MboxMessage {
  std::string text;       ///< Without its "From " line; empty when it is too long.
  bool too_long = false;  ///< It had more bytes than are kept of one.
};

/// Takes an mbox piece by piece and hands over each mail as soon as it ends. A mail begins with a
/// "From " line at the beginning or after an empty line. Holds one mail of at most `most` bytes.
class MboxSplitter {
 public:
  using Sink = std::function<void(MboxMessage message)>;
  MboxSplitter(std::size_t most, Sink sink) : most_(most), sink_(std::move(sink)) {}

  void feed(std::string_view piece);
  /// The text has ended: hands over the last mail.
  void finish();

 private:
  void take(std::string_view line, bool complete);
  void append(std::string_view text);
  void emit();

  std::size_t most_;
  Sink sink_;
  std::string rest_;  // too short to tell what line it begins
  MboxMessage message_;
  bool inside_ = false;  // a mail has begun
  bool at_line_start_ = true;
  bool after_blank_ = true;  // the last line was empty, or there was none
  bool in_from_line_ = false;
};

}  // namespace stsctl::reports
