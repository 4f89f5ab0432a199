#pragma once
// Digests and their text forms, on OpenSSL. Knows nothing of what is digested.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stsctl {

using Sha256 = std::array<std::uint8_t, 32>;
using Sha512 = std::array<std::uint8_t, 64>;
using Sha1 = std::array<std::uint8_t, 20>;

/// SHA-256 of `data` (FIPS 180-4).
Sha256 sha256(std::string_view data);
/// SHA-512 of `data` (FIPS 180-4).
Sha512 sha512(std::string_view data);
/// SHA-1 of `data` (FIPS 180-4): for formats that name things by it, never for security.
Sha1 sha1(std::string_view data);
/// HMAC-SHA-256 (RFC 2104) of `data` under `key`.
Sha256 hmac_sha256(std::string_view key, std::string_view data);
/// Lower-case hexadecimal.
std::string hex(std::string_view bytes);
std::string hex(const Sha256& digest);
std::string hex(const Sha1& digest);
/// Reads that, in either case; none for anything else.
std::optional<std::string> decode_hex(std::string_view text);
/// The digest's bytes as a string, for use as a key.
std::string bytes(const Sha256& digest);
std::string bytes(const Sha512& digest);
/// Base32 (RFC 4648 §6) of the leading bits of `digest`, `length` characters (at most 51), no
/// padding.
std::string base32(const Sha256& digest, std::size_t length);
/// Base64 (RFC 4648 §4), padded, on one line.
std::string base64(std::string_view bytes);
/// Reads that; blanks and line ends anywhere are skipped. None for anything else.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace stsctl
