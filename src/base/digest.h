#pragma once
// Digests and their text forms, on OpenSSL. Knows nothing of what is digested.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace stsctl {

using Sha256 = std::array<std::uint8_t, 32>;

/// SHA-256 of `data` (FIPS 180-4).
Sha256 sha256(std::string_view data);
/// HMAC-SHA-256 (RFC 2104) of `data` under `key`.
Sha256 hmac_sha256(std::string_view key, std::string_view data);
/// Lower-case hexadecimal.
std::string hex(std::string_view bytes);
std::string hex(const Sha256& digest);
/// The digest's bytes as a string, for use as a key.
std::string bytes(const Sha256& digest);
/// Base32 (RFC 4648 §6) of the leading bits of `digest`, `length` characters (at most 51), no
/// padding.
std::string base32(const Sha256& digest, std::size_t length);

}  // namespace stsctl
