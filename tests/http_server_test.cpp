// Requests and answers of a well-behaved client, over real sockets.
#include <gtest/gtest.h>

#include "tests/http_server.h"

namespace rlhf::http_test {
namespace {

TEST(HttpServer, RequestReachesItsHandlerAsItWasMeant) {
  TestServer test;
  const Client client = test.start();
  const Answer answer = client.ask("POST", "/api/echo?a=1&b=x%20y+z&c", "{\"k\": \"\\u00e9\"}",
                                   "Content-Type: application/json; charset=utf-8\r\n");
  EXPECT_EQ(answer.status, 200);
  const auto got = answer.json();
  EXPECT_EQ(got["path"], "/api/echo");
  EXPECT_EQ(got["query"], (nlohmann::json{{"a", "1"}, {"b", "x y z"}, {"c", ""}}));
  EXPECT_EQ(got["body"], "{\"k\": \"\\u00e9\"}");
  EXPECT_EQ(got["type"], "application/json");
  EXPECT_EQ(got["peer"], "127.0.0.1");
  EXPECT_EQ(client.get("/api/things/demo%2Fsft").json()["parameters"], nlohmann::json{"demo/sft"});
  EXPECT_EQ(client.put("/api/echo", {{"x", 1}}).json()["body"], "{\"x\":1}");
  EXPECT_EQ(client.del("/api/echo").status, 200);
}

TEST(HttpServer, EveryAnswerHasTheHeadersThatProtectBrowsers) {
  TestServer test;
  const Client client = test.start();
  for (const std::string target : {"/", "/api/echo", "/nowhere", "/api/throw/else", "/api/%zz"}) {
    const Answer answer = client.get(target);
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << target;
    EXPECT_EQ(answer.header("x-frame-options"), "DENY") << target;
    EXPECT_EQ(answer.header("referrer-policy"), "no-referrer") << target;
    EXPECT_NE(answer.header("content-security-policy").find("default-src 'self'"),
              std::string::npos)
        << target;
    EXPECT_NE(answer.header("x-request-id"), "") << target;
    EXPECT_EQ(answer.header("access-control-allow-origin"), "") << target;
  }
  EXPECT_EQ(client.get("/api/echo").header("cache-control"), "no-store");
  EXPECT_EQ(client.get("/").header("cache-control"), "");
  EXPECT_EQ(client.get("/").header("content-type"), "text/html; charset=utf-8");
}

TEST(HttpServer, HeadIsGetWithoutItsBody) {
  TestServer test;
  const Client client = test.start();
  Socket socket(client.port);
  socket.send(client.text("HEAD", "/") + client.text("HEAD", "/api/long?size=100000") +
              client.text("GET", "/"));
  Reader reader(socket);
  EXPECT_EQ(reader.answer(true).header("content-length"), "11");
  EXPECT_EQ(reader.answer(true).header("content-length"), "100000");
  EXPECT_EQ(reader.answer().body, "<p>page</p>");
}

TEST(HttpServer, ThrownErrorsBecomeAnswersOfOneForm) {
  TestServer test;
  const Client client = test.start();
  const Answer input = client.get("/api/throw/input");
  EXPECT_EQ(input.status, 400);
  EXPECT_EQ(input.json()["error"], (nlohmann::json{{"message", "[thing] expected a, got b"},
                                                   {"type", "invalid_request_error"},
                                                   {"param", nullptr},
                                                   {"code", nullptr}}));
  const Answer chosen = client.get("/api/throw/http");
  EXPECT_EQ(chosen.status, 409);
  EXPECT_EQ(
      chosen.json()["error"],
      (nlohmann::json{
          {"message", "taken"}, {"type", "conflict"}, {"param", "name"}, {"code", "in_use"}}));
  for (const std::string what : {"else", "number", "header"}) {
    const Answer broken = client.get("/api/throw/" + what);
    EXPECT_EQ(broken.status, 500) << what;
    EXPECT_EQ(broken.body.find("secret"), std::string::npos);
    EXPECT_NE(broken.body.find("request id " + broken.header("x-request-id")), std::string::npos);
    EXPECT_EQ(broken.header("set-cookie"), "");
  }
}

TEST(HttpServer, UnknownPathsAndMethodsAreNamed) {
  TestServer test;
  const Client client = test.start();
  EXPECT_EQ(client.get("/api/nothing").status, 404);
  EXPECT_EQ(client.get("/api/echo/").status, 404);
  EXPECT_EQ(client.get("/api/things/").status, 404);
  EXPECT_EQ(client.get("//api/echo").status, 404);
  const Answer answer = client.del("/api/mine");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.header("allow"), "GET, HEAD, POST");
  for (const std::string method : {"TRACE", "OPTIONS", "PATCH", "CONNECT", "BREW", "get"}) {
    EXPECT_EQ(client.ask(method, "/api/mine").status, 405) << method;
  }
}

TEST(HttpServer, ConnectionServesManyRequestsButNotForEver) {
  TestServer test;
  test.options.limits.requests_per_connection = 5;
  const Client client = test.start();
  Socket socket(client.port);
  Reader reader(socket);
  for (int i = 1; i <= 5; i++) {
    socket.send(client.text(i % 2 ? "GET" : "POST", "/api/echo", i % 2 ? "" : "{}"));
    const Answer answer = reader.answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("connection"), i == 5 ? "close" : "");
  }
  EXPECT_TRUE(socket.closes(2s));
}

TEST(HttpServer, RequestsSentAtOnceAreAnsweredInOrder) {
  TestServer test;
  const Client client = test.start();
  Socket socket(client.port);
  std::string all;
  for (int i = 0; i < 20; i++) all += client.text("GET", "/api/things/n" + std::to_string(i));
  socket.send(all);
  Reader reader(socket);
  for (int i = 0; i < 20; i++) {
    EXPECT_EQ(reader.answer().json()["parameters"][0], "n" + std::to_string(i));
  }
}

TEST(HttpServer, OldClientsAreAnsweredAndClosed) {
  TestServer test;
  const Client client = test.start();
  Socket socket(client.port);
  socket.send("GET /api/echo HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(Reader(socket).answer().status, 200);
  EXPECT_TRUE(socket.closes(2s));
}

TEST(HttpServer, ClientThatStopsSendingStillGetsItsAnswer) {
  TestServer test;
  const Client client = test.start();
  Socket socket(client.port);
  socket.send(client.text("POST", "/api/echo", "{}"));
  socket.finish_sending();
  EXPECT_EQ(Reader(socket).answer().status, 200);
}

TEST(HttpServer, ContinueIsSaidOnlyToBodiesThatAreWanted) {
  TestServer test;
  const Client client = test.start();
  const std::string expect = "Expect: 100-continue\r\nContent-Length: 2\r\n";
  Socket socket(client.port);
  std::string head =
      client.text("POST", "/api/echo", "", expect + "Content-Type: application/json\r\n");
  socket.send(head);
  std::string said;
  EXPECT_TRUE(socket.receive(said, 2s));
  EXPECT_EQ(said, "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("{}");
  EXPECT_EQ(Reader(socket).answer().json()["body"], "{}");

  head.replace(head.find("/api/echo"), 9, "/api/mine");
  EXPECT_EQ(raw_answer(client.port, head).status, 401);
  Socket stranger(client.port);
  stranger.send(head);
  said.clear();
  EXPECT_TRUE(stranger.receive(said, 2s));
  EXPECT_EQ(said.rfind("HTTP/1.1 401", 0), 0u);
  EXPECT_EQ(client.ask("GET", "/api/echo", "", "Expect: tea\r\n").status, 417);
}

TEST(HttpServer, LongAnswersArriveWhole) {
  TestServer test;
  const Client client = test.start();
  for (const size_t size : {size_t(0), size_t(1), size_t(16384), size_t(16385), size_t(9999999)}) {
    const Answer answer = client.get("/api/long?size=" + std::to_string(size));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, std::string(size, 'x')) << size;
  }
}

TEST(HttpServer, PortInUseAndStrangeAddressesAreRefusedByOneLine) {
  TestServer test;
  test.start();
  TestServer second;
  second.options.port = test.server->port();
  EXPECT_THROW(second.start(), InputError);
  second.options.port = 0;
  second.options.host = "example.org";
  EXPECT_THROW(second.start(), InputError);
  second.options.host = "192.0.2.1";
  EXPECT_THROW(second.start(), InputError);
}

}  // namespace
}  // namespace rlhf::http_test
