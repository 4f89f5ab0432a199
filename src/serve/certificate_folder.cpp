#include "serve/certificate_folder.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace stsctl::serve {

namespace {

constexpr std::size_t longest_file = std::size_t{1} << 20U;
constexpr int deepest = 2;

bool is_valid(const Certificate& certificate, Time now) {
  return certificate.not_before <= now && now < certificate.not_after;
}

}  // namespace

std::vector<CertificateFiles> find_pairs(const std::vector<std::string>& names) {
  const std::set<std::string> all(names.begin(), names.end());
  std::vector<CertificateFiles> pairs;
  for (const std::string& name : names) {
    if (name == "fullchain.pem" && all.contains("privkey.pem"))
      pairs.push_back({name, "privkey.pem"});
    const std::string base = name.substr(0, name.rfind('.'));
    const bool is_chain =
        name.ends_with(".crt") || name.ends_with(".pem") || name.ends_with(".cer");
    if (is_chain && all.contains(base + ".key")) pairs.push_back({name, base + ".key"});
  }
  return pairs;
}

CertificateFolder::CertificateFolder(io::Files& files, io::Log& log, std::string folder,
                                     std::string fallback)
    : files_(files), log_(log), folder_(std::move(folder)), fallback_(std::move(fallback)) {}

Result<Done> CertificateFolder::refresh(Time now) {
  const auto pairs = scan();
  if (!pairs) return fail(pairs);
  bool changed = now >= next_change_;
  std::set<std::string> present;
  for (const CertificateFiles& pair : *pairs) {
    present.insert(pair.chain);
    changed |= update(pair, known_[pair.chain]);
  }
  changed |=
      std::erase_if(known_, [&](const auto& one) { return !present.contains(one.first); }) > 0;
  if (!changed) return Done{};
  log_expired(now);
  publish(now);
  return Done{};
}

Result<std::vector<CertificateFiles>> CertificateFolder::scan() const {
  const auto names = files_.list(folder_);
  if (!names) return fail(names);
  std::vector<CertificateFiles> pairs;
  look_into(folder_, 0, pairs);
  return pairs;
}

void CertificateFolder::look_into(const std::string& folder, int depth,
                                  std::vector<CertificateFiles>& pairs) const {
  const auto names = files_.list(folder);
  if (!names) return;
  for (const CertificateFiles& pair : find_pairs(*names))
    pairs.push_back({folder + "/" + pair.chain, folder + "/" + pair.key});
  if (depth == deepest) return;
  for (const std::string& name : *names) {
    const std::string path = fmt::format("{}/{}", folder, name);
    const auto state = files_.state(path);
    if (state && state->is_folder) look_into(path, depth + 1, pairs);
  }
}

// Reads a pair that is new or has changed. True when its certificate is another one now.
bool CertificateFolder::update(const CertificateFiles& pair, Known& known) {
  // Looked at before reading: what changes meanwhile is seen the next time.
  const auto chain = files_.state(pair.chain);
  const auto key = files_.state(pair.key);
  if (!chain || !key) return false;
  if (*chain == known.chain && *key == known.key) return false;
  known.chain = *chain;
  known.key = *key;
  Result<Certificate> loaded = load(pair);
  if (!loaded) {
    log_.write(io::LogLevel::error,
               fmt::format("certificate {}{}", to_string(loaded.error()),
                           known.certificate ? "; the one read before stays in use" : ""));
    return false;
  }
  known.certificate = std::make_shared<const Certificate>(std::move(*loaded));
  known.expiry_logged = false;
  log_.write(io::LogLevel::info, fmt::format("certificate {}: for {}, until {}", pair.chain,
                                             printable(join(known.certificate->names, ", ")),
                                             format_time(known.certificate->not_after)));
  return true;
}

Result<Certificate> CertificateFolder::load(const CertificateFiles& pair) const {
  const auto chain = files_.read(pair.chain, longest_file);
  if (!chain) return fail(chain);
  const auto key = files_.read(pair.key, longest_file);
  if (!key) return fail(key);
  auto certificate = parse_certificate(*chain, *key);
  if (!certificate) return fail_at(certificate, pair.chain);
  return certificate;
}

void CertificateFolder::log_expired(Time now) {
  for (auto& [file, known] : known_) {
    if (!known.certificate || known.expiry_logged || is_valid(*known.certificate, now)) continue;
    known.expiry_logged = true;
    const bool over = known.certificate->not_after <= now;
    log_.write(io::LogLevel::error,
               fmt::format("certificate {}: for {}, {} {}: senders refuse it", file,
                           printable(join(known.certificate->names, ", ")),
                           over ? "expired at" : "not valid before",
                           format_time(over ? known.certificate->not_after
                                            : known.certificate->not_before)));
  }
}

void CertificateFolder::publish(Time now) {
  auto next = std::make_shared<Snapshot>();
  next_change_ = Time::max();
  for (const auto& [file, known] : known_) {
    if (!known.certificate) continue;
    next->certificates.push_back(known.certificate);
    for (const Time edge : {known.certificate->not_before, known.certificate->not_after})
      if (edge > now) next_change_ = std::min(next_change_, edge);
  }
  std::ranges::stable_sort(next->certificates, std::ranges::greater{}, [&](const auto& one) {
    return std::tuple(is_valid(*one, now), one->not_after);
  });
  for (std::size_t i = 0; i < next->certificates.size(); ++i)
    for (const std::string& name : next->certificates[i]->names)
      next->names.add(name, i);
  const std::scoped_lock lock(guard_);
  snapshot_ = std::move(next);
}

std::shared_ptr<const CertificateFolder::Snapshot> CertificateFolder::snapshot() const {
  const std::scoped_lock lock(guard_);
  return snapshot_;
}

std::shared_ptr<const Certificate> CertificateFolder::choose(std::string_view server_name) const {
  const auto now = snapshot();
  auto found = now->names.find(server_name);
  if (!found && !fallback_.empty()) found = now->names.find(fallback_);
  return found ? now->certificates[*found] : nullptr;
}

std::map<std::string, Time> CertificateFolder::expiry() const {
  std::map<std::string, Time> all;
  for (const auto& certificate : snapshot()->certificates) {
    Time& end = all[certificate->names.front()];
    end = std::max(end, certificate->not_after);
  }
  return all;
}

}  // namespace stsctl::serve
