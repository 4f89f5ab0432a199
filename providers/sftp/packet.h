#pragma once
// Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), as far as whole files need them, with
// OpenSSH's extensions (its PROTOCOL, section 4). Pure: knows no connection.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stsctl::providers::sftp {

/// What begins a packet (§3).
enum class Type : std::uint8_t {
  init = 1,
  version = 2,
  open = 3,
  close = 4,
  read = 5,
  write = 6,
  fstat = 8,
  setstat = 9,
  fsetstat = 10,
  remove = 13,
  mkdir = 14,
  rmdir = 15,
  stat = 17,
  rename = 18,
  status = 101,
  handle = 102,
  data = 103,
  attributes = 105,
  extended = 200,
};

/// What a Status packet says (§7). Servers may send other numbers.
enum class Status : std::uint32_t {
  ok = 0,
  end_of_file = 1,
  no_such_file = 2,
  permission_denied = 3,
  failure = 4,  ///< Disk full, file exists, folder not empty, …
  bad_message = 5,
  no_connection = 6,
  connection_lost = 7,
  unsupported = 8,
};

/// What every server can read and send at once (§3: packets of 34,000 bytes).
inline constexpr std::size_t longest_piece = 32768;
/// A longer packet is none: what OpenSSH allows itself.
inline constexpr std::size_t longest_packet = std::size_t{256} * 1024;

/// An open file.
struct Handle {
  std::string bytes;  ///< As the server calls it.
  std::string path;   ///< For people.
};

/// One request but for its id. A mode that is not given is left to the server, which takes its
/// umask from one that is.
struct Request {
  Type type;
  std::string fields;  ///< What follows the id.
  std::string words;   ///< For people: "mkdir /www/mta-sts.example.com"; never the content.

  static Request open(const std::string& path);
  /// Empties what was there.
  static Request create(const std::string& path, const std::optional<unsigned>& mode);
  static Request read(const Handle& handle, std::uint64_t offset);
  static Request write(const Handle& handle, std::uint64_t offset, std::string_view piece);
  static Request close(const Handle& handle);
  static Request stat(const std::string& path);
  static Request fstat(const Handle& handle);
  static Request chmod(const std::string& path, unsigned mode);
  static Request fchmod(const Handle& handle, unsigned mode);
  static Request mkdir(const std::string& path, const std::optional<unsigned>& mode);
  static Request remove(const std::string& path);
  static Request rmdir(const std::string& path);
  /// Of OpenSSH: makes a link, and so fails where something stands.
  static Request rename(const std::string& from, const std::string& to);
  /// posix-rename@openssh.com: over whatever stands there, atomically.
  static Request replace(const std::string& from, const std::string& to);
  /// fsync@openssh.com
  static Request fsync(const Handle& handle);
};

/// Appends the packet of `request`.
void append(std::string& packets, std::uint32_t id, const Request& request);
/// Appends what begins a session.
void append_init(std::string& packets);

/// The first packet of what the server said, without its length; none while it is not all there.
/// Code::protocol when it is no packet, or a longer one than longest_packet.
Result<std::optional<std::string_view>> first_packet(std::string_view said);

/// What the server can do.
struct Greeting {
  bool posix_rename = false;
  bool fsync = false;
  bool operator==(const Greeting&) const = default;
};
/// Code::protocol when it is no greeting; unsupported for a version other than 3.
Result<Greeting> read_greeting(std::string_view packet);

/// What is known about a file (§5); the rest of the packet is of no interest.
struct Attributes {
  std::optional<std::uint64_t> size;
  std::optional<std::uint32_t> mode;  ///< With the kind of file, as in stat(2).
  bool operator==(const Attributes&) const = default;
};

struct Answer {
  Type type = Type::status;  ///< status, handle, data or attributes.
  Status status = Status::ok;
  std::string text;  ///< The handle, the data, or the words of a status.
  Attributes attributes = {};
  bool operator==(const Answer&) const = default;
};

struct NumberedAnswer {
  std::uint32_t id = 0;
  Answer answer;
  bool operator==(const NumberedAnswer&) const = default;
};
/// Code::protocol when it is no answer.
Result<NumberedAnswer> read_answer(std::string_view packet);

/// Can `answer` be one to `request`?
bool fits(const Request& request, const Answer& answer);

}  // namespace stsctl::providers::sftp
