// What tests of the engine share: tiny models with a byte a token, one that writes what a test
// wants to read, and listeners that keep what they hear or hold the engine up.
#pragma once

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "data/bpe.h"
#include "serve/engine/engine.h"
#include "tests/model_helpers.h"

namespace rlhf::engine {

inline constexpr int64_t byte_vocabulary = 258;  // bytes, the end token, the pad token

using Model = std::shared_ptr<LoadedLanguageModel>;

inline Model loaded(Gpt2 model) {
  auto result = std::make_shared<LoadedLanguageModel>();
  result->model.transformer = std::move(model);
  result->tokenizer = std::make_unique<BpeTokenizer>(BpeTokenizer::from_merges({}));
  result->stop_tokens = {result->tokenizer->eos()};
  return result;
}

inline Model random_model(int64_t positions = 64) {
  Gpt2 model = empty_gpt2({.vocab_size = byte_vocabulary,
                           .n_positions = positions,
                           .n_embd = 24,
                           .n_layer = 2,
                           .n_head = 3});
  randomise(model, 11, 0.25);
  return loaded(std::move(model));
}

/// Its most probable token is the byte that follows the last one in `text`, the end token behind
/// the text's last: one-hot embeddings and an MLP that writes the successor's direction.
/// REQUIRES: no byte twice.
inline Model reciting_model(std::string_view text, int64_t positions = 64) {
  constexpr int64_t C = byte_vocabulary;
  Gpt2 model = empty_gpt2(
      {.vocab_size = C, .n_positions = positions, .n_embd = C, .n_layer = 1, .n_head = 2});
  for_each_parameter(model, [](const std::string& name, Tensor& tensor) {
    tensor.fill_zero();
    if (name.find("ln_") == std::string::npos || !name.ends_with("weight")) return;
    for (int64_t i = 0; i < tensor.count(); i++) tensor.data<float>()[i] = 1;
  });
  Model result = loaded(std::move(model));
  Gpt2& gpt2 = result->model.transformer;
  Tokens tokens = result->tokenizer->encode(text);
  tokens.push_back(result->tokenizer->eos());
  for (int64_t v = 0; v < C; v++) gpt2.wte.weight.data<float>()[v * C + v] = 1;
  for (size_t i = 0; i + 1 < tokens.size(); i++) {
    gpt2.h[0].mlp.c_fc.weight.data<float>()[tokens[i] * 4 * C + tokens[i]] = 1;
    gpt2.h[0].mlp.c_proj.weight.data<float>()[tokens[i] * C + tokens[i + 1]] = 1;
  }
  return result;
}

/// Keeps what it hears; `patience` tokens after which it wants no more, -1: never.
class Recording : public Listener {
 public:
  explicit Recording(int64_t patience = -1) : patience_(patience) {}

  bool on_token(const TokenOut& token) override {
    tokens.push_back(token);
    return int64_t(tokens.size()) != patience_;
  }
  void on_finish(const Finish& finish) override { finished_.set_value(finish); }

  Finish wait() { return finished_.get_future().get(); }
  std::string text() const {
    std::string all;
    for (const TokenOut& token : tokens) all += token.text;
    return all;
  }

  std::vector<TokenOut> tokens;  // read it after wait()

 private:
  int64_t patience_;
  std::promise<Finish> finished_;
};

/// Stops the engine's thread at its first token until it is opened.
class Gate : public Recording {
 public:
  using Recording::Recording;

  bool on_token(const TokenOut& token) override {
    std::unique_lock lock(mutex_);
    reached_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    return Recording::on_token(token);
  }
  void wait_until_reached() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return reached_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool reached_ = false, open_ = false;
};

/// A request for greedy tokens behind a text.
inline Job greedy(const LoadedLanguageModel& model, std::string_view prompt, int64_t tokens) {
  Job job;
  job.prompt = model.tokenizer->encode(prompt);
  job.sampling = {.max_new_tokens = tokens, .temperature = 0, .stop_tokens = model.stop_tokens};
  return job;
}

}  // namespace rlhf::engine
