#pragma once
// The server's side of TLS. Knows no socket.

#include <memory>

#include <openssl/ssl.h>

#include "base/result.h"
#include "serve/certificate_folder.h"

namespace stsctl::serve {

/// TLS 1.2 and later, HTTP/1.1 only, certificates chosen by server name at each handshake: a
/// reload of the folder needs no new context, and resumption goes on. A name that no certificate
/// fits is refused with unrecognized_name (RFC 6066 §3). `certificates` outlives it.
Result<std::shared_ptr<SSL_CTX>> server_context(const CertificateFolder& certificates);

}  // namespace stsctl::serve
