#pragma once
// The certificates in a folder, kept up to date. Knows no connection.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/files.h"
#include "io/log.h"
#include "serve/certificate.h"
#include "serve/server_names.h"

namespace stsctl::serve {

/// Files that belong together.
struct CertificateFiles {
  std::string chain;  ///< "/etc/letsencrypt/live/example.com/fullchain.pem"
  std::string key;    ///< "/etc/letsencrypt/live/example.com/privkey.pem"
  bool operator==(const CertificateFiles&) const = default;
};

/// The pairs among the names of one folder: fullchain.pem with privkey.pem (certbot), and X.crt,
/// X.pem or X.cer with X.key (lego, Caddy, hand-made).
std::vector<CertificateFiles> find_pairs(const std::vector<std::string>& names);

/// Certificates by server name. choose() and expiry() may be called from any thread, refresh() from
/// one.
class CertificateFolder {
 public:
  /// `fallback`: the server name whose certificate answers clients that name none or an unknown
  /// one; empty: they are refused. `files` and `log` outlive it.
  CertificateFolder(io::Files& files, io::Log& log, std::string folder, std::string fallback);

  /// Looks at the folder and two levels of folders in it, and reads what changed since the last
  /// time. A pair that cannot be read, perhaps half written, keeps the certificate it had; it is
  /// logged, once, as is a certificate that has expired. Fails, changing nothing, when the folder
  /// cannot be read.
  Result<Done> refresh(Time now);

  /// The certificate for a server name ("" if the client gave none); null: refuse. Of several for
  /// one name the valid one that expires last.
  std::shared_ptr<const Certificate> choose(std::string_view server_name) const;
  /// Is there a certificate for this very name, whatever the fallback?
  bool covers(std::string_view server_name) const {
    return snapshot()->names.find(server_name).has_value();
  }
  /// When each ends, by its first name; the last, where several have the same.
  std::map<std::string, Time> expiry() const;
  std::size_t size() const { return snapshot()->certificates.size(); }

 private:
  struct Known {
    io::FileState chain, key;
    std::shared_ptr<const Certificate> certificate;  ///< Null: never readable.
    bool expiry_logged = false;
  };
  struct Snapshot {
    std::vector<std::shared_ptr<const Certificate>> certificates;  ///< The best first.
    ServerNames names;
  };

  Result<std::vector<CertificateFiles>> scan() const;
  void look_into(const std::string& folder, int depth, std::vector<CertificateFiles>& pairs) const;
  bool update(const CertificateFiles& pair, Known& known);
  Result<Certificate> load(const CertificateFiles& pair) const;
  void log_expired(Time now);
  void publish(Time now);
  std::shared_ptr<const Snapshot> snapshot() const;

  io::Files& files_;
  io::Log& log_;
  std::string folder_;
  std::string fallback_;
  std::map<std::string, Known> known_;  ///< By the path of the chain.
  Time next_change_{};                  ///< When validity changes next, and so the order.
  mutable std::mutex guard_;
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<Snapshot>();
};

}  // namespace stsctl::serve
