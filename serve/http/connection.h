// The open connections: what the clock and the door need to know of each, by its socket.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace rlhf::http {

class Exchange;

/// Milliseconds of a clock that only goes forward.
int64_t now_ms();

struct Connection {
  Connection(int socket, uint32_t number, std::string peer)
      : socket(socket), number(number), peer(std::move(peer)) {}

  const int socket;
  const uint32_t number;  // tells it from an earlier one with the same socket
  const std::string peer;
  std::atomic<int64_t> deadline{0};    // by now_ms(), for what the client is to do next; 0: none
  std::atomic<bool> expired{false};    // the deadline has passed
  std::atomic<bool> hung_up{false};    // the client will send no more
  std::atomic<bool> rests{false};      // an answer is given, the next request has not begun
  std::atomic<bool> lingers{false};    // at the end, what the client still sends is to be read
  int requests = 0;                    // of the thread that owns the socket
  std::shared_ptr<Exchange> exchange;  // under the table's lock
};

class ConnectionTable {
 public:
  ConnectionTable(int most, int most_per_address);

  /// None when there are too many already.
  std::shared_ptr<Connection> open(int socket, const std::string& peer);
  std::shared_ptr<Connection> at(int socket) const;
  /// To be called while the socket is still open.
  void close(int socket);
  void set_exchange(Connection& connection, std::shared_ptr<Exchange> exchange);

  /// Shuts down the sockets of those whose deadline has passed; how many of them owed something.
  /// Reminds the library of clients that hung up.
  int expire(int64_t now);
  std::shared_ptr<Exchange> exchange_of(const Connection& connection) const;
  std::vector<std::shared_ptr<Exchange>> exchanges() const;
  size_t size() const;

 private:
  const size_t most_;
  const int most_per_address_;
  mutable std::mutex mutex_;
  std::unordered_map<int, std::shared_ptr<Connection>> by_socket_;
  std::unordered_map<std::string, int> per_address_;
  uint32_t last_number_ = 0;
};

}  // namespace rlhf::http
