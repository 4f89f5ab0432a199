// The provider on a folder of its own: which file holds a zone, what it refuses to touch, and what
// a failed reload leaves behind.

#include "providers/zonefile/zonefile.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "servers/real_services.h"
#include "servers/running.h"

namespace stsctl::providers::zonefile {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string zone_text = "$TTL 100\n@ IN SOA ns hm 5 1 1 1 77\n@ NS ns\nns A 192.0.2.1\n";
const dns::Name example = *dns::Name::parse("example.com");
const dns::Name sts = *dns::Name::parse("_mta-sts.example.com");

dns::RecordSet txt(const std::string& value, const dns::Name& owner = sts) {
  return {owner, dns::Type::txt, Duration{300}, {value}};
}

class Provider : public testing::Test {
 protected:
  std::unique_ptr<DnsProvider> open(const std::map<std::string, Settings::Value>& settings = {}) {
    Settings all;
    all.set("directory", folder_.path(), "");
    for (const auto& [name, value] : settings)
      all.set(name, value, "");
    auto made = kind().make(all, world_.services());
    EXPECT_TRUE(made);
    return std::move(*made);
  }

  static Result<std::vector<dns::RecordSet>> read(DnsProvider& provider,
                                                  const dns::Name& owner = sts,
                                                  const dns::Name& zone = example) {
    return provider.read({{zone, {owner}}}, {}).front();
  }

  static Result<Done> write(DnsProvider& provider, const std::string& value) {
    return provider.write(example, {{std::nullopt, txt(value)}});
  }

  std::string text(const std::string& name = "example.com.zone") const {
    std::ifstream in(folder_.file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // The zone with the record of ours and the next serial.
  static std::string with(const std::string& value) {
    std::string text = zone_text;
    text.replace(text.find(" 5 "), 3, " 6 ");
    return text + "_mta-sts.example.com.\t300\tIN\tTXT\t\"" + value + "\"\n";
  }

  Error refused(DnsProvider& provider) {
    const std::string before = text();
    const auto written = write(provider, "v");
    EXPECT_FALSE(written);
    EXPECT_EQ(text(), before) << "what is refused is not touched";
    return written ? Error{} : written.error();
  }

  servers::RealServices world_;
  servers::Folder folder_;
};

TEST_F(Provider, FindsTheLongestZone) {
  for (const char* name : {"example.com.zone", "sub.example.com.zone", "org.zone", "notes.txt"})
    folder_.write(name, zone_text);
  const auto provider = open();
  const auto zones =
      provider->find_zones({sts, sts.under("sub"), *dns::Name::parse("a.sub.example.com"),
                            *dns::Name::parse("example.net")},
                           {});
  EXPECT_EQ(zones[0].value().text(), "example.com");
  EXPECT_EQ(zones[1].value().text(), "example.com");
  EXPECT_EQ(zones[2].value().text(), "sub.example.com");
  EXPECT_EQ(zones[3].error().code, Code::not_found);
}

TEST_F(Provider, NamesOfFilesInUpperCaseAndULabels) {
  folder_.write("Example.COM.zone", zone_text);
  folder_.write("m\u00fcnchen.example.zone", zone_text);
  folder_.write("XN--BCHER-KVA.example.zone", zone_text);
  const auto provider = open();
  for (const char* name : {"example.com", "m\u00fcnchen.example", "b\u00fccher.example"}) {
    const dns::Name zone = *dns::Name::parse(name);
    const dns::Name owner = zone.under("_mta-sts");
    EXPECT_EQ(provider->find_zones({owner}, {}).front().value(), zone);
    EXPECT_THAT(read(*provider, owner, zone).value(), ElementsAre());
    ASSERT_TRUE(provider->write(zone, {{std::nullopt, txt("v", owner)}}));
    EXPECT_THAT(read(*provider, owner, zone).value(), ElementsAre(txt("v", owner)));
  }
  EXPECT_THAT(
      *world_.services().files.list(folder_.path()),
      ElementsAre("Example.COM.zone", "XN--BCHER-KVA.example.zone", "m\u00fcnchen.example.zone"));
}

TEST_F(Provider, ListedZonesFindTheirFilesToo) {
  folder_.write("Example.COM.zone", zone_text);
  folder_.write("other.example.zone", zone_text);
  const auto provider = open({{"zones", Settings::List{"EXAMPLE.com", "missing.example"}}});
  EXPECT_TRUE(read(*provider));
  EXPECT_FALSE(provider->find_zones({*dns::Name::parse("other.example")}, {}).front());
  const dns::Name missing = *dns::Name::parse("missing.example");
  EXPECT_EQ(read(*provider, missing, missing).error().where, folder_.file("missing.example.zone"));
}

TEST_F(Provider, TwoFilesOfOneZone) {
  folder_.write("Example.com.zone", zone_text);
  folder_.write("example.com.zone", zone_text);
  const auto provider = open();
  const auto zone = provider->find_zones({sts}, {}).front();
  ASSERT_FALSE(zone);
  EXPECT_EQ(zone.error().code, Code::conflict);
  EXPECT_THAT(zone.error().what, HasSubstr(folder_.file("Example.com.zone")));
  EXPECT_THAT(zone.error().what, HasSubstr(folder_.file("example.com.zone")));
  EXPECT_EQ(read(*provider).error().code, Code::conflict);
  EXPECT_EQ(refused(*provider).code, Code::conflict);
}

TEST_F(Provider, PathsWithFoldersAndOddCharacters) {
  fs::create_directories(folder_.file("[primary]/example.com"));
  folder_.write("[primary]/example.com/db", zone_text);
  const auto provider = open({{"path", "[primary]/{zone}/db"}});
  ASSERT_TRUE(write(*provider, "v"));
  EXPECT_EQ(text("[primary]/example.com/db"), with("v"));
}

TEST_F(Provider, WhatIsNoRegularFileIsNoZone) {
  ASSERT_EQ(::mkfifo(folder_.file("example.com.zone").c_str(), 0666), 0);
  const auto provider = open();
  EXPECT_EQ(read(*provider).error().what, "cannot read: it is no regular file");
  EXPECT_EQ(write(*provider, "v").error().code, Code::invalid);
  fs::remove(folder_.file("example.com.zone"));
  ASSERT_EQ(::mkfifo(folder_.file("pipe").c_str(), 0666), 0);
  folder_.write("example.com.zone", zone_text + "$INCLUDE pipe\n$INCLUDE /dev/null\n");
  EXPECT_EQ(read(*provider).error().what, "cannot read: it is no regular file");
  EXPECT_EQ(refused(*provider).where, folder_.file("pipe"));
  folder_.write("example.com.zone", zone_text + "$INCLUDE /dev/null\n");
  EXPECT_EQ(refused(*provider).where, "/dev/null");
}

TEST_F(Provider, SignedZonesAreReadAndNotEdited) {
  for (const char* seal : {"RRSIG A 13 2 1 1 1 1 a b", "DNSKEY 257 3 13 abcd", "ZONEMD 5 1 1 abcd",
                           "NSEC a A", "TYPE46 \\# 1 00", "TYPE48 \\# 1 00", "TYPE63 \\# 1 00"}) {
    folder_.write("example.com.zone", zone_text + "x 1 " + seal + "\n_mta-sts TXT a\n");
    const auto provider = open();
    EXPECT_EQ(read(*provider).value().front().values, std::vector<std::string>{"a"});
    const dns::RecordSet there{sts, dns::Type::txt, Duration{100}, {"a"}};
    EXPECT_TRUE(provider->write(example, {{there, there}})) << "nothing to do is no edit";
    const auto written = provider->write(example, {{there, txt("b")}});
    ASSERT_FALSE(written) << seal;
    EXPECT_EQ(written.error().code, Code::unsupported);
    EXPECT_THAT(written.error().what, HasSubstr("signed or digested"));
    EXPECT_EQ(written.error().where, folder_.file("example.com.zone") + ":5");
    EXPECT_THAT(written.error().hint, HasSubstr("let the server sign"));
  }
}

TEST_F(Provider, ZonesThatTheServerChangesAreLeftToIt) {
  folder_.write("example.com.zone", zone_text);
  folder_.write("example.com.zone.jnl", "");
  const auto provider = open();
  const auto seen = read(*provider);
  ASSERT_FALSE(seen) << "the file is behind what the server serves";
  EXPECT_EQ(seen.error().code, Code::unsupported);
  EXPECT_THAT(seen.error().what, HasSubstr("example.com.zone.jnl"));
  EXPECT_THAT(seen.error().hint, HasSubstr("rfc2136"));
  EXPECT_THAT(seen.error().hint, HasSubstr("rndc freeze example.com"));
  EXPECT_EQ(refused(*provider), seen.error());
  EXPECT_EQ(provider->find_zones({sts}, {}).front().value(), example);
}

// BIND's inline signing keeps a journal of the unsigned file, which is edited as any other.
TEST_F(Provider, UnsignedFileOfAZoneSignedInline) {
  folder_.write("example.com.zone", zone_text);
  folder_.write("example.com.zone.jnl", "");
  folder_.write("example.com.zone.signed", "");
  EXPECT_TRUE(read(*open()));
  EXPECT_THAT(refused(*open()).hint, HasSubstr("set reload"));
  EXPECT_THAT(refused(*open({{"reload", Settings::List{"true"}}})).hint, HasSubstr("set reload"));
  ASSERT_TRUE(write(*open({{"reload", Settings::List{"true", "{zone}"}}}), "v"));
  EXPECT_EQ(text(), with("v"));
}

TEST_F(Provider, IncludesStartFromTheirOwnDirectory) {
  fs::create_directories(folder_.file("zones"));
  fs::create_directories(folder_.file("server"));
  folder_.write("zones/example.com.zone", zone_text + "$INCLUDE mail\n");
  folder_.write("zones/mail", "_mta-sts TXT beside\n");
  folder_.write("server/mail", "_mta-sts TXT server\n");
  const std::string zones = folder_.file("zones");
  const auto value = [&](const std::map<std::string, Settings::Value>& settings) {
    return read(*open(settings)).value().front().values.front();
  };
  EXPECT_EQ(value({{"directory", zones}}), "beside");
  EXPECT_EQ(value({{"directory", zones}, {"include_directory", folder_.file("server")}}), "server");
  // Where the server's rule finds none, Knot's does.
  EXPECT_EQ(value({{"directory", zones}, {"include_directory", folder_.file("none")}}), "beside");
  fs::remove(folder_.file("zones/mail"));
  const auto missing = read(*open({{"directory", zones}}));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::invalid);
  EXPECT_THAT(missing.error().what, HasSubstr(zones + "/mail"));
  EXPECT_THAT(missing.error().hint, HasSubstr("include_directory"));
}

TEST_F(Provider, EditsAnIncludedFileOfTheZoneAlone) {
  folder_.write("example.com.zone", zone_text + "$INCLUDE mail.inc\n");
  folder_.write("other.example.zone", zone_text);
  folder_.write("mail.inc", "_mta-sts 300 TXT a ; ours\n");
  ASSERT_TRUE(open()->write(example, {{txt("a"), txt("b")}}));
  EXPECT_EQ(text("mail.inc"), "_mta-sts 300 TXT \"b\" ; ours\n");
  EXPECT_THAT(text(), HasSubstr("SOA ns hm 6 1"));
}

// Two zones share it: an edit for one would change the other, whose serial stays.
TEST_F(Provider, FileThatAnotherZoneIncludesTooIsRefused) {
  folder_.write("example.com.zone", zone_text + "$INCLUDE mail.inc\n");
  folder_.write("other.example.zone", zone_text + "$INCLUDE ./mail.inc\n");
  folder_.write("mail.inc", "_mta-sts 300 TXT a\n");
  const auto written = open()->write(example, {{txt("a"), txt("b")}});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::refused);
  EXPECT_THAT(written.error().what, HasSubstr("other.example"));
  EXPECT_EQ(text("mail.inc"), "_mta-sts 300 TXT a\n");
  EXPECT_EQ(text(), zone_text + "$INCLUDE mail.inc\n");
}

TEST_F(Provider, FileOutsideTheDirectoryIsRefused) {
  fs::create_directories(folder_.file("zones"));
  folder_.write("zones/example.com.zone", zone_text + "$INCLUDE ../mail.inc\n");
  folder_.write("mail.inc", "_mta-sts 300 TXT a\n");
  const auto written =
      open({{"directory", folder_.file("zones")}})->write(example, {{txt("a"), txt("b")}});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::refused);
  EXPECT_EQ(text("mail.inc"), "_mta-sts 300 TXT a\n");
}

// A reload that fails as long as the file "fail" is there, and keeps a copy of what it was told of.
class Reload : public Provider {
 protected:
  Reload() {
    folder_.write("example.com.zone", zone_text);
    script_ = "test -e " + folder_.file("fail") + " && { echo 'rndc: no' >&2; exit 3; }; cp " +
              folder_.path() + "/$1.zone " + folder_.file("served");
  }
  std::unique_ptr<DnsProvider> with_reload() {
    return open({{"reload", Settings::List{"sh", "-c", script_, "sh", "{zone}"}}});
  }
  std::string script_;
};

TEST_F(Reload, RunsAfterTheWrite) {
  ASSERT_TRUE(write(*with_reload(), "v"));
  EXPECT_EQ(text("served"), with("v"));
  fs::remove(folder_.file("served"));
  ASSERT_TRUE(write(*with_reload(), "v"));
  EXPECT_FALSE(fs::exists(folder_.file("served"))) << "nothing changed, nothing to load";
}

TEST_F(Reload, FailedOneIsMadeUpForByTheNextApply) {
  folder_.write("fail", "");
  const auto provider = with_reload();
  const auto written = write(*provider, "v");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::internal);
  EXPECT_THAT(written.error().what, HasSubstr("ended with status 3: rndc: no"));
  EXPECT_EQ(written.error().where, "reload of example.com");
  EXPECT_EQ(written.error().hint,
            "the zone file is as it was before; when the command works, run apply again");
  EXPECT_EQ(text(), zone_text) << "a plan must see that the record is not served";
  EXPECT_THAT(read(*provider).value(), ElementsAre());
  fs::remove(folder_.file("fail"));
  ASSERT_TRUE(write(*provider, "v"));
  EXPECT_EQ(text(), with("v"));
  EXPECT_EQ(text("served"), with("v"));
}

TEST_F(Reload, MissingProgram) {
  const auto written =
      write(*open({{"reload", Settings::List{"/nonexistent/rndc", "reload", "{zone}"}}}), "v");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::not_found);
  EXPECT_THAT(written.error().what, HasSubstr("'/nonexistent/rndc reload example.com'"));
  EXPECT_EQ(text(), zone_text);
}

TEST_F(Reload, FailedOneTakesBackIncludedFilesToo) {
  folder_.write("fail", "");
  const std::string main = zone_text + "$INCLUDE mail.inc\n";
  folder_.write("example.com.zone", main);
  folder_.write("mail.inc", "_mta-sts 300 TXT a\n");
  EXPECT_FALSE(with_reload()->write(example, {{txt("a"), txt("b")}}));
  EXPECT_EQ(text(), main);
  EXPECT_EQ(text("mail.inc"), "_mta-sts 300 TXT a\n");
}

TEST_F(Reload, WhatAnotherWroteMeanwhileIsNotTakenBack) {
  script_ = "echo '; by hand' >> " + folder_.path() + "/$1.zone; exit 1";
  const auto written = write(*with_reload(), "v");
  ASSERT_FALSE(written);
  EXPECT_EQ(text(), with("v") + "; by hand\n");
  EXPECT_THAT(written.error().hint, HasSubstr("run the command by hand"));
}

}  // namespace
}  // namespace stsctl::providers::zonefile
