// The server: owns the sockets, keeps to the rules (docs/http.md), hands whole requests to
// handlers. libmicrohttpd reads and writes on a few threads that never wait for anything else;
// handlers run on workers; a third kind of thread watches the clock and clients that leave.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "serve/http/access_log.h"
#include "serve/http/limits.h"
#include "serve/http/metrics.h"
#include "serve/http/rate_limit.h"
#include "serve/http/request.h"
#include "serve/http/router.h"

namespace rlhf::http {

struct Options {
  std::string host = "127.0.0.1";  // an address; "0.0.0.0" or "::" is every one of the machine
  uint16_t port = 8080;            // 0: any free one
  int socket_threads = 2;
  int workers = 8;
  Limits limits = {};
  Rates rates = {};
  /// Names that clients may call the server by, besides the address that it listens on and those of
  /// the own machine ("annotate.example.org"): what the Host header is held against.
  std::vector<std::string> allowed_hosts = {};
  /// A proxy of ours is in front, and only it can reach this port: the client's address is the last
  /// of X-Forwarded-For, for the log and the rates.
  bool behind_proxy = false;
};

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
