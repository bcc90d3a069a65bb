// POST /v1/completions and /v1/models over sockets: answers held against generate() and against
// log-probabilities computed from the model's logits in double.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/openai_service.h"

namespace rlhf {
namespace {

using nlohmann::json;

const OpenAiService& service() {
  static const OpenAiService service;
  return service;
}

/// generate()'s text for a prompt.
std::string generated(const std::string& prompt, SamplingOptions options) {
  const LoadedLanguageModel& model = *service().model;
  options.stop_tokens = model.stop_tokens;
  const Tokens tokens = model.tokenizer->encode(prompt);
  const Generated out =
      generate(model.model.transformer, std::vector<Tokens>{tokens}, options).at(0);
  StreamDecoder decoder(*model.tokenizer);
  std::string text;
  for (const int32_t token : out.tokens) text += decoder.push(token);
  return text + decoder.finish();
}

/// log softmax of the model's logits after all but the last token, in double: [t][id].
std::vector<std::vector<double>> log_probs_of(const Tokens& tokens) {
  const Gpt2& gpt2 = service().model->model.transformer;
  const Tensor logits = gpt2.logits(gpt2(pad_right(std::vector<Tokens>{tokens})));
  const std::vector<float> values = logits.to_vector<float>();
  const size_t V = size_t(gpt2.config.vocab_size);
  std::vector<std::vector<double>> rows;
  for (size_t t = 0; t + 1 < tokens.size(); t++) {
    const float* row = &values[t * V];
    double sum = 0;
    for (size_t v = 0; v < V; v++) sum += std::exp(double(row[v]));
    rows.emplace_back();
    for (size_t v = 0; v < V; v++) rows.back().push_back(double(row[v]) - std::log(sum));
  }
  return rows;
}

TEST(OpenAiCompletions, ModelsAreListedAndFound) {
  const auto& client = service().client;
  const json tiny = {
      {"id", "tiny"}, {"object", "model"}, {"created", 1'700'000'000}, {"owned_by", "rlhf.cpp"}};
  EXPECT_EQ(client.get("/v1/models").json(), (json{{"object", "list"}, {"data", {tiny}}}));
  EXPECT_EQ(client.get("/v1/models/tiny").json(), tiny);
  EXPECT_EQ(client.get("/v1/models/other").status, 404);
  EXPECT_EQ(client.get("/v1/models/other").json()["error"]["code"], "model_not_found");
  EXPECT_EQ(service().http.client().get("/v1/models").status, 401);
  EXPECT_EQ(service().http.client().post("/v1/completions", {{"prompt", "a"}}).status, 401);
}

TEST(OpenAiCompletions, AnswerHasEveryFieldThatClientsRead) {
  const json answer = service().complete(
      {{"model", "tiny"}, {"prompt", "ab"}, {"max_tokens", 3}, {"temperature", 0}});
  EXPECT_TRUE(answer["id"].get<std::string>().starts_with("cmpl-"));
  EXPECT_EQ(answer["object"], "text_completion");
  EXPECT_EQ(answer["model"], "tiny");
  EXPECT_EQ(answer["system_fingerprint"], "fp_3");
  EXPECT_NEAR(answer["created"].get<double>(), double(time(nullptr)), 5);
  EXPECT_EQ(answer["choices"].size(), 1u);
  const json& choice = answer["choices"][0];
  EXPECT_EQ(choice["index"], 0);
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_TRUE(choice.contains("logprobs") && choice["logprobs"].is_null());
  EXPECT_EQ(choice["text"], generated("ab", {.max_new_tokens = 3, .temperature = 0}));
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 3);
  EXPECT_EQ(answer["usage"]["total_tokens"], 5);
}

TEST(OpenAiCompletions, ChoicesOfEachPromptFollowOneAnotherWithSeedsThatDo) {
  const json answer = service().complete(
      {{"prompt", {"ab", "c"}}, {"n", 3}, {"seed", 41}, {"max_tokens", 8}, {"top_p", 0.9}});
  ASSERT_EQ(answer["choices"].size(), 6u);
  int i = 0;
  for (const char* prompt : {"ab", "c"}) {
    for (uint64_t seed : {41, 42, 43}) {
      EXPECT_EQ(answer["choices"][i]["index"], i);
      EXPECT_EQ(answer["choices"][i]["text"],
                generated(prompt, {.max_new_tokens = 8, .top_p = 0.9f, .seed = seed}));
      i++;
    }
  }
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 3);  // each prompt once
}

TEST(OpenAiCompletions, WithoutASeedAnswersDiffer) {
  const json body = {{"prompt", "ab"}, {"max_tokens", 20}};
  EXPECT_NE(service().complete(body)["choices"], service().complete(body)["choices"]);
}

TEST(OpenAiCompletions, TextAndItsTokensAreOnePrompt) {
  const Tokens tokens = service().model->tokenizer->encode("hello");
  json body = {{"prompt", "hello"}, {"seed", 5}, {"max_tokens", 9}};
  const json by_text = service().complete(body);
  body["prompt"] = tokens;
  EXPECT_EQ(service().complete(body)["choices"], by_text["choices"]);
  body["prompt"] = {tokens};
  EXPECT_EQ(service().complete(body)["choices"], by_text["choices"]);
}

TEST(OpenAiCompletions, EchoWithLogProbsMeasuresAPromptAsTheHarnessAsks) {
  // The end token within a prompt has no text and still is measured.
  Tokens tokens = service().model->tokenizer->encode("a\xc3\xa9z");
  tokens.insert(tokens.begin() + 3, service().model->tokenizer->eos());
  const json answer = service().complete({{"prompt", {tokens}},
                                          {"max_tokens", 1},
                                          {"temperature", 0},
                                          {"logprobs", 1},
                                          {"seed", 1234},
                                          {"echo", true}});
  const json& choice = answer["choices"][0];
  const json& found = choice["logprobs"];
  for (const char* list : {"tokens", "token_logprobs", "top_logprobs", "text_offset"}) {
    ASSERT_EQ(found[list].size(), tokens.size() + 1) << list;
  }
  EXPECT_TRUE(choice["text"].get<std::string>().starts_with("a\xc3\xa9z"));
  EXPECT_EQ(found["text_offset"], (json{0, 1, 1, 2, 2, 3}));
  EXPECT_EQ(found["tokens"][1], "bytes:\\xc3");
  EXPECT_EQ(found["tokens"][3], "<|endoftext|>");
  EXPECT_TRUE(found["token_logprobs"][0].is_null());
  EXPECT_TRUE(found["top_logprobs"][0].is_null());
  const auto expected = log_probs_of(tokens);
  for (size_t t = 1; t < tokens.size(); t++) {
    const auto& row = expected[t - 1];
    const double own = row[size_t(tokens[t])], best = *std::max_element(row.begin(), row.end());
    EXPECT_NEAR(found["token_logprobs"][t].get<double>(), own, 1e-5) << t;
    double most = -1e9;
    for (const auto& [name, value] : found["top_logprobs"][t].items()) {
      most = std::max(most, value.get<double>());
    }
    EXPECT_NEAR(most, best, 1e-5) << t;
    EXPECT_LE(found["top_logprobs"][t].size(), 2u);
    // The harness calls a token greedy when the two are the same number.
    EXPECT_EQ(found["token_logprobs"][t].get<double>() == most, own == best) << t;
  }
  const double chosen = found["token_logprobs"].back();
  EXPECT_EQ(found["top_logprobs"].back(), (json{{found["tokens"].back(), chosen}}));
}

TEST(OpenAiCompletions, APromptAloneCanBeMeasured) {
  const json answer =
      service().complete({{"prompt", "abc"}, {"max_tokens", 0}, {"logprobs", 0}, {"echo", true}});
  const json& choice = answer["choices"][0];
  EXPECT_EQ(choice["text"], "abc");
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_EQ(choice["logprobs"]["tokens"], (json{"a", "b", "c"}));
  EXPECT_EQ(choice["logprobs"]["top_logprobs"][1].size(), 1u);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 0);
  // Without log-probabilities there is only the text.
  const json plain = service().complete({{"prompt", "abc"}, {"max_tokens", 0}, {"echo", true}});
  EXPECT_EQ(plain["choices"][0]["text"], "abc");
  EXPECT_TRUE(plain["choices"][0]["logprobs"].is_null());
}

TEST(OpenAiCompletions, OffsetsCountFromThePromptThatIsNotEchoed) {
  const json body = {{"prompt", "abc"}, {"max_tokens", 4}, {"logprobs", 2}, {"seed", 1}};
  const json alone = service().complete(body)["choices"][0];
  json echoed = body;
  echoed["echo"] = true;
  const json both = service().complete(echoed)["choices"][0];
  EXPECT_EQ(alone["logprobs"]["text_offset"][0], 3);
  EXPECT_EQ(both["text"], "abc" + alone["text"].get<std::string>());
  for (const char* list : {"tokens", "token_logprobs", "top_logprobs", "text_offset"}) {
    const json& all = both["logprobs"][list];
    EXPECT_EQ(json(std::vector<json>(all.begin() + 3, all.end())), alone["logprobs"][list]) << list;
  }
}

TEST(OpenAiCompletions, StopTextsEndAnAnswerBeforeThem) {
  const int32_t a = service().model->tokenizer->encode("a").at(0);
  const int32_t b = service().model->tokenizer->encode("b").at(0);
  // "a" or "b" at random, so that every text of the two comes.
  const json body = {{"prompt", "x"},
                     {"seed", 3},
                     {"max_tokens", 60},
                     {"logprobs", 0},
                     {"logit_bias", {{std::to_string(a), 100}, {std::to_string(b), 100}}}};
  const std::string whole = service().complete(body)["choices"][0]["text"];
  const size_t at = whole.find("aab");
  ASSERT_NE(at, std::string::npos) << whole;
  json stopped = body;
  stopped["stop"] = {"zz", "aab"};
  const json choice = service().complete(stopped)["choices"][0];
  EXPECT_EQ(choice["text"], whole.substr(0, at));
  EXPECT_EQ(choice["finish_reason"], "stop");
  EXPECT_EQ(choice["logprobs"]["tokens"].size(), at);
}

TEST(OpenAiCompletions, TheEndTokenStopsAndIsNamedInTheLogProbs) {
  const int32_t eos = service().model->tokenizer->eos();
  const json answer = service().complete({{"prompt", "x"},
                                          {"logprobs", 0},
                                          {"temperature", 0},
                                          {"logit_bias", {{std::to_string(eos), 100}}}});
  const json& choice = answer["choices"][0];
  EXPECT_EQ(choice["text"], "");
  EXPECT_EQ(choice["finish_reason"], "stop");
  EXPECT_EQ(choice["logprobs"]["tokens"], (json{"<|endoftext|>"}));
  EXPECT_EQ(choice["logprobs"]["text_offset"], (json{1}));
}

TEST(OpenAiCompletions, WithoutAPromptATextBegins) {
  const json answer = service().complete({{"max_tokens", 2}, {"logprobs", 0}, {"echo", true}});
  EXPECT_EQ(answer["choices"][0]["logprobs"]["tokens"][0], "<|endoftext|>");
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 1);
}

TEST(OpenAiCompletions, LengthIsThatOfTheContext) {
  const std::string prompt(60, 'a');
  // 64 positions: the default of 16 is what there is room for, what is asked for must fit.
  EXPECT_EQ(service().complete({{"prompt", prompt}})["usage"]["total_tokens"], 64);
  EXPECT_EQ(service().complete({{"prompt", prompt}, {"max_tokens", 4}})["usage"]["total_tokens"],
            64);
  const json error = service().refused(false, {{"prompt", prompt}, {"max_tokens", 5}});
  EXPECT_EQ(error["code"], "context_length_exceeded");
  EXPECT_EQ(error["param"], "prompt");
  const json full = service().complete(
      {{"prompt", prompt + "aaaa"}, {"max_tokens", 0}, {"echo", true}, {"logprobs", 1}});
  EXPECT_EQ(full["choices"][0]["logprobs"]["tokens"].size(), 64u);
}

TEST(OpenAiCompletions, ErrorsNameTheField) {
  const json error = service().refused(false, {{"prompt", "a"}, {"n", 9}});
  EXPECT_EQ(error, (json{{"message", "[n] expected a whole number from 1 to 8, got 9"},
                         {"type", "invalid_request_error"},
                         {"param", "n"},
                         {"code", nullptr}}));
  EXPECT_EQ(service().refused(false, {{"prompt", {99999}}})["param"], "prompt");
  EXPECT_EQ(service().refused(false, {{"logit_bias", {{"99999", 1}}}})["param"], "logit_bias");
  EXPECT_EQ(service().refused(false, {{"suffix", "a"}})["code"], "unsupported_parameter");
  EXPECT_EQ(service().refused(false, {{"model", "other"}}, 404)["code"], "model_not_found");
  EXPECT_EQ(service().client.ask("POST", "/v1/completions", "{").status, 400);
}

TEST(OpenAiCompletions, AListOfPromptsIsLargerThanTheQueue) {
  const OpenAiService small(tiny_byte_model(), {.slots = 2, .queue = 4, .threads = 1});
  json prompts = json::array();
  for (int i = 0; i < 32; i++) prompts.push_back(std::string(size_t(i + 1), 'a'));
  const json body = {{"prompt", prompts}, {"n", 2}, {"seed", 7}, {"max_tokens", 1}, {"echo", true}};
  const json answer = small.complete(body);
  ASSERT_EQ(answer["choices"].size(), 64u);
  for (size_t i = 0; i < 64; i++) {
    const std::string text = answer["choices"][i]["text"];
    EXPECT_TRUE(text.starts_with(prompts[i / 2].get<std::string>())) << i;
  }
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 32 * 33 / 2);
}

}  // namespace
}  // namespace rlhf
