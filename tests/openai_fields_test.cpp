// Bodies of requests: every numeric field at and beyond both ends of its range, and everything else
// that can be wrong, by the name that the error gives it.
#include <gtest/gtest.h>

#include <cmath>

#include "serve/openai/chat_request.h"
#include "serve/openai/completion_request.h"

namespace rlhf::openai {
namespace {

using nlohmann::json;

const json chat_body = {{"messages", {{{"role", "user"}, {"content", "hi"}}}}};

/// "" when a body is taken, else the field that is refused.
std::string refused_field(bool chat, const std::string& body) {
  try {
    if (chat) {
      parse_chat_request(body);
    } else {
      parse_completion_request(body);
    }
    return "";
  } catch (const FieldError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("[" + error.param + "] expected "))
        << error.what();
    EXPECT_NE(std::string(error.what()).find(", got "), std::string::npos) << error.what();
    return error.param;
  }
}

std::string refused_with(bool chat, const std::string& name, const std::string& value) {
  json body = chat ? chat_body : json::object();
  if (name == "top_logprobs") body["logprobs"] = true;
  std::string text = body.dump();
  text.back() = body.empty() ? ' ' : ',';
  return refused_field(chat, "{" + text.substr(1) + "\"" + name + "\": " + value + "}");
}

bool is_of(const Range& range, bool chat) {
  if (range.name == "logit_bias") return false;  // an object of numbers
  const bool chat_only = range.name == "max_completion_tokens" || range.name == "top_logprobs";
  const bool text_only = range.name == "best_of" || range.name == "logprobs";
  return chat ? !text_only : !chat_only;
}

TEST(OpenAiFields, EveryNumberIsTakenAtBothEndsOfItsRangeAndRefusedBeyond) {
  for (const bool chat : {false, true}) {
    for (const Range& range : ranges()) {
      if (!is_of(range, chat)) continue;
      const std::string name(range.name);
      SCOPED_TRACE(name + (chat ? " of a chat" : " of a completion"));
      const auto written = [&](double value) {
        return range.whole ? std::to_string(int64_t(value)) : fmt::format("{:.17g}", value);
      };
      const double step = range.whole ? 1 : 1e-9;
      if (name == "best_of") {  // must equal n
        EXPECT_EQ(refused_with(chat, name, "1"), "");
        EXPECT_EQ(refused_with(chat, name, "2"), name);
      } else {
        const bool chat_zero = chat && name == "max_tokens";  // nothing is echoed there
        EXPECT_EQ(refused_with(chat, name, written(range.least)), chat_zero ? name : "");
        EXPECT_EQ(refused_with(chat, name, written(range.most)), "");
      }
      EXPECT_EQ(refused_with(chat, name, written(range.least - step)), name);
      EXPECT_EQ(refused_with(chat, name, written(range.most + step)), name);
      for (const char* wrong : {"\"1\"", "true", "[]", "{}", "1e300", "-1e300",
                                "18446744073709551615", "-9223372036854775808"}) {
        EXPECT_EQ(refused_with(chat, name, wrong), name) << wrong;
      }
      if (range.whole) {
        EXPECT_EQ(refused_with(chat, name, "1.5"), name);
      }
      EXPECT_EQ(refused_with(chat, name, "null"), "");
      for (const char* no_json : {"NaN", "Infinity", "1e999", "01", "18446744073709551616"}) {
        EXPECT_THROW(refused_with(chat, name, no_json), InputError) << no_json;
      }
    }
  }
}

TEST(OpenAiFields, WhatIsReadIsWhatWasWritten) {
  const CompletionRequest request = parse_completion_request(R"({
    "model": "m", "prompt": "ab", "max_tokens": 0, "temperature": 0.5, "top_p": 0.25, "n": 3,
    "best_of": 3, "stream": true, "stream_options": {"include_usage": true}, "logprobs": 2,
    "echo": true, "stop": ["x", "yz"], "presence_penalty": -1, "frequency_penalty": 2,
    "logit_bias": {"7": -100, "0": 1.5}, "user": "u", "seed": -1, "top_k": 4, "min_p": 0.125,
    "repetition_penalty": 1.25, "unheard_of": {"a": []}})");
  const GenerationRequest& generation = request.generation;
  EXPECT_EQ(generation.model, "m");
  EXPECT_EQ(generation.choices, 3);
  EXPECT_EQ(generation.seed, UINT64_MAX);
  EXPECT_EQ(generation.temperature, 0.5f);
  EXPECT_EQ(generation.top_p, 0.25f);
  EXPECT_EQ(generation.min_p, 0.125f);
  EXPECT_EQ(generation.repetition_penalty, 1.25f);
  EXPECT_EQ(generation.presence_penalty, -1);
  EXPECT_EQ(generation.frequency_penalty, 2);
  EXPECT_EQ(generation.top_k, 4);
  EXPECT_EQ(generation.logit_bias, (std::map<int32_t, float>{{7, -100}, {0, 1.5f}}));
  EXPECT_EQ(generation.stop, (std::vector<std::string>{"x", "yz"}));
  EXPECT_TRUE(generation.stream && generation.include_usage && request.echo);
  EXPECT_EQ(request.log_probs, 2);
  EXPECT_EQ(request.max_tokens, 0);
  EXPECT_EQ(request.prompts, (std::vector<Prompt>{"ab"}));
  // Greedy by a mass that no token is below.
  EXPECT_GT(parse_completion_request(R"({"top_p": 0})").generation.top_p, 0);
}

TEST(OpenAiFields, NullIsAbsent) {
  const CompletionRequest request = parse_completion_request(
      R"({"model": null, "prompt": null, "max_tokens": null, "stop": null, "logit_bias": null,
          "seed": null, "suffix": null, "echo": null, "stream": null, "stream_options": null})");
  EXPECT_EQ(request.prompts, (std::vector<Prompt>{""}));
  EXPECT_EQ(request.log_probs, -1);
  EXPECT_FALSE(request.max_tokens || request.generation.seed || request.generation.stream);
}

TEST(OpenAiFields, PromptsAreTextsOrTokens) {
  const auto prompts = [](const std::string& written) {
    return parse_completion_request("{\"prompt\": " + written + "}").prompts;
  };
  EXPECT_EQ(prompts(R"(["a", ""])"), (std::vector<Prompt>{"a", ""}));
  EXPECT_EQ(prompts("[5, 0]"), (std::vector<Prompt>{Tokens{5, 0}}));
  EXPECT_EQ(prompts("[[5], [6, 7]]"), (std::vector<Prompt>{Tokens{5}, Tokens{6, 7}}));
  for (const char* wrong :
       {"[]", "{}", "7", "true", "[[]]", "[\"a\", 1]", "[1, \"a\"]", "[[1], \"a\"]", "[\"a\", [1]]",
        "[-1]", "[1.5]", "[2147483648]", "[18446744073709551615]", "[[1], [true]]", "[null]"}) {
    EXPECT_EQ(refused_with(false, "prompt", wrong), "prompt") << wrong;
  }
  EXPECT_EQ(refused_with(false, "prompt", json(std::vector<std::string>(32, "a")).dump()), "");
  EXPECT_EQ(refused_with(false, "prompt", json(std::vector<std::string>(33, "a")).dump()),
            "prompt");
}

TEST(OpenAiFields, OtherFieldsThatAreWrong) {
  struct Case {
    const char *name, *value;
  };
  const std::string long_stop = "\"" + std::string(65, 'a') + "\"";
  const std::string long_name = "\"" + std::string(257, 'a') + "\"";
  const std::vector<Case> both = {
      {"model", "1"},
      {"model", long_name.c_str()},
      {"stop", "\"\""},
      {"stop", "[\"a\", 1]"},
      {"stop", "[\"a\", \"b\", \"c\", \"d\", \"e\"]"},
      {"stop", long_stop.c_str()},
      {"stop", "{}"},
      {"logit_bias", "[]"},
      {"logit_bias", "{\"a\": 1}"},
      {"logit_bias", "{\"-1\": 1}"},
      {"logit_bias", "{\"07\": 1}"},
      {"logit_bias", "{\"7 \": 1}"},
      {"logit_bias", "{\"99999999999\": 1}"},
      {"logit_bias", "{\"7\": 100.5}"},
      {"logit_bias", "{\"7\": \"1\"}"},
      {"seed", "1.5"},
      {"seed", "\"1\""},
      {"stream", "1"},
      {"stream_options", "{\"include_usage\": true}"},
      {"suffix", "\"a\""},
      {"tools", "[{\"type\": \"function\"}]"},
      {"response_format", "{\"type\": \"json_object\"}"},
  };
  for (const bool chat : {false, true}) {
    for (const Case& one : both) {
      EXPECT_EQ(refused_with(chat, one.name, one.value), one.name) << one.value;
    }
  }
  const Case chats[] = {{"functions", "[{}]"},
                        {"modalities", "[\"text\", \"audio\"]"},
                        {"audio", "{\"voice\": \"a\"}"},
                        {"reasoning_effort", "\"high\""},
                        {"logprobs", "1"},
                        {"function_call", "{\"name\": \"f\"}"}};
  for (const Case& one : chats) EXPECT_EQ(refused_with(true, one.name, one.value), one.name);
  EXPECT_EQ(refused_with(false, "echo", "\"yes\""), "echo");
  EXPECT_EQ(refused_field(true, R"({"top_logprobs": 1, "messages": [{"role": "user",
                                    "content": "a"}]})"),
            "top_logprobs");
}

TEST(OpenAiFields, WhatAsksForTextAndNothingElseIsTaken) {
  for (const char* field :
       {"\"response_format\": {\"type\": \"text\"}", "\"modalities\": [\"text\"]", "\"tools\": []",
        "\"tool_choice\": \"none\"", "\"seed\": 18446744073709551615", "\"store\": false",
        "\"max_tokens\": 5, \"max_completion_tokens\": 5", "\"stop\": []", "\"logit_bias\": {}"}) {
    const std::string body = chat_body.dump();
    EXPECT_EQ(refused_field(true, "{" + std::string(field) + "," + body.substr(1)), "") << field;
  }
}

TEST(OpenAiFields, ABodyIsOneObjectOfJson) {
  for (const char* body :
       {"", "[]", "\"a\"", "{", "{}{}", "{\"n\": 1, \"n\": 1}", "{\"a\": \"\xff\"}"}) {
    EXPECT_THROW(parse_completion_request(body), InputError) << body;
    EXPECT_THROW(parse_chat_request(body), InputError) << body;
  }
}

struct MessagesCase {
  const char *messages, *param;
};

TEST(OpenAiFields, MessagesThatNoTemplateCanWriteAreRefusedByPlace) {
  constexpr MessagesCase cases[] = {
      {"null", "messages"},
      {"[]", "messages"},
      {"\"hi\"", "messages"},
      {"[1]", "messages[0]"},
      {R"([{"content": "a"}])", "messages[0].role"},
      {R"([{"role": 1, "content": "a"}])", "messages[0].role"},
      {R"([{"role": "tool", "content": "a"}])", "messages[0].role"},
      {R"([{"role": "assistant", "content": "a"}])", "messages[0].role"},
      {R"([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])",
       "messages[1].role"},
      {R"([{"role": "user", "content": "a"}, {"role": "system", "content": "b"}])",
       "messages[1].role"},
      {R"([{"role": "user"}])", "messages[0].content"},
      {R"([{"role": "user", "content": null}])", "messages[0].content"},
      {R"([{"role": "user", "content": ""}])", "messages[0].content"},
      {R"([{"role": "user", "content": []}])", "messages[0].content"},
      {R"([{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}])",
       "messages[0].content"},
      {R"([{"role": "user", "content": [{"type": "text"}]}])", "messages[0].content"},
      {R"([{"role": "user", "content": "a", "tool_calls": [1]}])", "messages[0].tool_calls"},
      {R"([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}])", "messages"},
  };
  for (const MessagesCase& one : cases) {
    EXPECT_EQ(refused_field(true, fmt::format("{{\"messages\": {}}}", one.messages)), one.param)
        << one.messages;
  }
  json many = json::array();
  for (int i = 0; i < 257; i++) {
    many.push_back({{"role", i % 2 == 0 ? "user" : "assistant"}, {"content", "a"}});
  }
  EXPECT_EQ(refused_field(true, json{{"messages", many}}.dump()), "messages");
  many.erase(0);
  many.erase(0);
  EXPECT_EQ(refused_field(true, json{{"messages", many}}.dump()), "");
}

TEST(OpenAiFields, MessagesAreReadInOpenAisForms) {
  const ChatRequest request = parse_chat_request(R"({"messages": [
    {"role": "developer", "content": "s", "name": "x"},
    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    {"role": "assistant", "content": "c", "tool_calls": null, "refusal": null},
    {"role": "user", "content": "d"}], "logprobs": true, "top_logprobs": 20,
    "max_completion_tokens": 9})");
  EXPECT_EQ(
      request.messages,
      (Conversation{
          {Role::system, "s"}, {Role::user, "ab"}, {Role::assistant, "c"}, {Role::user, "d"}}));
  EXPECT_TRUE(request.log_probs);
  EXPECT_EQ(request.top_log_probs, 20);
  EXPECT_EQ(request.max_tokens, 9);
}

}  // namespace
}  // namespace rlhf::openai
