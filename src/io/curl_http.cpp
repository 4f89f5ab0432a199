#include "io/curl_http.h"

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "base/text.h"
#include "io/ca_store.h"
#include "io/http_error.h"
#include "io/http_url.h"

namespace stsctl::io {

namespace {

constexpr std::chrono::milliseconds longest_nap{1000};
constexpr std::size_t longest_headers = std::size_t{256} << 10U;

void start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(started);
}

// One connection at most, and what libcurl needs to use it. A multi handle because only that can be
// woken up by another thread.
class Line {
 public:
  explicit Line(std::string key) : key_(std::move(key)) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 1L);
  }
  ~Line() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  const std::string& key() const { return key_; }
  CURL* easy() const { return easy_; }
  CURLM* multi() const { return multi_; }
  bool is_usable() const { return easy_ != nullptr && multi_ != nullptr; }

 private:
  std::string key_;
  CURLM* multi_ = curl_multi_init();
  CURL* easy_ = curl_easy_init();
};

// Idle lines. A line serves one thread at a time and then whoever comes next, so that nothing of
// libcurl is ever shared between two running transfers.
class Lines {
 public:
  explicit Lines(std::size_t most_idle) : most_idle_(most_idle) {}

  std::unique_ptr<Line> take(const std::string& key) {
    {
      const std::lock_guard lock(guard_);
      // The one used last is the least likely to have been closed by the server.
      const auto found = std::find_if(idle_.rbegin(), idle_.rend(),
                                      [&](const auto& line) { return line->key() == key; });
      if (found != idle_.rend()) {
        std::unique_ptr<Line> line = std::move(*found);
        idle_.erase(std::next(found).base());
        return line;
      }
    }
    return std::make_unique<Line>(key);
  }

  void give(std::unique_ptr<Line> line) {
    std::unique_ptr<Line> oldest;  // closed after the lock is released
    const std::lock_guard lock(guard_);
    idle_.push_back(std::move(line));
    if (idle_.size() <= most_idle_) return;
    oldest = std::move(idle_.front());
    idle_.erase(idle_.begin());
  }

 private:
  std::size_t most_idle_;
  std::mutex guard_;
  std::vector<std::unique_ptr<Line>> idle_;
};

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7F &&
           std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  });
}

// RFC 9110 §5.5, without obs-text: nothing that could end the line early.
bool is_field_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c == '\t' || (c >= ' ' && c < 0x7F); });
}

// One request on one line.
class Exchange {
 public:
  Exchange(const HttpOptions& options, const Request& request, const Url& url, CaStore store)
      : options_(options), request_(request), url_(url), store_(std::move(store)) {}
  ~Exchange() { curl_slist_free_all(headers_); }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Result<Reply> run(const Line& line) {
    easy_ = line.easy();
    curl_easy_reset(easy_);
    set_target();
    set_limits();
    set_callbacks();
    if (!set_headers()) return fail(Code::internal, "out of memory");
    curl_multi_add_handle(line.multi(), easy_);
    const std::optional<CURLcode> code = drive(line.multi());
    Result<Reply> reply = take_result(code);
    curl_multi_remove_handle(line.multi(), easy_);
    return reply;
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_, option, value);
  }

  void set_target() {
    set(CURLOPT_CURLU, url_.handle());
    set(CURLOPT_PROTOCOLS_STR, "https,http");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(CURLOPT_ACCEPT_ENCODING, "");
    set(CURLOPT_USERAGENT, options_.user_agent.c_str());
    // A proxy would carry what plain http must not carry off this machine.
    if (!url_.is_tls()) set(CURLOPT_PROXY, "");
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    const std::string& method = request_.method;
    if (method == "HEAD") return set(CURLOPT_NOBODY, 1L);
    if (!request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      set(CURLOPT_POSTFIELDS, request_.body.data());
    }
    set(CURLOPT_CUSTOMREQUEST, method.c_str());
  }

  void set_limits() {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L);  // or a stop would wait for the resolver
    set(CURLOPT_CONNECTTIMEOUT_MS, to_long(std::min(options_.connect_timeout, timeout())));
    set(CURLOPT_TIMEOUT_MS, to_long(timeout()));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_CERTINFO, 1L);
    // With either of them set libcurl reads the bundle anew for every connection.
    for (const CURLoption option :
         {CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH})
      set(option, static_cast<const char*>(nullptr));
  }

  void set_callbacks() {
    set(CURLOPT_ERRORBUFFER, error_);
    set(CURLOPT_WRITEFUNCTION, on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_HEADERFUNCTION, on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_PREREQFUNCTION, on_sending);
    set(CURLOPT_PREREQDATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    set(CURLOPT_SSL_CTX_FUNCTION, on_tls);
    set(CURLOPT_SSL_CTX_DATA, store_.get());
  }

  bool set_headers() {
    // libcurl asks to wait before long bodies and calls every body a form unless told otherwise.
    bool complete = add_header("Expect:");
    if (!find_header(request_.headers, "Content-Type")) complete &= add_header("Content-Type:");
    for (const Header& header : request_.headers)
      complete &=
          add_header(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
    set(CURLOPT_HTTPHEADER, headers_);
    return complete;
  }

  bool add_header(const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_, line.c_str());
    if (longer == nullptr) return false;
    headers_ = longer;
    return true;
  }

  // Runs the transfer; none: stopped.
  std::optional<CURLcode> drive(CURLM* multi) {
    const std::stop_token stop = request_.repeatable ? options_.stop : std::stop_token{};
    const std::stop_callback wake(stop, [multi] { curl_multi_wakeup(multi); });
    for (int running = 1; running > 0;) {
      if (stop.stop_requested()) return std::nullopt;
      if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      if (running == 0) break;
      const std::chrono::milliseconds patience = until_too_silent();
      if (patience.count() <= 0) return CURLE_OPERATION_TIMEDOUT;
      curl_multi_poll(multi, nullptr, 0, static_cast<int>(std::min(patience, longest_nap).count()),
                      nullptr);
    }
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi, &left);
    return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
  }

  // Ours, since libcurl's low-speed limit averages over seconds.
  std::chrono::milliseconds until_too_silent() {
    if (sending_ == 0) return silence_timeout();
    curl_off_t sent = 0;
    curl_off_t received = 0;
    curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
    curl_easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &received);
    const auto moved = static_cast<std::size_t>(sent + received) + header_bytes_;
    const auto now = std::chrono::steady_clock::now();
    if (moved != moved_ || heard_ == std::chrono::steady_clock::time_point{}) {
      moved_ = moved;
      heard_ = now;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(heard_ + silence_timeout() - now);
    silent_ = left.count() <= 0;
    return left;
  }

  Result<Reply> take_result(const std::optional<CURLcode>& code) {
    if (!code) return fail(Code::cancelled, "stopped");
    if (*code != CURLE_OK) return failure(*code);
    return take_reply();
  }

  Reply take_reply() {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    reply_.status = static_cast<int>(status);
    for (curl_header* header = curl_easy_nextheader(easy_, CURLH_HEADER, -1, nullptr);
         header != nullptr; header = curl_easy_nextheader(easy_, CURLH_HEADER, -1, header))
      reply_.headers.push_back({header->name, header->value});
    return std::move(reply_);
  }

  std::unexpected<Error> failure(CURLcode code) const {
    if (too_long_)
      return fail(Code::protocol, fmt::format("{} sends an answer of more than {} bytes",
                                              url_.host(), answer_limit()));
    if (headers_too_long_)
      return fail(Code::protocol, fmt::format("{} sends more than {} bytes of headers", url_.host(),
                                              longest_headers));
    if (code == CURLE_ABORTED_BY_CALLBACK)
      return fail(Code::unreachable,
                  fmt::format("the connection to {} broke before an answer came", url_.host()), {},
                  "the request may have been carried out");
    Failure failed{.code = code, .text = error_, .host = url_.host()};
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &failed.system_error);
    curl_easy_getinfo(easy_, CURLINFO_SSL_VERIFYRESULT, &failed.verify_result);
    failed.names = certificate_names();
    failed.connected = sending_ > 0;
    failed.deadline = deadline(failed.connected);
    return std::unexpected(describe(failed));
  }

  std::string certificate_names() const {
    constexpr std::string_view field = "X509v3 Subject Alternative Name:";
    curl_certinfo* chain = nullptr;
    if (curl_easy_getinfo(easy_, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr ||
        chain->num_of_certs < 1)
      return {};
    for (const curl_slist* line = *chain->certinfo; line != nullptr; line = line->next)
      if (std::string_view(line->data).starts_with(field))
        return std::string(trim(std::string_view(line->data).substr(field.size())));
    return {};
  }

  // Which of the three deadlines it was.
  std::string deadline(bool connected) const {
    std::chrono::milliseconds limit = timeout();
    if (silent_)
      limit = silence_timeout();
    else if (!connected)
      limit = std::min(limit, options_.connect_timeout);
    return fmt::format("{:g} s", std::chrono::duration<double>(limit).count());
  }

  std::chrono::milliseconds timeout() const {
    return request_.timeout.count() > 0 ? request_.timeout : options_.timeout;
  }

  std::size_t answer_limit() const {
    return request_.answer_limit > 0 ? request_.answer_limit : options_.answer_limit;
  }

  // Who grants a request more time than usual grants it more silence too.
  std::chrono::milliseconds silence_timeout() const {
    return options_.silence_timeout * std::max<std::int64_t>(1, timeout() / options_.timeout);
  }

  static long to_long(std::chrono::milliseconds time) { return static_cast<long>(time.count()); }

  static std::size_t on_body(const char* data, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (size > exchange.answer_limit() - exchange.reply_.body.size()) {
      exchange.too_long_ = true;
      return CURL_WRITEFUNC_ERROR;
    }
    exchange.reply_.body.append(data, size);
    return size;
  }

  // Counts, over interim answers too; libcurl keeps the fields.
  static std::size_t on_header(const char*, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    exchange.header_bytes_ += size;
    exchange.headers_too_long_ = exchange.header_bytes_ > longest_headers;
    return exchange.headers_too_long_ ? CURL_WRITEFUNC_ERROR : size;
  }

  // libcurl sends any request again, a POST too, when a reused connection ends without an answer.
  static int on_sending(void* self, char*, char*, int, int) {
    auto& exchange = *static_cast<Exchange*>(self);
    ++exchange.sending_;
    return exchange.request_.repeatable || exchange.sending_ == 1 ? CURL_PREREQFUNC_OK
                                                                  : CURL_PREREQFUNC_ABORT;
  }

  // So that the programs we start do not inherit connections.
  static curl_socket_t on_socket(void*, curlsocktype, curl_sockaddr* address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  static CURLcode on_tls(CURL*, void* context, void* store) {
    SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<X509_STORE*>(store));
    return CURLE_OK;
  }

  const HttpOptions& options_;
  const Request& request_;
  const Url& url_;
  CaStore store_;
  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  Reply reply_;
  std::size_t header_bytes_ = 0;
  std::size_t moved_ = 0;                          ///< Bytes in both directions,
  std::chrono::steady_clock::time_point heard_{};  ///< and when they last became more.
  int sending_ = 0;
  bool silent_ = false;
  bool too_long_ = false;
  bool headers_too_long_ = false;
};

class CurlHttp : public Http {
 public:
  explicit CurlHttp(HttpOptions options)
      : options_(std::move(options)), lines_(options_.idle_connections) {
    start_libcurl();
  }

  Result<Reply> send(const Request& request) override {
    const Result<Url> url = Url::parse(request.url, request.link_local);
    if (!url)
      return fail(url.error().code, url.error().what,
                  std::string(trim(request.method + ' ' + url.error().where)), url.error().hint);
    Result<Reply> reply = send_to(*url, request);
    if (!reply) return fail_at(reply, fmt::format("{} {}", request.method, url->shown()));
    return reply;
  }

 private:
  Result<Reply> send_to(const Url& url, const Request& request) {
    if (!is_token(request.method)) return fail(Code::invalid, "this is no HTTP method");
    for (const Header& header : request.headers)
      if (!is_token(header.name) || !is_field_value(header.value))
        return fail(Code::invalid,
                    fmt::format("the header '{}' holds a character that cannot be sent",
                                printable(header.name)),
                    {}, "a line feed at the end of a token is the usual cause");
    if (options_.stop.stop_requested()) return fail(Code::cancelled, "stopped");
    CaStore store;
    if (url.is_tls()) {
      Result<CaStore> found = stores_.find(request.ca_file);
      if (!found) return fail(found);
      store = *std::move(found);
    }
    std::unique_ptr<Line> line = lines_.take(request.ca_file + '\n' + url.origin());
    if (!line->is_usable()) return fail(Code::internal, "libcurl does not start");
    Result<Reply> reply = Exchange(options_, request, url, std::move(store)).run(*line);
    lines_.give(std::move(line));
    return reply;
  }

  HttpOptions options_;
  CaStores stores_;
  Lines lines_;
};

}  // namespace

std::unique_ptr<Http> real_http(HttpOptions options) {
  return std::make_unique<CurlHttp>(std::move(options));
}

}  // namespace stsctl::io
