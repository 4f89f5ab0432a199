#include "servers/zone_file_server.h"

#include <fmt/format.h>

namespace stsctl::servers {

namespace {

std::vector<ZoneSeed> seeds(const std::vector<std::string>& zones) {
  std::vector<ZoneSeed> seeds;
  for (const std::string& zone : zones)
    seeds.push_back({.name = zone});
  return seeds;
}

class Bind final : public ZoneFileServer {
 public:
  Bind(ZoneFileServerKind kind, const std::string& files, const std::vector<std::string>& zones) {
    port_ = free_port();
    const std::uint16_t control = free_port();
    const TsigKey key = writer_key();
    const std::string key_text = fmt::format("key \"{}\" {{ algorithm {}; secret \"{}\"; }};\n",
                                             key.name, key.algorithm, key.secret);
    std::string conf = fmt::format(
        "options {{ directory \"{0}\"; pid-file \"{1}/pid\"; session-keyfile \"{1}/session\";\n"
        "  lock-file none; listen-on port {2} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n"
        "  recursion no; notify no; dnssec-validation no; managed-keys-directory \"{1}\";\n"
        "  key-directory \"{1}\"; }};\n{3}"
        "controls {{ inet 127.0.0.1 port {4} allow {{ 127.0.0.1; }} keys {{ {5}; }}; }};\n",
        files, folder_.path(), port_, key_text, control, key.name);
    const char* const signing = kind == ZoneFileServerKind::bind_inline
                                    ? " dnssec-policy default; inline-signing yes;"
                                    : "";
    for (const std::string& zone : zones)
      conf +=
          fmt::format("zone \"{0}\" {{ type primary; file \"{0}.zone\";{1} }};\n", zone, signing);
    const std::string rndc = folder_.write(
        "rndc.conf", fmt::format("{}options {{ default-key \"{}\"; default-server 127.0.0.1; "
                                 "default-port {}; }};\n",
                                 key_text, key.name, control));
    start({"named", "-g", "-n", "1", "-c", folder_.write("named.conf", conf)});
    reload_ = {"rndc", "-c", rndc, "reload", "{zone}"};
    if (kind == ZoneFileServerKind::bind_signal)
      reload_ = {"sh", "-c", "kill -HUP \"$(cat \"$1\")\"", "sh", folder_.file("pid")};
    await(seeds(zones));
  }
};

class Knot final : public ZoneFileServer {
 public:
  Knot(const std::string& files, const std::vector<std::string>& zones) {
    port_ = free_port();
    std::string conf = fmt::format(
        "server:\n  rundir: {0}\n  listen: 127.0.0.1@{1}\n  udp-workers: 1\n  tcp-workers: 2\n"
        "  background-workers: 1\ndatabase:\n  storage: {0}\n"
        "template:\n  - id: default\n    storage: {2}\n    file: \"%s.zone\"\n"
        "    zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: none\nzone:\n",
        folder_.path(), port_, files);
    for (const std::string& zone : zones)
      conf += fmt::format("  - domain: {}\n", zone);
    const std::string path = folder_.write("knot.conf", conf);
    start({"knotd", "-c", path});
    reload_ = {"knotc", "-c", path, "zone-reload", "{zone}"};
    await(seeds(zones));
  }
};

class Nsd final : public ZoneFileServer {
 public:
  Nsd(const std::string& files, const std::vector<std::string>& zones) {
    port_ = free_port();
    std::string conf = fmt::format(
        "server:\n  ip-address: 127.0.0.1@{0}\n  server-count: 1\n  username: \"\"\n"
        "  zonesdir: {1}\n  pidfile: \"\"\n  database: \"\"\n  zonelistfile: {2}/zones\n"
        "  xfrdfile: {2}/xfrd\n  xfrdir: {2}\n"
        "remote-control:\n  control-enable: yes\n  control-interface: {2}/control\n",
        port_, files, folder_.path());
    for (const std::string& zone : zones)
      conf += fmt::format("zone:\n  name: {0}\n  zonefile: {0}.zone\n", zone);
    const std::string path = folder_.write("nsd.conf", conf);
    start({"nsd", "-d", "-c", path});
    reload_ = {"nsd-control", "-c", path, "reload", "{zone}"};
    await(seeds(zones));
  }
};

}  // namespace

std::unique_ptr<ZoneFileServer> start_on_zone_files(ZoneFileServerKind kind,
                                                    const std::string& files,
                                                    const std::vector<std::string>& zones) {
  switch (kind) {
    case ZoneFileServerKind::knot:
      return std::make_unique<Knot>(files, zones);
    case ZoneFileServerKind::nsd:
      return std::make_unique<Nsd>(files, zones);
    default:
      return std::make_unique<Bind>(kind, files, zones);
  }
}

}  // namespace stsctl::servers
