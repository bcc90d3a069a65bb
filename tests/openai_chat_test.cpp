// POST /v1/chat/completions over sockets, whole and streamed, and streams of completions: the order
// of events that clients rely on.
#include <gtest/gtest.h>

#include "core/unicode.h"
#include "rl/model/chat_encoding.h"
#include "serve/openai/placed_tokens.h"
#include "tests/openai_service.h"

namespace rlhf {
namespace {

using nlohmann::json;

const OpenAiService& service() {
  static const OpenAiService service;
  return service;
}

const json hello = {
    {"messages", {{{"role", "system"}, {"content", "s"}}, {{"role", "user"}, {"content", "hi"}}}},
    {"seed", 11},
    {"max_tokens", 12}};

json with(json body, const json& more) {
  body.update(more);
  return body;
}

TEST(OpenAiChat, AnswerIsThatOfTheTemplatesPrompt) {
  const LoadedLanguageModel& model = *service().model;
  const Tokens prompt =
      encode_chat_prompt(*model.tokenizer, Conversation{{Role::system, "s"}, {Role::user, "hi"}});
  const json answer = service().ask(true, hello);
  const json by_tokens = service().complete({{"prompt", prompt}, {"seed", 11}, {"max_tokens", 12}});
  EXPECT_TRUE(answer["id"].get<std::string>().starts_with("chatcmpl-"));
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["usage"]["prompt_tokens"], prompt.size());
  const json& choice = answer["choices"][0];
  EXPECT_EQ(choice["message"], (json{{"role", "assistant"},
                                     {"content", by_tokens["choices"][0]["text"]},
                                     {"refusal", nullptr}}));
  EXPECT_EQ(choice["finish_reason"], by_tokens["choices"][0]["finish_reason"]);
  EXPECT_TRUE(choice["logprobs"].is_null());
}

TEST(OpenAiChat, WithoutALengthTheAnswerFillsTheContext) {
  const json answer = service().ask(
      true, {{"messages", {{{"role", "user"}, {"content", "hi"}}}},
             {"seed", 1},
             {"logit_bias", {{std::to_string(service().model->tokenizer->eos()), -100}}}});
  EXPECT_EQ(answer["usage"]["total_tokens"], 64);
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
}

TEST(OpenAiChat, LogProbsHaveTheNewShape) {
  const json choice = service().ask(
      true, with(hello, {{"logprobs", true}, {"top_logprobs", 3}, {"n", 2}}))["choices"][1];
  const json& content = choice["logprobs"]["content"];
  ASSERT_FALSE(content.empty());
  std::string bytes;
  for (const json& token : content) {
    for (const int byte : token["bytes"]) bytes += char(byte);
    EXPECT_EQ(token["top_logprobs"].size(), 3u);
    EXPECT_GE(token["top_logprobs"][0]["logprob"], token["logprob"]);
    EXPECT_TRUE(token["token"].is_string());
  }
  // The bytes are the content, but for what is no text there.
  const std::string text = choice["message"]["content"];
  if (!find_invalid_utf8(bytes)) {
    EXPECT_EQ(bytes, text);
  }
  EXPECT_EQ(openai::characters_in(bytes), openai::characters_in(text));
}

TEST(OpenAiChat, AModelWithoutATemplateSaysSo) {
  const OpenAiService plain(tiny_byte_model(24, false));
  const json error = plain.refused(true, hello);
  EXPECT_EQ(error["code"], "no_chat_template");
  EXPECT_EQ(error["param"], "model");
  EXPECT_EQ(plain.complete({{"prompt", "a"}, {"max_tokens", 1}})["usage"]["completion_tokens"], 1);
}

TEST(OpenAiChat, TooLongAConversationIsRefused) {
  json body = hello;
  body["messages"][1]["content"] = std::string(100, 'a');
  const json error = service().refused(true, body);
  EXPECT_EQ(error["code"], "context_length_exceeded");
  EXPECT_EQ(error["param"], "messages");
}

TEST(OpenAiChat, EventsComeInTheOrderThatClientsRelyOn) {
  const json body =
      with(hello, {{"stream_options", {{"include_usage", true}}}, {"n", 2}, {"model", "tiny"}});
  const std::vector<json> events = service().stream(true, body);
  const json whole = service().ask(true, with(hello, {{"n", 2}}));
  std::string text[2], reason[2];
  int opened = 0;
  for (size_t i = 0; i + 1 < events.size(); i++) {
    const json& event = events[i];
    EXPECT_EQ(event["object"], "chat.completion.chunk");
    EXPECT_EQ(event["id"], events[0]["id"]);
    EXPECT_TRUE(event.contains("usage") && event["usage"].is_null());
    ASSERT_EQ(event["choices"].size(), 1u);
    const json& choice = event["choices"][0];
    const int index = choice["index"];
    EXPECT_EQ(reason[index], "") << "nothing follows the end of a choice";
    ASSERT_TRUE(choice.contains("finish_reason"));
    if (i < 2) {
      EXPECT_EQ(choice["delta"], (json{{"role", "assistant"}, {"content", ""}}));
      opened++;
    } else {
      EXPECT_FALSE(choice["delta"].contains("role"));
    }
    if (choice["finish_reason"].is_null()) {
      text[index] += choice["delta"]["content"].get<std::string>();
    } else {
      EXPECT_EQ(choice["delta"], json::object());
      reason[index] = choice["finish_reason"];
    }
  }
  EXPECT_EQ(opened, 2);
  for (const int index : {0, 1}) {
    EXPECT_EQ(text[index], whole["choices"][index]["message"]["content"]);
    EXPECT_EQ(reason[index], whole["choices"][index]["finish_reason"]);
  }
  EXPECT_EQ(events.back()["choices"], json::array());
  EXPECT_EQ(events.back()["usage"]["completion_tokens"], whole["usage"]["completion_tokens"]);
  EXPECT_EQ(events.back()["usage"]["prompt_tokens"], whole["usage"]["prompt_tokens"]);
  // Unasked, no event speaks of usage.
  for (const json& event : service().stream(true, hello)) EXPECT_FALSE(event.contains("usage"));
}

TEST(OpenAiChat, StreamedLogProbsAreThoseOfTheWholeAnswer) {
  const json body = with(hello, {{"logprobs", true}, {"top_logprobs", 2}});
  json content = json::array();
  for (const json& event : service().stream(true, body)) {
    const json& part = event["choices"][0]["logprobs"];
    if (!part.is_null()) {
      for (const json& token : part["content"]) content.push_back(token);
    }
  }
  EXPECT_EQ(content, service().ask(true, body)["choices"][0]["logprobs"]["content"]);
}

TEST(OpenAiChat, CompletionsAreStreamedAsTheyAreAnswered) {
  for (const json& more : {json{{"echo", true}, {"logprobs", 2}}, json{{"echo", true}},
                           json{{"logprobs", 0}, {"stop", "\n"}}, json{{"max_tokens", 0}}}) {
    const json body = with({{"prompt", {"a\xc3\xa9", "x"}}, {"seed", 2}, {"max_tokens", 20}}, more);
    SCOPED_TRACE(body.dump());
    const json whole = service().complete(body);
    json grown = json::array();
    for (int i = 0; i < 2; i++) {
      grown.push_back({{"text", ""}, {"index", i}, {"finish_reason", nullptr}});
      grown.back()["logprobs"] = nullptr;
    }
    for (const json& event : service().stream(false, body)) {
      EXPECT_EQ(event["object"], "text_completion");
      const json& part = event["choices"].at(0);
      json& choice = grown[part["index"].get<size_t>()];
      EXPECT_TRUE(choice["finish_reason"].is_null());
      choice["text"] = choice["text"].get<std::string>() + part["text"].get<std::string>();
      choice["finish_reason"] = part["finish_reason"];
      if (part["logprobs"].is_null()) continue;
      for (const auto& [list, values] : part["logprobs"].items()) {
        for (const json& value : values) choice["logprobs"][list].push_back(value);
      }
    }
    EXPECT_EQ(grown, whole["choices"]);
  }
}

}  // namespace
}  // namespace rlhf
