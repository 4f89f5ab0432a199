// What an SFTP server says from outside, and ssh's complaints: nothing crashes, no packet is taken
// from beyond its end, and what a packet is read as is what it says.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "providers/sftp/login.h"
#include "providers/sftp/packet.h"
#include "providers/sftp/trouble.h"

namespace sftp = stsctl::providers::sftp;

namespace {

void require(bool law) {
  if (!law) std::abort();
}

// An answer is a part of its packet, and told in words.
void check_answer(std::string_view packet) {
  const auto numbered = sftp::read_answer(packet);
  if (!numbered) return require(numbered.error().code == stsctl::Code::protocol);
  const sftp::Answer& answer = numbered->answer;
  require(packet.size() >= 5 + answer.text.size());
  require(packet.find(answer.text) != std::string_view::npos);
  require(static_cast<std::uint8_t>(packet[0]) == static_cast<std::uint8_t>(answer.type));
  const sftp::Handle handle{"h", "/f"};
  int kinds = 0;
  for (const sftp::Request& request : {sftp::Request::open("/f"), sftp::Request::read(handle, 0),
                                       sftp::Request::fstat(handle), sftp::Request::close(handle)})
    kinds += sftp::fits(request, answer) ? 1 : 0;
  require(answer.type == sftp::Type::status || kinds <= 1);
  if (answer.type != sftp::Type::status) return;
  const auto done = sftp::done(answer, "read the file", "/f");
  require(done.has_value() == (answer.status == sftp::Status::ok));
  require(done || done.error().what.find('\x1b') == std::string::npos);
}

// As a session takes it: packet after packet, the rest waits for more.
void check_stream(std::string_view said) {
  while (true) {
    const auto packet = sftp::first_packet(said);
    if (!packet) return require(packet.error().code == stsctl::Code::protocol);
    if (!*packet) return require(said.size() < 4 + sftp::longest_packet);
    require(!(*packet)->empty() && (*packet)->size() <= said.size() - 4);
    // A byte less, and it is not there.
    require(!sftp::first_packet(said.substr(0, 3 + (*packet)->size()))->has_value());
    check_answer(**packet);
    static_cast<void>(sftp::read_greeting(**packet));
    said.remove_prefix(4 + (*packet)->size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  check_stream(text);
  check_answer(text);
  const auto greeting = sftp::read_greeting(text);
  require(greeting || !greeting.error().what.empty());
  require(!sftp::login_problem(text, {.host = "h"}).what.empty());
  return 0;
}
