// What happens when there is no room, no time, no client, or no model any more.
#include <gtest/gtest.h>

#include "tests/openai_service.h"

namespace rlhf {
namespace {

using engine::FinishReason;
using nlohmann::json;

constexpr int64_t endless = 20'000;  // tokens: seconds of work, none of which a test waits for

/// A model whose answers never end by themselves.
json endless_body(const OpenAiService& service) {
  return {{"prompt", "a"},
          {"max_tokens", endless - 1},
          {"logit_bias", {{std::to_string(service.model->tokenizer->eos()), -100}}}};
}

uint64_t cancelled(const OpenAiService& service) {
  return service.stats().finished[size_t(FinishReason::cancelled)];
}

/// A client that has sent its request and waits.
http_test::Socket waiting_client(const OpenAiService& service, bool stream, int choices = 1) {
  json body = endless_body(service);
  body["stream"] = stream;
  body["n"] = choices;
  http_test::Socket socket(service.client.port);
  socket.send(service.client.text("POST", "/v1/completions", body.dump()));
  return socket;
}

TEST(OpenAiOverload, WhoLeavesIsNotComputedFor) {
  const OpenAiService service(tiny_byte_model(endless), {.slots = 2, .threads = 1});
  uint64_t before = 0;
  for (const bool stream : {false, true}) {
    http_test::Socket socket = waiting_client(service, stream, 3);
    ASSERT_TRUE(soon([&] { return service.stats().running == 2; }));
    if (stream) {
      std::string bytes;
      ASSERT_TRUE(soon([&] {
        socket.receive(bytes, std::chrono::milliseconds(100));
        return bytes.find("data: {") != std::string::npos;
      }));
    }
    socket.close();
    EXPECT_TRUE(soon([&] { return service.stats().running + service.stats().waiting == 0; }));
    EXPECT_EQ(cancelled(service), before + 3);
    before = cancelled(service);
  }
}

TEST(OpenAiOverload, AFullQueueIsSaidWithATimeToTryAgain) {
  const OpenAiService service(tiny_byte_model(endless), {.slots = 1, .queue = 1, .threads = 1});
  http_test::Socket first = waiting_client(service, true);
  ASSERT_TRUE(soon([&] { return service.stats().running == 1; }));
  http_test::Socket second = waiting_client(service, true);
  ASSERT_TRUE(soon([&] { return service.stats().waiting == 1; }));
  for (const bool stream : {false, true}) {
    const http_test::Answer answer = service.post(false, {{"prompt", "a"}, {"stream", stream}});
    EXPECT_EQ(answer.status, 429);
    EXPECT_GE(std::stoi(answer.header("retry-after")), 1);
    EXPECT_EQ(answer.json()["error"]["code"], "queue_full");
  }
  // Room comes with the next place.
  first.close();
  second.close();
  EXPECT_TRUE(soon([&] { return service.stats().running + service.stats().waiting == 0; }));
  EXPECT_EQ(service.post(false, {{"prompt", "a"}}).status, 200);
}

TEST(OpenAiOverload, AnAnswerThatTakesTooLongIsAnError) {
  const OpenAiService service(tiny_byte_model(endless), {.threads = 1},
                              {.timeout = std::chrono::milliseconds(30)});
  const json error = service.refused(false, endless_body(service), 504);
  EXPECT_EQ(error["code"], "timeout");
  const std::vector<json> events = service.stream(false, endless_body(service));
  ASSERT_GE(events.size(), 2u);
  EXPECT_FALSE(events.front().contains("error"));
  EXPECT_EQ(events.back()["error"]["code"], "timeout");
  EXPECT_EQ(events.back()["error"].size(), 4u);
}

TEST(OpenAiOverload, AModelThatIsStoppedEndsItsAnswersAndTakesNoMore) {
  const OpenAiService service(tiny_byte_model(endless), {.threads = 1});
  http_test::Socket whole = waiting_client(service, false);
  ASSERT_TRUE(soon([&] { return service.stats().running == 1; }));
  service.served.engine->drain(std::chrono::milliseconds(1));
  const http_test::Answer cut = http_test::Reader(whole).answer();
  EXPECT_EQ(cut.status, 503);
  EXPECT_EQ(cut.json()["error"]["code"], "unavailable");
  EXPECT_EQ(service.refused(false, {{"prompt", "a"}}, 503)["code"], "unavailable");
}

}  // namespace
}  // namespace rlhf
