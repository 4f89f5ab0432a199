#include "reports/mbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stsctl::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> mails(const std::string& text, std::size_t piece,
                               std::size_t most = 1000) {
  std::vector<std::string> found;
  MboxSplitter splitter(most, [&](const MboxMessage& message) {
    found.push_back(message.too_long ? "too long" : message.text);
  });
  for (std::size_t i = 0; i < text.size(); i += piece)
    splitter.feed(std::string_view(text).substr(i, piece));
  splitter.finish();
  return found;
}

const std::string two =
    "From a@example.net Thu Nov 20 2026\nA: 1\n\nFrom here on it is text\n>From quoted\n\n"
    "From MAILER-DAEMON\r\nB: 2\r\n\r\nbody\r\n\r\nFrom c\n";

TEST(Mbox, MailsBeginAtFromLinesHoweverItIsCut) {
  for (std::size_t piece = 1; piece < two.size() + 1; ++piece)
    EXPECT_THAT(mails(two, piece),
                ElementsAre("A: 1\n\n", ">From quoted\n\n", "B: 2\r\n\r\nbody\r\n\r\n", ""))
        << piece;
}

TEST(Mbox, AFromLineInsideATextIsText) {
  EXPECT_THAT(mails("From a\nA: 1\n\ntext\nFrom here\n Fro\nFrom", 3),
              ElementsAre("A: 1\n\ntext\nFrom here\n Fro\nFrom"));
}

TEST(Mbox, ALongMailIsToldAndLeftOut) {
  const std::string text = "From a\n" + std::string(2000, 'x') + "\n\nFrom b\nB: 2\n";
  for (const std::size_t piece : {1U, 7U, 64U, 5000U})
    EXPECT_THAT(mails(text, piece), ElementsAre("too long", "B: 2\n")) << piece;
}

TEST(Mbox, WhatComesBeforeTheFirstMailIsNone) {
  EXPECT_THAT(mails("", 1), IsEmpty());
  EXPECT_THAT(mails("text\n\nFrom a\nA: 1", 2), ElementsAre("A: 1"));
}

}  // namespace
}  // namespace stsctl::reports
