#pragma once
// An emulator of tests/emulators, running: its address, its state, its journal and its faults.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/http.h"
#include "servers/faulty_http.h"
#include "servers/running.h"

namespace stsctl::servers {

/// One request that an emulator was sent.
struct Journaled {
  std::string method;
  std::string path;   ///< Still percent-encoded, without the query.
  std::string query;  ///< As it was sent.
  std::vector<io::Header> headers;
  std::string body;   ///< Bytes.
  int status = 0;     ///< What was answered; 0: the connection was reset before the work.
  bool done = false;  ///< The work was done, whatever was answered.
  double at = 0;      ///< Seconds of a clock that only runs forward.
};

/// Runs while it exists. Every call throws std::runtime_error when the emulator refuses it.
class Emulator {
 public:
  /// `script`: its name in tests/emulators, "cloudflare.py"; `arguments`: its own options.
  explicit Emulator(const std::string& script, const std::vector<std::string>& arguments = {});
  /// The same behind TLS, as https://localhost:PORT; requests then need `ca.file()`.
  Emulator(const std::string& script, const TestCa& ca,
           const std::vector<std::string>& arguments = {});

  /// "http://127.0.0.1:PORT" or "https://localhost:PORT".
  const std::string& url() const { return url_; }
  std::uint16_t port() const {
    return static_cast<std::uint16_t>(std::stoul(url_.substr(url_.rfind(':') + 1)));
  }

  /// Lays the state out anew, from JSON as the emulator's load() takes it.
  void load(const std::string& state) const;
  /// The state as JSON.
  std::string dump() const;
  /// One thing of the state as JSON, by a query as the emulator's look() takes it.
  std::string look(const std::string& query) const;
  /// One fault more, a JSON object with the members of emulator.py's Fault.
  void fault(const std::string& fault) const;
  void clear_faults() const;
  /// Waits until a fault holds a request.
  void await_held() const;
  /// Lets held requests go on.
  void release() const;
  /// Every request since the start or the last forget(), oldest first.
  std::vector<Journaled> journal() const;
  std::size_t request_count() const { return journal().size(); }
  void forget() const;

 private:
  void start(const std::string& script, std::vector<std::string> arguments,
             const std::string& scheme);
  std::string control(const std::string& method, const std::string& what,
                      const std::string& body = {}) const;

  Folder folder_;
  std::unique_ptr<io::Http> http_;
  std::unique_ptr<Running> server_;
  std::string url_;
  std::string ca_file_;
};

}  // namespace stsctl::servers
