#include "reports/inbox.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "reports/authentication.h"
#include "reports/gunzip.h"
#include "reports/mail.h"
#include "reports/mbox.h"

namespace stsctl::reports {

namespace {

constexpr std::size_t piece_size = std::size_t{64} << 10U;
constexpr std::size_t deepest_folder = 32;
constexpr std::size_t raw_kept = std::size_t{64} << 10U;

enum class Kind { gzip, json, mbox, mail, unknown };

// Does a text begin with a header line, as a mail does (RFC 5322 §2.2)?
bool begins_as_mail(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  const std::string_view name = line.substr(0, line.find(':'));
  return name.size() < line.size() && !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7F; });
}

Kind kind_of(std::string_view text) {
  if (is_gzip(text)) return Kind::gzip;
  if (text.starts_with("From ")) return Kind::mbox;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  const std::string_view inner = trim(text);
  if (inner.starts_with('{') || inner.starts_with('[')) return Kind::json;
  return begins_as_mail(text) ? Kind::mail : Kind::unknown;
}

// Does a file's name say that it is to be a report?
bool named_as_report(const std::string& path) {
  const std::string name = lower(path);
  return std::ranges::any_of(std::array{".json", ".gz", ".eml", ".mbox"},
                             [&](const char* end) { return name.ends_with(end); });
}

// The rest of an input after `text`, up to `most` bytes in all.
Result<std::string> read_rest(io::Input& input, std::string text, std::size_t most) {
  while (true) {
    Result<std::string> piece = input.read(piece_size);
    if (!piece) return piece;
    if (piece->empty()) return text;
    if (piece->size() > most - std::min(most, text.size()))
      return fail(Code::invalid, fmt::format("it is longer than {} bytes", most));
    text += *piece;
  }
}

}  // namespace

Result<Done> Inbox::read(const std::string& path) {
  const Result<io::FileState> state = files_.state(path);
  if (!state) return fail(state);
  return state->is_folder ? folder(path, {*state}) : file(path, true);
}

Result<Done> Inbox::folder(const std::string& path, std::vector<io::FileState> chain) {
  const Result<std::vector<std::string>> names = files_.list(path);
  if (!names) return fail(names);
  const bool maildir =
      std::ranges::binary_search(*names, "cur") && std::ranges::binary_search(*names, "new");
  for (const std::string& name : *names) {
    if (stopped()) break;
    if (maildir && name == "tmp") continue;  // mails that are not whole yet
    const std::string below = fmt::format("{}/{}", path, name);
    const Result<io::FileState> state = files_.state(below);
    Result<Done> done = state ? Result<Done>(Done{}) : fail(state);
    if (state && !state->is_folder) {
      done = file(below, false);
    } else if (state && std::ranges::find(chain, *state) == chain.end()) {
      if (chain.size() == deepest_folder) {
        done =
            fail(Code::invalid, fmt::format("folders are nested deeper than {}", deepest_folder));
      } else {
        chain.push_back(*state);
        done = folder(below, chain);
        chain.pop_back();
      }
    }
    // A mail that a mail program moves away while we read is none of ours.
    if (!done && done.error().code != Code::not_found) broken(below, done.error(), {});
  }
  return Done{};
}

Result<Done> Inbox::file(const std::string& path, bool named) {
  Result<std::unique_ptr<io::Input>> input = files_.open(path);
  if (!input) {
    // Sockets and the like in a folder.
    if (named || input.error().code != Code::invalid) return fail(input);
    ++counts_.left_out;
    return Done{};
  }
  Result<std::string> begin = (*input)->read(piece_size);
  if (!begin) return fail(begin);
  const Kind kind = kind_of(*begin);
  if (kind == Kind::unknown && !named && !named_as_report(path)) {
    ++counts_.left_out;
    return Done{};
  }
  if (kind == Kind::mbox) return mbox(path, **input, std::move(*begin));
  const std::string kept = begin->substr(0, raw_kept);
  Result<std::string> text = read_rest(**input, std::move(*begin), options_.longest_mail);
  if (text)
    read_text(path, std::move(*text));
  else
    broken(path, text.error(), kept);
  return Done{};
}

void Inbox::read_text(const std::string& source, std::string text) {
  switch (kind_of(text)) {
    case Kind::gzip:
    case Kind::json:
      return report({.source = source, .json = {}, .raw = {}, .signer = {}}, std::move(text));
    case Kind::mail:
      return mail(source, std::move(text));
    case Kind::mbox: {
      std::size_t number = 0;
      MboxSplitter splitter(options_.longest_mail, [&](MboxMessage message) {
        mail(fmt::format("{}, mail {}", source, ++number), std::move(message.text));
      });
      splitter.feed(text);
      return splitter.finish();
    }
    case Kind::unknown:
      break;
  }
  const char* why =
      trim(text).empty() ? "it is empty" : "it is neither JSON nor gzip, mail or mbox";
  broken(source, {Code::invalid, why, {}, {}}, std::move(text));
}

Result<Done> Inbox::mbox(const std::string& path, io::Input& input, std::string piece) {
  std::size_t number = 0;
  MboxSplitter splitter(options_.longest_mail, [&](MboxMessage message) {
    const std::string source = fmt::format("{}, mail {}", path, ++number);
    if (stopped()) return;
    if (!message.too_long) return mail(source, std::move(message.text));
    ++counts_.mails;
    broken(
        source,
        {Code::invalid, fmt::format("it is longer than {} bytes", options_.longest_mail), {}, {}},
        {});
  });
  while (!piece.empty() && !stopped()) {
    splitter.feed(piece);
    Result<std::string> next = input.read(piece_size);
    if (!next) return fail(next);
    piece = std::move(*next);
  }
  if (!stopped()) splitter.finish();
  return Done{};
}

void Inbox::mail(const std::string& source, std::string text) {
  ++counts_.mails;
  Result<Mail> mail = read_mail(text);
  if (!mail) return broken(source, mail.error(), std::move(text));
  std::string().swap(text);  // large ones make room for what they carry
  if (mail->attachments.empty()) ++counts_.without_report;
  std::optional<dns::Name> signer;
  if (mail->from)
    signer = verified_signer(mail->authentication_results, options_.authserv_ids, *mail->from);
  for (Attachment& attachment : mail->attachments) {
    if (stopped()) return;
    report(
        {.source = source, .json = {}, .raw = {}, .signer = signer, .domain = mail->report_domain},
        std::move(attachment.content));
  }
}

void Inbox::report(Arrival arrival, std::string content) {
  if (!is_gzip(content)) {
    arrival.json = std::move(content);
    return hand_over(std::move(arrival));
  }
  arrival.json = gunzip(content, options_.longest_report);
  if (!arrival.json) arrival.raw = content.substr(0, raw_kept);
  std::string().swap(content);
  hand_over(std::move(arrival));
}

void Inbox::broken(const std::string& source, Error why, std::string raw) {
  if (raw.size() > raw_kept) raw.resize(raw_kept);
  hand_over({.source = source,
             .json = std::unexpected(std::move(why)),
             .raw = std::move(raw),
             .signer = {}});
}

void Inbox::hand_over(Arrival arrival) {
  arrival.source = printable(arrival.source);
  if (!stopped() && !sink_(std::move(arrival))) stopped_ = true;
}

}  // namespace stsctl::reports
