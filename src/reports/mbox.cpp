#include "reports/mbox.h"

#include <utility>

namespace stsctl::reports {

namespace {
constexpr std::string_view from_line = "From ";
}

void MboxSplitter::feed(std::string_view piece) {
  rest_ += piece;
  std::string_view view = rest_;
  while (!view.empty()) {
    const std::size_t end = view.find('\n');
    const bool complete = end != std::string_view::npos;
    // Too little to see whether it is a "From " line.
    if (at_line_start_ && !complete && view.size() < from_line.size()) break;
    const std::string_view line = complete ? view.substr(0, end + 1) : view;
    take(line, complete);
    view.remove_prefix(line.size());
  }
  rest_ = std::string(view);
}

void MboxSplitter::take(std::string_view line, bool complete) {
  if (at_line_start_ && after_blank_ && line.starts_with(from_line)) {
    emit();
    inside_ = in_from_line_ = true;
  } else if (!in_from_line_) {
    append(line);
  }
  after_blank_ = complete && at_line_start_ && (line == "\n" || line == "\r\n");
  at_line_start_ = complete;
  if (complete) in_from_line_ = false;
}

void MboxSplitter::append(std::string_view text) {
  if (!inside_ || message_.too_long) return;
  if (message_.text.size() + text.size() > most_)
    message_ = {.text = {}, .too_long = true};
  else
    message_.text += text;
}

void MboxSplitter::emit() {
  if (inside_) sink_(std::exchange(message_, {}));
  inside_ = false;
}

void MboxSplitter::finish() {
  if (!rest_.empty()) take(std::exchange(rest_, {}), false);
  emit();
}

}  // namespace stsctl::reports
