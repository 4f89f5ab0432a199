#pragma once
// Reports out of files, mails, mailboxes and folders.

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/name.h"
#include "io/files.h"

namespace stsctl::reports {

/// One report as it arrived, or what should have been one.
struct Arrival {
  std::string source;        ///< "mail/inbox.mbox, mail 3": for people.
  Result<std::string> json;  ///< Inflated; the reason when there is none.
  std::string raw;           ///< The beginning of what arrived, when `json` has none.
  /// Who signed the mail it came by, as a trusted server found (authentication.h); none:
  /// unverified.
  std::optional<dns::Name> signer;
  /// What the mail says that it is about; a hint for reports that leave it out.
  std::optional<dns::Name> domain = {};
};

struct InboxOptions {
  /// The authserv-ids of servers whose Authentication-Results are believed.
  std::vector<std::string> authserv_ids = {};
  /// The longest mail, and the longest report once inflated, in bytes.
  std::size_t longest_mail = std::size_t{12} << 20U;
  std::size_t longest_report = std::size_t{8} << 20U;
  std::stop_token stop = {};
};

/// What was seen beside reports.
struct InboxCounts {
  std::size_t mails = 0;           ///< Mails that were read.
  std::size_t without_report = 0;  ///< Those of them that carry none.
  std::size_t left_out = 0;        ///< Files in folders that are nothing of the kind.
};

/// Reads paths one after the other, in the order of their names, and hands over each report as it
/// is found. Holds one mail and one report at a time.
class Inbox {
 public:
  /// False: enough, read no more.
  using Sink = std::function<bool(Arrival arrival)>;
  Inbox(io::Files& files, InboxOptions options, Sink sink)
      : files_(files), options_(std::move(options)), sink_(std::move(sink)) {}

  /// A file is told by its content: JSON, gzip of JSON, a mail, or an mbox. A folder is read with
  /// all below it, Maildirs without their tmp; files in it that are none of these are left out.
  /// Links that lead back to a folder they are in are not followed. An error only where `path`
  /// itself cannot be read; what cannot be read below it becomes an Arrival with the reason.
  Result<Done> read(const std::string& path);
  /// The same for one text that is there already, such as standard input.
  void read_text(const std::string& source, std::string text);

  const InboxCounts& counts() const { return counts_; }

 private:
  bool stopped() const { return stopped_ || options_.stop.stop_requested(); }
  Result<Done> folder(const std::string& path, std::vector<io::FileState> chain);
  Result<Done> file(const std::string& path, bool named);
  Result<Done> mbox(const std::string& path, io::Input& input, std::string piece);
  void mail(const std::string& source, std::string text);
  void report(Arrival arrival, std::string content);
  void broken(const std::string& source, Error why, std::string raw);
  void hand_over(Arrival arrival);

  io::Files& files_;
  InboxOptions options_;
  Sink sink_;
  InboxCounts counts_;
  bool stopped_ = false;
};

}  // namespace stsctl::reports
