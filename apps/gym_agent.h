// What `rlhf gym` asks of a reinforcement-learning algorithm. One of these behind an entry in
// gym_algorithms.cpp is all that a new algorithm needs: flags, training, resuming, saving,
// evaluation and report follow.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/flags.h"
#include "core/safetensors.h"
#include "rl/checkpoints.h"
#include "rl/classical/controller.h"
#include "rl/classical/run.h"

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
  virtual classical::RunResult train(const OnStep& on_step, Checkpoints checkpoints) = 0;
  /// What was learnt, to save and to load: handles, not copies.
  virtual std::vector<NamedTensor> tensors() = 0;
  /// What it does once it has learnt, without exploration. It reads the agent, which must stay.
  virtual classical::Act policy() = 0;
  /// The same as a machine over the states of a tabular environment, where the agent is one;
  /// without it, the policy's action in each state is.
  virtual const classical::Controller* controller() { return nullptr; }
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
std::vector<GymAlgorithm> q_network_gym_algorithms();
std::vector<GymAlgorithm> policy_gradient_gym_algorithms();

/// The environment as one whose dynamics are a table; null for others.
TabularEnvironment* tabular_environment(const AnyEnvironment& environment);

}  // namespace rlhf
