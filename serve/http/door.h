// The thread that lets clients in, notices when they leave and looks at the clock: it accepts,
// turns away what is too many, cuts what is too slow, and reads out what clients still send after
// an error answer, so that the answer is not lost on its way.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "serve/http/connection.h"
#include "serve/http/limits.h"
#include "serve/http/listener.h"
#include "serve/http/metrics.h"

namespace rlhf::http {

class Door {
 public:
  /// Takes a socket that is in the table already; false when it was closed instead.
  using Enter = std::function<bool(int socket, const sockaddr* address, socklen_t size)>;

  Door(Listener listener, const Limits& limits, ConnectionTable& connections, Registry& registry);
  ~Door();

  /// Begins to let clients in.
  void open(Enter enter);
  /// Lets nobody in any more; new clients find no server.
  void close();
  /// Ends the thread. Nothing happens a second time.
  void stop();

  /// A connection's socket is about to be closed; from the thread that owns it.
  void leave(Connection& connection);

 private:
  struct Lingering {
    int64_t until;
    int64_t bytes;
  };

  void run();
  void accept_all();
  void turn_away(int socket);
  void linger(int socket);
  void read_out(int socket);
  void tick(int64_t now);
  void forget(int socket);
  void watch(int socket, uint32_t number, uint32_t events);
  void ring();

  Listener listener_;
  const Limits limits_;
  ConnectionTable& connections_;
  Counter &accepted_, &refused_, &slow_, &unread_;
  Gauge& open_;
  Enter enter_;
  int epoll_, bell_;
  std::atomic<bool> closing_{false}, stopping_{false};
  bool listening_ = false, resting_ = false;
  int64_t next_tick_ = 0, next_keep_alive_ = 0;
  std::mutex mutex_;
  std::vector<int> left_;  // sockets to read out, under the lock
  std::unordered_map<int, Lingering> lingering_;
  std::thread thread_;
};

}  // namespace rlhf::http
