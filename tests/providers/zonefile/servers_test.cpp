// Served for real: BIND, Knot and NSD load the files that the provider edited, told by its reload.

#include <array>
#include <charconv>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "providers/zonefile/zonefile.h"
#include "servers/real_services.h"
#include "servers/zone_file_server.h"

namespace stsctl::providers::zonefile {
namespace {

using servers::start_on_zone_files;
using servers::wait_until;
using servers::ZoneFileServer;
using servers::ZoneFileServerKind;
using testing::ElementsAre;
using testing::HasSubstr;

const dns::Name zone = *dns::Name::parse("example.com");
const dns::Name sts = *dns::Name::parse("_mta-sts.example.com");
const dns::Name tlsrpt = *dns::Name::parse("_smtp._tls.example.com");
const dns::Name host = *dns::Name::parse("mta-sts.example.com");

const std::string main_file =
    "; kept by hand\n$TTL 1h\n$ORIGIN example.com.\n"
    "@\tIN SOA ns1 hostmaster ( 2026010101 ; serial\n\t\t1d 2h 4w 5m )\n"
    "\tNS ns1\n\tMX 10 mail\t; the mail host\n"
    "ns1\tA 192.0.2.1 ; where we are\nmail\tA 192.0.2.25\n\n"
    "$INCLUDE mail.inc ; theirs\n$TTL 2h\n$ORIGIN sub.example.com.\n@ A 192.0.2.2\nwww CNAME @ ; "
    "below\n"
    "$ORIGIN example.com.\nlast\t( TXT \"end\" )\n";
const std::string included =
    "; reports\n_smtp._tls 300 TYPE16 \\# 39 ( 26763d544c5352505476313b207275613d6d6169\n"
    "  6c746f3a6f6c64406578616d706c652e6e6574 ) ; where to\n"
    "other A 192.0.2.3\n";

dns::RecordSet txt(const dns::Name& owner, const std::string& value) {
  return {owner, dns::Type::txt, Duration{300}, {value}};
}

class Served : public testing::TestWithParam<ZoneFileServerKind> {
 protected:
  Served() {
    folder_.write("example.com.zone", main_file);
    folder_.write("mail.inc", included);
  }

  std::unique_ptr<ZoneFileServer> start() const {
    return start_on_zone_files(GetParam(), folder_.path(), {"example.com"});
  }

  std::unique_ptr<DnsProvider> provider(const ZoneFileServer& server) {
    Settings settings;
    settings.set("directory", folder_.path(), "");
    settings.set("reload", server.reload(), "");
    return std::move(*kind().make(settings, world_.services()));
  }

  std::string text(const std::string& name) const {
    std::ifstream in(folder_.file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  servers::RealServices world_;
  servers::Folder folder_;
};

using Answer = std::vector<std::string>;

bool serves(const ZoneFileServer& server, const dns::RecordSet& set, const Answer& answer) {
  return wait_until(
      [&] { return server.dig(set.owner.text(), dns::to_string(set.type)) == answer; });
}

std::uint32_t serial(const ZoneFileServer& server) {
  const Answer answer = server.dig("example.com", "SOA");
  if (answer.size() != 1) return 0;
  const auto fields = split(answer[0], ' ');
  std::uint32_t serial = 0;
  std::from_chars(fields[6].data(), fields[6].data() + fields[6].size(), serial);
  return serial;
}

// What is not ours: the answers before and after must be the same.
Answer the_rest(const ZoneFileServer& server) {
  Answer all = server.dig({{"example.com", "NS"},
                           {"example.com", "MX"},
                           {"ns1.example.com", "A"},
                           {"mail.example.com", "A"},
                           {"other.example.com", "A"},
                           {"sub.example.com", "A"},
                           {"www.sub.example.com", "CNAME"},
                           {"last.example.com", "TXT"}});
  EXPECT_EQ(all.size(), 8U);
  return all;
}

TEST_P(Served, SeesWhatWasWritten) {
  const auto server = start();
  const auto provider = this->provider(*server);
  const std::uint32_t first = serial(*server);  // the file's, or what the signer made of it
  EXPECT_GE(first, 2026010101U);
  const auto before = the_rest(*server);

  const dns::RecordSet old_report = txt(tlsrpt, "v=TLSRPTv1; rua=mailto:old@example.net");
  const dns::RecordSet report = txt(tlsrpt, "v=TLSRPTv1; rua=mailto:new@example.net");
  const dns::RecordSet record = txt(sts, "v=STSv1; id=a");
  const dns::RecordSet alias{host, dns::Type::cname, Duration{600}, {"web.example.net"}};
  const auto written =
      provider->write(zone, {{old_report, report}, {std::nullopt, record}, {std::nullopt, alias}});
  ASSERT_TRUE(written) << to_string(written.error());
  EXPECT_TRUE(serves(*server, record, {"_mta-sts.example.com. 300 IN TXT \"v=STSv1; id=a\""}));
  EXPECT_TRUE(serves(*server, report,
                     {"_smtp._tls.example.com. 300 IN TXT \"v=TLSRPTv1; "
                      "rua=mailto:new@example.net\""}));
  EXPECT_TRUE(serves(*server, alias, {"mta-sts.example.com. 600 IN CNAME web.example.net."}));
  const std::uint32_t second = serial(*server);
  EXPECT_GT(second, first);
  EXPECT_EQ(the_rest(*server), before);

  const dns::RecordSet changed = txt(sts, "v=STSv1; id=b");
  ASSERT_TRUE(provider->write(zone, {{record, changed}, {alias, std::nullopt}}));
  EXPECT_TRUE(serves(*server, changed, {"_mta-sts.example.com. 300 IN TXT \"v=STSv1; id=b\""}));
  EXPECT_TRUE(serves(*server, alias, {}));
  EXPECT_GT(serial(*server), second);
  EXPECT_EQ(the_rest(*server), before);

  // The files: what was there stands there still, byte for byte.
  const std::string after = text("example.com.zone");
  std::string kept = main_file;
  const std::size_t at = kept.find("2026010101");
  EXPECT_EQ(after.substr(0, at), kept.substr(0, at));
  kept.erase(0, at + 10);
  EXPECT_EQ(after.substr(at + 10),
            kept + "_mta-sts.example.com.\t300\tIN\tTXT\t\"v=STSv1; id=b\"\n");
  EXPECT_EQ(text("mail.inc"),
            "; reports\n_smtp._tls 300 TXT \"v=TLSRPTv1; rua=mailto:new@example.net\" ; where to\n"
            "other A 192.0.2.3\n");
}

// A server that is down: the file says what it will serve when it is up again, and so does the
// plan.
TEST_P(Served, ReloadThatFailedIsMadeUpForLater) {
  auto server = start();
  auto provider = this->provider(*server);
  const dns::RecordSet first = txt(sts, "first");
  ASSERT_TRUE(provider->write(zone, {{std::nullopt, first}}));
  ASSERT_TRUE(serves(*server, first, {"_mta-sts.example.com. 300 IN TXT \"first\""}));
  const std::uint32_t before = serial(*server);
  const std::string file = text("example.com.zone");

  server.reset();
  const dns::RecordSet second = txt(sts, "second");
  const auto written = provider->write(zone, {{first, second}});
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().what, HasSubstr("ended with status"));
  EXPECT_EQ(text("example.com.zone"), file);
  EXPECT_THAT(provider->read({{zone, {sts}}}, {}).front().value(), ElementsAre(first));

  server = start();
  provider = this->provider(*server);
  EXPECT_TRUE(serves(*server, first, {"_mta-sts.example.com. 300 IN TXT \"first\""}));
  ASSERT_TRUE(provider->write(zone, {{first, second}}));
  EXPECT_TRUE(serves(*server, second, {"_mta-sts.example.com. 300 IN TXT \"second\""}));
  EXPECT_GT(serial(*server), before);
}

std::string name_of(const testing::TestParamInfo<ZoneFileServerKind>& server) {
  constexpr std::array names{"bind", "bind_signal", "bind_inline", "knot", "nsd"};
  return names.at(static_cast<std::size_t>(server.param));
}

INSTANTIATE_TEST_SUITE_P(Debian, Served,
                         testing::Values(ZoneFileServerKind::bind, ZoneFileServerKind::bind_signal,
                                         ZoneFileServerKind::bind_inline, ZoneFileServerKind::knot,
                                         ZoneFileServerKind::nsd),
                         name_of);

// The journal that a real dynamic update leaves.
TEST(DynamicZone, IsLeftToItsServer) {
  const auto server = servers::start_bind({{.name = "example.com"}});
  servers::RealServices world;
  Settings settings;
  settings.set("directory", server->folder().path(), "");
  const auto provider = std::move(*kind().make(settings, world.services()));
  EXPECT_TRUE(provider->read({{zone, {sts}}}, {}).front()) << "no update yet: the file is right";
  server->nsupdate("example.com", {"add _mta-sts.example.com 300 TXT byhand"});
  const auto seen = provider->read({{zone, {sts}}}, {}).front();
  ASSERT_FALSE(seen) << "the file does not have what the server serves";
  EXPECT_EQ(seen.error().code, Code::unsupported);
  EXPECT_FALSE(provider->write(zone, {{std::nullopt, txt(sts, "v")}}));
}

}  // namespace
}  // namespace stsctl::providers::zonefile
