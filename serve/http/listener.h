// The socket that a server listens on, and addresses as text.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace rlhf::http {

class Listener {
 public:
  /// Binds and listens; port 0 takes a free one.
  /// @throws InputError for an address that is none or not of this machine, or a port in use.
  Listener(const std::string& host, uint16_t port);
  ~Listener();
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;

  int socket() const { return socket_; }
  uint16_t port() const { return port_; }
  void close();

 private:
  int socket_ = -1;
  uint16_t port_ = 0;
};

/// "127.0.0.1" or "::1"; IPv4 clients of an IPv6 socket by their IPv4 address.
std::string address_text(const sockaddr_storage& address);

}  // namespace rlhf::http
