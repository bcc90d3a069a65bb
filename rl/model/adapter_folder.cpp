#include "rl/model/adapter_folder.h"

#include <set>

#include "core/unicode.h"
#include "rl/model/model_weights.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

// PEFT's name of what it wraps.
const std::string prefix = "base_model.model.";

// Of a name that no file can have there is none.
bool holds(const fs::path& folder, const char* file) {
  std::error_code failure;
  return fs::exists(folder / file, failure);
}

fs::path resolve_base(const fs::path& folder, const std::string& name) {
  const std::string source = (folder / "adapter_config.json").string();
  if (name.empty()) {
    input_error(source, "expected the base's folder as \"base_model_name_or_path\", got none");
  }
  const auto holds_model = [](const fs::path& place) { return holds(place, "config.json"); };
  fs::path found = name;
  for (fs::path above = fs::absolute(folder).lexically_normal();
       !holds_model(found) && !is_adapter_folder(found); above = above.parent_path()) {
    found = above / name;
    if (above == above.parent_path()) break;
  }
  if (is_adapter_folder(found)) {
    input_error(source, "expected a whole model as \"base_model_name_or_path\", got an adapter, {}",
                quote(found.string()));
  }
  if (!holds_model(found)) {
    input_error(source,
                "expected the folder of the base, {}, from here or from above the adapter, got "
                "none; \"base_model_name_or_path\" says where it is",
                quote(name));
  }
  return found.lexically_normal();
}

/// Reads what the visited parameters of `model` that learn are called in the file.
template <class Model>
void load_learnt(const Adapter& adapter, Model& model, const Placement& placement) {
  ModelWeights weights(adapter.folder, "adapter_model");
  std::set<std::string> expected;
  const auto expect = [&](const std::string& name, const Shape& shape) {
    weights.require(name, shape, "adapter_config.json");
    expected.insert(name);
  };
  Gpt2& trunk = model.transformer;
  const LoraConfig& lora = adapter.config.lora;
  for_each_target(lora, trunk.config.n_layer, trunk.config.n_embd,
                  (adapter.folder / "adapter_config.json").string(),
                  [&](const std::string& layer, int64_t in, int64_t out) {
                    const std::string name = prefix + "transformer." + layer;
                    expect(name + ".lora_A.weight", {lora.r, in});
                    expect(name + ".lora_B.weight", {out, lora.r});
                  });
  if constexpr (std::is_same_v<Model, ScalarModel>) {
    expect(prefix + "score.weight", {1, trunk.config.n_embd});
  } else if (lora.trains_head) {
    expect(prefix + "lm_head.weight", trunk.wte.weight.shape());
  }
  for (const std::string& name : weights.names()) {
    if (!expected.contains(name)) {
      input_error(weights.source(), "expected only tensors of the adapter, got \"{}\" as well",
                  name);
    }
  }
  add_adapters(trunk, lora, 0);
  if (lora.trains_head) trunk.untie();
  const FrozenBases bases(model);
  for_each_parameter(model, [&](const std::string& name, Tensor& tensor) {
    if (bases.hold(name)) return;
    tensor = placed(weights.read(prefix + name_in_files(name)), placement);
  });
}

template <class Model>
void write_learnt(const fs::path& folder, Model& model, const ModelConfig& config) {
  const FrozenBases bases(model);
  std::vector<NamedTensor> learnt;
  for (const NamedTensor& entry : state_dict(model)) {
    if (bases.hold(entry.name)) continue;
    learnt.push_back({prefix + name_in_files(entry.name), entry.tensor});
  }
  write_safetensors(folder / "adapter_model.safetensors", learnt);
  write_adapter_config(folder, {.lora = *model.transformer.lora,
                                .scalar = config.scalar,
                                .reward_gain = config.reward_gain,
                                .reward_bias = config.reward_bias});
}

}  // namespace

bool is_adapter_folder(const fs::path& folder) { return holds(folder, "adapter_config.json"); }

fs::path Adapter::tokenizer_folder() const {
  for (const char* file : {"vocab.json", "tokenizer.json"}) {
    if (holds(folder, file)) return folder;
  }
  return base();
}

void Adapter::load_into(LanguageModel& model, const Placement& placement) const {
  load_learnt(*this, model, placement);
}

void Adapter::load_into(ScalarModel& model, const Placement& placement) const {
  load_learnt(*this, model, placement);
  model.gain = config.reward_gain;
  model.bias = config.reward_bias;
}

std::optional<Adapter> find_adapter(const fs::path& folder) {
  if (!is_adapter_folder(folder)) return std::nullopt;
  Adapter adapter{folder, read_adapter_config(folder)};
  std::string& base = adapter.config.lora.base_model_name_or_path;
  base = resolve_base(folder, base).string();
  return adapter;
}

void write_adapter(const fs::path& folder, LanguageModel& model, const ModelConfig& config) {
  write_learnt(folder, model, config);
}

void write_adapter(const fs::path& folder, ScalarModel& model, const ModelConfig& config) {
  write_learnt(folder, model, config);
}

}  // namespace rlhf
