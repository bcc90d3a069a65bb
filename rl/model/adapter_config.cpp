#include "rl/model/adapter_config.h"

#include "core/atomic_file.h"
#include "data/text_file.h"
#include "rl/model/config_reader.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// What makes another adapter of it: other layers, other ranks, other formulas. PEFT writes all of
// them as null, false or empty when they are not used.
constexpr const char* foreign_keys[] = {"alora_invocation_tokens",
                                        "alpha_pattern",
                                        "arrow_config",
                                        "exclude_modules",
                                        "kasa_config",
                                        "layer_replication",
                                        "monteclora_config",
                                        "velora_config",
                                        "layers_to_transform",
                                        "lora_bias",
                                        "rank_pattern",
                                        "target_parameters",
                                        "trainable_token_indices",
                                        "use_bdlora",
                                        "use_dora",
                                        "use_qalora"};

// Initialisations that change the base's weights, too: the adapter is of a base that is no file.
constexpr const char* foreign_initialisations[] = {"pissa", "olora", "corda", "loftq", "lora_ga"};

std::string text_of(const ConfigReader& in, const char* key) {
  const json* found = in.find(key);
  if (!found) return {};
  if (!found->is_string()) in.fail(key, "a text", *found);
  return found->get<std::string>();
}

void check_kind(const ConfigReader& in) {
  const json* type = in.find("peft_type");
  if (!type || *type != "LORA") {
    in.fail("peft_type", "\"LORA\" (no other is supported)", type ? *type : json());
  }
  for (const char* key : foreign_keys) {
    const json* found = in.find(key);
    if (found && *found != false && !found->empty()) {
      in.fail(key, "nothing (it is not supported)", *found);
    }
  }
  const json* bias = in.find("bias");
  if (bias && *bias != "none") in.fail("bias", "\"none\" (no other is supported)", *bias);
  const json* start = in.find("init_lora_weights");
  if (start && start->is_string()) {
    const std::string kind = start->get<std::string>();
    for (const char* foreign : foreign_initialisations) {
      if (kind.starts_with(foreign)) {
        in.fail("init_lora_weights", "one that leaves the base's weights as they are", *start);
      }
    }
  }
}

bool is_scalar(const ConfigReader& in) {
  const json* task = in.find("task_type");
  if (!task || *task == "CAUSAL_LM") return false;
  if (*task == "SEQ_CLS") return true;
  in.fail("task_type", "\"CAUSAL_LM\" or \"SEQ_CLS\"", *task);
}

/// Beside the adapters a file may hold the head of a reward model, which PEFT calls by two names,
/// taking the one that the model has; or a language model's own, of which this says whether. Tied
/// to the embedding it would be two modules of one memory, which PEFT has both in the file.
bool saves_head(const ConfigReader& in, bool scalar) {
  const json* saved = in.find("modules_to_save");
  if (!saved || saved->empty()) return false;
  bool known = saved->is_array();
  for (const json& name : *saved) {
    known = known && (scalar ? name == "score" || name == "classifier" : name == "lm_head");
  }
  if (!known) {
    in.fail("modules_to_save",
            scalar ? "[\"score\"] (no other is supported)"
                   : "null or [\"lm_head\"] (no other is supported)",
            *saved);
  }
  bool tied = false;
  in.read("ensure_weight_tying", tied);
  if (tied && !scalar) in.fail("ensure_weight_tying", "false beside \"lm_head\"", tied);
  return !scalar;
}

std::vector<std::string> read_targets(const ConfigReader& in) {
  const json* found = in.find("target_modules");
  if (found && *found == "all-linear") return LoraConfig{}.target_modules;
  std::vector<std::string> targets;
  const bool listed = found && found->is_array() && !found->empty();
  for (const json& name : listed ? *found : json::array()) {
    if (name.is_string()) targets.push_back(name.get<std::string>());
  }
  if (!listed || targets.size() != found->size()) {
    in.fail("target_modules", "a list of names of layers", found ? *found : json());
  }
  return targets;
}

}  // namespace

AdapterConfig parse_adapter_config(std::string_view text, std::string_view source) {
  const ConfigReader in(text, source);
  check_kind(in);
  AdapterConfig out{.lora = {.r = 8, .alpha = 8, .dropout = 0}, .scalar = is_scalar(in)};
  LoraConfig& lora = out.lora;
  lora.trains_head = saves_head(in, out.scalar);
  in.read("r", lora.r);
  in.read("lora_alpha", lora.alpha);
  in.read("lora_dropout", lora.dropout);
  in.read("use_rslora", lora.use_rslora);
  lora.target_modules = read_targets(in);
  lora.base_model_name_or_path = text_of(in, "base_model_name_or_path");
  validate(lora, source);
  if (!out.scalar) return out;
  in.read("reward_gain", out.reward_gain);
  in.read("reward_bias", out.reward_bias);
  if (!(out.reward_gain > 0)) in.fail("reward_gain", "a number above 0", *in.find("reward_gain"));
  return out;
}

AdapterConfig read_adapter_config(const fs::path& folder) {
  const std::string source = (folder / "adapter_config.json").string();
  return parse_adapter_config(read_text(source), source);
}

void write_adapter_config(const fs::path& folder, const AdapterConfig& config) {
  const LoraConfig& lora = config.lora;
  nlohmann::ordered_json out{{"peft_type", "LORA"},
                             {"task_type", config.scalar ? "SEQ_CLS" : "CAUSAL_LM"},
                             {"base_model_name_or_path", lora.base_model_name_or_path},
                             {"r", lora.r},
                             {"lora_alpha", lora.alpha},
                             {"lora_dropout", lora.dropout},
                             {"use_rslora", lora.use_rslora},
                             {"target_modules", lora.target_modules},
                             // GPT-2's weights are stored (in, out).
                             {"fan_in_fan_out", true},
                             {"bias", "none"},
                             {"modules_to_save", nullptr},
                             {"init_lora_weights", true},
                             {"inference_mode", true}};
  if (lora.alpha == std::floor(lora.alpha) && lora.alpha < 1e15) {
    out["lora_alpha"] = int64_t(lora.alpha);  // what PEFT declares it to be
  }
  if (config.scalar) out["modules_to_save"] = {"score"};
  if (lora.trains_head) out["modules_to_save"] = {"lm_head"};
  // PEFT knows neither and says so: only where they matter.
  if (config.reward_gain != 1) out["reward_gain"] = config.reward_gain;
  if (config.reward_bias != 0) out["reward_bias"] = config.reward_bias;
  atomic_write(folder / "adapter_config.json", out.dump(2) + "\n");
}

}  // namespace rlhf
