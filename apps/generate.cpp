// rlhf generate: continues a prompt, streaming to the terminal.
#include "nn/generate.h"
#include "apps/print.h"

#include <fmt/core.h>

#include <utility>

#include "apps/commands.h"
#include "apps/device_flags.h"
#include "apps/hierarchical_generate.h"
#include "apps/sampling_flags.h"
#include "apps/terminal.h"
#include "apps/weight_flags.h"
#include "core/atomic_file.h"
#include "core/unicode.h"
#include "rl/answer_rows.h"
#include "rl/model/chat_encoding.h"
#include "rl/model/model_folder.h"
#include "rl/prompt.h"

namespace rlhf {
namespace {

struct Options {
  std::string model_name_or_path, prompt, dataset_name, output_file;
  int64_t num_return_sequences = 1;
  SamplingOptions sampling;
  bool json = false;
  WeightFlags weights;
  DeviceFlags device;
};

struct Request {
  nlohmann::ordered_json prompt;  ///< text, or messages
  std::string text;               ///< for a terminal
  Tokens tokens;
};

std::vector<Request> requests(const Options& o, const Tokenizer& tokenizer) {
  std::vector<Request> out;
  const auto ask = [&](const Request& request) {
    out.insert(out.end(), size_t(o.num_return_sequences), request);
  };
  if (!o.dataset_name.empty()) {
    if (!o.prompt.empty()) {
      input_error("--prompt", "expected --prompt or --dataset_name, got both");
    }
    for (const Row& row : read_rows(o.dataset_name)) {
      const std::string text = prompt_text_of(row);
      const bool messages = holds_messages(row, "prompt");
      ask({prompt_json(row), messages ? text + "\nassistant: " : text,
           encode_prompt(tokenizer, row)});
    }
    return out;
  }
  if (find_invalid_utf8(o.prompt)) {
    input_error("--prompt", "expected UTF-8, got {}", quote(o.prompt));
  }
  ask({o.prompt, o.prompt, encode_prompt(tokenizer, o.prompt)});
  return out;
}

/// Rows as fine-tuning reads them.
void write_rows(const std::string& file, const std::vector<Request>& asked,
                const std::vector<Generated>& generated, const Tokenizer& tokenizer) {
  std::string rows;
  for (size_t i = 0; i < asked.size(); i++) {
    const std::string text = answer_text(tokenizer, generated[i].tokens);
    rows += nlohmann::ordered_json{{"prompt", asked[i].prompt},
                                   {"completion", answer_json(asked[i].prompt, text)}}
                .dump() +
            "\n";
  }
  atomic_write(file, rows);
}

nlohmann::ordered_json results_json(const std::vector<Request>& asked,
                                    const std::vector<Generated>& generated,
                                    const Tokenizer& tokenizer) {
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (size_t i = 0; i < asked.size(); i++) {
    const Generated& g = generated[i];
    results.push_back({{"prompt", asked[i].prompt},
                       {"text", answer_text(tokenizer, g.tokens)},
                       {"tokens", g.tokens},
                       {"log_probs", g.log_probs},
                       {"finish_reason", g.stopped ? "stop" : "length"}});
  }
  return {{"results", results}};
}

/// The same of a policy of two levels, whose text alone would not say who wrote what.
int generate_hierarchical(const Options& o) {
  if (o.weights.narrow()) {
    input_error("--weight_dtype", "expected a policy of one level, got one of two: leave it out");
  }
  const LoadedHierarchicalPolicy loaded =
      load_hierarchical_policy(o.model_name_or_path, o.device.placement_for_inference());
  const Tokenizer& tokenizer = *loaded.tokenizer;
  const std::vector<Request> asked = requests(o, tokenizer);
  std::vector<Tokens> prompts;
  for (const Request& request : asked) prompts.push_back(request.tokens);
  const std::vector<Episode> episodes = generate_segments(loaded, prompts, o.sampling);
  std::vector<Generated> generated;
  for (const Episode& e : episodes) generated.push_back({e.response, e.log_prob, e.stopped});
  if (!o.output_file.empty()) {
    write_rows(o.output_file, asked, generated, tokenizer);
    say("{} rows in {}\n", asked.size(), o.output_file);
    return 0;
  }
  if (o.json) {
    nlohmann::ordered_json out = results_json(asked, generated, tokenizer);
    for (size_t i = 0; i < episodes.size(); i++) {
      out["results"][i]["segments"] = segments_json(episodes[i], loaded);
    }
    say("{}\n", out.dump());
    return 0;
  }
  for (size_t i = 0; i < asked.size(); i++) {
    say("{}{}\n", bold(escape_controls(asked[i].text)), segments_text(episodes[i], loaded));
  }
  return 0;
}

int generate_main(const Options& o) {
  if (is_hierarchical_folder(o.model_name_or_path)) return generate_hierarchical(o);
  const Placement placement = o.device.placement_for_inference();
  o.weights.check(placement.dtype);
  LoadedLanguageModel loaded = load_language_model(o.model_name_or_path, placement);
  const Tokenizer& tokenizer = *loaded.tokenizer;
  const std::vector<Request> asked = requests(o, tokenizer);
  std::vector<Tokens> prompts;
  for (const Request& request : asked) prompts.push_back(request.tokens);
  o.weights.apply(loaded.model.transformer);
  SamplingOptions sampling = o.sampling;
  sampling.stop_tokens = loaded.stop_tokens;

  if (!o.output_file.empty()) {
    const auto generated = generate_in_batches(loaded.model.transformer, prompts, sampling);
    write_rows(o.output_file, asked, generated, tokenizer);
    say("{} rows in {}\n", asked.size(), o.output_file);
    return 0;
  }
  if (o.json) {
    const auto generated = generate_in_batches(loaded.model.transformer, prompts, sampling);
    say("{}\n", results_json(asked, generated, tokenizer).dump());
    return 0;
  }
  if (asked.size() > 1) {  // several at once cannot share a line: print when done
    const auto generated = generate_in_batches(loaded.model.transformer, prompts, sampling);
    for (size_t i = 0; i < asked.size(); i++) {
      say("{}{}\n", bold(escape_controls(asked[i].text)),
          escape_controls(tokenizer.decode(generated[i].tokens)));
    }
    return 0;
  }
  StreamDecoder decoder(tokenizer);
  // The prompt comes with the first token, when it has proven good.
  std::string prompt = bold(escape_controls(asked[0].text));
  const auto print = [&](const std::string& text) {
    say("{}{}", std::exchange(prompt, {}), escape_controls(text));
    show_now();
  };
  generate(loaded.model.transformer, prompts, sampling, [&](size_t, int32_t token) {
    print(decoder.push(token));
    return true;
  });
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
            flags
                .add("dataset_name", o->dataset_name,
                     "rows of prompt, text or messages, instead of --prompt")
                .shown_as("FILE");
            flags
                .add("output_file", o->output_file,
                     "write rows of prompt and completion to this .jsonl instead of printing")
                .shown_as("FILE");
            flags.add("max_new_tokens", s.max_new_tokens, between(1, 1 << 20), "tokens at most");
            flags.add("num_return_sequences", o->num_return_sequences, between(1, 10000),
                      "continuations of each prompt");
            declare_sampling(flags, s);
            flags.add("json", o->json, "print one JSON object");
            o->weights.declare(flags);
            o->device.declare(flags);
          },
      .run = [o](const Invocation&) { return generate_main(*o); }};
}

}  // namespace rlhf
