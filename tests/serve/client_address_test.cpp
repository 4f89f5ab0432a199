#include "serve/client_address.h"

#include <gtest/gtest.h>

namespace stsctl::serve {
namespace {

std::vector<Network> networks(const std::vector<std::string>& texts) {
  std::vector<Network> all;
  for (const std::string& text : texts)
    all.push_back(*parse_network(text));
  return all;
}

std::string client(const char* peer, const char* forwarded,
                   const std::vector<std::string>& trusted) {
  return format_address(client_address(*parse_address(peer), forwarded, networks(trusted)));
}

TEST(ClientAddress, BelievesOnlyTrustedProxies) {
  struct Case {
    const char* peer;
    const char* forwarded;
    std::vector<std::string> trusted;
    const char* client;
  };
  for (const Case& c : {
           Case{"203.0.113.9", "192.0.2.1", {}, "203.0.113.9"},
           Case{"203.0.113.9", "192.0.2.1", {"10.0.0.0/8"}, "203.0.113.9"},
           Case{"10.1.2.3", "192.0.2.1", {"10.0.0.0/8"}, "192.0.2.1"},
           // What a client wrote itself stands left of what the proxy added.
           Case{"10.1.2.3", "198.51.100.7, 192.0.2.1", {"10.0.0.0/8"}, "192.0.2.1"},
           Case{"10.1.2.3", "192.0.2.1, 10.9.9.9", {"10.0.0.0/8"}, "192.0.2.1"},
           Case{"10.1.2.3", "10.7.7.7,10.9.9.9", {"10.0.0.0/8"}, "10.7.7.7"},
           Case{"10.1.2.3", "", {"10.0.0.0/8"}, "10.1.2.3"},
           Case{"10.1.2.3", "192.0.2.1, unknown", {"10.0.0.0/8"}, "10.1.2.3"},
           Case{"10.1.2.3", "\x1b[31m", {"10.0.0.0/8"}, "10.1.2.3"},
           Case{"::1", "2001:db8::7", {"::1"}, "2001:db8::7"},
           Case{"::1", "[2001:db8::7]:4711", {"::1"}, "2001:db8::7"},
           Case{"127.0.0.1", "192.0.2.1:4711", {"127.0.0.1"}, "192.0.2.1"},
           Case{"2001:db8:1::1", "192.0.2.1", {"2001:db8::/32"}, "192.0.2.1"},
       })
    EXPECT_EQ(client(c.peer, c.forwarded, c.trusted), c.client) << c.peer << " for " << c.forwarded;
}

TEST(Network, HoldsTheAddressesOfItsPrefix) {
  struct Case {
    const char* network;
    const char* address;
    bool inside;
  };
  for (const Case& c : {
           Case{"192.0.2.0/25", "192.0.2.127", true}, Case{"192.0.2.0/25", "192.0.2.128", false},
           Case{"192.0.2.0/24", "192.0.3.0", false}, Case{"0.0.0.0/0", "8.8.8.8", true},
           Case{"0.0.0.0/0", "2001:db8::1", false}, Case{"::/0", "2001:db8::1", true},
           Case{"2001:db8::/33", "2001:db8:7fff::1", true},
           Case{"2001:db8::/33", "2001:db8:8000::1", false}, Case{"192.0.2.1", "192.0.2.1", true},
           Case{"192.0.2.1", "192.0.2.2", false},
           Case{"192.0.2.1/32", "::ffff:192.0.2.1", true},  // as a dual-stack socket shows it
       })
    EXPECT_EQ(parse_network(c.network)->contains(*parse_address(c.address)), c.inside)
        << c.network << ' ' << c.address;
}

TEST(Network, RefusesWhatIsNone) {
  for (const char* text : {"", "/", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1",
                           "::/129", "10.0.0/8", "proxy.example", "10.0.0.1:80", "[::1]"}) {
    const auto network = parse_network(text);
    ASSERT_FALSE(network) << text;
    EXPECT_EQ(network.error().code, Code::invalid);
  }
}

TEST(Address, IsShownShort) {
  for (const auto& [text, shown] :
       std::vector<std::pair<const char*, const char*>>{{"192.0.2.1", "192.0.2.1"},
                                                        {"::ffff:192.0.2.1", "192.0.2.1"},
                                                        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
                                                        {"::1", "::1"}})
    EXPECT_EQ(format_address(*parse_address(text)), shown);
}

}  // namespace
}  // namespace stsctl::serve
