#pragma once
// An SFTP server in memory at the other end of `ssh -s`, which does what the draft allows and real
// servers seldom do: it answers in any order and in pieces, and knows few requests. It reads
// packets by itself, so that it judges those that are sent.

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "io/process.h"

namespace stsctl::fakes {

/// What is stored, and how the server behaves.
struct FakeSftp {
  std::map<std::string, std::string> files;
  std::set<std::string> folders{"/www"};
  std::map<std::string, unsigned> modes;

  std::string greeting = packet("\x02" + number(3) + text("posix-rename@openssh.com") + text("1"));
  bool replaces = true;  ///< Knows posix-rename@openssh.com.
  bool shows_attributes = true;
  bool opens_first = false;  ///< Of what came at once, opens files before it makes folders.
  std::size_t longest_answer = 32768;  ///< To a read.
  std::string refused;                 ///< Verbs it refuses: the letters of their types.
  /// What it says in place of its n-th answer, and ends; less than 0: nothing.
  std::string last_words;
  int answers_until_last_words = -1;

  std::size_t most_waiting = 0;  ///< Requests that were unanswered at once.
  std::size_t requests = 0;
  int sessions = 0;

  static std::string number(std::uint32_t value) {
    std::string out;
    for (const unsigned shift : {24U, 16U, 8U, 0U})
      out += static_cast<char>(value >> shift);
    return out;
  }
  static std::string text(const std::string& value) {
    return number(static_cast<std::uint32_t>(value.size())) + value;
  }
  static std::string packet(const std::string& content) { return text(content); }
};

/// One session with it.
class FakeSftpDialogue final : public io::Dialogue {
 public:
  explicit FakeSftpDialogue(FakeSftp& server) : server_(server) { ++server_.sessions; }

  io::Turn exchange(std::string& outgoing, std::string& incoming, Duration /*silence*/,
                    const std::stop_token& stop) override {
    if (stop.stop_requested()) return io::Turn::cancelled;
    if (ended_) return io::Turn::ended;
    receive(std::exchange(outgoing, {}));
    if (rest_.empty()) choose();
    if (rest_.empty()) return ended_ ? io::Turn::ended : io::Turn::silent;
    const std::size_t count = std::uniform_int_distribution<std::size_t>(1, rest_.size())(random_);
    incoming += rest_.substr(0, count);
    rest_.erase(0, count);
    return io::Turn::heard;
  }
  const std::string& errors() const override { return errors_; }
  int status() const override { return 255; }

 private:
  struct Request {
    char type;
    std::uint32_t id;
    std::string fields;
  };
  enum Status : std::uint32_t {
    ok = 0,
    end_of_file = 1,
    no_such_file = 2,
    failure = 4,
    unknown = 8
  };

  // Takes fields off the beginning.
  static std::uint32_t take_number(std::string& bytes) {
    if (bytes.size() < 4) throw std::runtime_error("a packet that is cut short");
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i)
      value = value << 8U | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    bytes.erase(0, 4);
    return value;
  }
  static std::string take_text(std::string& bytes) {
    const std::uint32_t size = take_number(bytes);
    if (bytes.size() < size) throw std::runtime_error("a packet that is cut short");
    std::string value = bytes.substr(0, size);
    bytes.erase(0, size);
    return value;
  }
  static unsigned take_mode(std::string& bytes) {
    return take_number(bytes) == 4 ? take_number(bytes) : 0666;
  }

  void receive(std::string bytes) {
    std::vector<Request> requests;
    while (!bytes.empty()) {
      std::string packet = take_text(bytes);
      const char type = packet.at(0);
      packet.erase(0, 1);
      const std::uint32_t id = take_number(packet);
      if (type == 1)
        rest_ += server_.greeting;
      else
        requests.push_back({type, id, packet});
    }
    if (server_.opens_first)
      std::ranges::stable_partition(requests, [](const Request& one) { return one.type == 3; });
    server_.requests += requests.size();
    for (const Request& one : requests)
      waiting_.push_back(answer(one));
    server_.most_waiting = std::max(server_.most_waiting, waiting_.size());
  }

  void choose() {
    if (waiting_.empty()) return;
    if (server_.answers_until_last_words-- == 0) {
      rest_ = server_.last_words;
      ended_ = rest_.empty();
      waiting_.clear();
      return;
    }
    const auto one = waiting_.begin() + std::uniform_int_distribution<std::ptrdiff_t>(
                                            0, std::ssize(waiting_) - 1)(random_);
    rest_ = std::move(*one);
    waiting_.erase(one);
  }

  static std::string status(std::uint32_t id, std::uint32_t code) {
    return FakeSftp::packet("\x65" + FakeSftp::number(id) + FakeSftp::number(code) +
                            FakeSftp::text("words") + FakeSftp::text(""));
  }
  static std::string with_text(char type, std::uint32_t id, const std::string& value) {
    return FakeSftp::packet(type + FakeSftp::number(id) + FakeSftp::text(value));
  }

  std::string answer(Request request) {
    if (server_.refused.find(request.type) != std::string::npos) return status(request.id, failure);
    const std::string subject = take_text(request.fields);
    switch (request.type) {
      case 3:
        return open(request, subject);
      case 5:
        return read(request, subject);
      case 6:
        return status(request.id, write(request, subject));
      case 8:
      case 17:
        return look(request, subject);
      default:
        return status(request.id, change(request, subject));
    }
  }

  std::string open(Request& request, const std::string& path) {
    const std::uint32_t flags = take_number(request.fields);
    const bool creates = (flags & 8U) != 0;
    if (!creates && !server_.files.contains(path)) return status(request.id, no_such_file);
    if (!server_.folders.contains(path.substr(0, path.rfind('/'))))
      return status(request.id, no_such_file);
    if (creates) server_.files[path].clear(), server_.modes[path] = take_mode(request.fields);
    return with_text('\x66', request.id, path);  // a handle is its path here
  }

  std::string read(Request& request, const std::string& path) const {
    take_number(request.fields);
    const std::size_t at = take_number(request.fields);
    const std::size_t most =
        std::min<std::size_t>(take_number(request.fields), server_.longest_answer);
    const std::string& file = server_.files.at(path);
    if (at >= file.size()) return status(request.id, end_of_file);
    return with_text('\x67', request.id, file.substr(at, most));
  }

  std::uint32_t write(Request& request, const std::string& path) {
    take_number(request.fields);
    const std::size_t at = take_number(request.fields);
    std::string& file = server_.files.at(path);
    if (at != file.size()) throw std::runtime_error("a piece in the wrong place");
    file += take_text(request.fields);
    return ok;
  }

  std::string look(const Request& request, const std::string& path) const {
    const bool is_folder = server_.folders.contains(path);
    if (!is_folder && !server_.files.contains(path)) return status(request.id, no_such_file);
    const std::string head = "\x69" + FakeSftp::number(request.id);
    if (!server_.shows_attributes) return FakeSftp::packet(head + FakeSftp::number(0));
    const auto size = static_cast<std::uint32_t>(is_folder ? 0 : server_.files.at(path).size());
    return FakeSftp::packet(head + FakeSftp::number(5) + FakeSftp::number(0) +
                            FakeSftp::number(size) +
                            FakeSftp::number(is_folder ? 040755 : 0100644));
  }

  std::uint32_t change(Request& request, const std::string& path) {
    switch (request.type) {
      case 4:
        return ok;
      case 9:
      case 10:
        server_.modes[path] = take_mode(request.fields);
        return ok;
      case 13:
        return server_.files.erase(path) == 1 ? ok : no_such_file;
      case 14:
        if (!server_.folders.contains(path.substr(0, path.rfind('/')))) return no_such_file;
        return server_.folders.insert(path).second ? ok : failure;
      case 15:
        return remove_folder(path);
      case 18: {
        const std::string target = take_text(request.fields);
        return server_.files.contains(target) ? failure : rename(path, target);
      }
      case '\xc8': {
        if (path != "posix-rename@openssh.com" || !server_.replaces) return unknown;
        const std::string from = take_text(request.fields);
        return rename(from, take_text(request.fields));
      }
      default:
        return unknown;
    }
  }

  std::uint32_t remove_folder(const std::string& path) {
    const auto is_inside = [&](const auto& one) { return one.starts_with(path + "/"); };
    if (std::ranges::any_of(server_.folders, is_inside)) return failure;
    for (const auto& [file, body] : server_.files)
      if (is_inside(file)) return failure;
    return server_.folders.erase(path) == 1 ? ok : no_such_file;
  }

  std::uint32_t rename(const std::string& from, const std::string& to) {
    if (!server_.files.contains(from)) return no_such_file;
    server_.files[to] = server_.files.at(from);
    server_.files.erase(from);
    return ok;
  }

  FakeSftp& server_;
  std::vector<std::string> waiting_;
  std::string rest_;  ///< Of the packet that is being said.
  std::string errors_;
  bool ended_ = false;
  std::mt19937 random_{7};  // NOLINT(bugprone-random-generator-seed): the same each time
};

/// A Process whose every program is a session with `server`.
class FakeSftpProcess final : public io::Process {
 public:
  explicit FakeSftpProcess(FakeSftp& server) : server_(server) {}
  Result<io::Exit> run(const std::vector<std::string>& argv, const std::string& /*input*/,
                       Duration /*deadline*/) override {
    return fail(Code::not_found, "nothing is run here", argv.front());
  }
  Result<std::unique_ptr<io::Dialogue>> start(const std::vector<std::string>& /*argv*/) override {
    return std::make_unique<FakeSftpDialogue>(server_);
  }

 private:
  FakeSftp& server_;
};

}  // namespace stsctl::fakes
