#include "base/digest.h"

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

std::string bytes(const Sha256& digest) {
  return {digest.begin(), digest.end()};
}

std::string hex(const Sha256& digest) {
  return hex(bytes(digest));
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

}  // namespace stsctl
