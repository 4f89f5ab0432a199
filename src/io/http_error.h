#pragma once
// What libcurl's failure means to a person. Pure: knows no connection.

#include <string>

#include <curl/curl.h>

#include "base/result.h"

namespace stsctl::io {

/// How a transfer failed.
struct Failure {
  CURLcode code = CURLE_OK;
  std::string text;        ///< libcurl's own words.
  std::string host;        ///< Whom we spoke to.
  long system_error = 0;   ///< errno of the connection, 0 if unknown.
  long verify_result = 0;  ///< OpenSSL's X509_V_ERR_… of the server's certificate.
  std::string names;       ///< The names in the server's certificate, "DNS:a, DNS:b".
  bool connected = false;  ///< TCP and TLS stood.
  std::string deadline;    ///< For timeouts: "10 s".
};

/// `where` is left empty. Of libcurl's words only those about TLS are passed on: others may quote a
/// proxy's password.
Error describe(const Failure& failure);

}  // namespace stsctl::io
