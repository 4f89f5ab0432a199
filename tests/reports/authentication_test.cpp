#include "reports/authentication.h"

#include <gtest/gtest.h>

namespace stsctl::reports {
namespace {

const dns::Name google = *dns::Name::parse("google.com");

std::string signer(const std::string& header, const dns::Name& from = google) {
  const auto found = verified_signer({header}, {"mx.example.com"}, from);
  return found ? found->text() : "";
}

TEST(VerifiedSigner, Forms) {
  for (const char* header : {
           " mx.example.com; dkim=pass header.d=google.com header.s=20230601",
           "mx.example.com;\r\n\tspf=pass smtp.mailfrom=google.com;\r\n\tdkim=pass (2048-bit key; "
           "unprotected) header.d=google.com header.i=@google.com header.b=\"aB;c=\"",
           "MX.example.com 1; DKIM=Pass header.D=Google.com",
           "\"mx.example.com\"; dkim/1=pass reason=\"good; really\" header.d=google.com",
           "mx.example.com; dkim = pass header.d = google.com",
           "mx.example.com (a (nested; \\) comment) here); dkim=pass header.i=@google.com",
           "mx.example.com; dkim=fail header.d=evil.example; dkim=pass header.d=google.com",
       })
    EXPECT_EQ(signer(header), "google.com") << header;
}

TEST(VerifiedSigner, WhatProvesNothing) {
  for (const char* header : {
           "",
           ";",
           "mx.example.com",
           "mx.example.com; none",
           "mx.example.com; dkim=fail header.d=google.com",
           "mx.example.com; dkim=none",
           "mx.example.com; dkim=pass",
           "mx.example.com; dkim=pass header.d=evil.example",
           "mx.example.com; dkim=pass header.d=notgoogle.com",
           "mx.example.com; dkim=pass header.d=com",
           "mx.example.com; spf=pass header.d=google.com",
           "mx.example.com; spf=fail smtp.mailfrom=\"x; dkim=pass header.d=google.com\"",
           "mx.example.com; spf=fail (; dkim=pass header.d=google.com )",
           "mx.example.com; arc=pass reason=\"dkim=pass\" header.d=google.com",
           "evil.example; dkim=pass header.d=google.com",
           "mx.example.com.evil.example; dkim=pass header.d=google.com",
           "(mx.example.com) evil.example; dkim=pass header.d=google.com",
       })
    EXPECT_EQ(signer(header), "") << header;
}

TEST(VerifiedSigner, SpeaksForDomainsAboveAndBelow) {
  const std::string header = "mx.example.com; dkim=pass header.d=mail.ru";
  EXPECT_EQ(signer(header, *dns::Name::parse("corp.mail.ru")), "mail.ru");
  EXPECT_EQ(signer("mx.example.com; dkim=pass header.d=corp.mail.ru", *dns::Name::parse("mail.ru")),
            "corp.mail.ru");
  EXPECT_EQ(signer(header, *dns::Name::parse("hotmail.ru")), "");
}

TEST(VerifiedSigner, AnyTrustedHeaderCounts) {
  const std::vector<std::string> headers = {"other.example; dkim=pass header.d=google.com",
                                            "mx2.example.com; dkim=pass header.d=google.com"};
  EXPECT_TRUE(verified_signer(headers, {"mx.example.com", "mx2.example.com"}, google));
  EXPECT_FALSE(verified_signer(headers, {"mx.example.com"}, google));
  EXPECT_FALSE(verified_signer(headers, {}, google));
}

}  // namespace
}  // namespace stsctl::reports
