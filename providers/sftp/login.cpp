#include "providers/sftp/login.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::providers::sftp {

namespace {

constexpr std::size_t longest_shown = 500;

bool is_host(std::string_view text) {
  return !text.empty() && !text.starts_with('-') && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:").find(c) != std::string_view::npos;
  });
}

bool is_user(std::string_view text) {
  return !text.starts_with('-') && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7F &&
           std::string_view("'`\"\\$;&<>|(){}%").find(c) == std::string_view::npos;
  });
}

// ssh expands ${NAME} in some of its options, and nothing can prevent that.
bool is_path(std::string_view text) {
  return text.find("${") == std::string_view::npos &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

// A path as a word of ssh's configuration: quoted, no %-token expanded.
std::string word(std::string_view path) {
  std::string out = "\"";
  for (const char c : path) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%') out += '%';
    out += c;
  }
  return out + '"';
}

struct Complaint {
  const char* text;
  Code code;
  const char* what;
  const char* hint;
};

// In the order of who is to be believed: the first that occurs.
constexpr std::array complaints{
    Complaint{
        "REMOTE HOST IDENTIFICATION HAS CHANGED", Code::unauthorized,
        "the server shows another host key than the one known here",
        "if the server was set up anew, replace its line in known_hosts; if not, somebody may "
        "stand in between"},
    Complaint{
        "host key is known for", Code::unauthorized, "the server's host key is not known here",
        "compare it with the server's own, then add it to known_hosts (ssh-keyscan prints it)"},
    Complaint{"Host key verification failed", Code::unauthorized,
              "the server's host key is not accepted", "see known_hosts"},
    Complaint{"revoked", Code::unauthorized, "a key is revoked", "see known_hosts"},
    Complaint{"UNPROTECTED PRIVATE KEY FILE", Code::unauthorized,
              "ssh refuses the key file, since others may read it", "chmod 600 the key file"},
    Complaint{"Permission denied (", Code::unauthorized, "the server accepts none of the keys",
              "check 'user', 'identity' and the server's authorized_keys; a key with a passphrase "
              "must be in the agent"},
    Complaint{"Too many authentication failures", Code::unauthorized,
              "the server gives up after too many keys", "name the right one with 'identity'"},
    Complaint{"Could not resolve hostname", Code::unreachable, "no address found for the server",
              "check 'host'"},
    Complaint{"Connection refused", Code::unreachable, "the server refuses the connection",
              "is sshd running, and is 'port' right?"},
    Complaint{"timed out", Code::timeout, "no connection to the server in time", ""},
    Complaint{"No route to host", Code::unreachable, "there is no route to the server", ""},
    Complaint{"subsystem request failed", Code::unsupported, "the server offers no SFTP",
              "sshd_config needs: Subsystem sftp internal-sftp"},
    Complaint{"Connection closed", Code::unreachable, "the server closed the connection", ""},
    Complaint{"closed by remote host", Code::unreachable, "the server closed the connection", ""},
    Complaint{"Connection reset", Code::unreachable, "the server closed the connection", ""},
    Complaint{"Broken pipe", Code::unreachable, "the connection broke", ""},
};

}  // namespace

Result<Login> read_login(const Settings& settings) {
  const auto path = [&](const char* name) -> Result<std::string> {
    std::string text = settings.text(name);
    if (is_path(text)) return text;
    return fail(Code::invalid, fmt::format("'{}' holds characters that ssh would take apart", name),
                settings.where(name));
  };
  Login login{.host = settings.text("host"),
              .port = settings.integer("port"),
              .user = settings.text("user"),
              .timeout = Duration(settings.integer("timeout", Login{}.timeout.count()))};
  if (!is_host(login.host))
    return fail(Code::invalid, "'host' is no host name, address, or Host of ssh's configuration",
                settings.where("host"), "the user is a setting of its own");
  if (!is_user(login.user))
    return fail(Code::invalid, "'user' is no user name", settings.where("user"));
  for (const auto& [name, target] :
       {std::pair{"identity", &login.identity}, std::pair{"known_hosts", &login.known_hosts},
        std::pair{"ssh_config", &login.ssh_config}}) {
    const Result<std::string> text = path(name);
    if (!text) return fail(text);
    *target = *text;
  }
  return login;
}

std::vector<std::string> arguments(const Login& login) {
  std::vector<std::string> argv{"ssh"};
  const auto option = [&](const char* name, const std::string& value) {
    argv.push_back(fmt::format("-o{}={}", name, value));
  };
  if (!login.ssh_config.empty()) argv.insert(argv.end(), {"-F", login.ssh_config});
  option("BatchMode", "yes");
  option("StrictHostKeyChecking", "yes");
  option("LogLevel", "ERROR");  // no banner, which the server writes; all that went wrong
  option("ConnectTimeout", std::to_string(login.timeout.count()));
  if (login.port != 0) option("Port", std::to_string(login.port));
  if (!login.user.empty()) option("User", login.user);
  if (!login.identity.empty()) {
    option("IdentityFile", word(login.identity));
    option("IdentitiesOnly", "yes");
  }
  if (!login.known_hosts.empty()) {
    option("UserKnownHostsFile", word(login.known_hosts));
    option("GlobalKnownHostsFile", "/dev/null");
  }
  // What a configuration says for people's own logins would stand in the way.
  option("ClearAllForwardings", "yes");
  option("ControlMaster", "no");  // one that is there is used, but others must not hang on ours
  option("ForwardAgent", "no");
  option("ForwardX11", "no");
  option("PermitLocalCommand", "no");
  option("RemoteCommand", "none");
  option("RequestTTY", "no");
  argv.insert(argv.end(), {"-s", "--", login.host, "sftp"});
  return argv;
}

Error login_problem(std::string_view said, const Login& login) {
  const std::string where = "sftp " + login.host;
  const auto* const found = std::ranges::find_if(complaints, [&](const Complaint& complaint) {
    return said.find(complaint.text) != std::string_view::npos;
  });
  if (found != complaints.end()) return {found->code, found->what, where, found->hint};
  const std::string words = printable(trim(said).substr(0, longest_shown));
  return {Code::unreachable,
          words.empty() ? "no session with the server" : "no session with the server: " + words,
          where,
          {}};
}

}  // namespace stsctl::providers::sftp
