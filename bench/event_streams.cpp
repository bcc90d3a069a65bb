// Many streams of events at once, for a while: whether every event arrives, in order, and whether
// memory and descriptors stay what they were.
//
//     bench_event_streams [streams = 64] [seconds = 60] [events a second of each = 50]
//
// Fails on any error, when memory grows by more than 5 % after the first tenth, or when descriptors
// are left open.
#include <fmt/core.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
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

/// MiB of memory that the process has now.
double resident() {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * 4096 / (1 << 20);
}

int64_t descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

/// What pushes: one thread for all streams, as a model's decoding loop would.
class Source {
 public:
  explicit Source(int rate) : rate_(rate), thread_([this] { run(); }) {}
  ~Source() {
    stop_ = true;
    thread_.join();
  }
  void add(std::shared_ptr<http::EventStream> stream) {
    const std::lock_guard lock(mutex_);
    streams_.push_back({std::move(stream), 0});
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    for (auto& [stream, _] : streams_) stream->finish();
    streams_.clear();
  }
  int64_t lost() const { return lost_; }

 private:
  void run() {
    for (auto next = Clock::now(); !stop_; next += std::chrono::microseconds(1'000'000 / rate_)) {
      std::this_thread::sleep_until(next);
      const std::lock_guard lock(mutex_);
      for (auto& [stream, count] : streams_) {
        const auto now = Clock::now().time_since_epoch().count();
        const std::string data = fmt::format("{{\"n\":{},\"at\":{}}}", count++, now);
        if (!stream->send(http::event_text("token", data))) lost_++;
      }
    }
  }

  struct Open {
    std::shared_ptr<http::EventStream> stream;
    int64_t count;
  };
  const int rate_;
  std::mutex mutex_;
  std::vector<Open> streams_;
  std::atomic<int64_t> lost_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

int run(int count, std::chrono::seconds time, int rate) {
  Source source(rate);
  http::Router router;
  router.add(http::Method::get, "/api/events", http::UserRole::nobody,
             [&](const http::Request&, const http::Reply& reply) { source.add(reply.stream()); });
  http::Options options{.port = 0};
  options.rates = {{0, 0}, {0, 0}, {0, 0}};
  http::AccessLog log{{}};
  http::Registry registry;
  http::Server server(
      options, router, [](const http::Credentials&) { return std::nullopt; }, log, registry);
  const Client client{.port = server.port()};
  client.get("/");

  const int64_t files = descriptors();
  std::atomic<int64_t> events{0}, errors{0};
  std::atomic<int64_t> slowest{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < count; i++) {
    clients.emplace_back([&] {
      Socket socket(client.port);
      socket.send(client.text("GET", "/api/events"));
      http_test::Reader reader(socket);
      if (reader.head().status != 200) errors++;
      int64_t next = 0;
      while (const auto event = reader.event()) {
        const auto value = event->json();
        if (value["n"] != next++) errors++;
        const int64_t late = Clock::now().time_since_epoch().count() - value["at"].get<int64_t>();
        for (int64_t most = slowest; late > most && !slowest.compare_exchange_weak(most, late);) {
        }
        events++;
      }
    });
  }
  std::this_thread::sleep_for(time / 10);
  const double before = resident();
  std::this_thread::sleep_for(time - time / 10);
  const double after = resident();
  source.finish();
  for (auto& thread : clients) thread.join();
  for (int i = 0; i < 50 && descriptors() > files; i++) std::this_thread::sleep_for(20ms);
  const int64_t left = descriptors() - files;

  fmt::print("{} streams, {} s: {} events, {} errors, {} refused, slowest {:.1f} ms\n", count,
             time.count(), events.load(), errors.load(), source.lost(),
             double(slowest.load()) * 1e-6);
  fmt::print("memory {:.1f} MiB, then {:.1f} MiB; {} descriptors left\n", before, after, left);
  const bool good = errors == 0 && source.lost() == 0 && events > 0 && left <= 0;
  return good && after <= before * 1.05 ? 0 : 1;
}

}  // namespace
}  // namespace rlhf

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 64;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 60;
  const int rate = argc > 3 ? std::atoi(argv[3]) : 50;
  return rlhf::run(count, std::chrono::seconds(seconds), rate);
}
