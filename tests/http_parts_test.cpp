// The parts that need no socket: routes, rates, metrics, the log's rotation, small helpers.
#include <gtest/gtest.h>

#include <filesystem>

#include "core/check.h"
#include "serve/http/access_log.h"
#include "serve/http/error.h"
#include "serve/http/event_stream.h"
#include "serve/http/metrics.h"
#include "serve/http/rate_limit.h"
#include "serve/http/router.h"
#include "tests/files.h"
#include "tests/message_of.h"

namespace rlhf {
namespace {

using namespace http;
using namespace std::chrono_literals;

const Handler nothing = [](const Request&, const Reply&) {};

TEST(HttpParts, FixedPiecesGoBeforeParameters) {
  Router router;
  router.add(Method::get, "/api/chats/{id}", UserRole::annotator, nothing);
  router.add(Method::get, "/api/chats/new", UserRole::annotator, nothing);
  router.add(Method::post, "/api/{any}/new", UserRole::annotator, nothing);
  router.add(Method::get, "/", UserRole::nobody, nothing);
  const auto pattern = [&](Method method, const std::vector<std::string>& pieces) {
    const auto found = router.find(method, pieces);
    return found.route ? found.route->pattern : "";
  };
  EXPECT_EQ(pattern(Method::get, {"api", "chats", "new"}), "/api/chats/new");
  EXPECT_EQ(pattern(Method::get, {"api", "chats", "7"}), "/api/chats/{id}");
  EXPECT_EQ(pattern(Method::get, {}), "/");
  EXPECT_EQ(pattern(Method::get, {"api", "chats"}), "");
  EXPECT_EQ(pattern(Method::get, {"api", "chats", ""}), "");
  EXPECT_EQ(router.find(Method::put, {"api", "chats", "new"}).allowed,
            (std::vector<Method>{Method::get, Method::post}));
  EXPECT_EQ(router.find(Method::get, {"api", "chats", "a/b"}).parameters,
            std::vector<std::string>{"a/b"});
}

TEST(HttpParts, MalformedAndDoubledRoutesAreRefused) {
  Router router;
  router.add(Method::get, "/api/{id}", UserRole::nobody, nothing);
  for (const std::string pattern : {"", "api", "/api/", "/a//b", "/a b", "/{}", "/{id", "/%41"}) {
    EXPECT_THROW(router.add(Method::get, pattern, UserRole::nobody, nothing), Error) << pattern;
  }
  EXPECT_THROW(router.add(Method::get, "/api/{name}", UserRole::nobody, nothing), Error);
  router.add(Method::post, "/api/{name}", UserRole::nobody, nothing);
  EXPECT_EQ(router.routes().size(), 2u);
}

TEST(HttpParts, BucketsFillWithTime) {
  RateLimiter limiter({0.5, 2});
  const auto start = RateLimiter::Clock::now();
  EXPECT_EQ(limiter.take("a", start), 0);
  EXPECT_EQ(limiter.take("a", start), 0);
  EXPECT_EQ(limiter.take("a", start), 2);
  EXPECT_EQ(limiter.take("b", start), 0);
  EXPECT_EQ(limiter.take("a", start + 1s), 1);
  EXPECT_EQ(limiter.take("a", start + 2s), 0);
  EXPECT_EQ(limiter.take("a", start + 2s), 2);
  // Never more than the burst, however long the rest.
  for (int i = 0; i < 2; i++) EXPECT_EQ(limiter.take("a", start + 1000s), 0);
  EXPECT_NE(limiter.take("a", start + 1000s), 0);
}

TEST(HttpParts, CallersWithoutNumberShareWhatMemoryThereIs) {
  RateLimiter limiter({1, 1}, /*most_buckets=*/10);
  const auto start = RateLimiter::Clock::now();
  int refused = 0;
  for (int i = 0; i < 100; i++) refused += limiter.take(std::to_string(i), start) != 0;
  EXPECT_GE(refused, 85);
  EXPECT_EQ(limiter.take("0", start + 10s), 0);
  EXPECT_EQ(limiter.take("new", start + 10s), 0);
}

TEST(HttpParts, MetricsAreInPrometheusForm) {
  Registry registry;
  registry.counter("rlhf_votes_total", "Votes.", {{"choice", "a\"b\\\n"}}).add(2);
  registry.gauge("rlhf_pairs", "Pairs\nopen.").set(0.1);
  auto& times = registry.histogram("rlhf_step_seconds", "Steps.", {0.5, 1});
  for (const double seconds : {0.25, 0.5, 0.75, 3.0}) times.observe(seconds);
  registry.before_text([&] { registry.gauge("rlhf_pairs", "").add(1); });
  EXPECT_EQ(registry.text(),
            "# HELP rlhf_pairs Pairs\\nopen.\n# TYPE rlhf_pairs gauge\nrlhf_pairs 1.1\n"
            "# HELP rlhf_step_seconds Steps.\n# TYPE rlhf_step_seconds histogram\n"
            "rlhf_step_seconds_bucket{le=\"0.5\"} 2\nrlhf_step_seconds_bucket{le=\"1\"} 3\n"
            "rlhf_step_seconds_bucket{le=\"+Inf\"} 4\nrlhf_step_seconds_sum 4.5\n"
            "rlhf_step_seconds_count 4\n"
            "# HELP rlhf_votes_total Votes.\n# TYPE rlhf_votes_total counter\n"
            "rlhf_votes_total{choice=\"a\\\"b\\\\\\n\"} 2\n");
  EXPECT_THROW(registry.gauge("rlhf_votes_total", ""), Error);
  EXPECT_THROW(registry.counter("rlhf_votes", ""), Error);
  EXPECT_THROW(registry.gauge("votes", ""), Error);
  EXPECT_THROW(registry.gauge("rlhf_a:b", ""), Error);
  EXPECT_THROW(registry.histogram("rlhf_pairs", "", {1}), Error);
}

TEST(HttpParts, GaugesOfWhatHasGoneGo) {
  Registry registry;
  using Values = std::vector<std::pair<Labels, double>>;
  registry.set_gauges("rlhf_slots", "Slots.", Values{{{{"model", "a"}}, 1}, {{{"model", "b"}}, 2}});
  registry.set_gauges("rlhf_slots", "Slots.", Values{{{{"model", "b"}}, 3}});
  EXPECT_EQ(registry.text(),
            "# HELP rlhf_slots Slots.\n# TYPE rlhf_slots gauge\nrlhf_slots{model=\"b\"} 3\n");
  registry.set_gauges("rlhf_slots", "Slots.", {});
  EXPECT_EQ(registry.text(), "# HELP rlhf_slots Slots.\n# TYPE rlhf_slots gauge\n");
  EXPECT_THROW(registry.set_gauges("rlhf_slots_total", "", {}), Error);
}

TEST(HttpParts, LogMovesOnWhenItIsFull) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "access.jsonl";
  {
    AccessLog log(path, 1000, 2);
    for (uint64_t i = 0; i < 40; i++) log.write({.id = i, .path = std::string(100, 'p')});
    EXPECT_EQ(log.lost(), 0);
  }
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".3"));
  uint64_t last = 40;
  for (const std::string end : {"", ".1", ".2"}) {
    EXPECT_LE(std::filesystem::file_size(path.string() + end), 1000u);
    const auto lines = lines_of(path.string() + end);
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
      EXPECT_EQ(nlohmann::json::parse(*line)["id"], --last);
    }
  }
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  AccessLog again(path, 2000, 2);
  again.write({.id = 40});
  EXPECT_GT(lines_of(path).size(), 1u);
}

TEST(HttpParts, LogWithoutPlaceLosesLinesOnly) {
  AccessLog full("/dev/full");
  full.write({});
  EXPECT_EQ(full.lost(), 1);
  EXPECT_THROW(AccessLog("/nonexistent/access.jsonl"), InputError);
  AccessLog none("");
  none.write({});
  EXPECT_EQ(none.lost(), 0);
}

TEST(HttpParts, LogLineHasItsTimeInUtc) {
  const std::string line = log_line({.id = 3, .seconds = 0.25}, 1'700'000'000'123'456);
  EXPECT_EQ(line,
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"id\":3,\"peer\":\"\",\"caller\":0,"
            "\"method\":\"\",\"path\":\"\",\"status\":0,\"bytes_in\":0,\"bytes_out\":0,"
            "\"seconds\":0.25}");
}

TEST(HttpParts, HelpersReadWhatRoutesNeed) {
  Request request;
  request.query = {{"limit", "7"}, {"bad", "7x"}, {"name", "a b"}};
  request.parameters = {"12", "-1", "x"};
  EXPECT_EQ(query_integer(request, "limit", 1, 0, 10), 7);
  EXPECT_EQ(query_integer(request, "none", 1, 0, 10), 1);
  EXPECT_THROW(query_integer(request, "limit", 1, 0, 6), InputError);
  EXPECT_EQ(message_of<InputError>([&] { query_integer(request, "bad", 1, 0, 10); }),
            "[bad] expected a whole number from 0 to 10, got \"7x\"");
  EXPECT_EQ(query_text(request, "name"), "a b");
  EXPECT_EQ(parameter_id(request), 12);
  EXPECT_THROW(parameter_id(request, 1), HttpError);
  EXPECT_THROW(parameter_id(request, 2), HttpError);
  request.body = "{\"a\": 1, \"a\": 2}";
  EXPECT_THROW(json_body(request), InputError);
  EXPECT_EQ(set_session_cookie("abc", 60s).second,
            "rlhf_session=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
  EXPECT_TRUE(set_session_cookie("abc", 60s, true).second.ends_with("=Strict; Secure"));
  EXPECT_FALSE(set_session_cookie("abc", 60s).second.ends_with("Secure"));
  EXPECT_THROW(download_as("a\"b"), Error);
  EXPECT_EQ(event_text("", "a\rb\nc\r\nd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
}

TEST(HttpParts, StreamHasABoundAndASleeper) {
  int woken = 0, slept = 0, gone = 0;
  EventStream stream([&] { woken++; }, 10);
  stream.on_gone([&] { gone++; });
  char bytes[8];
  size_t taken = 0;
  const auto take = [&] { return stream.take(bytes, sizeof(bytes), taken, [&] { slept++; }); };
  EXPECT_EQ(take(), EventStream::Taken::nothing_yet);
  EXPECT_TRUE(stream.send("0123456789"));
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(take(), EventStream::Taken::bytes);
  EXPECT_EQ(std::string(bytes, taken), "01234567");
  EXPECT_TRUE(stream.send("abcdefgh"));
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(take(), EventStream::Taken::bytes);
  EXPECT_EQ(std::string(bytes, taken), "89abcdef");
  EXPECT_FALSE(stream.send("123456789"));
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(take(), EventStream::Taken::cut);
  EXPECT_EQ(slept, 1);
}

}  // namespace
}  // namespace rlhf
