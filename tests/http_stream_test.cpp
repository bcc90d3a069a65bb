// Answers that come later or in pieces: streams of events, clients that leave, the server's end.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>

#include "tests/http_server.h"

namespace rlhf::http_test {
namespace {

bool waits_for(const std::atomic<bool>& flag, Milliseconds time = 3s) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (!flag && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(1ms);
  return flag;
}

TEST(HttpStream, EventsArriveInOrderWhileTheyAreMade) {
  TestServer test;
  std::vector<std::thread> makers;
  std::mutex mutex;
  test.router.add(http::Method::post, "/api/count", http::UserRole::nobody,
                  [&](const http::Request& request, http::Reply reply) {
                    const int64_t count = http::json_body(request)["count"];
                    const std::lock_guard lock(mutex);
                    makers.emplace_back([count, stream = reply.stream()] {
                      for (int64_t i = 0; i < count; i++) {
                        stream->send(http::event_text("n", std::to_string(i)));
                        if (i % 50 == 0) std::this_thread::sleep_for(1ms);
                      }
                      stream->send(http::event_text("", "[DONE]"));
                      stream->finish();
                    });
                  });
  const Client client = test.start();
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; c++) {
    clients.emplace_back([&] {
      Answer head;
      const auto events = client.events("/api/count", {{"count", 500}}, &head);
      EXPECT_EQ(head.header("content-type"), "text/event-stream");
      EXPECT_EQ(head.header("cache-control"), "no-store");
      ASSERT_EQ(events.size(), 501u);
      for (int i = 0; i < 500; i++) EXPECT_EQ(events[size_t(i)].data, std::to_string(i));
      EXPECT_EQ(events.back().data, "[DONE]");
    });
  }
  for (auto& thread : clients) thread.join();
  for (auto& thread : makers) thread.join();
}

TEST(HttpStream, ConnectionGoesOnAfterAStream) {
  TestServer test;
  test.router.add(http::Method::get, "/api/two", http::UserRole::nobody,
                  [](const http::Request&, http::Reply reply) {
                    const auto stream = reply.stream();
                    stream->send(http::event_text("a", "x\ny\r\nz"));
                    stream->finish();
                    EXPECT_FALSE(stream->send("late"));
                  });
  const Client client = test.start();
  Socket socket(client.port);
  Reader reader(socket);
  for (int i = 0; i < 3; i++) {
    socket.send(client.text("GET", "/api/two"));
    EXPECT_EQ(reader.head().status, 200);
    const auto event = reader.event();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->name, "a");
    EXPECT_EQ(event->data, "x\ny\nz");
    EXPECT_FALSE(reader.event());
  }
  EXPECT_EQ(client.ask("HEAD", "/api/two").status, 200);
}

TEST(HttpStream, StreamAtRestSaysThatItIsAlive) {
  TestServer test;  // keep_alive: 300 ms
  test.router.add(http::Method::get, "/api/rest", http::UserRole::nobody,
                  [](const http::Request&, http::Reply reply) {
                    std::thread([stream = reply.stream()] {
                      std::this_thread::sleep_for(1200ms);
                      stream->send(http::event_text("", "end"));
                      stream->finish();
                    }).detach();
                  });
  const Client client = test.start();
  Socket socket(client.port);
  socket.send(client.text("GET", "/api/rest"));
  Reader reader(socket);
  reader.head();
  EXPECT_EQ(reader.event()->data, "end");
  EXPECT_GE(reader.comments(), 3);
  EXPECT_LE(reader.comments(), 9);
}

TEST(HttpStream, LeavingClientIsNoticedAtOnce) {
  TestServer test;
  std::atomic<bool> stream_gone{false}, reply_gone{false};
  std::shared_ptr<http::EventStream> kept;
  std::optional<http::Reply> later;
  std::atomic<bool> ready{false};
  test.router.add(http::Method::get, "/api/stream", http::UserRole::nobody,
                  [&](const http::Request&, http::Reply reply) {
                    kept = reply.stream();
                    kept->on_gone([&] { stream_gone = true; });
                    ready = true;
                  });
  test.router.add(http::Method::get, "/api/later", http::UserRole::nobody,
                  [&](const http::Request&, http::Reply reply) {
                    reply.on_gone([&] { reply_gone = true; });
                    later = reply;
                    ready = true;
                  });
  const Client client = test.start();
  for (const std::string target : {"/api/stream", "/api/later"}) {
    ready = false;
    Socket socket(client.port);
    socket.send(client.text("GET", target));
    ASSERT_TRUE(waits_for(ready));
    socket.close();
    ASSERT_TRUE(waits_for(target == "/api/stream" ? stream_gone : reply_gone)) << target;
  }
  EXPECT_TRUE(kept->gone());
  EXPECT_FALSE(kept->send("x"));
  EXPECT_TRUE(later->gone());
  later->respond({.body = "nobody reads it"});
  later.reset();
  EXPECT_EQ(client.get("/api/echo").status, 200);
}

TEST(HttpStream, ClientThatReadsTooSlowlyIsCutOffAndSlowsNobody) {
  TestServer test;
  test.options.limits.stream_buffer = 64 * 1024;
  std::atomic<bool> refused{false};
  test.router.add(http::Method::get, "/api/flood", http::UserRole::nobody,
                  [&](const http::Request&, http::Reply reply) {
                    std::thread([&, stream = reply.stream()] {
                      const std::string event = http::event_text("", std::string(4000, 'x'));
                      const auto begin = std::chrono::steady_clock::now();
                      while (stream->send(event)) {
                        ASSERT_LT(std::chrono::steady_clock::now() - begin, 5s);
                        std::this_thread::sleep_for(100us);
                      }
                      EXPECT_TRUE(stream->gone());
                      refused = true;
                    }).detach();
                  });
  const Client client = test.start();
  Socket socket(client.port, 4096);
  socket.send(client.text("GET", "/api/flood"));
  EXPECT_TRUE(waits_for(refused, 6s));
  EXPECT_TRUE(socket.closes(3s));
}

TEST(HttpStream, AnswerMayComeLaterFromAnotherThreadButOnlyOnce) {
  TestServer test;
  test.router.add(http::Method::get, "/api/slow", http::UserRole::nobody,
                  [](const http::Request&, http::Reply reply) {
                    std::thread([reply] {
                      std::this_thread::sleep_for(30ms);
                      reply.respond({.body = "{}"});
                      EXPECT_THROW(reply.respond({.body = "again"}), Error);
                      EXPECT_THROW(reply.stream(), Error);
                    }).detach();
                  });
  test.router.add(http::Method::get, "/api/forgotten", http::UserRole::nobody,
                  [](const http::Request&, http::Reply) {});
  test.router.add(http::Method::get, "/api/torn", http::UserRole::nobody,
                  [](const http::Request&, http::Reply reply) {
                    reply.stream()->send(http::event_text("", "one"));
                    throw std::runtime_error("in the middle");
                  });
  const Client client = test.start();
  EXPECT_EQ(client.get("/api/slow").body, "{}");
  EXPECT_EQ(client.get("/api/forgotten").status, 500);
  Socket socket(client.port);
  socket.send(client.text("GET", "/api/torn"));
  EXPECT_TRUE(socket.closes(2s));
}

TEST(HttpStream, SocketThreadsAndWorkersAreNotHeldByOpenAnswers) {
  TestServer test;  // 4 workers
  std::mutex mutex;
  std::vector<http::Reply> kept;
  test.router.add(http::Method::get, "/api/keep", http::UserRole::nobody,
                  [&](const http::Request&, http::Reply reply) {
                    const std::lock_guard lock(mutex);
                    kept.push_back(reply);
                  });
  const Client client = test.start();
  std::vector<Socket> sockets;
  for (int i = 0; i < 100; i++) {
    sockets.emplace_back(client.port);
    sockets.back().send(client.text("GET", "/api/keep"));
  }
  EXPECT_EQ(client.get("/api/echo").status, 200);
  const auto until = std::chrono::steady_clock::now() + 3s;
  for (size_t count = 0; count < 100 && std::chrono::steady_clock::now() < until;) {
    std::this_thread::sleep_for(1ms);
    const std::lock_guard lock(mutex);
    count = kept.size();
  }
  const std::lock_guard lock(mutex);
  ASSERT_EQ(kept.size(), 100u);
  for (const auto& reply : kept) reply.respond({.body = "{}"});
  for (auto& socket : sockets) EXPECT_EQ(Reader(socket).answer().status, 200);
}

TEST(HttpStream, TooManyWaitingRequestsAreSentAway) {
  TestServer test;
  test.options.workers = 1;
  test.options.limits.waiting_requests = 2;
  std::atomic<bool> busy{false}, go_on{false};
  test.router.add(http::Method::get, "/api/block", http::UserRole::nobody,
                  http::answering([&](const http::Request&) {
                    busy = true;
                    waits_for(go_on);
                    return http::Response{.body = "{}"};
                  }));
  const Client client = test.start();
  std::vector<Socket> sockets;
  for (int i = 0; i < 3; i++) {
    sockets.emplace_back(client.port);
    sockets.back().send(client.text("GET", "/api/block"));
    ASSERT_TRUE(waits_for(busy));
  }
  std::this_thread::sleep_for(50ms);
  const Answer answer = client.get("/api/block");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("retry-after"), "1");
  go_on = true;
  for (auto& socket : sockets) EXPECT_EQ(Reader(socket).answer().status, 200);
}

}  // namespace
}  // namespace rlhf::http_test
