// TLSA records against the certificates that a mail host shows.

#include "engine/dane.h"

#include <gtest/gtest.h>

#include "base/digest.h"

namespace stsctl::engine {
namespace {

const io::TlsFacts shown{
    .shown = true, .named = true, .chain = {{"leaf", "leaf's key"}, {"issuer", "issuer's key"}}};

std::string record(const std::string& numbers, const std::string& data) {
  return numbers + " " + hex(data);
}

TEST(ParseTlsa, ReadsTheMasterFileForm) {
  EXPECT_EQ(parse_tlsa("3 1 1 0aFF"), (Tlsa{3, 1, 1, "\x0a\xff"}));
  EXPECT_EQ(parse_tlsa("255 0 2  0a ff 00"), (Tlsa{255, 0, 2, std::string("\x0a\xff\0", 3)}));
  for (const char* bad : {"", "3 1 1", "3 1 1 0", "3 1 1 0g", "3 1 1 -1", "3 1 1 +a", "256 1 1 00",
                          "-1 1 1 00", "3 x 1 00", "3 1 1. 00"})
    EXPECT_EQ(parse_tlsa(bad), std::nullopt) << bad;
}

TEST(JudgeTlsa, HoldsEachKindAgainstTheRightCertificate) {
  struct Case {
    std::string record;
    Dane dane;
  };
  for (const Case& c : {
           Case{record("3 0 0", "leaf"), Dane::matches},
           Case{record("3 1 0", "leaf's key"), Dane::matches},
           Case{record("3 0 1", bytes(sha256("leaf"))), Dane::matches},
           Case{record("3 1 1", bytes(sha256("leaf's key"))), Dane::matches},
           Case{record("3 1 2", bytes(sha512("leaf's key"))), Dane::matches},
           Case{record("2 0 1", bytes(sha256("issuer"))), Dane::matches},
           Case{record("2 1 2", bytes(sha512("issuer's key"))), Dane::matches},
           Case{record("3 1 1", bytes(sha256("issuer's key"))), Dane::differs},
           Case{record("2 1 1", bytes(sha256("leaf's key"))), Dane::differs},
           Case{record("3 0 1", bytes(sha256("leaf's key"))), Dane::differs},
           Case{record("3 1 1", bytes(sha256("old key"))), Dane::differs},
           Case{record("1 1 1", bytes(sha256("leaf's key"))), Dane::unusable},
           Case{record("0 0 1", bytes(sha256("issuer"))), Dane::unusable},
           Case{record("3 2 1", bytes(sha256("leaf"))), Dane::unusable},
           Case{record("3 1 3", bytes(sha256("leaf's key"))), Dane::unusable},
           Case{"3 1 1 xx", Dane::unusable},
       })
    EXPECT_EQ(judge_tlsa({c.record}, shown), c.dane) << c.record;
}

TEST(JudgeTlsa, OneThatFitsIsEnough) {
  const std::string old = record("3 1 1", bytes(sha256("old key")));
  const std::string next = record("3 1 1", bytes(sha256("leaf's key")));
  EXPECT_EQ(judge_tlsa({old, next}, shown), Dane::matches);
  EXPECT_EQ(judge_tlsa({record("1 1 1", "x"), old}, shown), Dane::differs);
  EXPECT_EQ(judge_tlsa({}, shown), Dane::unusable);
}

// RFC 7672 §3.1: with DANE-TA the name counts, with DANE-EE it does not.
TEST(JudgeTlsa, TheNameCountsForATrustAnchorOnly) {
  io::TlsFacts other = shown;
  other.named = false;
  EXPECT_EQ(judge_tlsa({record("2 0 0", "issuer")}, other), Dane::differs);
  EXPECT_EQ(judge_tlsa({record("3 0 0", "leaf")}, other), Dane::matches);
  EXPECT_EQ(judge_tlsa({record("3 0 0", "leaf")}, {}), Dane::differs);
}

}  // namespace
}  // namespace stsctl::engine
