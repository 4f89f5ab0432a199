// The host cloudflare-workers against the emulator: what the contract does not ask of every host.

#include "providers/cloudflare/workers.h"

#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "providers/cloudflare/cloudflare_fixture.h"
#include "providers/cloudflare/script.h"

namespace stsctl::providers::cloudflare {
namespace {

using plan::PolicyEdit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string account = "0123456789abcdef0123456789abcdef";
const std::string other_account = "fedcba9876543210fedcba9876543210";
constexpr const char* worker = "stsctl-mta-sts";
constexpr const char* foreign = "export default { fetch: () => new Response('mine') };\n";

PolicyEdit edit(const std::string& domain, const std::optional<std::string>& before,
                const std::optional<std::string>& after) {
  const auto file = [&](const std::optional<std::string>& body) {
    return body ? std::optional(plan::PolicyFile{name(domain), *body}) : std::nullopt;
  };
  return {file(before), file(after)};
}

class CloudflareWorkers : public CloudflareTest {
 protected:
  // The account with these zones; `more` are members of the emulator's state.
  static void load_zones(const std::vector<json>& zones, const json& more = json::object()) {
    json all = more;
    all.update(
        {{"accounts",
          {{{"id", account}, {"name", "Example"}}, {{"id", other_account}, {"name", "Other"}}}}});
    load(zones, all);
  }
  static json published(const std::string& script) {
    return {{{"account", account}, {"name", worker}, {"script", script}}};
  }
  static json domain(const std::string& hostname, const std::string& service = worker) {
    return {{"account", account}, {"hostname", hostname}, {"service", service}};
  }

  Result<std::unique_ptr<PolicyHost>> try_open(const Changes& changes) {
    Settings settings;
    settings.set("endpoint", emulator_->endpoint(), "");
    settings.set("token", servers::cloudflare_token, "");
    settings.set("account", account, "");
    settings.set("rate", "none", "");
    for (const auto& [key, value] : changes)
      settings.set(key, value, "stsctl.yaml:1:1");
    return workers_kind().make(settings, services());
  }
  std::unique_ptr<PolicyHost> open(const Changes& changes = {}) {
    auto opened = try_open(changes);
    EXPECT_TRUE(opened) << to_string(opened.error());
    return opened ? std::move(*opened) : nullptr;
  }

  std::vector<Result<Done>> write(const std::vector<PolicyEdit>& edits) {
    return open()->write(edits, {});
  }
  std::optional<std::string> read(const std::string& domain) {
    const auto body = open()->read({name(domain)}, {}).front();
    EXPECT_TRUE(body) << to_string(body.error());
    return body.value_or("an error");
  }

  static json whole() { return json::parse(emulator_->dump()); }
  // The policies in the script that is uploaded.
  static Policies uploaded() {
    return *read_script(whole().at("workers").at(0).at("script").get<std::string>());
  }
  static std::vector<std::string> hostnames() {
    const json state = whole();
    std::vector<std::string> names;
    for (const json& one : state.at("custom_domains"))
      names.push_back(one.at("hostname"));
    return names;
  }
  // "PUT scripts" for each request, without account, names and ids.
  static std::vector<std::string> calls() {
    std::vector<std::string> calls;
    for (const servers::Journaled& one : emulator_->journal()) {
      const std::string path = one.path.substr(one.path.find("/workers/") + 9);
      calls.push_back(one.method + " " + path.substr(0, path.find('/')));
    }
    return calls;
  }
};

TEST_F(CloudflareWorkers, AThousandDomainsAreOneUpload) {
  std::vector<PolicyEdit> first;
  std::vector<PolicyEdit> second;
  for (int i = 0; i < 1000; ++i) {
    const std::string domain = fmt::format("d{}.example", i);
    first.push_back(edit(domain, {}, "1"));
    second.push_back(edit(domain, "1", "2"));
  }
  load_zones({zone("example", {}, {{"account", account}})}, {{"domains_a_zone", 1000}});
  const auto host = open();
  for (const auto& result : host->write(first, {}))
    ASSERT_TRUE(result) << to_string(result.error());
  std::vector<std::string> sent = calls();
  EXPECT_LE(sent.size(), host->write_requests(1000));
  EXPECT_EQ(std::ranges::count(sent, "PUT scripts"), 1);
  EXPECT_EQ(std::ranges::count(sent, "PUT domains"), 1000);

  emulator_->forget();
  for (const auto& result : host->write(second, {}))
    ASSERT_TRUE(result) << to_string(result.error());
  EXPECT_THAT(calls(), ElementsAre("GET domains", "GET scripts", "PUT scripts", "GET scripts"));

  emulator_->forget();
  std::vector<dns::Name> names;
  for (const PolicyEdit& one : first)
    names.push_back(one.after->domain);
  for (const auto& body : host->read(names, {}))
    ASSERT_EQ(body, "2");
  EXPECT_EQ(calls().size(), host->read_requests(1000));
}

TEST_F(CloudflareWorkers, TheWorkerIsUploadedAsTheServiceWantsIt) {
  load_zones({zone("example.com", {}, {{"account", account}})});
  ASSERT_TRUE(write({edit("example.com", {}, "1")}).front());
  const json stored = whole().at("workers").at(0);
  EXPECT_EQ(stored.at("metadata"), json({{"main_module", "worker.js"},
                                         {"compatibility_date", "2025-01-01"},
                                         {"bindings", json::array()}}));
  EXPECT_EQ(stored.at("script"), render_script({{name("example.com"), "1"}}));
  // The record that a Custom Domain brings, which nobody plans.
  EXPECT_EQ(records_at("mta-sts.example.com").size(), 1U);
  EXPECT_EQ(open()->address(name("example.com")), std::nullopt);
}

TEST_F(CloudflareWorkers, PoliciesOfOtherDomainsAreCarriedOver) {
  const Policies there{
      {name("a.example"), "a"}, {name("b.example"), "b"}, {name("c.example"), "c"}};
  load_zones({zone("example", {}, {{"account", account}})},
             {{"workers", published(render_script(there))},
              {"custom_domains", {domain("mta-sts.a.example"), domain("mta-sts.b.example")}}});
  for (const auto& result : write({edit("a.example", "a", {}), edit("d.example", {}, "d")}))
    EXPECT_TRUE(result) << to_string(result.error());
  EXPECT_EQ(
      uploaded(),
      (Policies{{name("b.example"), "b"}, {name("c.example"), "c"}, {name("d.example"), "d"}}));
  EXPECT_THAT(hostnames(), ElementsAre("mta-sts.b.example", "mta-sts.d.example"));
}

// Who dies after the upload leaves a policy that nobody is served; the next apply finishes it.
TEST_F(CloudflareWorkers, APolicyWithoutItsCustomDomainIsNotPublished) {
  load_zones({zone("example.com", {}, {{"account", account}})},
             {{"workers", published(render_script({{name("example.com"), "1"}}))}});
  EXPECT_EQ(read("example.com"), std::nullopt);
  emulator_->forget();
  ASSERT_TRUE(write({edit("example.com", {}, "1")}).front());
  EXPECT_THAT(calls(), ElementsAre("GET domains", "GET scripts", "PUT domains"));
  EXPECT_EQ(read("example.com"), "1");
}

TEST_F(CloudflareWorkers, ARemovalDetachesFirstAndIsFinishedByTheNext) {
  load_zones({zone("example.com", {}, {{"account", account}})},
             {{"workers", published(render_script({{name("example.com"), "1"}}))},
              {"custom_domains", {domain("mta-sts.example.com")}}});
  emulator_->fault(R"({"method": "PUT", "path": "/scripts/", "status": 403, "body":
    "{\"success\":false,\"errors\":[{\"code\":10000,\"message\":\"Authentication error\"}]}"})");
  const auto refused = write({edit("example.com", "1", {})}).front();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unauthorized);
  EXPECT_THAT(hostnames(), IsEmpty());
  EXPECT_EQ(read("example.com"), std::nullopt);
  ASSERT_TRUE(write({edit("example.com", "1", {})}).front());
  EXPECT_THAT(uploaded(), IsEmpty());
  EXPECT_THAT(records_at("mta-sts.example.com"), IsEmpty());
}

TEST_F(CloudflareWorkers, AWorkerOfSomebodyElseIsNeverReadNorWritten) {
  for (const std::string& script :
       {std::string(foreign), render_script({{name("example.com"), "1"}}) + "// by hand\n"}) {
    load_zones(
        {zone("example.com", {}, {{"account", account}})},
        {{"workers", published(script)}, {"custom_domains", {domain("mta-sts.example.com")}}});
    for (const Error& error : {open()->read({name("example.com")}, {}).front().error(),
                               write({edit("example.com", {}, "2")}).front().error(),
                               write({edit("example.com", "1", {})}).front().error()}) {
      EXPECT_EQ(error.code, Code::refused);
      EXPECT_THAT(to_string(error), HasSubstr("Worker 'stsctl-mta-sts': the Worker's script is not "
                                              "one that stsctl wrote"));
      EXPECT_THAT(error.hint, HasSubstr("'script'"));
    }
    EXPECT_EQ(whole().at("workers").at(0).at("script"), script);
    EXPECT_THAT(hostnames(), ElementsAre("mta-sts.example.com"));
  }
  // Another name is free.
  const auto host = open({{"script", std::string("policies_2")}});
  const auto done = host->write({edit("example.com", {}, "2")}, {}).front();
  ASSERT_FALSE(done);  // since the other Worker answers there
  EXPECT_EQ(done.error().code, Code::refused);
  EXPECT_THAT(done.error().what, HasSubstr("Custom Domain of the Worker 'stsctl-mta-sts'"));
  EXPECT_THAT(hostnames(), ElementsAre("mta-sts.example.com"));
}

TEST_F(CloudflareWorkers, OtherModulesAreRefused) {
  load_zones({zone("example.com", {}, {{"account", account}})});
  const std::string part =
      "--b\r\nContent-Disposition: form-data; name=\"{0}\"; filename=\"{0}\"\r\n\r\n{1}\r\n";
  const std::string body = fmt::format(fmt::runtime(part), "worker.js", render_script({})) +
                           fmt::format(fmt::runtime(part), "more.js", "export {}") + "--b--\r\n";
  emulator_->fault(json{{"method", "GET"},
                        {"path", "/content/v2"},
                        {"status", 200},
                        {"body", body},
                        {"headers", {{"Content-Type", "multipart/form-data; boundary=b"}}}}
                       .dump());
  const auto result = open()->read({name("example.com")}, {}).front();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::refused);
  EXPECT_THAT(result.error().what, HasSubstr("other modules"));
}

TEST_F(CloudflareWorkers, ARecordInTheWayIsToldAndTheOthersGoOn) {
  load_zones({zone("example.com", {record("CNAME", "mta-sts.example.com", "web.example.net")},
                   {{"account", account}}),
              zone("example.org", {}, {{"account", account}})});
  const auto results = write({edit("example.com", {}, "1"), edit("example.org", {}, "2"),
                              edit("elsewhere.example", {}, "3")});
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().code, Code::conflict);
  EXPECT_THAT(results[0].error().what, HasSubstr("already has externally managed DNS records"));
  EXPECT_THAT(results[0].error().hint, HasSubstr("remove those of mta-sts.example.com"));
  EXPECT_EQ(results[0].error().where, "cloudflare PUT /workers/domains mta-sts.example.com");
  EXPECT_TRUE(results[1]) << to_string(results[1].error());
  ASSERT_FALSE(results[2]);
  EXPECT_EQ(results[2].error().code, Code::invalid);
  EXPECT_THAT(results[2].error().hint, HasSubstr("zone must be active in account " + account));
  EXPECT_EQ(read("example.com"), std::nullopt);
  EXPECT_EQ(read("example.org"), "2");
}

TEST_F(CloudflareWorkers, ALimitIsTold) {
  load_zones({zone("example", {}, {{"account", account}})}, {{"domains_a_zone", 1}});
  const auto results = write({edit("a.example", {}, "1"), edit("b.example", {}, "2")});
  const auto failed = std::ranges::find_if(results, [](const auto& one) { return !one; });
  ASSERT_NE(failed, results.end());
  EXPECT_THAT(failed->error().what, HasSubstr("A zone can have 1 Custom Domains"));
  EXPECT_EQ(std::ranges::count_if(results, [](const auto& one) { return one.has_value(); }), 1);
}

TEST_F(CloudflareWorkers, OnlyAMissingWorkerIsNone) {
  load_zones({zone("example.com", {}, {{"account", account}})});
  EXPECT_EQ(read("example.com"), std::nullopt);
  struct Case {
    int status;
    std::string body;
    Code code;
  };
  for (const Case& one : std::vector<Case>{
           {404, R"({"success":false,"errors":[{"code":7003,"message":"Could not route"}]})",
            Code::not_found},
           {404, "<html>not found</html>", Code::not_found},
           {200, "", Code::refused},
           {200, R"({"success":false})", Code::refused},
           {403, R"({"success":false,"errors":[{"code":10007,"message":"odd"}]})",
            Code::unauthorized}}) {
    emulator_->clear_faults();
    emulator_->fault(
        json{{"path", "/content/v2"}, {"status", one.status}, {"body", one.body}}.dump());
    const auto body = open()->read({name("example.com")}, {}).front();
    ASSERT_FALSE(body) << one.body;
    EXPECT_EQ(body.error().code, one.code) << to_string(body.error());
  }
  const auto elsewhere =
      open({{"account", std::string(32, 'a')}})->read({name("example.com")}, {}).front();
  ASSERT_FALSE(elsewhere);
  EXPECT_EQ(elsewhere.error().code, Code::unauthorized);
}

TEST_F(CloudflareWorkers, NamesThePermissionThatIsMissing) {
  const auto with = [](const json& permissions) {
    return json{{"tokens", {{{"value", servers::cloudflare_token}, {"permissions", permissions}}}}};
  };
  load_zones({zone("example.com", {}, {{"account", account}})}, with({"dns:edit", "zone:read"}));
  const auto body = open()->read({name("example.com")}, {}).front();
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Code::unauthorized);
  EXPECT_THAT(body.error().hint, HasSubstr("Account > Workers Scripts > Edit"));

  load_zones({zone("example.com", {}, {{"account", account}})}, with({"workers:read"}));
  EXPECT_EQ(read("example.com"), std::nullopt);
  const auto done = write({edit("example.com", {}, "1")}).front();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unauthorized);
  EXPECT_THAT(done.error().hint, HasSubstr("Account > Workers Scripts > Edit"));
  EXPECT_THAT(to_string(done.error()), Not(HasSubstr(servers::cloudflare_token)));
  // All that is asked for.
  load_zones({zone("example.com", {}, {{"account", account}})}, with({"workers:edit"}));
  EXPECT_TRUE(write({edit("example.com", {}, "1")}).front());
  EXPECT_TRUE(write({edit("example.com", "1", {})}).front());
}

// The upload happened, and its answer was lost: it is looked up, not repeated.
TEST_F(CloudflareWorkers, ALostAnswerIsLookedUp) {
  for (const char* fault : {R"("reset": true)", R"("cut": 5)", R"("status": 502, "body": "bad")"}) {
    load_zones({zone("example.com", {}, {{"account", account}})});
    emulator_->forget();
    emulator_->fault(
        fmt::format(R"({{"method": "PUT", "path": "/scripts/", "done": true, {}}})", fault));
    const auto done = write({edit("example.com", {}, "1")}).front();
    ASSERT_TRUE(done) << to_string(done.error());
    EXPECT_THAT(calls(), ElementsAre("GET domains", "GET scripts", "PUT scripts", "GET domains",
                                     "GET scripts", "PUT domains"))
        << fault;
  }
}

TEST_F(CloudflareWorkers, AServiceThatGoesOnFailingIsTold) {
  load_zones({zone("example.com", {}, {{"account", account}})});
  emulator_->fault(R"({"times": 99, "method": "PUT", "path": "/scripts/", "status": 500,
                       "body": "down"})");
  const auto done = write({edit("example.com", {}, "1")}).front();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unreachable);
  EXPECT_EQ(std::ranges::count(calls(), "PUT scripts"), 4);
}

// Two writers who read the same script: the one who is overwritten sees it and writes again.
TEST_F(CloudflareWorkers, WhoIsOverwrittenWritesAgain) {
  const Policies others{{name("other.example"), "o"}};
  load_zones({zone("example.com", {}, {{"account", account}})});
  emulator_->fault(R"({"method": "GET", "path": "/content/v2"})");  // the look before
  emulator_->fault(R"({"method": "GET", "path": "/content/v2", "hold": true})");
  Result<Done> done = fail(Code::internal, "not run");
  {
    const std::jthread writer([&] { done = write({edit("example.com", {}, "1")}).front(); });
    emulator_->await_held();
    json state = whole();
    state["workers"] = published(render_script(others));
    emulator_->load(state.dump());
    emulator_->release();
  }
  ASSERT_TRUE(done) << to_string(done.error());
  Policies both = others;
  both[name("example.com")] = "1";
  EXPECT_EQ(uploaded(), both);
  EXPECT_EQ(read("example.com"), "1");
}

TEST_F(CloudflareWorkers, AllPagesOfCustomDomainsAreReadShouldThereBeAny) {
  load_zones({zone("example.com", {}, {{"account", account}})},
             {{"workers", published(render_script({{name("example.com"), "1"}}))}});
  const auto page = [](const std::string& hostname, const std::string& path) {
    const json body{
        {"success", true},
        {"result",
         {{{"id", "0" + hostname.substr(0, 1)}, {"hostname", hostname}, {"service", worker}}}},
        {"result_info", {{"count", 1}, {"total_pages", 2}}}};
    emulator_->fault(json{{"path", path}, {"status", 200}, {"body", body.dump()}}.dump());
  };
  page("a.example.com", "/domains$");
  page("mta-sts.example.com", "/domains\\?page=2$");
  EXPECT_EQ(read("example.com"), "1");
  page("a.example.com", "/domains$");
  page("a.example.com", "/domains\\?page=2$");
  const auto same = open()->read({name("example.com")}, {}).front();
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code, Code::protocol);
}

TEST_F(CloudflareWorkers, SettingsThatCannotBeAreRefused) {
  const std::vector<Changes> wrong{
      {{"script", std::string("Policies")}}, {{"script", std::string("a/b")}},
      {{"script", std::string("")}},         {{"script", std::string(64, 'a')}},
      {{"account", std::string("example")}}, {{"email", std::string("a@example.net")}}};
  for (const Changes& changes : wrong) {
    const auto host = try_open(changes);
    ASSERT_FALSE(host) << changes.front().first;
    EXPECT_EQ(host.error().code, Code::invalid);
  }
  const HostKind kind = workers_kind();
  const auto spec = [&](const std::string& key) {
    return *std::ranges::find(kind.settings, key, &SettingSpec::name);
  };
  EXPECT_TRUE(spec("account").required);
  EXPECT_FALSE(spec("token").required);
  EXPECT_EQ(spec("script").fallback, worker);
  EXPECT_EQ(open({{"edge_delay", std::int64_t{30}}})->edge_delay(), Duration(30));
}

}  // namespace
}  // namespace stsctl::providers::cloudflare
