#include "serve/http/connection.h"

#include <sys/socket.h>

namespace rlhf::http {

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

ConnectionTable::ConnectionTable(int most, int most_per_address)
    : most_(size_t(most)), most_per_address_(most_per_address) {}

std::shared_ptr<Connection> ConnectionTable::open(int socket, const std::string& peer) {
  const std::lock_guard lock(mutex_);
  if (by_socket_.size() >= most_) return nullptr;
  int& of_address = per_address_[peer];
  if (of_address >= most_per_address_) return nullptr;
  of_address++;
  // 0 is the door's own.
  if (++last_number_ == 0) ++last_number_;
  const auto connection = std::make_shared<Connection>(socket, last_number_, peer);
  by_socket_[socket] = connection;
  return connection;
}

std::shared_ptr<Connection> ConnectionTable::at(int socket) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_socket_.find(socket);
  return found == by_socket_.end() ? nullptr : found->second;
}

void ConnectionTable::close(int socket) {
  const std::lock_guard lock(mutex_);
  const auto found = by_socket_.find(socket);
  if (found == by_socket_.end()) return;
  const auto of_address = per_address_.find(found->second->peer);
  if (--of_address->second == 0) per_address_.erase(of_address);
  by_socket_.erase(found);
}

void ConnectionTable::set_exchange(Connection& connection, std::shared_ptr<Exchange> exchange) {
  const std::lock_guard lock(mutex_);
  connection.exchange.swap(exchange);
}

int ConnectionTable::expire(int64_t now) {
  const std::lock_guard lock(mutex_);
  int expired = 0;
  for (const auto& [socket, connection] : by_socket_) {
    // The library, told of bytes and of the end at once, reads the bytes and waits for ever. This
    // tells it again, and takes nothing from it.
    if (connection->hung_up) ::shutdown(socket, SHUT_RD);
    const int64_t deadline = connection->deadline;
    if (deadline == 0 || deadline > now || connection->expired.exchange(true)) continue;
    // Its owner finds it at its end and cleans up.
    ::shutdown(socket, SHUT_RDWR);
    // Between two requests, silence is no fault.
    if (connection->exchange || !connection->rests) expired++;
  }
  return expired;
}

std::shared_ptr<Exchange> ConnectionTable::exchange_of(const Connection& connection) const {
  const std::lock_guard lock(mutex_);
  return connection.exchange;
}

std::vector<std::shared_ptr<Exchange>> ConnectionTable::exchanges() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Exchange>> exchanges;
  for (const auto& [socket, connection] : by_socket_) {
    if (connection->exchange) exchanges.push_back(connection->exchange);
  }
  return exchanges;
}

size_t ConnectionTable::size() const {
  const std::lock_guard lock(mutex_);
  return by_socket_.size();
}

}  // namespace rlhf::http
