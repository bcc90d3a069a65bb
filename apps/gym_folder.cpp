#include "apps/gym_folder.h"

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/json.h"
#include "core/unicode.h"
#include "data/text_file.h"

namespace rlhf {
namespace {

const nlohmann::json& member(const nlohmann::json& config, const char* name,
                             std::string_view source) {
  if (!config.is_object() || !config.contains(name)) {
    input_error(source, "expected an agent of rlhf gym with \"{}\", got none", name);
  }
  return config[name];
}

const nlohmann::json& object(const nlohmann::json& config, const char* name,
                             std::string_view source) {
  const nlohmann::json& value = member(config, name, source);
  if (!value.is_object()) {
    input_error(source, "expected an object as \"{}\", got {}", name, json_kind(value));
  }
  return value;
}

std::string string(const nlohmann::json& value, std::string_view name, std::string_view source) {
  if (!value.is_string()) {
    input_error(source, "expected a string as {}, got {}", quote(name), json_kind(value));
  }
  return value.get<std::string>();
}

}  // namespace

nlohmann::ordered_json GymConfig::json() const {
  nlohmann::ordered_json options = nlohmann::ordered_json::object();
  for (const auto& [name, value] : env_options) options[name] = value;
  return {{"algo", algo},
          {"env", env},
          {"env_options", options},
          {"seed", seed},
          {"hyperparameters", hyperparameters}};
}

void save_gym_agent(const std::filesystem::path& folder, const GymConfig& config,
                    const std::vector<NamedTensor>& tensors) {
  StagedFolder staged(folder);
  write_safetensors(staged.path() / "model.safetensors", tensors);
  atomic_write(staged.path() / "config.json", config.json().dump(2) + "\n");
  staged.commit();
}

GymConfig parse_gym_config(std::string_view text, std::string_view source) {
  const nlohmann::json json = parse_json(text, source);
  GymConfig config;
  config.algo = string(member(json, "algo", source), "algo", source);
  config.env = string(member(json, "env", source), "env", source);
  for (const auto& [name, value] : object(json, "env_options", source).items()) {
    config.env_options[name] = string(value, name, source);
  }
  const nlohmann::json& seed = member(json, "seed", source);
  if (!seed.is_number_unsigned()) {
    input_error(source, "expected a whole number as \"seed\", got {}", json_kind(seed));
  }
  config.seed = seed.get<uint64_t>();
  config.hyperparameters = object(json, "hyperparameters", source);
  return config;
}

GymConfig read_gym_config(const std::filesystem::path& folder) {
  const std::string source = (folder / "config.json").string();
  return parse_gym_config(read_text(source), source);
}

void load_gym_tensors(const std::filesystem::path& folder,
                      const std::vector<NamedTensor>& tensors) {
  const std::filesystem::path path = folder / "model.safetensors";
  const std::map<std::string, Tensor> saved = read_safetensors(path);
  for (const NamedTensor& wanted : tensors) {
    const auto found = saved.find(wanted.name);
    if (found == saved.end()) {
      input_error(path.string(), "expected a tensor \"{}\", got none", wanted.name);
    }
    const Tensor& got = found->second;
    if (got.shape() != wanted.tensor.shape() || got.dtype() != wanted.tensor.dtype()) {
      input_error(path.string(), "expected \"{}\" of shape {}, got {}", wanted.name,
                  wanted.tensor.shape().text(), got.shape().text());
    }
    wanted.tensor.copy_from(got);
  }
}

}  // namespace rlhf
