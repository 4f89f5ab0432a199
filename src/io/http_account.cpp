#include "io/http_account.h"

#include <utility>

#include "io/http_throttle.h"
#include "io/http_trace.h"

namespace stsctl::io {

namespace {

class AccountHttp : public Http {
 public:
  AccountHttp(const Services& services, AccountOptions options)
      : timeout_(options.timeout),
        ca_file_(std::move(options.ca_file)),
        trace_(services.http, services.clock, services.log),
        throttle_(trace_, services.clock, options.rates, services.stop, options.longest_wait,
                  [retry = options.retry](const Reply& reply, Time now) {
                    return asked_pause(retry, reply, now);
                  }),
        retry_(throttle_, services.clock, std::move(options.retry), services.stop,
               std::move(options.chance)) {}

  Result<Reply> send(const Request& request) override {
    const bool same = (timeout_.count() == 0 || request.timeout.count() > 0) &&
                      (ca_file_.empty() || !request.ca_file.empty());
    if (same) return retry_.send(request);
    Request completed = request;
    if (completed.timeout.count() == 0) completed.timeout = timeout_;
    if (completed.ca_file.empty()) completed.ca_file = ca_file_;
    return retry_.send(completed);
  }

 private:
  std::chrono::milliseconds timeout_;
  std::string ca_file_;
  Trace trace_;
  Throttle throttle_;
  Retry retry_;
};

}  // namespace

std::unique_ptr<Http> account_http(const Services& services, AccountOptions options) {
  return std::make_unique<AccountHttp>(services, std::move(options));
}

}  // namespace stsctl::io
