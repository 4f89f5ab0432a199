#include "serve/tls.h"

#include <array>
#include <string_view>

#include <openssl/err.h>

namespace stsctl::serve {

namespace {

constexpr std::string_view session_context = "stsctl serve";
constexpr std::array<unsigned char, 9> protocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int on_server_name(SSL* handshake, int* alert, void* certificates) {
  const char* name = SSL_get_servername(handshake, TLSEXT_NAMETYPE_host_name);
  const auto found =
      static_cast<const CertificateFolder*>(certificates)->choose(name == nullptr ? "" : name);
  if (found && use(handshake, *found)) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// RFC 7301 §3.2: who offers protocols but not ours is refused.
int on_protocols(SSL* /*handshake*/, const unsigned char** chosen, unsigned char* size,
                 const unsigned char* offered, unsigned int offered_size, void* /*unused*/) {
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, size, protocols.data(), protocols.size(),
                                           offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

Result<std::shared_ptr<SSL_CTX>> server_context(const CertificateFolder& certificates) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    ERR_clear_error();
    return fail(Code::internal, "OpenSSL does not start");
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection then holds no buffers of 34 kB.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  // Clients resume by tickets that they keep; sessions kept here would be memory for anybody to
  // fill.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context.get(),
                                 reinterpret_cast<const unsigned char*>(session_context.data()),
                                 static_cast<unsigned>(session_context.size()));
  // The macro's own form: it casts in the old style.
  SSL_CTX_callback_ctrl(context.get(), SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(on_server_name));
  // OpenSSL's interface is not const; we only read.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
  SSL_CTX_set_tlsext_servername_arg(context.get(), const_cast<CertificateFolder*>(&certificates));
  SSL_CTX_set_alpn_select_cb(context.get(), on_protocols, nullptr);
  return context;
}

}  // namespace stsctl::serve
