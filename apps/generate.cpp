// rlhf generate: continues a prompt, streaming to the terminal.
#include "nn/generate.h"

#include <fmt/core.h>

#include <utility>

#include "apps/commands.h"
#include "apps/terminal.h"
#include "core/unicode.h"
#include "data/datasets.h"
#include "rl/model_folder.h"
#include "rl/prompt.h"

namespace rlhf {
namespace {

struct Options {
  std::string model_name_or_path, prompt, dataset_name;
  int64_t num_return_sequences = 1;
  SamplingOptions sampling;
  bool json = false;
};

struct Request {
  std::string text;
  Tokens tokens;
};

std::vector<Request> requests(const Options& o, const Tokenizer& tokenizer) {
  std::vector<std::string> prompts{o.prompt};
  if (!o.dataset_name.empty()) {
    if (!o.prompt.empty()) {
      input_error("--prompt", "expected --prompt or --dataset_name, got both");
    }
    prompts = read_prompts(o.dataset_name);
  }
  if (find_invalid_utf8(o.prompt)) {
    input_error("--prompt", "expected UTF-8, got {}", quote(o.prompt));
  }
  std::vector<Request> out;
  for (const std::string& prompt : prompts) {
    const Tokens tokens = encode_prompt(tokenizer, prompt);
    for (int64_t i = 0; i < o.num_return_sequences; i++) out.push_back({prompt, tokens});
  }
  return out;
}

void print_json(const std::vector<Request>& asked, const std::vector<Generated>& generated,
                const Tokenizer& tokenizer) {
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (size_t i = 0; i < asked.size(); i++) {
    const Generated& g = generated[i];
    StreamDecoder decoder(tokenizer);
    std::string text;
    for (const int32_t token : g.tokens) text += decoder.push(token);
    text += decoder.finish();
    results.push_back({{"prompt", asked[i].text},
                       {"text", text},
                       {"tokens", g.tokens},
                       {"log_probs", g.log_probs},
                       {"finish_reason", g.stopped ? "stop" : "length"}});
  }
  fmt::print("{}\n", nlohmann::ordered_json{{"results", results}}.dump());
}

int generate_main(const Options& o) {
  const LoadedLanguageModel loaded = load_language_model(o.model_name_or_path);
  const Tokenizer& tokenizer = *loaded.tokenizer;
  const std::vector<Request> asked = requests(o, tokenizer);
  std::vector<Tokens> prompts;
  for (const Request& request : asked) prompts.push_back(request.tokens);
  SamplingOptions sampling = o.sampling;
  sampling.stop_tokens = loaded.stop_tokens;

  if (o.json) {
    print_json(asked, generate_in_batches(loaded.model.transformer, prompts, sampling), tokenizer);
    return 0;
  }
  if (asked.size() > 1) {  // several at once cannot share a line: print when done
    const auto generated = generate_in_batches(loaded.model.transformer, prompts, sampling);
    for (size_t i = 0; i < asked.size(); i++) {
      fmt::print("{}{}\n", bold(escape_controls(asked[i].text)),
                 escape_controls(tokenizer.decode(generated[i].tokens)));
    }
    return 0;
  }
  StreamDecoder decoder(tokenizer);
  // The prompt comes with the first token, when it has proven good.
  std::string prompt = bold(escape_controls(asked[0].text));
  const auto print = [&](const std::string& text) {
    fmt::print("{}{}", std::exchange(prompt, {}), escape_controls(text));
    std::fflush(stdout);
  };
  generate(loaded.model.transformer, prompts, sampling,
           [&](size_t, int32_t token) { print(decoder.push(token)); });
  print(decoder.finish() + "\n");
  return 0;
}

}  // namespace

Command generate_command() {
  auto o = std::make_shared<Options>();
  return {
      .name = "generate",
      .summary = "continue a prompt",
      .example = "rlhf generate --model_name_or_path runs/lm --prompt \"Once\" --max_new_tokens 64",
      .declare =
          [o](Flags& flags) {
            SamplingOptions& s = o->sampling;
            flags.add("model_name_or_path", o->model_name_or_path, "language model")
                .required()
                .shown_as("DIR");
            flags.add("prompt", o->prompt, "text to continue; empty: begin a document");
            flags.add("dataset_name", o->dataset_name, "rows of prompt instead of --prompt")
                .shown_as("FILE");
            flags.add("max_new_tokens", s.max_new_tokens, between(1, 1 << 20), "tokens at most");
            flags.add("num_return_sequences", o->num_return_sequences, between(1, 10000),
                      "continuations of each prompt");
            flags.group("Sampling");
            flags.add("temperature", s.temperature, between(0.0f, 100.0f),
                      "0: always the most probable token");
            flags.add("top_k", s.top_k, at_least(0), "keep the k most probable tokens; 0: all");
            flags.add("top_p", s.top_p, Range<float>{0, 1, true},
                      "keep the most probable tokens up to this mass");
            flags.add("min_p", s.min_p, between(0.0f, 1.0f),
                      "drop tokens below this share of the most probable one's");
            flags.add("repetition_penalty", s.repetition_penalty, above(0.0f),
                      "above 1 disfavours tokens that have occurred");
            flags.add("seed", s.seed, {}, "same seed, same text");
            flags.add("json", o->json, "print one JSON object");
          },
      .run = [o](const Invocation&) { return generate_main(*o); }};
}

}  // namespace rlhf
