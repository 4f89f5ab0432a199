#include "providers/aws/credentials.h"

#include <utility>

#include "io/http_account.h"
#include "providers/aws/search.h"

namespace stsctl::providers::aws {

namespace {

constexpr std::chrono::minutes early{15};             // before the end
constexpr std::chrono::minutes between_refreshes{1};  // while what we have is still good
constexpr std::chrono::seconds answer_holds{10};
constexpr std::chrono::seconds sts_patience{10};

io::AccountOptions options() {
  io::RetryOptions retry{.attempts = 3, .total = std::chrono::seconds(30)};
  return {.retry = std::move(retry), .timeout = sts_patience};
}

}  // namespace

CredentialChain::CredentialChain(const io::Services& services, Identity identity)
    : services_(services),
      identity_(std::move(identity)),
      http_(io::account_http(services_, options())) {}

Result<Credentials> CredentialChain::get() {
  const std::scoped_lock lock(mutex_);
  if (keys_ && lasts(early)) return *keys_;
  const auto since = services_.clock.steady() - asked_;
  const bool still_good = keys_ && lasts(std::chrono::seconds(0));
  if (still_good && since < between_refreshes) return *keys_;
  if (answered_ && since < answer_holds) {
    if (failure_) return std::unexpected(*failure_);
    return *keys_;
  }
  Result<Credentials> found = ask();
  if (!found && still_good) return *keys_;
  return found;
}

void hide(const Credentials& credentials, io::Log& log) {
  log.hide(credentials.secret_key);
  log.hide(credentials.session_token);
}

Result<Credentials> CredentialChain::get_instead_of(const Credentials& refused) {
  const std::scoped_lock lock(mutex_);
  if (keys_ && *keys_ != refused) return *keys_;
  if (services_.clock.steady() - asked_ >= answer_holds) {
    Result<Credentials> found = ask();
    if (found && *found != refused) return found;
  }
  return fail(Code::unauthorized, "the session token has expired");
}

Result<Credentials> CredentialChain::ask() {
  asked_ = services_.clock.steady();
  Result<Credentials> found = Search(services_, *http_, identity_).run();
  answered_ = true;
  if (!found) {
    failure_ = found.error();
    return found;
  }
  hide(*found, services_.log);
  failure_.reset();
  keys_ = *found;
  return found;
}

bool CredentialChain::lasts(Duration duration) const {
  return !keys_->expires || services_.clock.now() + duration < *keys_->expires;
}

}  // namespace stsctl::providers::aws
