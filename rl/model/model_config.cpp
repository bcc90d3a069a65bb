#include "rl/model/model_config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// The keys whose only supported value is given.
const json& fixed_keys() {
  static const json keys = {{"scale_attn_weights", true},
                            {"scale_attn_by_inverse_layer_idx", false},
                            {"reorder_and_upcast_attn", false},
                            {"add_cross_attention", false},
                            {"is_encoder_decoder", false}};
  return keys;
}

// What changes the weights or the code behind a model: nothing that we could follow.
constexpr const char* foreign_keys[] = {"quantization_config", "auto_map", "pruned_heads"};

class ConfigReader {
 public:
  ConfigReader(std::string_view text, std::string_view source)
      : source_(source), config_(parse_json(text, source)) {
    if (!config_.is_object()) {
      input_error(source_, "expected an object, got {}", json_kind(config_));
    }
  }

  /// Null when the key is missing or null: transformers treats both as "not said".
  const json* find(const char* key) const {
    const auto found = config_.find(key);
    return found == config_.end() || found->is_null() ? nullptr : &*found;
  }

  [[noreturn]] void fail(const char* key, std::string_view expected, const json& got) const {
    input_error(source_, "expected {} as \"{}\", got {}", expected, key, escaped(got.dump()));
  }

  /// A size under GPT-2's own name or under the one that all of transformers' models share.
  void read(const char* key, int64_t& value, const char* alias = nullptr) const {
    const json* found = find(key);
    const json* other = alias ? find(alias) : nullptr;
    if (found && other && *found != *other) fail(alias, fmt::format("the same as {}", key), *other);
    if (!found) std::swap(key, alias), found = other;
    if (!found) return;
    if (!found->is_number_integer()) fail(key, "a whole number", *found);
    if (found->is_number_unsigned() && found->get<uint64_t>() > uint64_t(INT64_MAX)) {
      fail(key, "a number below 2^63", *found);
    }
    value = found->get<int64_t>();
  }

  void read(const char* key, double& value) const {
    const json* found = find(key);
    if (!found) return;
    if (!found->is_number()) fail(key, "a number", *found);
    value = found->get<double>();
    if (std::abs(value) > double(std::numeric_limits<float>::max())) {
      fail(key, "a number within the range of a float", *found);
    }
  }

  void read(const char* key, float& value) const {
    double number = value;
    read(key, number);
    value = float(number);
  }

  void read(const char* key, bool& value) const {
    const json* found = find(key);
    if (!found) return;
    if (!found->is_boolean()) fail(key, "true or false", *found);
    value = found->get<bool>();
  }

  void check_kind() const {
    const json* type = find("model_type");
    if (type && *type != "gpt2") fail("model_type", "\"gpt2\"", *type);
    for (const auto& [key, value] : fixed_keys().items()) {
      const json* found = find(key.c_str());
      if (found && *found != value) {
        fail(key.c_str(), fmt::format("{} (no other is supported)", value.dump()), *found);
      }
    }
    for (const char* key : foreign_keys) {
      const json* found = find(key);
      if (found && !found->empty()) fail(key, "nothing (it is not supported)", *found);
    }
    // Two names of one function: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
    const json* activation = find("activation_function");
    if (activation && *activation != "gelu_new" && *activation != "gelu_pytorch_tanh") {
      fail("activation_function", "\"gelu_new\" (no other is supported)", *activation);
    }
  }

  /// Whether it is a reward model.
  bool is_scalar() const {
    const json* list = find("architectures");
    if (!list) return false;
    if (!list->is_array() || list->size() != 1 || !list->front().is_string()) {
      fail("architectures", "a list of one name", *list);
    }
    const json& name = list->front();
    if (name == "GPT2ForSequenceClassification") return true;
    if (name == "GPT2LMHeadModel" || name == "GPT2Model") return false;
    fail("architectures", "GPT2LMHeadModel or GPT2ForSequenceClassification", name);
  }

  /// A reward is one number: transformers' default of two labels is a classifier.
  void check_labels() const {
    int64_t labels = 1;
    read("num_labels", labels);
    if (labels != 1) fail("num_labels", "1 (a reward model)", *find("num_labels"));
    const json* names = find("id2label");
    if (names && (!names->is_object() || names->size() != 1)) {
      fail("id2label", "one label (a reward model)", *names);
    }
  }

  std::string_view source() const { return source_; }

 private:
  std::string_view source_;
  json config_;
};

}  // namespace

ModelConfig parse_model_config(std::string_view text, std::string_view source) {
  const ConfigReader in(text, source);
  in.check_kind();
  ModelConfig out{.scalar = in.is_scalar()};
  Gpt2Config& shape = out.shape;
  in.read("vocab_size", shape.vocab_size);
  in.read("n_positions", shape.n_positions, "max_position_embeddings");
  in.read("n_embd", shape.n_embd, "hidden_size");
  in.read("n_layer", shape.n_layer, "num_hidden_layers");
  in.read("n_head", shape.n_head, "num_attention_heads");
  in.read("layer_norm_epsilon", shape.layer_norm_epsilon);
  in.read("embd_pdrop", shape.embd_pdrop);
  in.read("attn_pdrop", shape.attn_pdrop);
  in.read("resid_pdrop", shape.resid_pdrop);
  in.read("initializer_range", shape.initializer_range);
  in.read("tie_word_embeddings", out.tied);
  shape.validate(source);
  int64_t inner = 4 * shape.n_embd;
  in.read("n_inner", inner);
  if (inner != 4 * shape.n_embd) {
    in.fail("n_inner", fmt::format("null or 4 n_embd = {}", 4 * shape.n_embd), *in.find("n_inner"));
  }
  if (!out.scalar) return out;
  in.check_labels();
  in.read("reward_gain", out.reward_gain);
  in.read("reward_bias", out.reward_bias);
  if (!(out.reward_gain > 0)) in.fail("reward_gain", "a number above 0", *in.find("reward_gain"));
  return out;
}

ModelConfig read_model_config(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    input_error(folder.string(), "expected a model folder with config.json, got {}",
                fs::exists(folder) ? "a file" : "nothing there");
  }
  const std::string source = (folder / "config.json").string();
  return parse_model_config(read_text(source), source);
}

std::vector<int32_t> parse_eos_ids(std::string_view text, int64_t vocab_size,
                                   std::string_view source) {
  const ConfigReader in(text, source);
  std::vector<int32_t> ids;
  const json* found = in.find("eos_token_id");
  if (!found) return ids;
  for (const json& id : found->is_array() ? *found : json::array({*found})) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= uint64_t(vocab_size)) {
      in.fail("eos_token_id", fmt::format("ids below the vocabulary's {}", vocab_size), id);
    }
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

void write_model_config(const fs::path& folder, const ModelConfig& config,
                        const Tokenizer& tokenizer) {
  const Gpt2Config& shape = config.shape;
  nlohmann::ordered_json out{
      {"architectures", {config.scalar ? "GPT2ForSequenceClassification" : "GPT2LMHeadModel"}},
      {"model_type", "gpt2"},
      {"dtype", config.dtype == DType::bf16 ? "bfloat16" : "float32"},
      {"vocab_size", shape.vocab_size},
      {"n_positions", shape.n_positions},
      {"n_embd", shape.n_embd},
      {"n_layer", shape.n_layer},
      {"n_head", shape.n_head},
      {"n_inner", nullptr},
      {"activation_function", "gelu_new"}};
  for (const auto& [key, value] : fixed_keys().items()) out[key] = value;
  out["tie_word_embeddings"] = true;
  out["layer_norm_epsilon"] = shape.layer_norm_epsilon;
  out["embd_pdrop"] = shape.embd_pdrop;
  out["attn_pdrop"] = shape.attn_pdrop;
  out["resid_pdrop"] = shape.resid_pdrop;
  out["initializer_range"] = shape.initializer_range;
  nlohmann::ordered_json generation{{"bos_token_id", tokenizer.eos()},
                                    {"eos_token_id", tokenizer.eos()}};
  // A pad id that GPT-2's own vocabulary lacks has no embedding either: others must not use it.
  if (tokenizer.pad() < shape.vocab_size) generation["pad_token_id"] = tokenizer.pad();
  out.update(generation);
  if (config.scalar) {
    out["id2label"] = {{"0", "reward"}};
    out["label2id"] = {{"reward", 0}};
    out["problem_type"] = "regression";
    out["reward_gain"] = config.reward_gain;
    out["reward_bias"] = config.reward_bias;
  }
  atomic_write(folder / "config.json", out.dump(2) + "\n");
  atomic_write(folder / "generation_config.json", generation.dump(2) + "\n");
}

}  // namespace rlhf
