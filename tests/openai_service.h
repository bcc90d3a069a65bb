// The OpenAI-compatible API for tests: a tiny model behind a real server on loopback, and what a
// client asks of it.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "data/bpe.h"
#include "data/chat_template.h"
#include "serve/openai/errors.h"
#include "serve/openai/routes.h"
#include "tests/http_server.h"
#include "tests/tiny_models.h"

namespace rlhf {

/// Bytes and special tokens, with a chat template unless said otherwise; random weights.
inline std::shared_ptr<const LoadedLanguageModel> tiny_byte_model(int64_t n_positions = 64,
                                                                  bool chat = true) {
  std::unique_ptr<Tokenizer> tokenizer =
      std::make_unique<BpeTokenizer>(BpeTokenizer::from_merges({}));
  if (chat) tokenizer = with_chat_template(*tokenizer, "test");
  LanguageModel model{make_gpt2(tiny_config(tokenizer->vocab_size(), n_positions), 8)};
  const int32_t eos = tokenizer->eos();
  return std::make_shared<LoadedLanguageModel>(
      LoadedLanguageModel{std::move(model), std::move(tokenizer), {eos}});
}

/// A model served as "tiny" to "ann", and requests to it.
class OpenAiService {
 public:
  explicit OpenAiService(std::shared_ptr<const LoadedLanguageModel> loaded = tiny_byte_model(),
                         engine::Options options = {.threads = 1}, openai::Limits limits = {})
      : model(std::move(loaded)),
        served{.name = "tiny",
               .version = 3,
               .created = 1'700'000'000,
               .engine = std::make_shared<engine::Engine>(model, options),
               .model = model} {
    http.router = {};
    openai::add_routes(
        http.router,
        [this](const http::Caller&, const std::string& name) {
          if (!name.empty() && name != served.name) throw openai::no_such_model(name);
          return served;
        },
        [this](const http::Caller&) { return std::vector{served}; }, limits);
    http.start();
    client = http.client("ann-token");
  }

  static std::string target(bool chat) { return chat ? "/v1/chat/completions" : "/v1/completions"; }
  http_test::Answer post(bool chat, const nlohmann::json& body) const {
    return client.post(target(chat), body);
  }

  /// A whole answer's JSON. @throws Error when its status is another.
  nlohmann::json ask(bool chat, const nlohmann::json& body, int status = 200) const {
    const http_test::Answer answer = post(chat, body);
    check(answer.status == status, "client", "expected {}, got {}: {}", status, answer.status,
          answer.body);
    return answer.json();
  }
  nlohmann::json complete(const nlohmann::json& body) const { return ask(false, body); }
  /// What an error says of itself.
  nlohmann::json refused(bool chat, const nlohmann::json& body, int status = 400) const {
    return ask(chat, body, status).at("error");
  }

  /// A stream's events as JSON, but the last, which must be [DONE].
  std::vector<nlohmann::json> stream(bool chat, nlohmann::json body) const {
    body["stream"] = true;
    std::vector<nlohmann::json> events;
    std::string last;
    for (const http_test::Event& event : client.events(target(chat), body)) {
      if (!last.empty()) events.push_back(nlohmann::json::parse(last));
      last = event.data;
    }
    check(last == "[DONE]", "stream", "expected [DONE] at the end, got {}", last);
    return events;
  }

  engine::Stats stats() const { return served.engine->stats(); }

  std::shared_ptr<const LoadedLanguageModel> model;
  openai::Served served;
  http_test::TestServer http;
  http_test::Client client;
};

/// Waits for something that another thread does.
template <class Condition>
bool soon(Condition condition) {
  for (int i = 0; i < 10'000; i++) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace rlhf
