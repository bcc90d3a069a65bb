// config.json of an agent from strangers: each case is refused with words that name the key, from
// bytes in memory; what we write is read as it was.
#include "apps/gym_folder.h"
#include "tests/malformed.h"

namespace rlhf {
namespace {

using nlohmann::json;

GymConfig agent() {
  return {.algo = "dqn",
          .env = "CartPole-v1",
          .env_options = {{"is_slippery", "false"}},
          .seed = ~uint64_t{0},
          .hyperparameters = {{"gamma", 0.99}, {"hidden", "64,64"}}};
}

std::string with(const std::string& key, const json& value) {
  json config = agent().json();
  config[key] = value;
  return config.dump();
}
std::string without_key(const std::string& key) {
  json config = agent().json();
  config.erase(key);
  return config.dump();
}

std::vector<Malformed> configs() {
  const std::string lacks = "expected an agent of rlhf gym with ";
  return {
      {"nothing", "", "expected JSON"},
      {"a list", "[1]", lacks + "\"algo\", got none"},
      {"empty", "{}", lacks + "\"algo\", got none"},
      {"cut", agent().json().dump().substr(0, 40), "expected JSON"},
      {"a key twice", R"({"algo": "dqn", "algo": "ppo"})", "\"algo\" twice"},
      {"algorithm as number", with("algo", 3), "a string as \"algo\", got a number"},
      {"no environment", without_key("env"), lacks + "\"env\", got none"},
      {"environment as list", with("env", {"a"}), "a string as \"env\", got a list"},
      {"no options", without_key("env_options"), lacks + "\"env_options\", got none"},
      {"options as number", with("env_options", 3), "an object as \"env_options\", got a number"},
      {"an option as number", with("env_options", {{"n_bits", 5}}),
       "a string as \"n_bits\", got a number"},
      {"an option that steers", with("env_options", {{"\x1b[2J", 5}}), "a string as "},
      {"a long option", with("env_options", {{std::string(100000, 'x'), 5}}), "a string as \"xxx"},
      {"no seed", without_key("seed"), lacks + "\"seed\", got none"},
      {"a seed below 0", with("seed", -1), "a whole number as \"seed\", got a number"},
      {"a fractional seed", with("seed", 1.5), "a whole number as \"seed\", got a number"},
      {"a seed as text", with("seed", "1"), "a whole number as \"seed\", got a string"},
      {"no hyper-parameters", without_key("hyperparameters"), lacks + "\"hyperparameters\""},
      {"hyper-parameters as list", with("hyperparameters", json::array()),
       "an object as \"hyperparameters\", got a list"},
  };
}

TEST(MalformedGymConfig, IsRefused) {
  expect_refused(configs(), [](const std::string& text) { parse_gym_config(text, "file"); });
}

TEST(GymConfig, IsReadAsItWasWritten) {
  EXPECT_EQ(parse_gym_config(agent().json().dump(), "file").json(), agent().json());
}

}  // namespace
}  // namespace rlhf
