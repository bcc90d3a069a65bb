#include "rl/model/model_folder.h"

#include <set>

#include "core/atomic_file.h"
#include "core/finite.h"
#include "data/text_file.h"
#include "rl/model/adapter_folder.h"
#include "rl/model/model_config.h"
#include "rl/model/model_weights.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "transformer.";
constexpr const char* head_name = "lm_head.weight";

// Buffers that some files carry beside the weights.
bool is_mask(std::string_view name) {
  return name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");
}

// Reads the weights of one model, which GPT-2's own checkpoint names without the prefix.
class WeightLoader {
 public:
  WeightLoader(const fs::path& folder, const ModelConfig& config)
      : weights_(folder), config_(config), bare_(weights_.find("wte.weight") != nullptr) {
    std::set<std::string> expected;
    const auto expect = [&](const std::string& name, const Shape& shape) {
      weights_.require(name, shape, "config.json");
      expected.insert(name);
    };
    for_each_parameter_shape(config.shape, [&](const std::string& name, const Shape& shape) {
      expect(in_file(std::string(prefix) + name), shape);
    });
    if (config.scalar) expect("score.weight", {1, config.shape.n_embd});
    if (weights_.find(head_name) || !(config.tied || config.scalar)) {
      expect(head_name, {config.shape.vocab_size, config.shape.n_embd});
    }
    for (const std::string& name : weights_.names()) {
      if (!expected.contains(name) && !is_mask(name)) {
        input_error(weights_.source(), "expected only tensors of the model, got \"{}\" as well",
                    name);
      }
    }
  }

  void load_into(LanguageModel& model, const Placement& placement) {
    if (has_own_head()) model.transformer.untie();
    load_into(model, "", placement);
  }

  /// A part of the model, whose names begin so.
  template <class Module>
  void load_into(Module& module, const std::string& beginning, const Placement& placement) {
    for_each_parameter(module, [&](const std::string& name, Tensor& tensor) {
      tensor = placed(weights_.read(in_file(beginning + name)), placement);
    });
  }

 private:
  std::string in_file(const std::string& name) const {
    const std::string given = name_in_files(name);
    return bare_ && given.starts_with(prefix) ? given.substr(prefix.size()) : given;
  }

  // A file of two equal matrices may be a tied model all the same; of two that differ it is none,
  // whatever config.json says, and transformers does not take it for one. A scalar model that was
  // made from such a file reads no head.
  bool has_own_head() {
    if (config_.scalar || !weights_.find(head_name)) return false;
    if (!config_.tied) return true;
    const Tensor embedding = weights_.read(in_file(std::string(prefix) + "wte.weight"));
    return weights_.read(head_name).to_vector<float>() != embedding.to_vector<float>();
  }

  ModelWeights weights_;
  const ModelConfig& config_;
  bool bare_;
};

// The tokenizer, and from it which of the model's ids are ever sampled.
std::unique_ptr<Tokenizer> tokenizer_for(const fs::path& folder, Gpt2Config& shape) {
  std::unique_ptr<Tokenizer> tokenizer = load_tokenizer(folder);
  int64_t ids = tokenizer->vocab_size();
  // A pad id behind all others is never an input or an answer, so that it needs no embedding.
  if (tokenizer->pad() == ids - 1 && ids != shape.vocab_size) ids--;
  if (ids > shape.vocab_size) {
    input_error(folder.string(), "expected a tokenizer of {} tokens as in config.json, got {}",
                shape.vocab_size, tokenizer->vocab_size());
  }
  if (ids < shape.vocab_size) shape.sampled_ids = ids;
  return tokenizer;
}

std::vector<int32_t> stop_tokens_of(const fs::path& folder, const Gpt2Config& shape, int32_t eos) {
  std::vector<int32_t> stops{eos};
  const fs::path file = folder / "generation_config.json";
  if (!fs::exists(file)) return stops;
  for (const int32_t id : parse_eos_ids(read_text(file), shape.vocab_size, file.string())) {
    if (id != eos) stops.push_back(id);
  }
  return stops;
}

template <class Model>
void check_finite(Model& model) {
  for_each_parameter(model, [](const std::string& name, Tensor& tensor) {
    check(is_finite(tensor), "save", "expected finite parameters, got NaN or infinity in {}", name);
  });
}

// Files of the form that a folder does not have any more. The whole of it is there by now: a kill
// leaves what says which form counts, and with it the old model or the new one.
void remove_files(const fs::path& folder, std::initializer_list<const char*> names) {
  for (const char* name : names) remove_tree(folder / name);
}

std::vector<NamedTensor> named_as_in_files(std::vector<NamedTensor> entries) {
  for (NamedTensor& entry : entries) entry.name = name_in_files(entry.name);
  return entries;
}

template <class Model>
void save(const fs::path& folder, Model& model, const ModelConfig& config,
          const Tokenizer& tokenizer) {
  check_finite(model);
  StagedFolder staged(folder);
  tokenizer.save(staged.path());
  const bool adapter = model.transformer.lora.has_value();
  if (adapter) {
    write_adapter(staged.path(), model, config);
  } else {
    write_safetensors(staged.path() / "model.safetensors", named_as_in_files(state_dict(model)));
    write_model_config(staged.path(), config, tokenizer);
  }
  staged.commit();
  // Heads of sub-tasks belong to the model that was here before (rl/hierarchical_folder.h).
  remove_files(folder, {"hierarchical.json", "hierarchical.safetensors"});
  if (adapter) {
    remove_files(folder, {"config.json", "generation_config.json", "model.safetensors"});
  } else {
    remove_files(folder, {"adapter_config.json", "adapter_model.safetensors"});
  }
}

// The same embedding with rows of zeros up to `rows`.
Tensor with_rows(const Tensor& embedding, int64_t rows) {
  const Tensor out =
      Tensor::zeros({rows, embedding.shape()[-1]}, embedding.dtype(), embedding.device());
  out.view(0, embedding.shape()).copy_from(embedding);
  return out;
}

}  // namespace

bool is_scalar_model(const fs::path& folder) {
  if (is_adapter_folder(folder)) return read_adapter_config(folder).scalar;
  return read_model_config(folder).scalar;
}

LoadedLanguageModel load_language_model(const fs::path& folder, const Placement& placement) {
  const std::optional<Adapter> adapter = find_adapter(folder);
  const fs::path base = adapter ? adapter->base() : folder;
  ModelConfig config = read_model_config(base);
  if (config.scalar) input_error(base.string(), "expected a language model, got a reward model");
  if (adapter && adapter->config.scalar) {
    input_error(folder.string(), "expected a language model, got a reward model");
  }
  LoadedLanguageModel loaded;
  loaded.tokenizer = tokenizer_for(adapter ? adapter->tokenizer_folder() : base, config.shape);
  loaded.stop_tokens = stop_tokens_of(base, config.shape, loaded.tokenizer->eos());
  WeightLoader weights(base, config);
  loaded.model.transformer = empty_gpt2(config.shape);
  weights.load_into(loaded.model, placement);
  if (adapter) adapter->load_into(loaded.model, placement);
  return loaded;
}

LoadedScalarModel load_scalar_model(const fs::path& folder, const Placement& placement) {
  const std::optional<Adapter> adapter = find_adapter(folder);
  const fs::path base = adapter ? adapter->base() : folder;
  ModelConfig config = read_model_config(base);
  if (!(adapter ? adapter->config.scalar : config.scalar)) {
    input_error(folder.string(), "expected a reward model, got a language model");
  }
  LoadedScalarModel loaded;
  loaded.tokenizer = tokenizer_for(adapter ? adapter->tokenizer_folder() : base, config.shape);
  WeightLoader weights(base, config);
  LanguageModel trunk{empty_gpt2(config.shape)};
  weights.load_into(trunk, placement);
  loaded.model = {trunk.transformer.without_head(),
                  make_score_head(trunk.transformer, 0, /*zero=*/true), config.reward_gain,
                  config.reward_bias};
  if (adapter) {
    // The head is the adapter's, whatever head the base has.
    adapter->load_into(loaded.model, placement);
  } else {
    weights.load_into(loaded.model.score, "score.", placement);
  }
  return loaded;
}

void save_model(const fs::path& folder, LanguageModel& model, const Tokenizer& tokenizer) {
  const Gpt2& trunk = model.transformer;
  save(folder, model, {.shape = trunk.config, .tied = trunk.tied(), .dtype = trunk.dtype()},
       tokenizer);
}

void save_model(const fs::path& folder, ScalarModel& model, const Tokenizer& tokenizer) {
  ScalarModel written = model;
  Gpt2& trunk = written.transformer;
  trunk.config.vocab_size = std::max(trunk.config.vocab_size, int64_t{tokenizer.pad()} + 1);
  if (!trunk.lora && trunk.config.vocab_size > trunk.wte.weight.shape()[0]) {
    trunk.wte.weight = with_rows(trunk.wte.weight, trunk.config.vocab_size);
  }
  save(folder, written,
       {.shape = trunk.config,
        .scalar = true,
        .dtype = trunk.dtype(),
        .reward_gain = model.gain,
        .reward_bias = model.bias},
       tokenizer);
}

}  // namespace rlhf
