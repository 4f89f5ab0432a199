// Answers that no well-behaved server sends, byte for byte.

#include "io/dns_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint16_t id = 0x1234;

dns::Name name(const std::string& text) {
  return *dns::Name::parse(text);
}

// Builds a message as RFC 1035 §4.1 lays it out.
class Message {
 public:
  explicit Message(std::uint16_t flags, std::uint16_t message_id = id) {
    for (const std::uint16_t word : {message_id, flags, std::uint16_t{1}, std::uint16_t{0},
                                     std::uint16_t{0}, std::uint16_t{0}})
      number(word);
  }

  Message& question(const std::string& owner, Question type) {
    labels(owner);
    number(static_cast<std::uint16_t>(type));
    number(1);
    return *this;
  }

  Message& cname(const std::string& owner, const std::string& target) {
    std::size_t size = target.size() + 2;
    labels(owner);
    for (const std::uint16_t word :
         {std::uint16_t{5}, std::uint16_t{1}, std::uint16_t{0}, std::uint16_t{300}})
      number(word);
    number(static_cast<std::uint16_t>(size));
    labels(target);
    ++bytes[7];
    return *this;
  }

  DnsMessage bytes;

 private:
  void number(std::uint16_t value) {
    bytes.push_back(static_cast<std::uint8_t>(value >> 8U));
    bytes.push_back(static_cast<std::uint8_t>(value & 0xFFU));
  }

  void labels(std::string owner) {
    while (!owner.empty()) {
      const std::string label = owner.substr(0, owner.find('.'));
      owner.erase(0, label.size() + 1);
      bytes.push_back(static_cast<std::uint8_t>(label.size()));
      bytes.insert(bytes.end(), label.begin(), label.end());
    }
    bytes.push_back(0);
  }
};

constexpr std::uint16_t answer_flags = 0x8180;  // QR, RD, RA

Result<ReadAnswer> read(const Message& message) {
  return read_answer(message.bytes, name("a.example"), Question::a, id);
}

TEST(ReadAnswer, RejectsWhatIsNoAnswerToTheQuery) {
  struct Case {
    const char* name;
    DnsMessage message;
  };
  Message good(answer_flags);
  good.question("a.example", Question::a);
  ASSERT_TRUE(read(good)) << "the others differ from this in one thing";
  DnsMessage cut = good.bytes;
  cut.pop_back();
  for (const Case& one : std::vector<Case>{
           {"empty", {}},
           {"a header cut off", {0x12, 0x34, 0x81}},
           {"cut off", cut},
           {"another id", Message(answer_flags, 0x4321).question("a.example", Question::a).bytes},
           {"a question", Message(0x0100).question("a.example", Question::a).bytes},
           {"another name", Message(answer_flags).question("b.example", Question::a).bytes},
           {"another type", Message(answer_flags).question("a.example", Question::mx).bytes}}) {
    const auto answer = read_answer(one.message, name("a.example"), Question::a, id);
    ASSERT_FALSE(answer) << one.name;
    EXPECT_EQ(answer.error().code, Code::protocol) << one.name;
  }
}

TEST(ReadAnswer, IgnoresTheCaseOfNames) {
  Message message(answer_flags);
  message.question("A.Example", Question::a).cname("a.eXample", "B.example");
  const auto answer = read(message);
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->answer.aliases, ElementsAre("b.example"));
  EXPECT_EQ(answer->answer.kind, DnsAnswer::Kind::no_data);
}

TEST(ReadAnswer, EndsACircleOfAliases) {
  Message message(answer_flags);
  message.question("a.example", Question::a)
      .cname("a.example", "b.example")
      .cname("b.example", "a.example");
  const auto answer = read(message);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::protocol);
  EXPECT_THAT(answer.error().what, HasSubstr("circle"));
}

TEST(ReadAnswer, EndsAnEndlessChainOfAliases) {
  Message message(answer_flags);
  message.question("a.example", Question::a).cname("a.example", "n0.example");
  for (int i = 0; i < 40; ++i)
    message.cname("n" + std::to_string(i) + ".example", "n" + std::to_string(i + 1) + ".example");
  EXPECT_FALSE(read(message));
}

TEST(ReadAnswer, NamesTheFailure) {
  for (const auto& [rcode, word] : std::vector<std::pair<std::uint16_t, std::string>>{
           {1, "FORMERR"}, {2, "SERVFAIL"}, {5, "REFUSED"}}) {
    Message message(static_cast<std::uint16_t>(answer_flags | rcode));
    message.question("a.example", Question::a);
    const auto answer = read(message);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::unreachable);
    EXPECT_THAT(answer.error().what, HasSubstr(word));
  }
}

TEST(ReadAnswer, SeesThatItIsCutOff) {
  Message message(answer_flags | 0x0200U);
  message.question("a.example", Question::a);
  const auto answer = read(message);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->truncated);
}

TEST(MakeQuery, IsReadAsTheQuestionItAsks) {
  DnsMessage query = make_query(name("a.example"), Question::a, {.id = id});
  ASSERT_GT(query.size(), 12);
  EXPECT_EQ(query[2] & 0x01U, 1U) << "recursion desired";
  EXPECT_EQ(make_query(name("a.example"), Question::a, {.id = id, .recursion = false})[2] & 0x01U,
            0U);
  query[2] |= 0x80U;
  EXPECT_TRUE(read_answer(query, name("a.example"), Question::a, id));
}

}  // namespace
}  // namespace stsctl::io
