#include "base/digest.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <span>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace stsctl {

namespace {

// OpenSSL fails here only when it is broken or out of memory: nothing sensible can follow.
void require(bool done) {
  if (!done) std::abort();
}

}  // namespace

Sha256 sha256(std::string_view data) {
  Sha256 digest{};
  require(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  return digest;
}

Sha512 sha512(std::string_view data) {
  Sha512 digest{};
  require(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha512(), nullptr) == 1);
  return digest;
}

Sha1 sha1(std::string_view data) {
  Sha1 digest{};
  require(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha1(), nullptr) == 1);
  return digest;
}

Sha256 hmac_sha256(std::string_view key, std::string_view data) {
  Sha256 digest{};
  require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
               // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes
               reinterpret_cast<const unsigned char*>(data.data()), data.size(), digest.data(),
               nullptr) != nullptr);
  return digest;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
  return out;
}

std::optional<std::string> decode_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    std::uint8_t byte = 0;
    const char* const end = text.data() + i + 2;
    if (const auto read = std::from_chars(text.data() + i, end, byte, 16);
        read.ec != std::errc{} || read.ptr != end)
      return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

std::string bytes(const Sha256& digest) {
  return {digest.begin(), digest.end()};
}

std::string bytes(const Sha512& digest) {
  return {digest.begin(), digest.end()};
}

std::string hex(const Sha256& digest) {
  return hex(bytes(digest));
}

std::string hex(const Sha1& digest) {
  return hex(std::string(digest.begin(), digest.end()));
}

std::string base32(const Sha256& digest, std::size_t length) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string out;
  unsigned buffer = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : digest) {
    buffer = (buffer << 8U) | byte;
    bits += 8;
    while (bits >= 5) {
      if (out.size() == length) return out;
      bits -= 5;
      out += alphabet[(buffer >> bits) & 31U];
    }
    buffer &= (1U << bits) - 1U;
  }
  return out;
}

// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes
std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  const std::size_t end = std::min(digits.find('='), digits.size());
  const std::size_t padding = digits.size() - end;
  // OpenSSL takes any number of "=" for zeros.
  if (digits.size() % 4 != 0 || padding > 2 ||
      digits.find_first_not_of('=', end) != std::string::npos)
    return std::nullopt;
  std::string out(digits.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(digits.data()),
                                   static_cast<int>(digits.size()));
  if (size < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}
// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)

}  // namespace stsctl
