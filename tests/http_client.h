// A small HTTP/1.1 client for tests of servers on this machine: blocking, with timeouts, and as
// frank about what it sends as a test needs it to be.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rlhf::http_test {

using namespace std::chrono_literals;
using Milliseconds = std::chrono::milliseconds;

/// A connection to 127.0.0.1, byte by byte.
class Socket {
 public:
  explicit Socket(uint16_t port, int receive_buffer = 0) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      ::close(socket_);
      throw std::runtime_error("nobody listens");
    }
  }
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), buffer_(std::move(other.buffer_)) {}
  Socket& operator=(Socket&&) = delete;

  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  /// Closes without a word of good-bye.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close();
  }
  /// The client says that it will send no more, but still listens.
  void finish_sending() { ::shutdown(socket_, SHUT_WR); }

  /// False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(size_t(sent));
    }
    return true;
  }

  /// Adds what arrives to `to`. False at the end of the connection or of the time.
  bool receive(std::string& to, Milliseconds timeout) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, int(timeout.count())) <= 0) return false;
    char bytes[16384];
    const ssize_t size = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (size <= 0) {
      is_closed_ = true;
      return false;
    }
    to.append(bytes, size_t(size));
    return true;
  }
  /// True when the server has closed; waits for it.
  bool closes(Milliseconds timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    std::string ignored;
    while (!is_closed_ && std::chrono::steady_clock::now() < until) receive(ignored, 20ms);
    return is_closed_;
  }

  std::string& buffer() { return buffer_; }

 private:
  int socket_ = -1;
  bool is_closed_ = false;
  std::string buffer_;  // what has arrived and was not asked for yet
};

struct Answer {
  int status = 0;                                            // 0: the server closed without one
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    for (const auto& [mine, value] : headers) {
      if (mine == name) return value;
    }
    return "";
  }
  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

struct Event {
  std::string name, data;
  nlohmann::json json() const { return nlohmann::json::parse(data); }
};

/// Reads answers off a socket, also those that come in pieces of unknown number.
class Reader {
 public:
  explicit Reader(Socket& socket, Milliseconds timeout = 10s)
      : socket_(socket), timeout_(timeout) {}

  /// The first line and the headers; 100 Continue is passed over.
  Answer head() {
    for (;;) {
      Answer answer;
      const auto lines = take_until("\r\n\r\n");
      if (!lines || lines->size() < 12) return answer;
      answer.status = std::atoi(lines->c_str() + 9);
      for (size_t at = lines->find("\r\n"); at != lines->npos;) {
        const size_t end = std::min(lines->find("\r\n", at + 2), lines->size());
        const std::string line = lines->substr(at + 2, end - at - 2);
        const size_t colon = std::min(line.find(": "), line.size());
        std::string name = line.substr(0, colon);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return char(std::tolower(c)); });
        answer.headers.emplace_back(name, colon + 2 <= line.size() ? line.substr(colon + 2) : "");
        at = end < lines->size() ? end : lines->npos;
      }
      if (answer.status == 100) continue;
      chunked_ = answer.header("transfer-encoding") == "chunked";
      return answer;
    }
  }

  Answer answer(bool is_head = false) {
    Answer answer = head();
    if (is_head || answer.status == 0 || answer.status == 204) return answer;
    if (chunked_) {
      while (const auto piece = chunk()) answer.body += *piece;
    } else {
      const size_t size = size_t(std::atoll(answer.header("content-length").c_str()));
      while (socket_.buffer().size() < size && socket_.receive(socket_.buffer(), timeout_)) {
      }
      answer.body = socket_.buffer().substr(0, size);
      socket_.buffer().erase(0, answer.body.size());
    }
    return answer;
  }

  /// The next event of a stream whose head() was read; none at its end. Comments are passed over.
  std::optional<Event> event() {
    for (;;) {
      const size_t end = events_.find("\n\n");
      if (end == events_.npos) {
        auto piece = chunk();
        if (!piece) return std::nullopt;
        events_ += *piece;
        continue;
      }
      Event event;
      bool has_data = false;
      for (size_t at = 0; at < end;) {
        const size_t stop = std::min(events_.find('\n', at), end);
        const std::string line = events_.substr(at, stop - at);
        if (line.starts_with("event: ")) event.name = line.substr(7);
        if (line.starts_with(":")) comments_++;
        if (line.starts_with("data: ")) {
          if (has_data) event.data += '\n';
          event.data += line.substr(6);
          has_data = true;
        }
        at = stop + 1;
      }
      events_.erase(0, end + 2);
      if (has_data) return event;
    }
  }
  int comments() const { return comments_; }

 private:
  std::optional<std::string> take_until(std::string_view mark) {
    std::string& buffer = socket_.buffer();
    size_t at;
    while ((at = buffer.find(mark)) == buffer.npos) {
      if (!socket_.receive(buffer, timeout_)) return std::nullopt;
    }
    std::string taken = buffer.substr(0, at);
    buffer.erase(0, at + mark.size());
    return taken;
  }
  std::optional<std::string> chunk() {
    const auto size_text = take_until("\r\n");
    if (!size_text) return std::nullopt;
    const size_t size = std::strtoul(size_text->c_str(), nullptr, 16);
    std::string& buffer = socket_.buffer();
    while (buffer.size() < size + 2) {
      if (!socket_.receive(buffer, timeout_)) return std::nullopt;
    }
    std::string piece = buffer.substr(0, size);
    buffer.erase(0, size + 2);
    if (size == 0) return std::nullopt;
    return piece;
  }

  Socket& socket_;
  const Milliseconds timeout_;
  bool chunked_ = false;
  std::string events_;
  int comments_ = 0;
};

/// A client that behaves: what it is signs each request.
struct Client {
  uint16_t port = 0;
  std::string token = {}, session = {};

  std::string text(std::string_view method, const std::string& target, const std::string& body = "",
                   const std::string& more = "") const {
    const std::string host = "127.0.0.1:" + std::to_string(port);
    std::string out = std::string(method) + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n";
    if (!token.empty()) out += "Authorization: Bearer " + token + "\r\n";
    if (!session.empty()) {
      out += "Cookie: rlhf_session=" + session + "\r\nOrigin: http://" + host + "\r\n";
    }
    if (!body.empty()) {
      if (more.find("Content-Type:") == more.npos) out += "Content-Type: application/json\r\n";
      out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    return out + more + "\r\n" + body;
  }

  /// One request on a connection of its own; `more`: header lines, each with its \r\n.
  Answer ask(std::string_view method, const std::string& target, const std::string& body = "",
             const std::string& more = "") const {
    Socket socket(port);
    socket.send(text(method, target, body, more));
    return Reader(socket).answer(method == "HEAD");
  }
  Answer get(const std::string& target) const { return ask("GET", target); }
  Answer post(const std::string& target, const nlohmann::json& body) const {
    return ask("POST", target, body.dump());
  }
  Answer put(const std::string& target, const nlohmann::json& body) const {
    return ask("PUT", target, body.dump());
  }
  Answer del(const std::string& target) const { return ask("DELETE", target); }

  /// All events of an answer, and its head.
  std::vector<Event> events(const std::string& target, const nlohmann::json& body,
                            Answer* head = nullptr) const {
    Socket socket(port);
    socket.send(text("POST", target, body.dump()));
    Reader reader(socket);
    const Answer first = reader.head();
    if (head) *head = first;
    std::vector<Event> events;
    while (auto event = reader.event()) events.push_back(std::move(*event));
    return events;
  }
};

/// Bytes as they are on a connection of its own, and the first answer.
inline Answer raw_answer(uint16_t port, std::string_view bytes, Milliseconds timeout = 5s) {
  Socket socket(port);
  socket.send(bytes);
  return Reader(socket, timeout).answer();
}

}  // namespace rlhf::http_test
