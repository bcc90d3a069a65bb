// What slow clients cost a healthy one: the times of a client that asks one thing after another, in
// a quiet server and beside many that drip heads, drip bodies or take no answers.
//
//     bench_slow_clients [slow clients = 512] [seconds = 20]
//
// Fails when the p99 beside them is more than twice the quiet one.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "serve/http/server.h"
#include "tests/http_client.h"

namespace rlhf {
namespace {

using namespace std::chrono_literals;
using http_test::Client;
using http_test::Socket;
using Clock = std::chrono::steady_clock;

http::Router routes() {
  http::Router router;
  router.add(http::Method::get, "/api/ask", http::UserRole::nobody,
             http::answering([](const http::Request&) {
               return http::json_response({{"answer", std::string(1000, 'x')}});
             }));
  router.add(http::Method::post, "/api/tell", http::UserRole::nobody,
             http::answering([](const http::Request&) { return http::Response{.body = "{}"}; }));
  router.add(http::Method::get, "/api/long", http::UserRole::nobody,
             http::answering([](const http::Request&) {
               return http::Response{.body = std::string(4 << 20, 'x'), .type = "text/plain"};
             }));
  return router;
}

/// Seconds of each request of a client that keeps its connection; rising.
std::vector<double> times_of(const Client& client, std::chrono::seconds time) {
  std::vector<double> seconds;
  auto socket = std::make_unique<Socket>(client.port);
  const auto until = Clock::now() + time;
  while (Clock::now() < until) {
    const auto begin = Clock::now();
    socket->send(client.text("GET", "/api/ask"));
    const auto answer = http_test::Reader(*socket).answer();
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
    if (answer.status != 200) {
      fmt::print(stderr, "expected 200, got {}\n", answer.status);
      std::exit(1);
    }
    if (answer.header("connection") == "close") socket = std::make_unique<Socket>(client.port);
    std::this_thread::sleep_for(500us);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

std::string beginning(const Client& client, int kind) {
  if (kind == 0) return "GET /api/ask HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
  if (kind == 1) {
    return client.text("POST", "/api/tell", "",
                       "Content-Type: application/json\r\nContent-Length: 100000\r\n");
  }
  return client.text("GET", "/api/long");
}

/// Keeps `count` slow clients busy: a third of each kind, a byte a second, again when cut.
void be_slow(const Client& client, int count, const std::atomic<bool>& stop,
             std::atomic<int64_t>& cut) {
  std::vector<std::unique_ptr<Socket>> sockets(static_cast<size_t>(count));
  std::vector<int> rounds(sockets.size());
  while (!stop) {
    const auto begin = Clock::now();
    for (size_t i = 0; i < sockets.size() && !stop; i++) {
      const int kind = int(i % 3);
      const bool is_new = !sockets[i] || ++rounds[i] > 20;
      const bool alive = !is_new && (kind == 2 ? !sockets[i]->closes(0ms) : sockets[i]->send("a"));
      if (alive) continue;
      if (sockets[i]) cut++;
      try {
        sockets[i] = std::make_unique<Socket>(client.port, 4096);
        sockets[i]->send(beginning(client, kind));
        rounds[i] = 0;
      } catch (const std::runtime_error&) {
        sockets[i] = nullptr;
      }
    }
    std::this_thread::sleep_until(begin + 1s);
  }
}

int run(int count, std::chrono::seconds time) {
  http::Options options{.port = 0};
  options.rates = {{0, 0}, {0, 0}, {0, 0}};
  options.limits.connections_per_address = count + 64;
  options.limits.connections = count + 128;
  http::AccessLog log{{}};
  http::Registry registry;
  http::Server server(
      options, routes(), [](const http::Credentials&) { return std::nullopt; }, log, registry);
  const Client client{.port = server.port()};

  const auto at = [](const std::vector<double>& times, double part) {
    return times[size_t(double(times.size() - 1) * part)] * 1e3;
  };
  const auto report = [&](std::string_view name, const std::vector<double>& times) {
    fmt::print("{:<18} {:>7} requests   p50 {:7.3f} ms   p99 {:7.3f} ms   most {:7.3f} ms\n", name,
               times.size(), at(times, 0.5), at(times, 0.99), times.back() * 1e3);
  };
  times_of(client, 1s);
  const auto quiet = times_of(client, time);
  report("quiet", quiet);

  std::atomic<bool> stop{false};
  std::atomic<int64_t> cut{0};
  std::thread slow([&] { be_slow(client, count, stop, cut); });
  std::this_thread::sleep_for(2s);
  const auto beside = times_of(client, time);
  const double open = registry.gauge("rlhf_http_connections", "").value();
  stop = true;
  slow.join();
  report(fmt::format("beside {} slow", count), beside);
  const double ratio = at(beside, 0.99) / at(quiet, 0.99);
  fmt::print("p99 x {:.2f}; {:.0f} connections open, {} slow ones cut\n", ratio, open, cut.load());
  return ratio <= 2 ? 0 : 1;
}

}  // namespace
}  // namespace rlhf

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 512;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 20;
  return rlhf::run(count, std::chrono::seconds(seconds));
}
