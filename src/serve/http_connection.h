#pragma once
// A client's connection: requests in, answers out, with a deadline on every wait.

#include "serve/worker.h"

namespace stsctl::serve {

/// Each lives until its client or a deadline ends it.
void start_plain_connection(Worker& worker, Listener& listener, Socket socket);
void start_tls_connection(Worker& worker, Listener& listener, Socket socket);

}  // namespace stsctl::serve
