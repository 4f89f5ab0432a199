#include "servers/name_server.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::servers {

namespace {

// Secrets of no worth outside these tests.
constexpr const char* secret = "c3RzY3RsIHRlc3Qga2V5IG9mIG5vIHdvcnRoIHdoYXRldmVy";
constexpr const char* other_secret = "YW5vdGhlciB0ZXN0IGtleSBvZiBubyB3b3J0aCBlaXRoZXI=";

std::vector<TsigKey> all_keys() {
  return {writer_key(), writer_key_sha1(), writer_key_sha512(), reader_key()};
}

std::string soa(const std::string& zone) {
  return fmt::format("ns1.{0}. hostmaster.{0}. 1 3600 600 86400 300", zone);
}

std::string master_file(const ZoneSeed& zone) {
  std::string text =
      fmt::format("{0}. 3600 IN SOA {1}\n{0}. 3600 IN NS ns1.{0}.\n", zone.name, soa(zone.name));
  text += fmt::format("ns1.{}. 3600 IN A 192.0.2.53\n", zone.name);
  for (const std::string& record : zone.records)
    text += record + "\n";
  return text;
}

// A line of dig with one blank between its fields; data in quotes stays as it is.
std::string single_spaced(const std::string& line) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i] == '\t' ? ' ' : line[i];
    if (c == '"') quoted = !quoted;
    if (quoted || c != ' ' || !out.ends_with(' ')) out += c;
    if (c == '\\' && i + 1 < line.size()) out += line[++i];
  }
  return out;
}

class Bind final : public NameServer {
 public:
  Bind(const std::vector<ZoneSeed>& zones, ServerClock clock) {
    port_ = free_port();
    std::string conf = fmt::format(
        "options {{ directory \"{0}\"; pid-file \"{0}/pid\"; session-keyfile \"{0}/session\";\n"
        "  lock-file none; listen-on port {1} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n"
        "  recursion no; notify no; dnssec-validation no; allow-query {{ any; }};\n"
        "  managed-keys-directory \"{0}\"; }};\ncontrols {{}};\n",
        folder_.path(), port_);
    for (const TsigKey& key : all_keys())
      conf += fmt::format("key \"{}\" {{ algorithm {}; secret \"{}\"; }};\n", key.name,
                          key.algorithm, key.secret);
    for (const ZoneSeed& zone : zones) {
      folder_.write(zone.name + ".zone", master_file(zone));
      conf += fmt::format(
          "zone \"{0}\" {{ type primary; file \"{0}.zone\"; allow-transfer {{ key {1}; key {2}; "
          "}};\n  update-policy {{ grant {1} zonesub ANY; grant {3} zonesub ANY; grant {4} zonesub "
          "ANY; }}; }};\n",
          zone.name, writer_key().name, reader_key().name, writer_key_sha1().name,
          writer_key_sha512().name);
    }
    start({"named", "-g", "-n", "1", "-c", folder_.write("named.conf", conf)}, clock);
    await(zones);
  }
};

class Knot final : public NameServer {
 public:
  Knot(const std::vector<ZoneSeed>& zones, ServerClock clock) {
    port_ = free_port();
    std::string conf = fmt::format(
        "server:\n  rundir: {0}\n  listen: 127.0.0.1@{1}\n  udp-workers: 1\n  tcp-workers: 2\n"
        "  background-workers: 1\ndatabase:\n  storage: {0}\nkey:\n",
        folder_.path(), port_);
    for (const TsigKey& key : all_keys())
      conf += fmt::format("  - id: {}\n    algorithm: {}\n    secret: {}\n", key.name,
                          key.algorithm, key.secret);
    conf += fmt::format(
        "acl:\n  - id: writer\n    key: [{0}, {1}, {2}]\n    action: [update, transfer, query]\n"
        "  - id: reader\n    key: {3}\n    action: [transfer, query]\n"
        "  - id: anybody\n    address: 127.0.0.1\n    action: query\n"
        "template:\n  - id: default\n    storage: {4}\n    file: \"%s.zone\"\n"
        "    acl: [writer, reader, anybody]\n    zonefile-load: difference-no-serial\n"
        "    journal-content: all\nzone:\n",
        writer_key().name, writer_key_sha1().name, writer_key_sha512().name, reader_key().name,
        folder_.path());
    for (const ZoneSeed& zone : zones) {
      folder_.write(zone.name + ".zone", master_file(zone));
      conf += fmt::format("  - domain: {}\n", zone.name);
    }
    start({"knotd", "-c", folder_.write("knot.conf", conf)}, clock);
    await(zones);
  }
};

std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2)
    text.insert(at, "'");
  return "'" + text + "'";
}

// One record line as a row: NAME TTL IN TYPE CONTENT.
std::string row(std::size_t zone, const std::string& line) {
  std::istringstream words(line);
  std::string name;
  std::string ttl;
  std::string cls;
  std::string type;
  std::string content;
  words >> name >> ttl >> cls >> type;
  std::getline(words >> std::ws, content);
  const auto bare = [](std::string text) {
    if (text.ends_with('.')) text.pop_back();
    return text;
  };
  name = lower(name);  // as the server does with what its API is given
  std::string priority = "0";
  if (type == "MX") {
    const std::size_t blank = content.find(' ');
    priority = content.substr(0, blank);
    content.erase(0, blank + 1);
  }
  const bool is_name = type == "CNAME" || type == "NS" || type == "ALIAS" || type == "MX";
  return fmt::format(
      "INSERT INTO records (domain_id,name,type,content,ttl,prio,disabled,auth) VALUES "
      "({},{},{},{},{},{},0,1);\n",
      zone, quoted(bare(name)), quoted(type), quoted(is_name ? bare(content) : content), ttl,
      priority);
}

// The zones as rows of PowerDNS's database.
std::string zone_rows(std::size_t id, const ZoneSeed& zone) {
  std::string sql = fmt::format("INSERT INTO domains (id,name,type) VALUES ({},{},'NATIVE');\n", id,
                                quoted(zone.name));
  sql += fmt::format(
      "INSERT INTO domainmetadata (domain_id,kind,content) VALUES ({},"
      "'SOA-EDIT-API','DEFAULT');\n",
      id);
  for (const TsigKey& key : {writer_key(), writer_key_sha1(), writer_key_sha512()})
    sql += fmt::format(
        "INSERT INTO domainmetadata (domain_id,kind,content) VALUES ({},"
        "'TSIG-ALLOW-DNSUPDATE',{});\n",
        id, quoted(key.name));
  for (const TsigKey& key : {writer_key(), reader_key()})
    sql += fmt::format(
        "INSERT INTO domainmetadata (domain_id,kind,content) VALUES ({},"
        "'TSIG-ALLOW-AXFR',{});\n",
        id, quoted(key.name));
  sql += row(
      id, fmt::format("{0}. 3600 IN SOA ns1.{0} hostmaster.{0} 1 3600 600 86400 300", zone.name));
  sql += row(id, fmt::format("{0}. 3600 IN NS ns1.{0}.", zone.name));
  sql += row(id, fmt::format("ns1.{}. 3600 IN A 192.0.2.53", zone.name));
  for (const std::string& record : zone.records)
    sql += row(id, record);
  return sql;
}

std::string all_rows(const std::vector<ZoneSeed>& zones) {
  std::string sql;
  for (std::size_t i = 0; i < zones.size(); ++i)
    sql += zone_rows(i + 1, zones[i]);
  return sql;
}

class PowerDns final : public NameServer {
 public:
  PowerDns(const std::vector<ZoneSeed>& zones, ServerClock clock) {
    port_ = free_port();
    const std::uint16_t api_port = free_port();
    api_ = fmt::format("http://127.0.0.1:{}", api_port);
    fill_database(zones);
    folder_.write(
        "pdns.conf",
        fmt::format("launch=gsqlite3\ngsqlite3-database={0}/"
                    "pdns.db\ngsqlite3-pragma-synchronous=0\nlocal-address=127.0.0.1\n"
                    "local-port={1}\napi=yes\napi-key={3}\nwebserver=yes\n"
                    "webserver-address=127.0.0.1\nwebserver-port={2}\n"
                    "webserver-allow-from=127.0.0.1\nsocket-dir={0}\ndnsupdate=yes\n"
                    "allow-dnsupdate-from=127.0.0.0/8\nallow-axfr-ips=\nprimary=yes\n"
                    "default-soa-edit=\ncache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n"
                    "zone-cache-refresh-interval=0\nloglevel=5\nwebserver-loglevel=normal\n"
                    "only-notify=\n",
                    folder_.path(), port_, api_port, api_key()));
    start({"pdns_server", "--config-dir=" + folder_.path()}, clock);
    if (!wait_until([&] { return accepts(api_port); }))
      throw std::runtime_error("pdns_server offers no API:\n" + log());
  }

 private:
  void fill_database(const std::vector<ZoneSeed>& zones) const {
    constexpr const char* schema = "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql";
    std::ifstream file(schema);
    if (!file) throw std::runtime_error(std::string(schema) + " is missing");
    std::stringstream sql;
    sql << file.rdbuf() << "\nPRAGMA journal_mode=WAL;\nBEGIN;\n";
    for (const TsigKey& key : all_keys())
      sql << fmt::format("INSERT INTO tsigkeys (name,algorithm,secret) VALUES ({},{},{});\n",
                         quoted(key.name), quoted(key.algorithm), quoted(key.secret));
    sql << all_rows(zones) << "COMMIT;\n";
    run({"sqlite3", folder_.file("pdns.db")}, sql.str());
    std::filesystem::permissions(folder_.file("pdns.db"), std::filesystem::perms(0666));
  }
};

}  // namespace

TsigKey writer_key() {
  return {"stsctl-key", "hmac-sha256", secret};
}
TsigKey writer_key_sha1() {
  return {"stsctl-key-sha1", "hmac-sha1", secret};
}
TsigKey writer_key_sha512() {
  return {"stsctl-key-sha512", "hmac-sha512", secret};
}
TsigKey reader_key() {
  return {"reader-key", "hmac-sha256", other_secret};
}

std::string api_key() {
  return "test-api-key-of-no-worth";
}

void NameServer::start(std::vector<std::string> argv, ServerClock clock) {
  if (clock == ServerClock::hour_fast)
    argv.insert(argv.begin(), {"env", "LD_PRELOAD=" STSCTL_HOUR_FAST});
  running_ = std::make_unique<Running>(argv, folder_.file("log"));
  const bool up = wait_until([&] { return accepts(port_) || !running_->alive(); });
  if (!up || !running_->alive()) throw std::runtime_error(argv[0] + " did not start:\n" + log());
}

std::string NameServer::log() const {
  std::ifstream file(folder_.file("log"));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void NameServer::await(const std::vector<ZoneSeed>& zones) const {
  if (!wait_until([&] { return soas(zones).size() == zones.size(); }))
    throw std::runtime_error("the server did not load every zone:\n" + log());
}

std::vector<std::string> NameServer::soas(const std::vector<ZoneSeed>& zones) const {
  std::vector<std::pair<std::string, std::string>> questions;
  for (const ZoneSeed& zone : zones)
    questions.emplace_back(zone.name, "SOA");
  return dig(questions);
}

std::vector<std::string> NameServer::ask(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv{
      "dig",      "+tcp",    "+norecurse", "+noall", "+answer",
      "+tries=1", "+time=5", "@127.0.0.1", "-p",     std::to_string(port_)};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::vector<std::string> lines;
  std::istringstream stream(run(argv));
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line.starts_with(';')) continue;
    lines.push_back(single_spaced(line));
  }
  std::ranges::sort(lines);
  return lines;
}

std::vector<std::string> NameServer::dig(const std::string& name, const std::string& type) const {
  return ask({name, type});
}

std::vector<std::string> NameServer::dig(
    const std::vector<std::pair<std::string, std::string>>& questions) const {
  std::vector<std::string> arguments;
  for (const auto& [name, type] : questions)
    arguments.insert(arguments.end(), {name, type});
  return ask(arguments);
}

std::vector<std::string> NameServer::transfer(const std::string& zone) const {
  const TsigKey key = writer_key();
  const std::string file =
      folder_.write("transfer.key", fmt::format("key \"{}\" {{ algorithm {}; secret \"{}\"; }};\n",
                                                key.name, key.algorithm, key.secret));
  return ask({"-k", file, "+onesoa", zone, "AXFR"});
}

void NameServer::nsupdate(const std::string& zone, const std::vector<std::string>& commands) const {
  const TsigKey key = writer_key();
  std::string input = fmt::format("server 127.0.0.1 {}\nkey {}:{} {}\nzone {}\n", port_,
                                  key.algorithm, key.name, key.secret, zone);
  for (const std::string& command : commands)
    input += command + "\n";
  // PowerDNS answers SERVFAIL while something else holds its SQLite file.
  std::string said;
  const bool done = wait_until([&] {
    try {
      run({"nsupdate", "-v"}, input + "send\n");
      return true;
    } catch (const std::runtime_error& error) {
      said = error.what();
      return false;
    }
  });
  if (!done) throw std::runtime_error(said);
}

std::unique_ptr<NameServer> start_bind(const std::vector<ZoneSeed>& zones, ServerClock clock) {
  return std::make_unique<Bind>(zones, clock);
}
std::unique_ptr<NameServer> start_knot(const std::vector<ZoneSeed>& zones, ServerClock clock) {
  return std::make_unique<Knot>(zones, clock);
}
std::unique_ptr<NameServer> start_powerdns(const std::vector<ZoneSeed>& zones, ServerClock clock) {
  return std::make_unique<PowerDns>(zones, clock);
}
void refill_powerdns(const NameServer& server, const std::vector<ZoneSeed>& zones) {
  run({"sqlite3", server.folder().file("pdns.db")},
      ".timeout 5000\nBEGIN IMMEDIATE;\nDELETE FROM records;\nDELETE FROM domains;\nDELETE FROM "
      "domainmetadata;\nDELETE FROM comments;\n" +
          all_rows(zones) + "COMMIT;\n");
}

}  // namespace stsctl::servers
