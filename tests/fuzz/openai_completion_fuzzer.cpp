// The body of POST /v1/completions: any bytes. What is accepted keeps to the bounds that everything
// behind the reader relies on.
#include "serve/openai/completion_request.h"

#include "tests/fuzz/fuzz.h"

namespace {

using namespace rlhf;
using openai::CompletionRequest;

/// A number of the table's.
bool within(std::string_view name, double value) {
  const openai::Range& range = openai::range_of(name);
  return value >= double(float(range.least)) && value <= double(float(range.most));
}

void check_generation(const openai::GenerationRequest& request) {
  fuzz::expect(within("n", double(request.choices)), "choices are few");
  fuzz::expect(within("temperature", request.temperature), "a temperature is one");
  fuzz::expect(within("top_p", request.top_p) && request.top_p > 0, "some mass is left");
  fuzz::expect(within("min_p", request.min_p), "min_p is a probability");
  fuzz::expect(within("repetition_penalty", request.repetition_penalty), "penalties are bounded");
  fuzz::expect(within("presence_penalty", request.presence_penalty), "penalties are bounded");
  fuzz::expect(within("frequency_penalty", request.frequency_penalty), "penalties are bounded");
  fuzz::expect(within("top_k", double(request.top_k)), "top_k is no less than 0");
  fuzz::expect(request.stop.size() <= openai::most_stops, "stop texts are few");
  for (const std::string& stop : request.stop) {
    fuzz::expect(!stop.empty() && stop.size() <= openai::longest_stop, "stop texts are short");
  }
  fuzz::expect(request.logit_bias.size() <= openai::most_biases, "biases are few");
  for (const auto& [token, bias] : request.logit_bias) {
    fuzz::expect(token >= 0 && within("logit_bias", bias), "a bias is a token's and bounded");
  }
  fuzz::expect(request.stream || !request.include_usage, "only a stream is asked for its usage");
}

}  // namespace

FUZZ_TARGET(openai_completion) {
  const auto request = fuzz::accepted([&] { return openai::parse_completion_request(bytes); });
  if (!request) return;
  check_generation(request->generation);
  fuzz::expect(!request->prompts.empty() && request->prompts.size() <= openai::most_prompts,
               "there are 1 to 32 prompts");
  for (const openai::Prompt& prompt : request->prompts) {
    const auto* tokens = std::get_if<Tokens>(&prompt);
    if (!tokens) continue;
    fuzz::expect(!tokens->empty(), "a prompt of tokens has some");
    for (const int32_t token : *tokens) fuzz::expect(token >= 0, "ids are not negative");
  }
  fuzz::expect(within("max_tokens", double(request->max_tokens.value_or(0))), "length is bounded");
  fuzz::expect(request->log_probs == -1 || within("logprobs", double(request->log_probs)),
               "alternatives are few");
}
