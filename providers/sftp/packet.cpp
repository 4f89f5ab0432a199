#include "providers/sftp/packet.h"

#include <utility>

#include <fmt/format.h>

namespace stsctl::providers::sftp {

namespace {

constexpr std::uint32_t our_version = 3;
constexpr std::size_t length_bytes = 4;
constexpr std::size_t longest_handle = 256;  // §6.3

constexpr std::uint32_t open_to_read = 0x01;                      // §6.3
constexpr std::uint32_t open_to_write_anew = 0x02 | 0x08 | 0x10;  // write, create, truncate

// Which attributes follow (§5).
constexpr std::uint32_t has_size = 0x01;
constexpr std::uint32_t has_owner = 0x02;
constexpr std::uint32_t has_mode = 0x04;
constexpr std::uint32_t has_times = 0x08;
constexpr std::uint32_t has_more = 0x80000000;
constexpr std::uint32_t known_flags = has_size | has_owner | has_mode | has_times | has_more;

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Writer& number(std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
      out_ += static_cast<char>(value >> static_cast<unsigned>(shift));
    return *this;
  }
  Writer& big_number(std::uint64_t value) {
    return number(static_cast<std::uint32_t>(value >> 32U))
        .number(static_cast<std::uint32_t>(value));
  }
  Writer& text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_ += value;
    return *this;
  }
  Writer& mode(const std::optional<unsigned>& value) {
    return value ? number(has_mode).number(*value) : number(0);
  }

 private:
  std::string& out_;
};

// Takes fields from the beginning; once one is not there, nothing is.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte() { return static_cast<std::uint8_t>(unsigned_number(1)); }
  std::uint32_t number() { return static_cast<std::uint32_t>(unsigned_number(4)); }
  std::uint64_t big_number() { return unsigned_number(8); }
  std::string_view text() { return take(number()); }
  void refuse() { whole_ = false, rest_ = {}; }
  bool is_whole() const { return whole_; }
  bool is_at_end() const { return rest_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (count > rest_.size()) {
      refuse();
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t unsigned_number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (const char c : take(bytes))
      value = (value << 8U) | static_cast<unsigned char>(c);
    return value;
  }

  std::string_view rest_;
  bool whole_ = true;
};

Request about(Type type, const char* verb, const std::string& path) {
  Request request{.type = type, .fields = {}, .words = fmt::format("{} {}", verb, path)};
  Writer(request.fields).text(path);
  return request;
}

Request about(Type type, const char* verb, const Handle& handle) {
  Request request{.type = type, .fields = {}, .words = fmt::format("{} {}", verb, handle.path)};
  Writer(request.fields).text(handle.bytes);
  return request;
}

Request extended(const char* name, std::string words) {
  Request request{.type = Type::extended, .fields = {}, .words = std::move(words)};
  Writer(request.fields).text(name);
  return request;
}

std::optional<Type> answer_type(std::uint8_t byte) {
  for (const Type type : {Type::status, Type::handle, Type::data, Type::attributes})
    if (byte == static_cast<std::uint8_t>(type)) return type;
  return std::nullopt;
}

Attributes read_attributes(Reader& in) {
  Attributes attributes;
  const std::uint32_t flags = in.number();
  if ((flags & ~known_flags) != 0) in.refuse();
  if ((flags & has_size) != 0) attributes.size = in.big_number();
  if ((flags & has_owner) != 0) in.big_number();
  if ((flags & has_mode) != 0) attributes.mode = in.number();
  if ((flags & has_times) != 0) in.big_number();
  return attributes;
}

// Some servers leave the words out.
Answer read_status(Reader& in) {
  Answer answer{.type = Type::status, .status = static_cast<Status>(in.number()), .text = {}};
  if (!in.is_at_end()) answer.text = in.text();
  return answer;
}

}  // namespace

Request Request::open(const std::string& path) {
  Request request = about(Type::open, "open", path);
  Writer(request.fields).number(open_to_read).number(0);
  return request;
}

Request Request::create(const std::string& path, const std::optional<unsigned>& mode) {
  Request request = about(Type::open, "create", path);
  Writer(request.fields).number(open_to_write_anew).mode(mode);
  return request;
}

Request Request::read(const Handle& handle, std::uint64_t offset) {
  Request request = about(Type::read, "read", handle);
  Writer(request.fields).big_number(offset).number(longest_piece);
  return request;
}

Request Request::write(const Handle& handle, std::uint64_t offset, std::string_view piece) {
  Request request = about(Type::write, "write", handle);
  request.words += fmt::format(", {} bytes", piece.size());
  Writer(request.fields).big_number(offset).text(piece);
  return request;
}

Request Request::close(const Handle& handle) {
  return about(Type::close, "close", handle);
}

Request Request::stat(const std::string& path) {
  return about(Type::stat, "look at", path);
}

Request Request::fstat(const Handle& handle) {
  return about(Type::fstat, "look at", handle);
}

Request Request::chmod(const std::string& path, unsigned mode) {
  Request request = about(Type::setstat, "chmod", path);
  Writer(request.fields).mode(mode);
  return request;
}

Request Request::fchmod(const Handle& handle, unsigned mode) {
  Request request = about(Type::fsetstat, "chmod", handle);
  Writer(request.fields).mode(mode);
  return request;
}

Request Request::mkdir(const std::string& path, const std::optional<unsigned>& mode) {
  Request request = about(Type::mkdir, "mkdir", path);
  Writer(request.fields).mode(mode);
  return request;
}

Request Request::remove(const std::string& path) {
  return about(Type::remove, "remove", path);
}

Request Request::rmdir(const std::string& path) {
  return about(Type::rmdir, "rmdir", path);
}

Request Request::rename(const std::string& from, const std::string& to) {
  Request request = about(Type::rename, "rename to the new", to);
  request.fields.clear();
  Writer(request.fields).text(from).text(to);
  return request;
}

Request Request::replace(const std::string& from, const std::string& to) {
  Request request = extended("posix-rename@openssh.com", "rename over " + to);
  Writer(request.fields).text(from).text(to);
  return request;
}

Request Request::fsync(const Handle& handle) {
  Request request = extended("fsync@openssh.com", "flush " + handle.path);
  Writer(request.fields).text(handle.bytes);
  return request;
}

void append(std::string& packets, std::uint32_t id, const Request& request) {
  Writer out(packets);
  out.number(static_cast<std::uint32_t>(1 + length_bytes + request.fields.size()));
  packets += static_cast<char>(request.type);
  out.number(id);
  packets += request.fields;
}

void append_init(std::string& packets) {
  Writer out(packets);
  out.number(1 + length_bytes);
  packets += static_cast<char>(Type::init);
  out.number(our_version);
}

Result<std::optional<std::string_view>> first_packet(std::string_view said) {
  if (said.size() < length_bytes) return std::nullopt;
  const std::size_t length = Reader(said).number();
  if (length == 0 || length > longest_packet)
    return fail(Code::protocol, "the server does not speak SFTP");
  if (said.size() - length_bytes < length) return std::nullopt;
  return said.substr(length_bytes, length);
}

Result<Greeting> read_greeting(std::string_view packet) {
  Reader in(packet);
  const bool is_greeting = in.byte() == static_cast<std::uint8_t>(Type::version);
  const std::uint32_t version = in.number();
  if (!is_greeting || !in.is_whole())
    return fail(Code::protocol, "the server's greeting is not SFTP's");
  if (version != our_version)
    return fail(Code::unsupported,
                fmt::format("the server speaks version {} of SFTP, not {}", version, our_version));
  Greeting greeting;
  while (in.is_whole() && !in.is_at_end()) {
    const std::string_view name = in.text();
    const std::string_view revision = in.text();
    if (name == "posix-rename@openssh.com" && revision == "1") greeting.posix_rename = true;
    if (name == "fsync@openssh.com" && revision == "1") greeting.fsync = true;
  }
  if (!in.is_whole()) return fail(Code::protocol, "the server's greeting is cut short");
  return greeting;
}

Result<NumberedAnswer> read_answer(std::string_view packet) {
  Reader in(packet);
  NumberedAnswer numbered;
  Answer& answer = numbered.answer;
  const std::optional<Type> type = answer_type(in.byte());
  numbered.id = in.number();
  if (!type) in.refuse();
  answer.type = type.value_or(Type::status);
  switch (answer.type) {
    case Type::status:
      answer = read_status(in);
      break;
    case Type::attributes:
      answer.attributes = read_attributes(in);
      break;
    default:
      answer.text = in.text();
  }
  if (!in.is_whole()) return fail(Code::protocol, "the server's answer is none of SFTP's");
  return numbered;
}

bool fits(const Request& request, const Answer& answer) {
  const bool asks_for_something = request.type == Type::open || request.type == Type::read ||
                                  request.type == Type::stat || request.type == Type::fstat;
  switch (answer.type) {
    case Type::status:
      return answer.status != Status::ok || !asks_for_something;
    case Type::handle:
      return request.type == Type::open && answer.text.size() <= longest_handle;
    case Type::data:
      return request.type == Type::read && !answer.text.empty() &&
             answer.text.size() <= longest_piece;
    default:
      return request.type == Type::stat || request.type == Type::fstat;
  }
}

}  // namespace stsctl::providers::sftp
