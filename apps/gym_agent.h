// What `rlhf gym` asks of a reinforcement-learning algorithm. One of these behind an entry in
// gym_algorithms.cpp is all that a new algorithm needs: flags, training, resuming, saving,
// evaluation and report follow.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/flags.h"
#include "core/safetensors.h"
#include "rl/checkpoints.h"
#include "rl/classical/controller.h"
#include "rl/env/any_environment.h"
#include "rl/env/vector_environment.h"
#include "rl/trainer.h"

namespace rlhf {

/// An algorithm's hyper-parameters and what it learns.
class GymAgent {
 public:
  virtual ~GymAgent() = default;

  /// Binds the hyper-parameters, whose present values are the algorithm's own defaults.
  virtual void declare(Flags& flags) = 0;
  /// Makes an untrained agent for an environment. @throws InputError for hyper-parameters that do
  /// not go together.
  virtual void prepare(const MakeEnvironment& make, uint64_t seed) = 0;
  /// Learns. @returns what summary.json is to say of it.
  virtual nlohmann::ordered_json train(const OnStep& on_step, Checkpoints checkpoints) = 0;
  /// What was learnt, to save and to load: handles, not copies.
  virtual std::vector<NamedTensor> tensors() = 0;
  /// Whole episodes without exploration, drawn from `seed`.
  virtual std::vector<FinishedEpisode> play(int64_t episodes, uint64_t seed) = 0;
  /// The same policy as a machine for the states of a tabular environment, to draw and to evaluate
  /// exactly; none elsewhere.
  virtual std::optional<classical::Controller> controller() { return std::nullopt; }
};

struct GymAlgorithm {
  std::string name;          ///< as typed after --algo
  std::string environments;  ///< what it learns in: "numbered states"
  std::function<bool(const AnyEnvironment&)> fits;
  std::function<std::unique_ptr<GymAgent>()> make;
};

/// All of them, in the order of --help.
const std::vector<GymAlgorithm>& gym_algorithms();

/// @throws InputError naming the nearest and all there are.
const GymAlgorithm& find_gym_algorithm(const std::string& name);

/// @throws InputError unless the algorithm can learn in this environment, naming those that can.
void check_fits(const GymAlgorithm& algorithm, const AnyEnvironment& environment);

// The entries, a family a file.
std::vector<GymAlgorithm> tabular_gym_algorithms();

/// The environment as one whose dynamics are a table; null for others.
TabularEnvironment* tabular_environment(const AnyEnvironment& environment);

}  // namespace rlhf
