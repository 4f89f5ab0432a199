#include "serve/server_names.h"

#include <gtest/gtest.h>

namespace stsctl::serve {
namespace {

TEST(ServerNames, ChoosesTheExactNameBeforeAWildcardOfOneLabel) {
  ServerNames names;
  names.add("mta-sts.example.com", 0);
  names.add("*.example.com", 1);
  names.add("*.Example.ORG", 2);
  struct Case {
    const char* name;
    int certificate;  // -1: none
  };
  for (const Case& c : {
           Case{"mta-sts.example.com", 0},
           Case{"MTA-STS.EXAMPLE.COM", 0},
           Case{"mta-sts.example.com.", 0},
           Case{"www.example.com", 1},
           Case{"mta-sts.example.org", 2},
           Case{"example.com", -1},
           Case{"mta-sts.sub.example.com", -1},  // a wildcard is one label (RFC 6125 §6.4.3)
           Case{".example.com", -1},
           Case{"*.example.com", -1},  // no host name
           Case{"com", -1},
           Case{"", -1},
           Case{"mta-sts.example.net", -1},
       }) {
    const auto found = names.find(c.name);
    EXPECT_EQ(found ? static_cast<int>(*found) : -1, c.certificate) << c.name;
  }
}

TEST(ServerNames, LeavesANameToWhoHadItFirst) {
  ServerNames names;
  names.add("mta-sts.example.com", 4);
  names.add("MTA-STS.example.com", 5);
  EXPECT_EQ(names.find("mta-sts.example.com"), 4U);
}

}  // namespace
}  // namespace stsctl::serve
