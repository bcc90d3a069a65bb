// Who may ask what: roles, Host and Origin, rates; and what the log and the metrics say about it.
#include <gtest/gtest.h>

#include <set>

#include "tests/http_server.h"

namespace rlhf::http_test {
namespace {

TEST(HttpAccess, EveryRouteAsksForItsRole) {
  TestServer test;
  test.start();
  // In a query, under another name or cut short, a token is none.
  const std::vector<std::string> wrong = {
      "",
      "Authorization: Bearer \r\n",
      "Authorization: Bearer wrong\r\n",
      "Authorization: Bearer ann-toke\r\n",
      "Authorization: ann-token\r\n",
      "Authorization: Basic YW5uLXRva2Vu\r\n",
      "X-Api-Key: ann-token\r\n",
      "Cookie: rlhf_session=wrong; other=ann-session\r\nOrigin: http://localhost\r\n"};
  int closed = 0;
  for (const http::Route& route : test.router.routes()) {
    if (route.needed == http::UserRole::nobody) continue;
    closed++;
    const std::string method(http::name_of(route.method));
    const std::string body = method == "POST" ? "{}" : "";
    for (const std::string& more : wrong) {
      const Answer answer = test.client().ask(method, route.pattern + "?token=ann-token", body,
                                              "Host: localhost\r\n" + more);
      EXPECT_TRUE(answer.status == 400 || answer.status == 401) << route.pattern << more;
    }
    for (const std::string& more : wrong) {
      const Answer answer = test.client().ask(method, route.pattern, body, more);
      // Beside a cookie, "localhost" is not the name that the client used.
      const bool foreign = method == "POST" && more.find("Origin") != more.npos;
      EXPECT_EQ(answer.status, foreign ? 403 : 401) << route.pattern << more;
      EXPECT_EQ(answer.header("www-authenticate"), foreign ? "" : "Bearer realm=\"rlhf\"");
    }
    EXPECT_EQ(test.client("admin-token").ask(method, route.pattern, body).status, 200);
    EXPECT_EQ(test.client("ann-token").ask(method, route.pattern, body).status,
              route.needed == http::UserRole::admin ? 403 : 200);
  }
  EXPECT_EQ(closed, 3);
}

TEST(HttpAccess, SessionsWorkAndNeedTheirOrigin) {
  TestServer test;
  Client browser = test.start();
  browser.session = "ann-session";
  EXPECT_EQ(browser.get("/api/mine").json()["caller"], "ann");
  EXPECT_EQ(browser.post("/api/mine", {}).json()["caller"], "ann");
  const Client bare{.port = browser.port};
  const std::string cookie = "Cookie: a=b; rlhf_session=ann-session; c=d\r\n";
  const auto post = [&](const std::string& more) {
    return bare.ask("POST", "/api/mine", "{}", more).status;
  };
  EXPECT_EQ(post(cookie), 403);
  EXPECT_EQ(post(cookie + "Sec-Fetch-Site: same-origin\r\n"), 200);
  EXPECT_EQ(post(cookie + "Sec-Fetch-Site: cross-site\r\n"), 403);
  EXPECT_EQ(post(cookie + "Sec-Fetch-Site: same-site\r\n"), 403);
  const std::string own = "127.0.0.1:" + std::to_string(browser.port);
  EXPECT_EQ(post(cookie + "Origin: http://" + own + "\r\n"), 200);
  EXPECT_EQ(post(cookie + "Origin: https://" + own + "\r\n"), 200);
  for (const std::string origin :
       {"http://evil.example", "http://127.0.0.1", "http://127.0.0.1:1", "null", "",
        "http://127.0.0.1.evil.example", "file://", "http://evil.example/127.0.0.1"}) {
    EXPECT_EQ(post(cookie + "Origin: " + origin + "\r\n"), 403) << origin;
    EXPECT_EQ(post("Authorization: Bearer ann-token\r\nOrigin: " + origin + "\r\n"), 403);
  }
  EXPECT_EQ(post("Authorization: Bearer ann-token\r\n"), 200);
  EXPECT_EQ(post("Cookie: rlhf_session=ann-session; rlhf_session=other\r\n"), 400);
  EXPECT_EQ(post("Cookie: rlhf_session=ann-session\r\nCookie: rlhf_session=other\r\n"), 400);
}

TEST(HttpAccess, OnlyOwnNamesAreAnswered) {
  TestServer test;
  test.options.allowed_hosts = {"annotate.example.org"};
  const Client client = test.start();
  const auto status = [&](const std::string& host) {
    return raw_answer(client.port, "GET /api/echo HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status;
  };
  for (const std::string host : {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]",
                                 "[::1]:80", "annotate.example.org:443"}) {
    EXPECT_EQ(status(host), 200) << host;
  }
  for (const std::string host : {"evil.example", "localhost.evil.example", "10.0.0.1", "[::2]",
                                 "annotate.example.org.", "xlocalhost"}) {
    EXPECT_EQ(status(host), 421) << host;
  }
  for (const std::string host : {"a b", "localhost:x", "localhost:123456", "user@localhost", "[::1",
                                 "[zz]", "localhost/", ":80"}) {
    EXPECT_EQ(status(host), 400) << host;
  }
}

TEST(HttpAccess, CallersAreCountedEachByItself) {
  TestServer test;
  test.options.rates = {{0.5, 3}, {0, 0}, {0, 0}};
  test.start();
  for (int i = 0; i < 3; i++) EXPECT_EQ(test.client("ann-token").get("/api/mine").status, 200);
  const Answer answer = test.client("ann-token").get("/api/mine");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.header("retry-after"), "2");
  EXPECT_EQ(answer.json()["error"]["code"], "rate_limit_exceeded");
  EXPECT_EQ(test.client("admin-token").get("/api/mine").status, 200);
  // Strangers share what their address has.
  for (int i = 0; i < 3; i++) EXPECT_EQ(test.client("guess").get("/api/mine").status, 401);
  EXPECT_EQ(test.client("guess").get("/api/mine").status, 429);
}

TEST(HttpAccess, BehindAProxyTheClientIsWhomTheProxyNames) {
  TestServer test;
  const std::string forwarded = "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n";
  const auto peer = [&](const std::string& more) {
    return test.client().ask("GET", "/api/echo", "", more).json()["peer"];
  };
  test.start();
  EXPECT_EQ(peer(forwarded), "127.0.0.1");
  TestServer behind;
  behind.options.behind_proxy = true;
  const Client client = behind.start();
  const auto named = [&](const std::string& more) {
    return client.ask("GET", "/api/echo", "", more).json()["peer"];
  };
  EXPECT_EQ(named(forwarded), "198.51.100.7");
  EXPECT_EQ(named("X-Forwarded-For: 2001:db8::1\r\n"), "2001:db8::1");
  EXPECT_EQ(named("X-Forwarded-For: <script>\r\n"), "127.0.0.1");
  EXPECT_EQ(named(""), "127.0.0.1");
}

TEST(HttpAccess, LogHasEachRequestAndNoSecrets) {
  TestServer test;
  test.start();
  test.client("ann-token")
      .ask("POST", "/api/mine?key=query-secret", "{\"body\": \"body-secret\"}",
           "Cookie: rlhf_session=cookie-secret\r\n");
  test.client().get("/api/things/%e2%80%ae%1bname");
  test.client().get("/api/things/%e2%80%aename");
  test.client().get("/api/throw/else");
  test.client().ask("GET", "/\x7f\x1b[2J\" \"id\": 7");
  test.server.reset();
  const std::string text = content_of(test.folder / "access.jsonl");
  SCOPED_TRACE(text);
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << int(c);
  EXPECT_EQ(text.find("-secret"), std::string::npos);
  EXPECT_EQ(text.find("ann-token"), std::string::npos);
  const auto lines = lines_of(test.folder / "access.jsonl");
  ASSERT_GE(lines.size(), 4u);
  // A line is written when its answer has gone out, so that those of several connections may swap.
  const auto line_of = [&](const std::string& path) {
    for (const std::string& line : lines) {
      const auto entry = nlohmann::json::parse(line);
      if (entry["path"] == path) return entry;
    }
    return nlohmann::json();
  };
  const auto first = line_of("/api/mine");
  EXPECT_EQ(first["caller"], 1);
  EXPECT_EQ(text.find("\"ann\""), std::string::npos) << "names can be erased, lines cannot";
  EXPECT_EQ(line_of("/api/throw/else")["caller"], 0) << "nobody";
  EXPECT_EQ(first["method"], "POST");
  EXPECT_EQ(first["status"], 200);
  EXPECT_EQ(first["bytes_in"], 23);
  EXPECT_GT(first["bytes_out"], 0);
  EXPECT_EQ(line_of("/api/throw/else")["error"], "secret detail");
  std::set<uint64_t> ids;
  for (const std::string& line : lines)
    ids.insert(nlohmann::json::parse(line)["id"].get<uint64_t>());
  EXPECT_EQ(ids.size(), lines.size());
}

TEST(HttpAccess, MetricsCountRequestsByRouteAndStatus) {
  TestServer test;
  test.start();
  for (int i = 0; i < 3; i++) test.client().get("/api/things/n" + std::to_string(i));
  test.client().get("/api/mine");
  test.server.reset();
  const std::string text = test.registry.text();
  EXPECT_NE(text.find("rlhf_http_requests_total{route=\"/api/things/{name}\",code=\"200\"} 3\n"),
            text.npos)
      << text;
  EXPECT_NE(text.find("rlhf_http_requests_total{route=\"/api/mine\",code=\"401\"} 1\n"), text.npos);
  EXPECT_NE(text.find("rlhf_http_request_seconds_count{route=\"/api/things/{name}\"} 3\n"),
            text.npos);
  EXPECT_NE(text.find("rlhf_http_requests_running 0\n"), text.npos);
}

}  // namespace
}  // namespace rlhf::http_test
