#pragma once
// Small functions over ASCII text. Knows no protocol.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stsctl {

/// A-Z to a-z; every other byte stays.
std::string lower(std::string_view text);
/// Without blanks, tabs, CR and LF at both ends.
std::string_view trim(std::string_view text);
/// The pieces between `separator`s; "" gives one empty piece.
std::vector<std::string_view> split(std::string_view text, char separator);
/// The pieces with `separator` between them.
std::string join(const std::vector<std::string>& pieces, std::string_view separator);
/// The words of a command as a POSIX shell splits it: blanks between, '…', "…" and \ taken off,
/// nothing expanded; none if a quote stays open.
std::optional<std::vector<std::string>> shell_words(std::string_view command);
/// `text` with every `from`, which is not empty, replaced by `to`.
std::string replaced(std::string text, std::string_view from, std::string_view to);
/// The beginning of `text` with "…", if it is longer than `most` bytes; no UTF-8 sequence is split.
std::string shortened(std::string text, std::size_t most);
/// `text` with every byte of a control character (C1 too), DEL, bidirectional override and
/// ill-formed UTF-8 sequence written as \xNN, so that outside text cannot drive a terminal.
std::string printable(std::string_view text);
/// Is `text` well-formed UTF-8 (RFC 3629 §4)?
bool is_utf8(std::string_view text);
/// The candidate nearest to `word` by edit distance (insert, delete, replace, swap), if it is near
/// enough to be a likely slip: at most a third of the length, at least 1, and something in common.
/// Case is ignored.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string>& candidates);
/// Does `name` fit a shell-like glob of `*` (any run, dots included) and `?`? Case is ignored.
bool glob_matches(std::string_view glob, std::string_view name);

}  // namespace stsctl
