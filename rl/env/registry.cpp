#include "rl/env/registry.h"

#include <fmt/ranges.h>

#include <map>

#include "core/nearest.h"
#include "rl/env/acrobot.h"
#include "rl/env/bit_flip.h"
#include "rl/env/cart_pole.h"
#include "rl/env/cliff_walking.h"
#include "rl/env/frozen_lake.h"
#include "rl/env/mountain_car.h"
#include "rl/env/taxi.h"

namespace rlhf {
namespace {

using Maker = AnyEnvironment (*)(OptionReader&);
using VectorObservations = std::unique_ptr<Environment<std::vector<float>>>;

template <class E>
AnyEnvironment without_options(OptionReader&) {
  return VectorObservations(std::make_unique<E>());
}

AnyEnvironment bit_flip(OptionReader& options) {
  const int64_t bits = options.integer("n_bits", 10, 1);
  return std::make_unique<BitFlip>(bits, options.integer("max_steps", bits, 1));
}

AnyEnvironment mountain_car(OptionReader& options) {
  return VectorObservations(std::make_unique<MountainCar>(options.number("goal_velocity", 0)));
}

AnyEnvironment cliff_walking_v0(OptionReader& options) {
  return std::make_unique<CliffWalking>(CliffWalkingConfig{.id = options.id()});
}

AnyEnvironment cliff_walking_v1(bool is_slippery, OptionReader& options) {
  is_slippery = options.boolean("is_slippery", is_slippery);
  return std::make_unique<CliffWalking>(CliffWalkingConfig{options.id(), is_slippery});
}

AnyEnvironment frozen_lake(FrozenLakeConfig config, OptionReader& options) {
  config.map_name = options.text("map_name", config.map_name);
  std::string row;
  for (const char letter : options.text("desc", "") + "/") {
    if (letter != '/' && letter != ',') {
      row += letter;
    } else if (!row.empty()) {
      config.desc.push_back(std::exchange(row, ""));
    }
  }
  config.is_slippery = options.boolean("is_slippery", config.is_slippery);
  config.success_rate = options.number("success_rate", config.success_rate);
  config.reward_schedule = options.numbers("reward_schedule", config.reward_schedule);
  return std::make_unique<FrozenLake>(config);
}

AnyEnvironment taxi_v4(OptionReader& options) {
  TaxiConfig config{.id = options.id()};
  config.is_rainy = options.boolean("is_rainy", config.is_rainy);
  config.rainy_probability = options.number("rainy_probability", config.rainy_probability);
  config.fickle_passenger = options.boolean("fickle_passenger", config.fickle_passenger);
  config.fickle_probability = options.number("fickle_probability", config.fickle_probability);
  return std::make_unique<Taxi>(config);
}

AnyEnvironment taxi_v3(OptionReader& options) {
  return std::make_unique<Taxi>(TaxiConfig{.id = options.id()});
}

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> table{
      {"Acrobot-v1", without_options<Acrobot>},
      {"BitFlip-v0", bit_flip},
      {"CartPole-v1", without_options<CartPole>},
      {"CliffWalking-v0", cliff_walking_v0},
      {"CliffWalking-v1", [](OptionReader& o) { return cliff_walking_v1(false, o); }},
      {"CliffWalkingSlippery-v1", [](OptionReader& o) { return cliff_walking_v1(true, o); }},
      {"FrozenLake-v1", [](OptionReader& o) { return frozen_lake({}, o); }},
      {"FrozenLake8x8-v1", [](OptionReader& o) { return frozen_lake(frozen_lake_8x8(), o); }},
      {"MountainCar-v0", mountain_car},
      {"Taxi-v3", taxi_v3},
      {"Taxi-v4", taxi_v4},
  };
  return table;
}

}  // namespace

std::vector<std::string> environment_ids() {
  std::vector<std::string> ids;
  for (const auto& [id, maker] : makers()) ids.push_back(id);
  return ids;
}

AnyEnvironment make_environment(const std::string& id, const EnvironmentOptions& options) {
  const auto maker = makers().find(id);
  if (maker == makers().end()) {
    const std::string nearest = nearest_word(id, environment_ids());
    input_error("environment", "expected one of {}, got \"{}\"{}",
                fmt::join(environment_ids(), ", "), id,
                nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest));
  }
  OptionReader reader(id, options);
  AnyEnvironment environment = maker->second(reader);
  const int64_t limit = spec_of(environment).max_episode_steps;
  const int64_t asked = reader.integer("max_episode_steps", limit, 0);
  std::visit([&](auto& e) { e->set_max_episode_steps(asked); }, environment);
  reader.finish();
  return environment;
}

}  // namespace rlhf
