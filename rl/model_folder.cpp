#include "rl/model_folder.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/json.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The keys whose only supported value is given: a model that needs another would load and be wrong.
const json& fixed_keys() {
  static const json keys = {
      {"activation_function", "gelu_new"}, {"n_inner", nullptr},
      {"scale_attn_weights", true},        {"scale_attn_by_inverse_layer_idx", false},
      {"reorder_and_upcast_attn", false},  {"add_cross_attention", false}};
  return keys;
}

template <class T>
void read_key(const json& config, const std::string& source, const char* key, T& value) {
  if (!config.contains(key)) return;
  const json& found = config[key];
  const bool fits = std::is_integral_v<T> ? found.is_number_integer() : found.is_number();
  if (!fits) input_error(source, "expected a number as \"{}\", got {}", key, found.dump());
  value = found.get<T>();
}

json read_config_json(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    input_error(folder.string(), "expected a model folder with config.json, got {}",
                fs::exists(folder) ? "a file" : "nothing there");
  }
  const std::string source = (folder / "config.json").string();
  json config = parse_json(read_text(source), source);
  if (!config.is_object()) input_error(source, "expected an object, got {}", json_kind(config));
  return config;
}

Gpt2Config read_config(const fs::path& folder) {
  const std::string source = (folder / "config.json").string();
  const json config = read_config_json(folder);
  if (config.value("model_type", json("gpt2")) != "gpt2") {
    input_error(source, "expected model_type \"gpt2\", got {}", config["model_type"].dump());
  }
  for (const auto& [key, value] : fixed_keys().items()) {
    if (config.contains(key) && config[key] != value) {
      input_error(source, "expected \"{}\" to be {}, got {}: no other is supported", key,
                  value.dump(), config[key].dump());
    }
  }
  Gpt2Config out;
  read_key(config, source, "vocab_size", out.vocab_size);
  read_key(config, source, "n_positions", out.n_positions);
  read_key(config, source, "n_embd", out.n_embd);
  read_key(config, source, "n_layer", out.n_layer);
  read_key(config, source, "n_head", out.n_head);
  read_key(config, source, "layer_norm_epsilon", out.layer_norm_epsilon);
  read_key(config, source, "embd_pdrop", out.embd_pdrop);
  read_key(config, source, "attn_pdrop", out.attn_pdrop);
  read_key(config, source, "resid_pdrop", out.resid_pdrop);
  read_key(config, source, "initializer_range", out.initializer_range);
  out.validate(source);
  return out;
}

void write_config(const fs::path& folder, const Gpt2Config& config, const Tokenizer& tokenizer,
                  bool scalar) {
  nlohmann::ordered_json out{
      {"architectures", {scalar ? "GPT2ForSequenceClassification" : "GPT2LMHeadModel"}},
      {"model_type", "gpt2"},
      {"vocab_size", config.vocab_size},
      {"n_positions", config.n_positions},
      {"n_embd", config.n_embd},
      {"n_layer", config.n_layer},
      {"n_head", config.n_head}};
  for (const auto& [key, value] : fixed_keys().items()) out[key] = value;
  out["layer_norm_epsilon"] = config.layer_norm_epsilon;
  out["embd_pdrop"] = config.embd_pdrop;
  out["attn_pdrop"] = config.attn_pdrop;
  out["resid_pdrop"] = config.resid_pdrop;
  out["initializer_range"] = config.initializer_range;
  nlohmann::ordered_json generation{{"bos_token_id", tokenizer.eos()},
                                    {"eos_token_id", tokenizer.eos()}};
  // A pad id that GPT-2's own vocabulary lacks has no embedding either: others must not use it.
  if (tokenizer.pad() < config.vocab_size) generation["pad_token_id"] = tokenizer.pad();
  out.update(generation);
  if (scalar) out["num_labels"] = 1;
  atomic_write(folder / "config.json", out.dump(2) + "\n");
  atomic_write(folder / "generation_config.json", generation.dump(2) + "\n");
}

// Buffers and the copy of the tied head that some files carry beside the weights.
bool is_ignored(std::string_view name) {
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") ||
         name == "lm_head.weight";
}

template <class Model>
void load_weights(const fs::path& folder, Model& model) {
  const fs::path file = folder / "model.safetensors";
  std::map<std::string, Tensor> tensors = read_safetensors(file);
  const std::string prefix = "transformer.";
  // GPT-2's own checkpoint names its tensors without the prefix.
  const bool bare = tensors.contains("wte.weight");
  for_each_parameter(model, [&](std::string name, Tensor& tensor) {
    if (bare && name.starts_with(prefix)) name = name.substr(prefix.size());
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      input_error(file.string(), "expected a tensor \"{}\", got none of that name", name);
    }
    if (found->second.shape() != tensor.shape() || found->second.dtype() != tensor.dtype()) {
      input_error(file.string(), "expected \"{}\" as {} {}, got {} {}", name,
                  name_of(tensor.dtype()), tensor.shape().text(), name_of(found->second.dtype()),
                  found->second.shape().text());
    }
    tensor = found->second;
    tensors.erase(found);
  });
  for (const auto& [name, tensor] : tensors) {
    if (!is_ignored(name)) {
      input_error(file.string(), "expected only tensors of the model, got \"{}\" as well", name);
    }
  }
}

// A model that has diverged must not replace one that has not.
template <class Model>
void check_finite(Model& model) {
  for_each_parameter(model, [](const std::string& name, Tensor& tensor) {
    dispatch(tensor.dtype(), [&](auto t) {
      using T = decltype(t);
      const std::vector<T> values = tensor.to_vector<T>();
      const bool finite =
          std::all_of(values.begin(), values.end(), [](T value) { return std::isfinite(value); });
      check(finite, "save", "expected finite parameters, got NaN or infinity in {}", name);
    });
  });
}

template <class Model>
void save(const fs::path& folder, Model& model, const Tokenizer& tokenizer, bool scalar) {
  check_finite(model);
  StagedFolder staged(folder);
  tokenizer.save(staged.path());
  write_safetensors(staged.path() / "model.safetensors", state_dict(model));
  write_config(staged.path(), model.transformer.config, tokenizer, scalar);
  staged.commit();
}

// The architecture with parameters still to be read.
Gpt2 empty_trunk(const fs::path& folder) { return empty_gpt2(read_config(folder)); }

std::unique_ptr<Tokenizer> tokenizer_for(const fs::path& folder, const Gpt2Config& config) {
  std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(folder);
  // A pad id behind the vocabulary is never an input, so one more id than the model has is fine.
  const int64_t extra = tokenizer->vocab_size() - config.vocab_size;
  if (extra < 0 || extra > 1 || tokenizer->eos() >= config.vocab_size) {
    input_error(folder.string(), "expected a tokenizer of {} tokens as in config.json, got {}",
                config.vocab_size, tokenizer->vocab_size());
  }
  return tokenizer;
}

}  // namespace

bool is_scalar_model(const fs::path& folder) {
  const json config = read_config_json(folder);
  const json architectures = config.value("architectures", json::array());
  return std::any_of(architectures.begin(), architectures.end(),
                     [](const json& name) { return name == "GPT2ForSequenceClassification"; });
}

LoadedLanguageModel load_language_model(const fs::path& folder) {
  if (is_scalar_model(folder)) {
    input_error(folder.string(), "expected a language model, got a reward model");
  }
  LoadedLanguageModel loaded{{empty_trunk(folder)}, nullptr};
  loaded.tokenizer = tokenizer_for(folder, loaded.model.transformer.config);
  load_weights(folder, loaded.model);
  return loaded;
}

LoadedScalarModel load_scalar_model(const fs::path& folder) {
  if (!is_scalar_model(folder)) {
    input_error(folder.string(), "expected a reward model, got a language model");
  }
  Gpt2 trunk = empty_trunk(folder);
  LoadedScalarModel loaded{{trunk, make_score_head(trunk, 0, /*zero=*/true)}, nullptr};
  loaded.tokenizer = tokenizer_for(folder, trunk.config);
  load_weights(folder, loaded.model);
  return loaded;
}

void save_model(const fs::path& folder, LanguageModel& model, const Tokenizer& tokenizer) {
  save(folder, model, tokenizer, false);
}

void save_model(const fs::path& folder, ScalarModel& model, const Tokenizer& tokenizer) {
  save(folder, model, tokenizer, true);
}

}  // namespace rlhf
