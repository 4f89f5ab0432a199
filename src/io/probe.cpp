#include "io/probe.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "base/text.h"
#include "io/ca_store.h"
#include "io/http_error.h"

namespace stsctl::io {

namespace {

constexpr std::size_t longest_policy = std::size_t{64} << 10U;  // RFC 8461 §3.3
constexpr std::size_t longest_shown = 200;                      // of a line that a mail server says
constexpr std::size_t longest_headers = std::size_t{64} << 10U;

Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return Time(Duration(timegm(&parts)));
}

std::vector<std::string> dns_names(const X509* certificate) {
  std::vector<std::string> names;
  auto* list = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(list); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list, i);
    if (name->type != GEN_DNS) continue;
    const auto* text = ASN1_STRING_get0_data(name->d.dNSName);
    names.emplace_back(reinterpret_cast<const char*>(text),
                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(list);
  return names;
}

constexpr int longest_chain = 10;

// What one of OpenSSL's i2d functions writes.
template <class Value>
std::string der_of(int (*write)(const Value*, unsigned char**), const Value* value) {
  unsigned char* bytes = nullptr;
  const int length = write(value, &bytes);
  if (length <= 0) return {};
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return der;
}

std::vector<ShownCertificate> shown_chain(X509_STORE_CTX* verification) {
  std::vector<ShownCertificate> chain;
  const STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(verification);
  for (int i = 0; i < std::min(sk_X509_num(sent), longest_chain); ++i) {
    const X509* one = sk_X509_value(sent, i);
    chain.push_back({der_of(i2d_X509, one), der_of(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(one))});
  }
  return chain;
}

// Watches a handshake from inside OpenSSL; what it says of trust stays what OpenSSL says.
class Watcher {
 public:
  Watcher(TlsFacts& facts, const std::string& host) : facts_(facts), host_(host) {}

  void attach(SSL_CTX* context, X509_STORE* store) {
    SSL_CTX_set1_cert_store(context, store);
    SSL_CTX_set_ex_data(context, slot(), this);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
    SSL_CTX_set_info_callback(context, on_info);
  }

 private:
  static int slot() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
  }

  static Watcher& of(const SSL* ssl) {
    return *static_cast<Watcher*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot()));
  }

  static int on_verify(int good, X509_STORE_CTX* verification) {
    const auto* ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
    of(ssl).see(good == 1, verification);
    return good;
  }

  static void on_info(const SSL* ssl, int where, int) {
    if ((where & SSL_CB_HANDSHAKE_DONE) != 0) of(ssl).facts_.version = SSL_get_version(ssl);
  }

  void see(bool good, X509_STORE_CTX* verification) {
    X509* leaf = X509_STORE_CTX_get0_cert(verification);
    if (leaf != nullptr && !facts_.shown) {
      facts_.shown = true;
      facts_.trusted = true;
      facts_.names = dns_names(leaf);
      facts_.chain = shown_chain(verification);
      facts_.named = X509_check_host(
                         leaf, host_.data(), host_.size(),
                         X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                         nullptr) == 1;
      facts_.not_before = time_of(X509_get0_notBefore(leaf));
      facts_.not_after = time_of(X509_get0_notAfter(leaf));
    }
    if (good) return;
    facts_.trusted = false;
    if (facts_.distrust.empty())
      facts_.distrust = X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification));
  }

  TlsFacts& facts_;
  const std::string& host_;
};

// What both kinds of probe have in common: one fresh connection to one address.
class Probe {
 public:
  Probe(const ProbeOptions& options, const ProbeTarget& target, CaStore store)
      : options_(options), target_(target), store_(std::move(store)), watcher_(tls, target.host) {}
  ~Probe() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(connect_to_);
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_, option, value);
  }

  void prepare(const std::string& url, const char* protocol) {
    const std::string to = fmt::format(
        fmt::runtime(target_.address.find(':') == std::string::npos ? "::{}:{}" : "::[{}]:{}"),
        target_.address, target_.port);
    connect_to_ = curl_slist_append(nullptr, to.c_str());
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, protocol);
    set(CURLOPT_CONNECT_TO, connect_to_);
    set(CURLOPT_PROXY, "");  // a proxy would look with other eyes
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
    // libcurl's own deadline for connecting takes in greeting and handshake, and a mail server may
    // keep one waiting for its greeting (RFC 5321 §4.5.3.2.1): on_progress() sees to TCP.
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    set(CURLOPT_SSL_CTX_FUNCTION, on_tls);
    set(CURLOPT_SSL_CTX_DATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    set(CURLOPT_ERRORBUFFER, error_);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, on_progress);
    set(CURLOPT_XFERINFODATA, this);
  }

  CURLcode perform() { return curl_easy_perform(easy_); }

  CURL* easy() const { return easy_; }

  bool connected() const {
    curl_off_t connect = 0;
    curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME_T, &connect);
    return connect > 0;
  }

  std::unexpected<Error> failure(CURLcode code) const {
    if (code == CURLE_ABORTED_BY_CALLBACK && !late_) return fail(Code::cancelled, "stopped");
    Failure failed{
        .code = late_ ? CURLE_OPERATION_TIMEDOUT : code, .text = error_, .host = target_.host};
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &failed.system_error);
    curl_easy_getinfo(easy_, CURLINFO_SSL_VERIFYRESULT, &failed.verify_result);
    failed.names = join(tls.names, ", ");
    failed.connected = connected();
    const auto limit = failed.connected ? options_.timeout : options_.connect;
    failed.deadline = fmt::format("{:g} s", std::chrono::duration<double>(limit).count());
    return std::unexpected(describe(failed));
  }

  TlsFacts tls;

 private:
  static CURLcode on_tls(CURL*, void* context, void* self) {
    auto& probe = *static_cast<Probe*>(self);
    probe.watcher_.attach(static_cast<SSL_CTX*>(context), probe.store_.get());
    return CURLE_OK;
  }

  static curl_socket_t on_socket(void*, curlsocktype, curl_sockaddr* address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& probe = *static_cast<Probe*>(self);
    probe.late_ = !probe.connected() &&
                  std::chrono::steady_clock::now() - probe.begin_ >= probe.options_.connect;
    return probe.late_ || probe.options_.stop.stop_requested() ? 1 : 0;
  }

  const ProbeOptions& options_;
  const ProbeTarget& target_;
  CaStore store_;
  Watcher watcher_;
  CURL* easy_ = curl_easy_init();
  curl_slist* connect_to_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  bool late_ = false;  // no connection of TCP in time
};

// Collects an answer up to a limit.
struct Answer {
  std::string body;
  std::size_t header_bytes = 0;
  bool too_long = false;

  static std::size_t on_body(const char* data, std::size_t, std::size_t size, void* self) {
    auto& answer = *static_cast<Answer*>(self);
    answer.too_long = size > longest_policy - answer.body.size();
    if (answer.too_long) return CURL_WRITEFUNC_ERROR;
    answer.body.append(data, size);
    return size;
  }

  static std::size_t on_header(const char*, std::size_t, std::size_t size, void* self) {
    auto& answer = *static_cast<Answer*>(self);
    answer.header_bytes += size;
    return answer.header_bytes > longest_headers ? CURL_WRITEFUNC_ERROR : size;
  }
};

// What the mail server says, line by line, as libcurl reports it.
struct Dialogue {
  bool greeted = false;
  bool starttls = false;
  std::string last;  // line, as far as it is worth showing

  static int on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
    if (type != CURLINFO_HEADER_IN) return 0;
    auto& dialogue = *static_cast<Dialogue*>(self);
    const std::string_view text(data, size);
    dialogue.greeted |= text.starts_with("250");
    for (const std::string_view line : split(text, '\n')) {
      dialogue.starttls |=
          line.size() > 4 && line.starts_with("250") && lower(trim(line.substr(4))) == "starttls";
      if (!trim(line).empty()) dialogue.last = printable(trim(line).substr(0, longest_shown));
    }
    return 0;
  }

  // Does it say no (RFC 5321 §4.2.1)?
  bool turns_away() const { return last.starts_with('4') || last.starts_with('5'); }
};

class CurlProber final : public Prober {
 public:
  explicit CurlProber(ProbeOptions options) : options_(std::move(options)) {
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    static_cast<void>(started);
  }

  HttpsProbe fetch_policy(const ProbeTarget& target) override {
    const Result<CaStore> store = stores_.find(options_.ca_file);
    if (!store) return {.tls = {}, .reply = fail(store)};
    const std::string url =
        fmt::format("https://{}:{}/.well-known/mta-sts.txt", target.host, target.port);
    Probe probe(options_, target, *store);
    probe.prepare(url, "https");
    probe.set(CURLOPT_USERAGENT, "stsctl");
    probe.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    Answer answer;
    probe.set(CURLOPT_WRITEFUNCTION, Answer::on_body);
    probe.set(CURLOPT_WRITEDATA, &answer);
    probe.set(CURLOPT_HEADERFUNCTION, Answer::on_header);
    probe.set(CURLOPT_HEADERDATA, &answer);
    const CURLcode code = probe.perform();
    Result<Reply> reply = read(probe, code, answer, target.host);
    return {.tls = std::move(probe.tls), .reply = std::move(reply)};
  }

  SmtpProbe look_at_mx(const ProbeTarget& target) override {
    const Result<CaStore> store = stores_.find(options_.ca_file);
    if (!store) return {.verdict = fail(store)};
    Probe probe(options_, target, *store);
    // What follows the slash is the name that EHLO says.
    probe.prepare(fmt::format("smtp://{}:{}/{}", target.host, target.port, options_.helo), "smtp");
    probe.set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    probe.set(CURLOPT_NOBODY, 1L);
    probe.set(CURLOPT_CUSTOMREQUEST, "NOOP");
    Dialogue dialogue;
    probe.set(CURLOPT_VERBOSE, 1L);
    probe.set(CURLOPT_DEBUGFUNCTION, Dialogue::on_debug);
    probe.set(CURLOPT_DEBUGDATA, &dialogue);
    const CURLcode code = probe.perform();
    SmtpProbe seen{.reached = probe.connected(),
                   .greeted = dialogue.greeted,
                   .starttls = dialogue.starttls,
                   .tls = probe.tls,
                   .verdict = Done{}};
    if (code != CURLE_OK)
      seen.verdict = mail_failure(probe, code, dialogue, target.host);
    else if (!seen.tls.named)
      seen.verdict = wrong_name(target.host, seen.tls);
    return seen;
  }

 private:
  static std::unexpected<Error> wrong_name(const std::string& host, const TlsFacts& tls) {
    return fail(Code::unauthorized,
                fmt::format("the certificate of {} is only for {}", host,
                            tls.names.empty() ? "no DNS name" : printable(join(tls.names, ", "))),
                {}, "the certificate must hold the name of the MX record");
  }

  static Result<Reply> read(const Probe& probe, CURLcode code, Answer& answer,
                            const std::string& host) {
    if (answer.too_long)
      return fail(Code::protocol, fmt::format("{} sends more than {} bytes", host, longest_policy),
                  {}, "senders read no longer policy (RFC 8461 §3.3)");
    if (code != CURLE_OK) return probe.failure(code);
    if (!probe.tls.named) return wrong_name(host, probe.tls);
    long status = 0;
    curl_easy_getinfo(probe.easy(), CURLINFO_RESPONSE_CODE, &status);
    Reply reply{.status = static_cast<int>(status), .body = std::move(answer.body)};
    for (curl_header* header = curl_easy_nextheader(probe.easy(), CURLH_HEADER, -1, nullptr);
         header != nullptr; header = curl_easy_nextheader(probe.easy(), CURLH_HEADER, -1, header))
      reply.headers.push_back({header->name, header->value});
    return reply;
  }

  // Where a mail dialogue broke off, and what that means to a sender.
  static std::unexpected<Error> mail_failure(const Probe& probe, CURLcode code,
                                             const Dialogue& dialogue, const std::string& host) {
    if (code == CURLE_USE_SSL_FAILED && !dialogue.starttls)
      return fail(Code::unsupported, fmt::format("{} does not offer STARTTLS", host));
    if (code == CURLE_USE_SSL_FAILED)
      return fail(Code::protocol,
                  fmt::format("{} offers STARTTLS and refuses it: {}", host, dialogue.last));
    if (!dialogue.greeted && dialogue.turns_away())
      return fail(Code::unreachable,
                  fmt::format("{} turns everybody away: {}", host, dialogue.last));
    if (code == CURLE_WEIRD_SERVER_REPLY)
      return fail(Code::protocol,
                  fmt::format("{} does not keep to SMTP: it says what nobody asked for", host));
    return probe.failure(code);
  }

  ProbeOptions options_;
  CaStores stores_;
};

}  // namespace

std::unique_ptr<Prober> real_prober(ProbeOptions options) {
  return std::make_unique<CurlProber>(std::move(options));
}

}  // namespace stsctl::io
