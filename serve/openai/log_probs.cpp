#include "serve/openai/log_probs.h"

#include <algorithm>
#include <cmath>

#include "serve/openai/token_names.h"

namespace rlhf::openai {
namespace {

using nlohmann::ordered_json;

/// JSON has no infinity: OpenAI's number for what cannot be.
double finite(float log_prob) { return std::max(double(log_prob), -9999.0); }

ordered_json alternatives(const Tokenizer& tokenizer, const engine::TokenOut& out) {
  ordered_json top = ordered_json::object();
  const auto add = [&](int32_t token, float log_prob) {
    top[token_name(tokenizer, token, ByteSpelling::completions)] = finite(log_prob);
  };
  for (const auto& [token, log_prob] : out.top) add(token, log_prob);
  add(out.token, out.log_prob);
  return top;
}

ordered_json chat_token(const Tokenizer& tokenizer, int32_t token, float log_prob) {
  const std::string bytes = bytes_of_token(tokenizer, token);
  ordered_json list = ordered_json::array();
  for (const char byte : bytes) list.push_back(uint8_t(byte));
  return {{"token", token_name(tokenizer, token, ByteSpelling::chat)},
          {"logprob", finite(log_prob)},
          {"bytes", std::move(list)}};
}

}  // namespace

ordered_json completion_log_probs(const Tokenizer& tokenizer, std::span<const PlacedToken> tokens) {
  ordered_json offsets = ordered_json::array(), log_probs = offsets, names = offsets, top = offsets;
  for (const PlacedToken& token : tokens) {
    const engine::TokenOut& out = token.out;
    const bool first = std::isnan(out.log_prob);
    offsets.push_back(token.offset);
    log_probs.push_back(first ? ordered_json() : ordered_json(finite(out.log_prob)));
    names.push_back(token_name(tokenizer, out.token, ByteSpelling::completions));
    top.push_back(first ? ordered_json() : alternatives(tokenizer, out));
  }
  return {{"text_offset", std::move(offsets)},
          {"token_logprobs", std::move(log_probs)},
          {"tokens", std::move(names)},
          {"top_logprobs", std::move(top)}};
}

ordered_json chat_log_probs(const Tokenizer& tokenizer, std::span<const PlacedToken> tokens) {
  ordered_json content = ordered_json::array();
  for (const PlacedToken& token : tokens) {
    const int32_t id = token.out.token;
    if (id >= tokenizer.vocab_size() || tokenizer.is_special(id)) continue;
    ordered_json entry = chat_token(tokenizer, id, token.out.log_prob);
    ordered_json top = ordered_json::array();
    for (const auto& [other, log_prob] : token.out.top) {
      top.push_back(chat_token(tokenizer, other, log_prob));
    }
    entry["top_logprobs"] = std::move(top);
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

}  // namespace rlhf::openai
