#include "serve/client_address.h"

#include <algorithm>
#include <charconv>
#include <ranges>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::serve {

namespace {

constexpr std::size_t mapped_prefix = 12;  // bytes before the IPv4 address
constexpr unsigned mapped_bits = 96;
constexpr std::array<std::uint8_t, mapped_prefix> mapping{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool is_mapped(const Address& address) {
  return std::ranges::equal(mapping, address | std::views::take(mapped_prefix));
}

std::optional<Address> parse_v4(const std::string& text) {
  Address address{};
  std::ranges::copy(mapping, address.begin());
  if (inet_pton(AF_INET, text.c_str(), address.data() + mapped_prefix) != 1) return std::nullopt;
  return address;
}

std::optional<Address> parse_v6(const std::string& text) {
  Address address{};
  if (inet_pton(AF_INET6, text.c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

bool is_trusted(const Address& address, const std::vector<Network>& trusted) {
  return std::ranges::any_of(trusted, [&](const Network& one) { return one.contains(address); });
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    return end == std::string_view::npos ? std::nullopt
                                         : parse_v6(std::string(text.substr(1, end - 1)));
  }
  if (std::ranges::count(text, ':') > 1) return parse_v6(std::string(text));
  return parse_v4(std::string(text.substr(0, text.find(':'))));
}

std::string format_address(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_mapped(address))
    inet_ntop(AF_INET, address.data() + mapped_prefix, text.data(), text.size());
  else
    inet_ntop(AF_INET6, address.data(), text.data(), text.size());
  return text.data();
}

bool Network::contains(const Address& one) const {
  for (unsigned bit = 0; bit < bits; bit += 8) {
    const unsigned left = bits - bit;
    const auto mask = static_cast<std::uint8_t>(left >= 8 ? 0xFFU : 0xFFU << (8 - left));
    if (((one[bit / 8] ^ address[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

Result<Network> parse_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string host = text.substr(0, slash);
  const auto fault = [&] {
    return fail(Code::invalid, fmt::format("'{}' is no address and no network", printable(text)),
                {}, "write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32");
  };
  const bool is_v4 = host.find(':') == std::string::npos;
  const auto address = is_v4 ? parse_v4(host) : parse_v6(host);
  if (!address) return fault();
  Network network{.address = *address};
  if (slash == std::string::npos) return network;
  const unsigned most = is_v4 ? 32 : 128;
  unsigned bits = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + slash + 1, end, bits);
  if (read.ec != std::errc{} || read.ptr != end || bits > most) return fault();
  network.bits = is_v4 ? mapped_bits + bits : bits;
  return network;
}

Address client_address(const Address& peer, std::string_view forwarded,
                       const std::vector<Network>& trusted) {
  Address client = peer;
  const std::vector<std::string_view> hops = split(forwarded, ',');
  for (const std::string_view hop : hops | std::views::reverse) {
    if (!is_trusted(client, trusted)) break;
    const auto next = parse_address(trim(hop));
    if (!next) break;
    client = *next;
  }
  return client;
}

}  // namespace stsctl::serve
