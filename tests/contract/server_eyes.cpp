#include "server_eyes.h"

#include <sstream>
#include <stdexcept>

namespace stsctl::contract {

std::vector<Seen> look(const servers::NameServer& server, const std::string& zone) {
  std::vector<Seen> records = read_lines(server.transfer(zone));
  if (records.empty()) throw std::runtime_error("no transfer of " + zone);
  std::erase_if(records, [&](const Seen& one) {
    return one.type == "SOA" || (one.type == "NS" && one.owner == zone);
  });
  return records;
}

std::uint64_t serial(const servers::NameServer& server, const std::string& zone) {
  const std::vector<std::string> lines = server.dig(zone, "SOA");
  if (lines.size() != 1) throw std::runtime_error("no SOA of " + zone);
  std::istringstream words(lines.front());
  std::string word;
  for (int i = 0; i < 6; ++i)  // NAME TTL IN SOA MNAME RNAME
    words >> word;
  std::uint64_t serial = 0;
  words >> serial;
  return serial;
}

void change(const servers::NameServer& server, const std::string& zone, const std::string& owner,
            const std::string& type, const std::vector<std::string>& lines) {
  std::vector<std::string> commands{"update delete " + owner + ". " + type};
  for (const std::string& line : lines)
    commands.push_back("update add " + line);
  server.nsupdate(zone, commands);
}

}  // namespace stsctl::contract
