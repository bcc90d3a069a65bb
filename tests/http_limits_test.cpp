// Clients that are slow or many, and how the server ends.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "tests/http_server.h"

namespace rlhf::http_test {
namespace {

using Clock = std::chrono::steady_clock;

// Sends a byte now and then until the server closes; the seconds that took.
double seconds_of_dripping(Socket& socket, char byte, Milliseconds pause) {
  const auto begin = Clock::now();
  while (Clock::now() - begin < 5s) {
    if (!socket.send(std::string(1, byte)) || socket.closes(pause)) break;
  }
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

TEST(HttpLimits, SlowHeadsBodiesAndSilenceAreCut) {
  TestServer test;  // head 0.4 s, body 0.4 s, idle 0.6 s
  const Client client = test.start();
  Socket silent(client.port), head(client.port), body(client.port), idle(client.port);
  head.send("GET /api/echo HTTP/1.1\r\nHost: localhost\r\nX-A: ");
  body.send(client.text("POST", "/api/echo", "",
                        "Content-Type: application/json\r\nContent-Length: 1000\r\n"));
  std::thread first([&] { EXPECT_LT(seconds_of_dripping(head, 'a', 20ms), 1.0); });
  std::thread second([&] { EXPECT_LT(seconds_of_dripping(body, ' ', 20ms), 1.0); });
  idle.send(client.text("GET", "/api/echo"));
  EXPECT_EQ(Reader(idle).answer().status, 200);
  EXPECT_FALSE(idle.closes(300ms));
  EXPECT_TRUE(idle.closes(800ms));
  EXPECT_TRUE(silent.closes(500ms));
  first.join();
  second.join();
  EXPECT_EQ(client.get("/api/echo").status, 200);
  EXPECT_EQ(test.registry.counter("rlhf_http_slow_clients_total", "").value(), 3);
}

TEST(HttpLimits, LargeBodiesThatMoveAreNotSlow) {
  TestServer test;  // at 1 MiB a second and more, a body may take longer
  test.options.limits.body = 4 << 20;
  const Client client = test.start();
  Socket socket(client.port);
  const size_t size = 3 << 20, pieces = 24;
  socket.send(client.text(
      "POST", "/api/echo", "",
      "Content-Type: application/json\r\nContent-Length: " + std::to_string(size) + "\r\n"));
  for (size_t i = 0; i < pieces; i++) {
    socket.send(std::string(size / pieces, ' '));
    std::this_thread::sleep_for(30ms);
  }
  EXPECT_EQ(Reader(socket).answer().status, 200);
}

TEST(HttpLimits, ClientThatTakesNoAnswerIsCut) {
  TestServer test;  // write stall 0.5 s
  const Client client = test.start();
  Socket socket(client.port, 4096);
  socket.send(client.text("GET", "/api/long?size=60000000"));
  std::this_thread::sleep_for(1200ms);
  test.client().get("/api/echo");
  std::string all;
  while (socket.receive(all, 1s)) {
  }
  EXPECT_LT(all.size(), 30000000u);
  EXPECT_EQ(test.registry.counter("rlhf_http_slow_clients_total", "").value(), 1);
}

TEST(HttpLimits, ConnectionsAreCapped) {
  TestServer test;
  test.options.limits.connections = 6;
  test.options.limits.connections_per_address = 4;
  test.options.limits.header_time = 3s;
  const Client client = test.start();
  {
    std::vector<Socket> sockets;
    for (int i = 0; i < 4; i++) sockets.emplace_back(client.port);
    std::this_thread::sleep_for(50ms);
    const Answer answer = client.get("/api/echo");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.json()["error"]["type"], "server_error");
  }
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(client.get("/api/echo").status, 200);
}

size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return size_t(std::distance(begin(all), end(all)));
}

TEST(HttpLimits, NothingIsLeftOfClientsThatCameAndWent) {
  TestServer test;
  test.options.limits.header_time = 5s;
  const Client client = test.start();
  client.get("/api/echo");
  std::this_thread::sleep_for(50ms);
  const size_t before = open_descriptors();
  for (int i = 0; i < 300; i++) {
    Socket socket(client.port);
    const std::string text = client.text("POST", "/api/echo", "{\"a\": 1}");
    socket.send(text.substr(0, text.size() * size_t(i % 11) / 10));
  }
  for (int wait = 0; wait < 100 && open_descriptors() > before; wait++) {
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_LE(open_descriptors(), before);
}

TEST(HttpLimits, NothingIsLeftOfStreamsThatWereReset) {
  TestServer test;  // idle 0.6 s: the library's own clock says 2 s
  test.router.add(http::Method::post, "/api/short", http::UserRole::nobody,
                  [&](const http::Request&, const http::Reply& reply) {
                    const auto stream = reply.stream();
                    for (int i = 0; i < 20; i++) stream->send(http::event_text("token", "{}"));
                    stream->finish();
                  });
  const Client client = test.start();
  client.get("/api/echo");
  const size_t before = open_descriptors();
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; i++) {
    threads.emplace_back([&] {
      for (int k = 0; k < 150; k++) {
        Socket socket(client.port);
        socket.send(client.text("POST", "/api/short", "{}"));
        if (k % 3 == 0) socket.closes(1ms);
        if (k % 2 == 0) socket.reset();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto& open = test.registry.gauge("rlhf_http_connections", "");
  for (int i = 0; i < 600 && (open.value() > 0 || open_descriptors() > before); i++) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(open.value(), 0);
  EXPECT_LE(open_descriptors(), before);
}

TEST(HttpLimits, StopLetsAnswersEndAndCutsWhatIsLeft) {
  TestServer test;
  std::vector<http::Reply> kept;
  std::mutex mutex;
  std::atomic<int> count{0}, gone{0};
  std::vector<std::shared_ptr<http::EventStream>> streams;
  test.router.add(http::Method::get, "/api/keep", http::UserRole::nobody,
                  [&](const http::Request&, http::Reply reply) {
                    const std::lock_guard lock(mutex);
                    reply.on_gone([&] { gone++; });
                    kept.push_back(reply);
                    count++;
                  });
  test.router.add(http::Method::get, "/api/stream", http::UserRole::nobody,
                  [&](const http::Request&, http::Reply reply) {
                    const std::lock_guard lock(mutex);
                    streams.push_back(reply.stream());
                    streams.back()->on_gone([&] { gone++; });
                    count++;
                  });
  const Client client = test.start();
  Socket answered(client.port), forgotten(client.port), stream(client.port), idle(client.port);
  answered.send(client.text("GET", "/api/keep"));
  while (count < 1) std::this_thread::sleep_for(1ms);
  forgotten.send(client.text("GET", "/api/keep"));
  stream.send(client.text("GET", "/api/stream"));
  idle.send(client.text("GET", "/api/echo"));
  EXPECT_EQ(Reader(idle).answer().status, 200);
  while (count < 3) std::this_thread::sleep_for(1ms);

  const auto begin = Clock::now();
  std::thread stopping([&] { test.server->stop(600ms); });
  std::this_thread::sleep_for(150ms);
  EXPECT_THROW(Socket{client.port}, std::runtime_error);
  idle.send(client.text("GET", "/api/echo"));
  EXPECT_EQ(Reader(idle).answer().status, 503);
  kept[0].respond({.body = "{}"});
  EXPECT_EQ(Reader(answered).answer().status, 200);
  stopping.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  EXPECT_GE(seconds, 0.55);
  EXPECT_LT(seconds, 2);
  EXPECT_EQ(gone, 2);
  EXPECT_FALSE(streams[0]->send("x"));
  EXPECT_EQ(Reader(forgotten).answer().status, 0);
  kept[1].respond({.body = "too late"});
}

TEST(HttpLimits, SecondStopEndsTheWaiting) {
  TestServer test;
  std::optional<http::Reply> kept;
  std::atomic<bool> ready{false};
  test.router.add(http::Method::get, "/api/keep", http::UserRole::nobody,
                  [&](const http::Request&, http::Reply reply) {
                    kept = reply;
                    ready = true;
                  });
  const Client client = test.start();
  Socket socket(client.port);
  socket.send(client.text("GET", "/api/keep"));
  while (!ready) std::this_thread::sleep_for(1ms);
  const auto begin = Clock::now();
  std::thread stopping([&] { test.server->stop(30s); });
  std::this_thread::sleep_for(100ms);
  test.server->stop(0ms);
  stopping.join();
  EXPECT_LT(Clock::now() - begin, 2s);
}

}  // namespace
}  // namespace rlhf::http_test
