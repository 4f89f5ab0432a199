#include "servers/emulator.h"

#include <fstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "io/curl_http.h"

namespace stsctl::servers {

namespace {

// The emulator writes bytes as the code points of Latin-1.
std::string bytes_of(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80U) {
      bytes += text[i];
    } else {
      const auto low = static_cast<unsigned char>(text.at(++i));
      bytes += static_cast<char>(((lead & 0x03U) << 6U) | (low & 0x3fU));
    }
  }
  return bytes;
}

}  // namespace

Emulator::Emulator(const std::string& script, const std::vector<std::string>& arguments) {
  start(script, arguments, "http://127.0.0.1:");
}

Emulator::Emulator(const std::string& script, const TestCa& ca,
                   const std::vector<std::string>& arguments)
    : ca_file_(ca.file()) {
  const TestCa::Pair pair = ca.issue("DNS:localhost,IP:127.0.0.1");
  std::vector<std::string> all{"--cert", pair.certificate, "--key", pair.key};
  all.insert(all.end(), arguments.begin(), arguments.end());
  start(script, std::move(all), "https://localhost:");
}

void Emulator::start(const std::string& script, std::vector<std::string> arguments,
                     const std::string& scheme) {
  http_ = io::real_http();
  arguments.insert(arguments.begin(),
                   {"/usr/bin/python3", "-B", STSCTL_SOURCE_DIR "/tests/emulators/" + script});
  const std::string log = folder_.file("log");
  server_ = std::make_unique<Running>(arguments, log);
  int port = 0;
  const bool answered = wait_until([&] {
    std::ifstream in(log);
    return (in >> port && in.get() == '\n') || !server_->alive();
  });
  if (!answered || port == 0) {
    std::ifstream in(log);
    const std::string said{std::istreambuf_iterator<char>(in), {}};
    throw std::runtime_error(script + " does not start: " + said);
  }
  url_ = scheme + std::to_string(port);
}

std::string Emulator::control(const std::string& method, const std::string& what,
                              const std::string& body) const {
  const auto reply = http_->send({.method = method,
                                  .url = url_ + "/_emulator/" + what,
                                  .body = body,
                                  .answer_limit = std::size_t{1} << 30U,
                                  .ca_file = ca_file_});
  if (!reply) throw std::runtime_error(what + ": " + to_string(reply.error()));
  if (!reply->ok()) throw std::runtime_error(what + ": " + reply->body);
  return reply->body;
}

void Emulator::load(const std::string& state) const {
  control("PUT", "state", state);
}

std::string Emulator::dump() const {
  return control("GET", "state");
}

std::string Emulator::look(const std::string& query) const {
  return control("GET", "look?" + query);
}

void Emulator::fault(const std::string& fault) const {
  control("POST", "faults", fault);
}

void Emulator::clear_faults() const {
  control("DELETE", "faults");
}

void Emulator::await_held() const {
  if (!wait_until([&] { return control("GET", "held") != "0"; }))
    throw std::runtime_error("no request came that a fault holds");
}

void Emulator::release() const {
  control("DELETE", "held");
}

std::vector<Journaled> Emulator::journal() const {
  std::vector<Journaled> journal;
  // Named, so that it outlives the loop's range.
  const nlohmann::json answer = nlohmann::json::parse(control("GET", "journal"));
  for (const auto& entry : answer.at("requests")) {
    Journaled one{.method = entry.at("method"),
                  .path = entry.at("path"),
                  .query = entry.at("query"),
                  .body = bytes_of(entry.at("body")),
                  .status = entry.at("status"),
                  .done = entry.at("done"),
                  .at = entry.at("at")};
    for (const auto& header : entry.at("headers"))
      one.headers.push_back({header.at(0), header.at(1)});
    journal.push_back(std::move(one));
  }
  return journal;
}

void Emulator::forget() const {
  control("DELETE", "journal");
}

}  // namespace stsctl::servers
