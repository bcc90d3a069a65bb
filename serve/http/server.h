// The server: owns the sockets, keeps to the rules (docs/http.md), hands whole requests to
// handlers. libmicrohttpd reads and writes on a few threads that never wait for anything else;
// handlers run on workers; a third kind of thread watches the clock and clients that leave.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "serve/http/access_log.h"
#include "serve/http/metrics.h"
#include "serve/http/options.h"
#include "serve/http/request.h"
#include "serve/http/router.h"

namespace rlhf::http {

class Server {
 public:
  /// Listens. `log` and `registry` must outlive the server.
  /// @throws InputError for an address that is none or not ours, or a port that is taken.
  Server(Options options, Router router, Authenticate authenticate, AccessLog& log,
         Registry& registry);
  /// Stops at once, unless stopped.
  ~Server();

  /// The port it listens on.
  uint16_t port() const;

  /// Takes no more connections or requests, waits up to `drain` for the answers that are under way,
  /// then cuts those that are left. From another thread, at any time; a second call with 0 while
  /// the first waits ends the waiting.
  void stop(std::chrono::milliseconds drain);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rlhf::http
