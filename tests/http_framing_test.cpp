// Requests that two readers of one connection may understand differently, and those that are too
// large: every one gets its answer, and the connection is closed where its next request is in
// doubt.
#include <gtest/gtest.h>

#include "tests/http_server.h"

namespace rlhf::http_test {
namespace {

struct Case {
  std::string name, bytes;
  int status;
};

std::string with(const std::string& lines, const std::string& rest = "",
                 const std::string& method = "POST") {
  return method + " /api/echo HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n" + rest;
}

const std::string json = "Content-Type: application/json\r\n";
const std::string chunked = json + "Transfer-Encoding: chunked\r\n";

std::vector<Case> hostile() {
  const std::string nul(1, '\0');
  const std::string host = "GET /api/echo HTTP/1.1\r\nHost: localhost\r\n";
  return {
      {"length and coding", with(chunked + "Content-Length: 2\r\n", "2\r\n{}\r\n0\r\n\r\n"), 400},
      {"two lengths", with(json + "Content-Length: 2\r\nContent-Length: 3\r\n", "{} "), 400},
      {"the same length twice", with(json + "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
       400},
      {"lengths in a list", with(json + "Content-Length: 2, 2\r\n", "{}"), 400},
      {"negative length", with(json + "Content-Length: -2\r\n", "{}"), 400},
      {"signed length", with(json + "Content-Length: +2\r\n", "{}"), 400},
      {"hexadecimal length", with(json + "Content-Length: 0x2\r\n", "{}"), 400},
      {"no length", with(json + "Content-Length: \r\n", "{}"), 400},
      {"huge length", with(json + "Content-Length: 99999999999999999999999\r\n", "{}"), 413},
      {"length of 18 digits", with(json + "Content-Length: 999999999999999999\r\n", "{}"), 413},
      {"two codings", with(chunked + "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
      {"gzip, chunked", with(json + "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
      {"identity", with(json + "Transfer-Encoding: identity\r\n", "{}"), 501},
      {"tab in the coding", with(json + "Transfer-Encoding: \tchunked\v\r\n", "0\r\n\r\n"), 400},
      {"coding for an old version",
       "POST /api/echo HTTP/1.0\r\nHost: localhost\r\n" + chunked + "\r\n2\r\n{}\r\n0\r\n\r\n",
       400},
      {"negative chunk", with(chunked, "-2\r\n{}\r\n0\r\n\r\n"), 400},
      {"chunk size in words", with(chunked, "two\r\n{}\r\n0\r\n\r\n"), 400},
      {"chunk size 0x2", with(chunked, "0x2\r\n{}\r\n0\r\n\r\n"), 400},
      {"chunk size with a space", with(chunked, " 2\r\n{}\r\n0\r\n\r\n"), 400},
      {"chunk size beyond 64 bits", with(chunked, "10000000000000002\r\n{}\r\n0\r\n\r\n"), 413},
      {"chunk longer than it says", with(chunked, "2\r\n{}}}\r\n0\r\n\r\n"), 400},
      {"bare LF after the first line", "GET /api/echo HTTP/1.1\nHost: localhost\r\n\r\n", 400},
      {"bare LF after a header", host + "A: b\nC: d\r\n\r\n", 400},
      {"bare LF at the end", host + "A: b\r\n\n", 400},
      {"bare CR in a value", host + "A: b\rC: d\r\n\r\n", 400},
      {"folded value", host + "A: b\r\n c\r\n\r\n", 400},
      {"NUL in a value", host + "A: b" + nul + "c\r\n\r\n", 400},
      {"NULs as a line's end", host + "A: b" + nul + nul + "C: d\r\n\r\n", 400},
      {"NUL in a name", host + "A" + nul + "B: c\r\n\r\n", 400},
      {"NUL in the path", "GET /api/echo" + nul + "x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"NUL in the query", "GET /api/echo?a=" + nul + "x HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"NUL in the method", "G" + nul + "ET /api/echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"space before the colon", host + "A : b\r\n\r\n", 400},
      {"space in a name", host + "A B: c\r\n\r\n", 400},
      {"no name", host + ": c\r\n\r\n", 400},
      {"no colon", host + "A\r\n\r\n", 400},
      {"escape in a value", host + "A: \x1b[2J\r\n\r\n", 400},
      {"two spaces in the first line", "GET  /api/echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"no Host", "GET /api/echo HTTP/1.1\r\n\r\n", 400},
      {"no Host in an old version", "GET /api/echo HTTP/1.0\r\n\r\n", 400},
      {"empty Host", "GET /api/echo HTTP/1.1\r\nHost: \r\n\r\n", 400},
      {"two Hosts", host + "Host: localhost\r\n\r\n", 400},
      {"absolute target", "GET http://localhost/api/echo HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"star", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
      {"compressed body", with(json + "Content-Encoding: gzip\r\nContent-Length: 2\r\n", "{}"),
       415},
      {"no type", with("Content-Length: 2\r\n", "{}"), 415},
      {"form",
       with("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n", "{}"), 415},
  };
}

TEST(HttpFraming, HostileShapesAreRefusedAndTheirConnectionsClosed) {
  TestServer test;
  const Client client = test.start();
  for (const Case& c : hostile()) {
    Socket socket(client.port);
    socket.send(c.bytes + "GET /api/echo?smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n");
    Reader reader(socket, 2s);
    const Answer answer = reader.answer();
    EXPECT_EQ(answer.status, c.status) << c.name << "\n" << answer.body;
    EXPECT_EQ(reader.answer().status, 0) << c.name;
    EXPECT_TRUE(socket.closes(2s)) << c.name;
  }
  EXPECT_EQ(client.get("/api/echo").status, 200);
}

TEST(HttpFraming, ChunkedBodiesArriveAndEndTheirConnection) {
  TestServer test;
  const Client client = test.start();
  Socket socket(client.port);
  socket.send(with(chunked, "3;name=value\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nTrailer: x\r\n\r\n"));
  const Answer answer = Reader(socket).answer();
  EXPECT_EQ(answer.json()["body"], "{\"a\":1}");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(socket.closes(2s));
}

TEST(HttpFraming, BodiesOverTheLimitAreRefusedHoweverTheyCome) {
  TestServer test;
  test.options.limits.body_time = 20s;
  const Client client = test.start();
  const size_t limit = test.options.limits.body;
  EXPECT_EQ(client.ask("POST", "/api/echo", std::string(limit, ' ')).status, 200);
  const Answer declared = client.ask("POST", "/api/echo", std::string(limit + 1, ' '));
  EXPECT_EQ(declared.status, 413);
  EXPECT_EQ(declared.json()["error"]["type"], "invalid_request_error");

  // 20 MiB in chunks: the client reads its answer although it has not stopped to send.
  Socket socket(client.port);
  socket.send(with(chunked));
  const std::string chunk = "4000\r\n" + std::string(0x4000, ' ') + "\r\n";
  for (int i = 0; i < 1280; i++) {
    if (!socket.send(chunk)) break;
  }
  const Answer answer = Reader(socket).answer();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.json()["error"]["code"], nullptr);
  EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
}

TEST(HttpFraming, HeadsOverTheLimitsAreRefused) {
  TestServer test;
  const Client client = test.start();
  const auto lines = [](int count, size_t size) {
    std::string text;
    for (int i = 0; i < count; i++) {
      text += "X-" + std::to_string(i) + ": " + std::string(size, 'v') + "\r\n";
    }
    return text;
  };
  EXPECT_EQ(raw_answer(client.port, with(lines(99, 1), "", "GET")).status, 200);
  EXPECT_EQ(raw_answer(client.port, with(lines(100, 1), "", "GET")).status, 431);
  EXPECT_EQ(raw_answer(client.port, with(lines(1, 16000), "", "GET")).status, 200);
  const Answer longer = raw_answer(client.port, with(lines(1, 17000), "", "GET"));
  EXPECT_EQ(longer.status, 431);
  EXPECT_EQ(longer.json()["error"]["type"], "invalid_request_error");
  EXPECT_EQ(raw_answer(client.port, with(lines(20000, 1), "", "GET")).status, 431);
  EXPECT_EQ(raw_answer(client.port, with(lines(1, 1000000), "", "GET")).status, 431);

  EXPECT_EQ(client.get("/" + std::string(8191, 'a')).status, 404);
  EXPECT_EQ(client.get("/" + std::string(8192, 'a')).status, 414);
  EXPECT_EQ(client.get("/" + std::string(1000000, 'a')).status, 414);
  EXPECT_EQ(client.get("/api/echo").status, 200);
}

TEST(HttpFraming, WhatTheLibraryAnswersItselfIsCountedAndLeavesNothing) {
  TestServer test;
  test.options.limits.header_time = 10s;
  const Client client = test.start();
  EXPECT_EQ(client.get("/api/echo").status, 200);
  const auto count = [&](const char* name) { return test.registry.counter(name, "").value(); };
  const std::string endless(70'000, 'a'), hello("\x16\x03\x01\x02\0\x01\r\n\r\n", 10);
  for (const std::string& first :
       {"GET /" + endless, endless, hello + "\r\n", std::string("GET\r\n\r\n"),
        std::string("GET / HTTP/9\r\n\r\n"), std::string("GET / HTTQ/1.1\r\n\r\n")}) {
    Socket socket(client.port);
    socket.send(first);
    std::string all;
    while (socket.receive(all, 1s)) {
    }
    EXPECT_TRUE(all.empty() || all.starts_with("HTTP/1.1 4") || all.starts_with("HTTP/1.1 5"))
        << all;
    EXPECT_TRUE(socket.closes(100ms)) << first.substr(0, 20);
  }
  // The first line is fine, what follows is too long: in the log like any other.
  EXPECT_EQ(raw_answer(client.port, "GET /api/long HTTP/1.1\r\nX-Y: " + endless).status, 431);
  const auto logged = [&] {
    for (const std::string& line : lines_of(test.folder / "access.jsonl")) {
      if (line.find("\"path\":\"/api/long\",\"status\":431") != line.npos) return true;
    }
    return false;
  };
  const auto& open = test.registry.gauge("rlhf_http_connections", "");
  for (int i = 0; i < 300; i++) {  // the server is done a moment after the client
    std::this_thread::sleep_for(10ms);
    if (logged() && i > 30 && open.value() == 0) break;
  }
  EXPECT_TRUE(logged());
  EXPECT_EQ(open.value(), 0);
  EXPECT_EQ(count("rlhf_http_unread_connections_total"), 6);
  EXPECT_EQ(client.get("/api/echo").status, 200);
}

TEST(HttpFraming, PathsAndQueriesThatMayBeReadInTwoWaysAreRefused) {
  TestServer test;
  const Client client = test.start();
  for (const std::string target : {"/api/../etc",
                                   "/api/%2e%2e/etc",
                                   "/api/things/..%2f..%2fetc",
                                   "/api/things/a%2F..%2Fb",
                                   "/api/things/%2Fetc",
                                   "/api/things/a%2F%2Fb",
                                   "/api/./echo",
                                   "/api/things/a%5Cb",
                                   "/api/things/a\\b",
                                   "/api/things/%00",
                                   "/api/things/a%0d%0ab",
                                   "/api/things/%ff",
                                   "/api/things/%c0%ae",
                                   "/api/things/%ed%a0%80",
                                   "/api/things/%",
                                   "/api/things/%4",
                                   "/api/things/%zz",
                                   "/api/things/\xc3\xa9",
                                   "/api/echo?a=1&a=2",
                                   "/api/echo?a&a",
                                   "/api/echo?%61=1&a=2",
                                   "/api/echo?=1",
                                   "/api/echo?a=%00",
                                   "/api/echo?a=%ff",
                                   "/api/echo#a"}) {
    EXPECT_EQ(client.get(target).status, 400) << target;
  }
  EXPECT_EQ(client.get("/api/things/%252e%252e").json()["parameters"][0], "%2e%2e");
  EXPECT_EQ(client.get("/api/things/%e4%b8%ad").json()["parameters"][0], "中");
  EXPECT_EQ(client.get("/api/things/...").json()["parameters"][0], "...");
}

}  // namespace
}  // namespace rlhf::http_test
