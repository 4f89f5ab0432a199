#include "base/digest.h"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace stsctl {
namespace {

// FIPS 180-4's examples, as published with it.
TEST(Digest, Sha256) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256(std::string_view{})), hex(sha256("")));
  EXPECT_NE(hex(sha256(std::string_view("a\0b", 3))), hex(sha256("a")));
}

TEST(Digest, Sha512) {
  EXPECT_EQ(
      hex(bytes(sha512("abc"))),
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3"
      "feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Digest, Sha1) {
  EXPECT_EQ(hex(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(sha1("")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

// RFC 4231 §4: test cases 1, 2 and 6 (a key longer than a block).
TEST(Digest, HmacSha256) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hex(hmac_sha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Digest, HexOfEveryNibble) {
  EXPECT_EQ(hex(std::string_view("\x00\x01\x89\xab\xcd\xef\xff", 7)), "000189abcdefff");
  EXPECT_EQ(hex(""), "");
}

TEST(Digest, DecodeHex) {
  EXPECT_EQ(decode_hex("000189abcdefFF"), std::string("\x00\x01\x89\xab\xcd\xef\xff", 7));
  EXPECT_EQ(decode_hex(""), "");
  for (const char* bad : {"0", "0g", "g0", "-1", " 1", "0x"})
    EXPECT_EQ(decode_hex(bad), std::nullopt) << bad;
}

TEST(Digest, BytesAreTheRawDigest) {
  EXPECT_EQ(hex(bytes(sha256("abc"))), hex(sha256("abc")));
  EXPECT_EQ(bytes(sha256("abc")).size(), 32U);
}

// RFC 4648 §10: "foobar" is MZXW6YTBOI.
TEST(Digest, Base32) {
  Sha256 digest{};
  const std::string_view text = "foobar";
  std::copy(text.begin(), text.end(), digest.begin());
  EXPECT_EQ(base32(digest, 9), "MZXW6YTBO");  // 45 of its 48 bits
  EXPECT_EQ(base32(digest, 0), "");
  digest.fill(0xFF);
  EXPECT_EQ(base32(digest, 13), "7777777777777");
  EXPECT_EQ(base32(digest, 51).size(), 51U);
  digest.fill(0);
  EXPECT_EQ(base32(digest, 51), std::string(51, 'A'));
}

// Any prefix of the text stands for a prefix of the bits.
TEST(Digest, Base32OfFewerCharactersIsAPrefix) {
  const Sha256 digest = sha256("abc");
  const std::string all = base32(digest, 51);
  for (std::size_t length = 0; length <= 51; ++length)
    EXPECT_EQ(base32(digest, length), all.substr(0, length));
}

// RFC 4648 §10.
TEST(Digest, Base64) {
  for (const auto& [text, encoded] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"},
                                                        {std::string("\0\xff\xfe", 3), "AP/+"}}) {
    EXPECT_EQ(base64(text), encoded);
    EXPECT_EQ(decode_base64(encoded), text);
  }
  EXPECT_EQ(decode_base64("Zm9v\nYm\r\nFy \n"), "foobar") << "as mail and GitHub break lines";
  for (const std::string bad : {"Zg", "Zg=", "Zg===", "Z===", "====", "Zm9v=", "Zm=v", "Zm9*", "=",
                                "Zg==Zg==", "\x80\x80\x80\x80"})
    EXPECT_EQ(decode_base64(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace stsctl
