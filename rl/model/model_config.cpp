#include "rl/model/model_config.h"

#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "data/text_file.h"
#include "rl/model/config_reader.h"

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

void check_kind(const ConfigReader& in) {
  const json* type = in.find("model_type");
  if (type && *type != "gpt2") in.fail("model_type", "\"gpt2\"", *type);
  for (const auto& [key, value] : fixed_keys().items()) {
    const json* found = in.find(key.c_str());
    if (found && *found != value) {
      in.fail(key.c_str(), fmt::format("{} (no other is supported)", value.dump()), *found);
    }
  }
  for (const char* key : foreign_keys) {
    const json* found = in.find(key);
    if (found && !found->empty()) in.fail(key, "nothing (it is not supported)", *found);
  }
  // Two names of one function: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
  const json* activation = in.find("activation_function");
  if (activation && *activation != "gelu_new" && *activation != "gelu_pytorch_tanh") {
    in.fail("activation_function", "\"gelu_new\" (no other is supported)", *activation);
  }
}

/// Whether it is a reward model.
bool is_scalar(const ConfigReader& in) {
  const json* list = in.find("architectures");
  if (!list) return false;
  if (!list->is_array() || list->size() != 1 || !list->front().is_string()) {
    in.fail("architectures", "a list of one name", *list);
  }
  const json& name = list->front();
  if (name == "GPT2ForSequenceClassification") return true;
  if (name == "GPT2LMHeadModel" || name == "GPT2Model") return false;
  in.fail("architectures", "GPT2LMHeadModel or GPT2ForSequenceClassification", name);
}

/// A reward is one number: transformers' default of two labels is a classifier.
void check_labels(const ConfigReader& in) {
  int64_t labels = 1;
  in.read("num_labels", labels);
  if (labels != 1) in.fail("num_labels", "1 (a reward model)", *in.find("num_labels"));
  const json* names = in.find("id2label");
  if (names && (!names->is_object() || names->size() != 1)) {
    in.fail("id2label", "one label (a reward model)", *names);
  }
}

}  // namespace

ModelConfig parse_model_config(std::string_view text, std::string_view source) {
  const ConfigReader in(text, source);
  check_kind(in);
  ModelConfig out{.scalar = is_scalar(in)};
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
  check_labels(in);
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
  out["tie_word_embeddings"] = config.tied;
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
