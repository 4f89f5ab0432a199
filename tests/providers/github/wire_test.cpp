#include "providers/github/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stsctl::providers::github {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string sha_a(40, 'a');
const std::string sha_b(40, 'b');

// `git hash-object` says the same.
TEST(BlobSha, IsGits) {
  EXPECT_EQ(blob_sha(""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(blob_sha("hello world\n"), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
  EXPECT_NE(blob_sha("a\r\n"), blob_sha("a\n"));
}

TEST(UrlEncoded, LeavesOnlyWhatAPathMayHold) {
  EXPECT_EQ(url_encoded("mta-sts.example.com/.well-known/x_~1", true),
            "mta-sts.example.com/.well-known/x_~1");
  EXPECT_EQ(url_encoded("feature/a b#c?d%e&ä", false), "feature%2Fa%20b%23c%3Fd%25e%26%C3%A4");
}

TEST(ParseContents, ReadsAFileWithItsLineEnds) {
  const std::string content = "version: STSv1\r\nmode: none\r\n";
  const auto file = parse_contents(json{
      {"type", "file"},
      {"encoding", "base64"},
      {"content", "dmVyc2lvbjogU1RTdjENCm1v\nZGU6IG5vbmUNCg==\n"},
      {"sha", blob_sha(content)}}.dump());
  ASSERT_TRUE(file) << to_string(file.error());
  EXPECT_EQ(*file, (File{blob_sha(content), content}));
}

TEST(ParseContents, RefusesWhatIsNoFile) {
  struct Case {
    const char* text;
    Code code;
    const char* why;
  };
  for (const Case& c : std::vector<Case>{
           {"[]", Code::unsupported, "a folder"},
           {R"({"type":"submodule","sha":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"})",
            Code::unsupported, "a submodule"},
           {R"({"type":"symlink","target":"x"})", Code::unsupported, "a link that leads nowhere"},
           {R"({"type":"file","encoding":"none","content":"",
                "sha":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"})",
            Code::invalid, "more than a megabyte"},
           {R"({"type":"file","encoding":"base64","content":"YQ==",
                "sha":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"})",
            Code::unsupported, "another file's content"},
           {R"({"type":"file","encoding":"base64","content":"YQ=",
                "sha":"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"})",
            Code::protocol, "no base64"},
           {R"({"type":"file","encoding":"base64","content":"","sha":"E69D"})", Code::protocol,
            "no SHA"},
           {R"({"type":"file","encoding":"base64","sha":5})", Code::protocol, "a number"},
           {"{\"type\":\"file\",\"enc", Code::protocol, "cut off"},
           {"\"file\"", Code::protocol, "a string"},
           {"<html>", Code::protocol, "no JSON"},
           {"", Code::protocol, "nothing"},
       }) {
    const auto file = parse_contents(c.text);
    ASSERT_FALSE(file) << c.why;
    EXPECT_EQ(file.error().code, c.code) << c.why;
  }
}

TEST(ParseBlob, BelievesNoContentButTheOneAskedFor) {
  const std::string answer = R"({"encoding":"base64","content":"YQ0K\n"})";
  EXPECT_EQ(parse_blob(answer, blob_sha("a\r\n")), "a\r\n");
  const auto other = parse_blob(answer, blob_sha("a\n"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::protocol);
}

TEST(ParseTree, ListsByPath) {
  const auto tree = parse_tree(
      json{{"truncated", true},
           {"tree",
            {{{"path", "a"}, {"mode", "040000"}, {"type", "tree"}, {"sha", sha_a}},
             {{"path", "a/b"}, {"mode", "100755"}, {"type", "blob"}, {"sha", sha_b}, {"size", 7}},
             {{"path", "l"}, {"mode", "120000"}, {"type", "blob"}, {"sha", sha_b}, {"size", 1}}}}}
          .dump());
  ASSERT_TRUE(tree) << to_string(tree.error());
  EXPECT_TRUE(tree->truncated);
  EXPECT_EQ(tree->entries.at("a/b"), (Entry{"100755", "blob", sha_b, 7}));
  EXPECT_TRUE(tree->entries.at("a/b").is_file());
  EXPECT_FALSE(tree->entries.at("a").is_file());
  EXPECT_FALSE(tree->entries.at("l").is_file()) << "a symbolic link";
}

// A listing that lost a part must not look as if files were missing.
TEST(ParseTree, RefusesAnythingIncomplete) {
  for (const std::string text :
       {R"({"tree":[]})", R"({"truncated":false})", R"({"truncated":"no","tree":[]})",
        R"({"truncated":false,"tree":{}})", R"({"truncated":false,"tree":[5]})",
        R"({"truncated":false,"tree":[{"path":"a"}]})",
        R"({"truncated":false,"tree":[{"sha":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]})",
        R"({"truncated":false,"tree":[{"path":"a","sha":"AAAA"}]})",
        R"({"truncated":false,"tree":[)", "[]", "null"}) {
    const auto tree = parse_tree(text);
    ASSERT_FALSE(tree) << text;
    EXPECT_EQ(tree.error().code, Code::protocol);
  }
}

TEST(ParseRef, TakesOnlyACommit) {
  EXPECT_EQ(parse_ref(json{{"object", {{"type", "commit"}, {"sha", sha_a}}}}.dump()), sha_a);
  EXPECT_FALSE(parse_ref(json{{"object", {{"type", "tag"}, {"sha", sha_a}}}}.dump()));
  EXPECT_FALSE(parse_ref("[]")) << "several refs begin so";
  EXPECT_FALSE(parse_ref(json{{"object", {{"type", "commit"}, {"sha", "../../x"}}}}.dump()));
}

TEST(ParseMade, TakesTheShaOfWhatWasMade) {
  EXPECT_EQ(parse_made(json{{"sha", sha_a}}.dump()), sha_a);
  EXPECT_EQ(parse_commit_tree(json{{"sha", sha_b}, {"tree", {{"sha", sha_a}}}}.dump()), sha_a);
  EXPECT_EQ(parse_committed(json{{"content", nullptr}, {"commit", {{"sha", sha_a}}}}.dump()),
            sha_a);
  EXPECT_FALSE(parse_made("{}"));
  EXPECT_FALSE(parse_commit_tree(R"({"tree":[]})"));
  EXPECT_FALSE(parse_committed(R"({"content":{}})"));
}

TEST(ParseSite, ReadsWhatServesTheSite) {
  const auto site =
      parse_site(R"({"cname":"MTA-STS.Example.com","build_type":"legacy","public":true,
    "source":{"branch":"gh-pages","path":"/docs"},
    "https_certificate":{"state":"authorization_pending","description":"Soon."}})");
  ASSERT_TRUE(site) << to_string(site.error());
  EXPECT_EQ(site->cname, "mta-sts.example.com");
  EXPECT_TRUE(site->from_branch);
  EXPECT_EQ(site->branch, "gh-pages");
  EXPECT_EQ(site->folder, "/docs");
  EXPECT_FALSE(site->has_certificate());
  EXPECT_EQ(site->certificate_story, "Soon.");

  const auto workflow = parse_site(
      R"({"cname":null,"build_type":"workflow","public":false,"status":null,"source":null})");
  ASSERT_TRUE(workflow);
  EXPECT_EQ(workflow->cname, "");
  EXPECT_FALSE(workflow->from_branch);
  EXPECT_FALSE(workflow->is_public);
  EXPECT_FALSE(workflow->has_certificate());

  for (const std::string state : {"issued", "uploaded", "approved"})
    EXPECT_TRUE(parse_site(R"({"cname":null,"https_certificate":{"state":")" + state + R"("}})")
                    ->has_certificate());
  EXPECT_FALSE(parse_site(R"({"message":"?"})"));
}

TEST(ParseBuild, NeedsAStatus) {
  const auto build = parse_build(
      R"({"status":"errored","commit":"c","error":{"message":"Page build failed.\u001b[2J"}})");
  ASSERT_TRUE(build);
  EXPECT_EQ(build->error, "Page build failed.\\x1B[2J") << "no terminal is driven by it";
  EXPECT_FALSE(parse_build("{}"));
}

TEST(Bodies, SayWhatTheApiAsksFor) {
  const CommitNote note{"Why", Person{"A", "a@example.net"}};
  const json person{{"name", "A"}, {"email", "a@example.net"}};
  EXPECT_EQ(json::parse(put_body("main", "a\r\n", sha_a, note)), (json{{"branch", "main"},
                                                                       {"content", "YQ0K"},
                                                                       {"sha", sha_a},
                                                                       {"message", "Why"},
                                                                       {"author", person},
                                                                       {"committer", person}}));
  EXPECT_EQ(json::parse(put_body("main", "", "", {"Why", {}})),
            (json{{"branch", "main"}, {"content", ""}, {"message", "Why"}}))
      << "a new file has no SHA";
  EXPECT_EQ(json::parse(delete_body("main", sha_a, {"Why", {}})),
            (json{{"branch", "main"}, {"sha", sha_a}, {"message", "Why"}}));
  EXPECT_EQ(json::parse(tree_body(sha_b, {{"a/b", "100755", "x\r\n"}, {"c", "100644", {}}})),
            (json{{"base_tree", sha_b},
                  {"tree",
                   {{{"path", "a/b"}, {"mode", "100755"}, {"type", "blob"}, {"content", "x\r\n"}},
                    {{"path", "c"}, {"mode", "100644"}, {"type", "blob"}, {"sha", nullptr}}}}}));
  EXPECT_EQ(json::parse(commit_body(sha_a, sha_b, {"Why", {}})),
            (json{{"tree", sha_a}, {"parents", {sha_b}}, {"message", "Why"}}));
  EXPECT_EQ(json::parse(ref_body(sha_a)), (json{{"sha", sha_a}, {"force", false}}));
  EXPECT_THAT(commit_body(sha_a, sha_b, {"Why", Person{"\xff", "a@example.net"}}),
              HasSubstr("\xEF\xBF\xBD"))
      << "no throw for what is not UTF-8";
}

}  // namespace
}  // namespace stsctl::providers::github
