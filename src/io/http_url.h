#pragma once
// The one reading of a URL: what is checked is what is dialled. Knows no connection.

#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "base/result.h"

namespace stsctl::io {

/// An absolute http(s) URL, parsed by libcurl.
class Url {
 public:
  /// Code::invalid for what is no URL, another scheme, or plain http to anything but this machine
  /// (127.0.0.0/8, ::1, localhost) and, if `link_local`, addresses that is_link_local() names. The
  /// error does not quote the URL, which may hold a secret.
  static Result<Url> parse(const std::string& text, bool link_local = false);

  /// For CURLOPT_CURLU; stays the Url's.
  CURLU* handle() const { return handle_.get(); }
  /// "https://host:port": what a connection serves.
  const std::string& origin() const { return origin_; }
  const std::string& host() const { return host_; }
  bool is_tls() const { return tls_; }
  /// "https://host/path", for messages: no query, no fragment, no user information.
  const std::string& shown() const { return shown_; }

 private:
  struct Cleanup {
    void operator()(CURLU* handle) const { curl_url_cleanup(handle); }
  };
  std::unique_ptr<CURLU, Cleanup> handle_;
  std::string origin_;
  std::string host_;
  std::string shown_;
  bool tls_ = true;
};

/// Is `host`, as it stands in a URL, this machine: 127.0.0.0/8, ::1 or localhost?
bool is_loopback(std::string_view host);

/// Is `host`, as it stands in a URL, an address that no router passes on: 169.254.0.0/16
/// (RFC 3927), or fd00:ec2::/32, where clouds serve metadata by IPv6?
bool is_link_local(std::string_view host);

}  // namespace stsctl::io
