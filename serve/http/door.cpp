#include "serve/http/door.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "core/check.h"
#include "serve/http/answer.h"
#include "serve/http/error.h"
#include "serve/http/exchange.h"

namespace rlhf::http {
namespace {

constexpr int64_t tick_ms = 100;
constexpr int64_t linger_ms = 2000;
constexpr int64_t most_linger_bytes = 64 << 20;
constexpr size_t most_lingering = 256;

// What an event is about: a connection's number (never 0) and its socket, or one of the door's own.
constexpr uint32_t own = 0;
uint64_t key_of(uint32_t number, int socket) { return uint64_t(number) << 32 | uint32_t(socket); }

}  // namespace

Door::Door(Listener listener, const Limits& limits, ConnectionTable& connections,
           Registry& registry)
    : listener_(std::move(listener)),
      limits_(limits),
      connections_(connections),
      accepted_(registry.counter("rlhf_http_connections_total", "Connections let in.")),
      refused_(registry.counter("rlhf_http_refused_connections_total",
                                "Connections turned away, being too many.")),
      slow_(registry.counter("rlhf_http_slow_clients_total", "Connections cut, being too slow.")),
      unread_(registry.counter("rlhf_http_unread_connections_total",
                               "Connections that ended before a request's first line was read.")),
      open_(registry.gauge("rlhf_http_connections", "Open connections.")),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  check(epoll_ >= 0 && bell_ >= 0, "server", "expected two more descriptors, got none");
}

Door::~Door() {
  stop();
  for (const auto& [socket, _] : lingering_) ::close(socket);
  for (const int socket : left_) ::close(socket);
  ::close(bell_);
  ::close(epoll_);
}

void Door::open(Enter enter) {
  enter_ = std::move(enter);
  watch(bell_, own, EPOLLIN);
  watch(listener_.socket(), own, EPOLLIN);
  listening_ = true;
  thread_ = std::thread([this] { run(); });
}

void Door::close() {
  closing_ = true;
  ring();
}

void Door::stop() {
  stopping_ = true;
  ring();
  if (thread_.joinable()) thread_.join();
}

void Door::leave(Connection& connection) {
  if (connection.requests == 0) unread_.add();
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.socket, nullptr);
  if (!connection.lingers || connection.expired) return;
  // The library closes its descriptor; this one keeps the connection until all is read.
  const int copy = ::dup(connection.socket);
  if (copy < 0) return;
  ::shutdown(copy, SHUT_WR);
  {
    const std::lock_guard lock(mutex_);
    left_.push_back(copy);
  }
  ring();
}

void Door::run() {
  std::vector<epoll_event> events(256);
  while (!stopping_) {
    const int count = ::epoll_wait(epoll_, events.data(), int(events.size()), int(tick_ms));
    for (int i = 0; i < count; i++) {
      const uint32_t number = uint32_t(events[size_t(i)].data.u64 >> 32);
      const int socket = int(uint32_t(events[size_t(i)].data.u64));
      if (number != own) {
        // Once only, by EPOLLET: the client has closed, or will send no more.
        const auto connection = connections_.at(socket);
        if (!connection || connection->number != number) continue;
        connection->hung_up = true;
        if (const auto exchange = connections_.exchange_of(*connection)) exchange->lose();
      } else if (socket == bell_) {
        uint64_t rings;
        [[maybe_unused]] const ssize_t size = ::read(bell_, &rings, sizeof(rings));
      } else if (socket == listener_.socket()) {
        accept_all();
      } else {
        read_out(socket);
      }
    }
    if (closing_ && listening_) {
      forget(listener_.socket());
      listener_.close();
      listening_ = false;
    }
    std::vector<int> left;
    {
      const std::lock_guard lock(mutex_);
      left.swap(left_);
    }
    for (const int socket : left) linger(socket);
    const int64_t now = now_ms();
    if (now >= next_tick_) tick(now);
  }
  listener_.close();
}

void Door::accept_all() {
  while (!closing_) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    const int socket = ::accept4(listener_.socket(), reinterpret_cast<sockaddr*>(&address), &size,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        // No descriptors left: rest until the next tick, instead of asking all the time.
        forget(listener_.socket());
        resting_ = true;
      }
      return;
    }
    const auto connection = connections_.open(socket, address_text(address));
    if (!connection) {
      turn_away(socket);
      continue;
    }
    accepted_.add();
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    connection->deadline = now_ms() + limits_.header_time.count();
    watch(socket, connection->number, EPOLLRDHUP | EPOLLET);
    if (!enter_(socket, reinterpret_cast<sockaddr*>(&address), size)) connections_.close(socket);
  }
}

void Door::turn_away(int socket) {
  refused_.add();
  send_raw_error(socket, error_response(HttpError(503, "too many connections", "", "", "")));
  ::shutdown(socket, SHUT_WR);
  linger(socket);
}

void Door::linger(int socket) {
  if (lingering_.size() >= most_lingering) {
    ::close(socket);
    return;
  }
  lingering_[socket] = {now_ms() + linger_ms, 0};
  watch(socket, own, EPOLLIN | EPOLLRDHUP);
}

void Door::read_out(int socket) {
  const auto found = lingering_.find(socket);
  if (found == lingering_.end()) return;
  char bytes[64 * 1024];
  const ssize_t size = ::recv(socket, bytes, sizeof(bytes), MSG_DONTWAIT);
  if (size > 0) found->second.bytes += size;
  const bool waits = size < 0 && (errno == EAGAIN || errno == EINTR);
  if (waits || (size > 0 && found->second.bytes < most_linger_bytes)) return;
  lingering_.erase(found);
  forget(socket);
  ::close(socket);
}

void Door::tick(int64_t now) {
  next_tick_ = now + tick_ms;
  slow_.add(connections_.expire(now));
  open_.set(double(connections_.size()));
  std::vector<int> over;
  for (const auto& [socket, lingering] : lingering_) {
    if (lingering.until <= now) over.push_back(socket);
  }
  for (const int socket : over) {
    lingering_.erase(socket);
    forget(socket);
    ::close(socket);
  }
  if (resting_ && listening_) {
    resting_ = false;
    watch(listener_.socket(), own, EPOLLIN);
  }
  // A stream skips a call when it has sent since the one before: half the time makes it the most
  // that a client waits.
  if (now >= next_keep_alive_) {
    next_keep_alive_ = now + limits_.keep_alive.count() / 2;
    for (const auto& exchange : connections_.exchanges()) exchange->keep_alive();
  }
}

void Door::forget(int socket) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr); }

void Door::watch(int socket, uint32_t number, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key_of(number, socket);
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
}

void Door::ring() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t size = ::write(bell_, &one, sizeof(one));
}

}  // namespace rlhf::http
