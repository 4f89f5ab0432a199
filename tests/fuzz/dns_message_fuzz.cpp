// Answers of name servers, from whoever sends them.

#include <cstdlib>
#include <span>

#include "io/dns_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stsctl;
  if (size < 3) return 0;
  static const dns::Name name = *dns::Name::parse("a.example");
  const auto id = static_cast<std::uint16_t>(data[0] << 8U | data[1]);
  for (const io::Question question : {io::Question::a, io::Question::txt, io::Question::mx}) {
    const auto answer = io::read_answer(std::span(data, size), name, question, id);
    // What is read has values exactly when it says so.
    if (answer && !answer->truncated &&
        (answer->answer.kind == io::DnsAnswer::Kind::records) == answer->answer.values.empty())
      std::abort();
  }
  return 0;
}
