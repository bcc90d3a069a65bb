// What a model folder computes, as a file that another program can hold against its own figures
// (tests/python/hf_roundtrip.py):
//
//   model_probe run  <folder> <sequences.json> <new tokens> <out.safetensors>
//   model_probe copy <folder> <other folder>
//
// `run` reads lists of ids and writes, from one padded batch: of a language model the logits
// "logits.<i>" (T, V) and the greedy continuation "greedy.<i>"; of a reward model "values.<i>" (T),
// its head at every token, and "rewards" (N). `copy` loads and saves.
#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/json.h"
#include "data/text_file.h"
#include "nn/generate.h"
#include "rl/model/model_folder.h"
#include "rl/reward/reward.h"

namespace rlhf {
namespace {

std::vector<Tokens> read_sequences(const std::string& file) {
  return parse_json(read_text(file), file).get<std::vector<Tokens>>();
}

/// The rows of each sequence out of those of a padded batch (B*T, columns).
void add_rows(std::vector<NamedTensor>& out, const std::string& name, const Tensor& rows,
              const std::vector<Tokens>& sequences) {
  const int64_t columns = rows.shape()[-1];
  const int64_t T = rows.shape().rows() / int64_t(sequences.size());
  for (size_t i = 0; i < sequences.size(); i++) {
    out.push_back({fmt::format("{}.{}", name, i),
                   rows.view(int64_t(i) * T * columns, {int64_t(sequences[i].size()), columns})});
  }
}

Tensor as_floats(const std::vector<double>& values) {
  return Tensor::from(std::vector<float>(values.begin(), values.end()), {int64_t(values.size())});
}

void run_model(const std::string& folder, const std::vector<Tokens>& sequences, int64_t new_tokens,
               const std::string& file) {
  std::vector<NamedTensor> out;
  if (is_scalar_model(folder)) {
    const ScalarModel model = load_scalar_model(folder).model;
    const Tensor hidden = model.transformer(pad_right(sequences));
    const Tensor values = model.score(hidden);
    add_rows(out, "values", values.reshape({values.count(), 1}), sequences);
    out.push_back({"rewards", as_floats(score(model, sequences))});
  } else {
    const Gpt2 model = load_language_model(folder).model.transformer;
    const Tensor hidden = model(pad_right(sequences));
    add_rows(out, "logits", linear(hidden, model.head(), {}, /*transposed=*/true), sequences);
    const auto greedy =
        generate(model, sequences, {.max_new_tokens = new_tokens, .temperature = 0});
    for (size_t i = 0; i < greedy.size(); i++) {
      const std::vector<double> ids(greedy[i].tokens.begin(), greedy[i].tokens.end());
      out.push_back({fmt::format("greedy.{}", i), as_floats(ids)});
    }
  }
  write_safetensors(file, out);
}

void copy_model(const std::string& from, const std::string& to) {
  if (is_scalar_model(from)) {
    LoadedScalarModel loaded = load_scalar_model(from);
    save_model(to, loaded.model, *loaded.tokenizer);
  } else {
    LoadedLanguageModel loaded = load_language_model(from);
    save_model(to, loaded.model, *loaded.tokenizer);
  }
}

}  // namespace
}  // namespace rlhf

int main(int count, char** arguments) {
  const std::vector<std::string> given(arguments + 1, arguments + count);
  try {
    if (given.size() == 5 && given[0] == "run") {
      rlhf::run_model(given[1], rlhf::read_sequences(given[2]), std::stoll(given[3]), given[4]);
    } else if (given.size() == 3 && given[0] == "copy") {
      rlhf::copy_model(given[1], given[2]);
    } else {
      fmt::print(stderr, "model_probe run FOLDER SEQUENCES TOKENS OUT | copy FOLDER OTHER\n");
      return 2;
    }
  } catch (const rlhf::InputError& error) {
    fmt::print(stderr, "model_probe: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "model_probe: {}\n", error.what());
    return 1;
  }
  return 0;
}
