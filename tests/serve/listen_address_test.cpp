#include "serve/listen_address.h"

#include <gtest/gtest.h>

namespace stsctl::serve {
namespace {

TEST(ListenAddress, ReadsAddressesAndDescriptors) {
  for (const auto& [text, shown] : std::vector<std::pair<const char*, const char*>>{
           {"127.0.0.1:8080", "127.0.0.1:8080"},
           {"[::1]:443", "[::1]:443"},
           {":443", "[::]:443"},
           {"0.0.0.0:0", "0.0.0.0:0"},
           {"fd:3", "fd:3"},
       }) {
    const auto address = parse_listen_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_string(*address), shown);
  }
}

TEST(ListenAddress, RefusesTheRest) {
  for (const char* text : {"", ":", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:-1", "::1:443", "[::1]", "[127.0.0.1]:80", "[]:80",
                           "host.example:80", "127.0.0.1:80x", "fd:", "fd:2", "fd:-1", "fd:x"}) {
    const auto address = parse_listen_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, Code::invalid);
  }
}

}  // namespace
}  // namespace stsctl::serve
