// The hyper-parameters of every algorithm as flags of one command. A flag that is not typed means
// the algorithm's own default, and one that the chosen algorithm does not have is refused, so the
// flags hold text until the algorithm is known; the algorithm's own table of flags then reads it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/gym_agent.h"

namespace rlhf {

class GymHyperparameters {
 public:
  /// Declares the union over all algorithms; --help shows who has which with which default.
  void declare(Flags& flags);

  /// Sets what was typed. @throws InputError for a flag that this algorithm does not have, or for a
  /// value that it does not take.
  void apply(const GymAlgorithm& algorithm, GymAgent& agent) const;

  /// @throws InputError naming the first that was typed: a trained agent has those it learnt by.
  void refuse() const;

  /// In place of what was typed, the values that an agent has, and nothing for flags that it has
  /// not: what run_config.json is to keep.
  void resolve(GymAgent& agent, nlohmann::ordered_json& flags) const;

 private:
  std::map<std::string, std::string> typed_;
};

/// An agent's hyper-parameters with their values.
nlohmann::ordered_json hyperparameters_of(GymAgent& agent);

/// Sets an agent's hyper-parameters to saved ones. @throws InputError naming `source` for one that
/// it does not have.
void set_hyperparameters(GymAgent& agent, const nlohmann::ordered_json& values,
                         const std::string& source);

}  // namespace rlhf
