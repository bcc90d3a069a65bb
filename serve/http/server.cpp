#include "serve/http/server.h"

#include <atomic>
#include <mutex>

#include "serve/http/daemon.h"
#include "serve/http/door.h"

namespace rlhf::http {

struct Server::State {
  State(const Options& options, Router router, Authenticate authenticate, AccessLog& log,
        Registry& registry)
      : front(options, std::move(router), std::move(authenticate)),
        connections(options.limits.connections, options.limits.connections_per_address),
        listener(options.host, options.port),
        port(listener.port()),
        door(std::move(listener), options.limits, connections, registry),
        daemon(options, front, connections, log, registry,
               [this](Connection& connection) { door.leave(connection); }) {}

  Front front;
  ConnectionTable connections;
  Listener listener;
  const uint16_t port;
  Door door;
  Daemon daemon;
  std::atomic<bool> hurry{false};
  std::mutex stopping;
};

Server::Server(Options options, Router router, Authenticate authenticate, AccessLog& log,
               Registry& registry)
    : state_(std::make_unique<State>(options, std::move(router), std::move(authenticate), log,
                                     registry)) {
  state_->door.open(
      [daemon = &state_->daemon](int socket, const sockaddr* address, socklen_t size) {
        return daemon->add(socket, address, size);
      });
}

Server::~Server() { stop(std::chrono::milliseconds(0)); }

uint16_t Server::port() const { return state_->port; }

void Server::stop(std::chrono::milliseconds drain) {
  if (drain.count() <= 0) {
    state_->hurry = true;
    state_->daemon.hurry();
  }
  const std::lock_guard lock(state_->stopping);
  state_->door.close();
  state_->daemon.refuse();
  state_->daemon.wait_until_quiet(std::chrono::steady_clock::now() + drain, state_->hurry);
  // The door first: nothing may enter a daemon that ends.
  state_->door.stop();
  state_->daemon.stop();
}

}  // namespace rlhf::http
