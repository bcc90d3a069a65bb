// The library's daemon and what it calls: requests come in here piece by piece and go through the
// stages of an Exchange. Nothing in here waits.
#pragma once

#include <microhttpd.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "serve/http/access_log.h"
#include "serve/http/exchange.h"
#include "serve/http/front.h"
#include "serve/http/metrics.h"
#include "serve/http/worker_pool.h"

namespace rlhf::http {

class Daemon {
 public:
  /// `leave`: called on a connection's thread before its socket is closed.
  /// @throws Error when the library cannot start.
  Daemon(const Options& options, Front& front, ConnectionTable& connections, AccessLog& log,
         Registry& registry, std::function<void(Connection&)> leave);
  ~Daemon();

  /// Takes a socket that `connections` has. False when the library refused and closed it.
  bool add(int socket, const sockaddr* address, socklen_t size);

  /// Further requests get 503.
  void refuse() { refusing_ = true; }
  /// Waits for requests under way; true when there are none.
  bool wait_until_quiet(std::chrono::steady_clock::time_point until,
                        const std::atomic<bool>& hurry);
  void hurry();
  /// Cuts what is under way, ends all threads. Nothing happens a second time.
  void stop();

 private:
  struct Calls;  // what the library calls
  friend struct Calls;

  MHD_Result access(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange,
                    const char* method, const char* version, const char* data, size_t* size);
  MHD_Result begin(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange,
                   const char* method, const char* version);
  MHD_Result take_body(const std::shared_ptr<Exchange>& exchange, const char* data, size_t* size);
  MHD_Result to_worker(const std::shared_ptr<Exchange>& exchange,
                       void (Daemon::*job)(const std::shared_ptr<Exchange>&));
  MHD_Result answer(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange,
                    Response response);
  MHD_Result refuse(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange);
  void identify(const std::shared_ptr<Exchange>& exchange);
  void work(const std::shared_ptr<Exchange>& exchange);
  void end(MHD_Connection* wire, const std::shared_ptr<Exchange>& exchange);

  const Limits limits_;
  Front& front_;
  ConnectionTable& connections_;
  AccessLog& log_;
  Registry& registry_;
  Gauge& running_gauge_;
  const std::function<void(Connection&)> leave_;
  WorkerPool workers_;
  std::atomic<uint64_t> last_id_{0};
  std::atomic<bool> refusing_{false}, cutting_{false};
  std::mutex mutex_;
  std::condition_variable quiet_;
  int running_ = 0;  // requests under way
  MHD_Daemon* daemon_ = nullptr;
};

}  // namespace rlhf::http
