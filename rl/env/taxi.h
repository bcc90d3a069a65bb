// Taxi: fetch a passenger from one of four places and bring them to another (Dietterich 2000,
// "Hierarchical reinforcement learning with the MAXQ value function decomposition"), with the table
// of Gymnasium's.
#pragma once

#include "rl/env/tabular_environment.h"

namespace rlhf {

struct TaxiConfig {
  std::string id = "Taxi-v3";
  /// A move goes where it should with `rainy_probability`, else to the left or to the right of it.
  bool is_rainy = false;
  double rainy_probability = 0.8;
  /// In an episode of `fickle_probability` the passenger changes the destination once, as the taxi
  /// first moves with them.
  bool fickle_passenger = false;
  double fickle_probability = 0.3;
};

/// State: ((row * 5 + column) * 5 + passenger) * 4 + destination; places 0 .. 3 are red, green,
/// yellow and blue, passenger 4 is in the taxi. Actions: south, north, east, west, pick up, put
/// down. Reward -1 a step, 20 for putting the passenger down at the destination, -10 for picking up
/// or putting down where that cannot be. Ends with the delivery.
class Taxi : public TabularEnvironment {
 public:
  struct Situation {
    int64_t row = 0, column = 0, passenger = 0, destination = 0;
  };
  static Situation decode(int64_t state);
  static int64_t encode(const Situation& situation);

  /// @throws InputError for probabilities outside of [0, 1].
  explicit Taxi(const TaxiConfig& config = {});
  std::vector<uint8_t> action_mask() const override;
  std::vector<std::string> action_names() const override {
    return {"south", "north", "east", "west", "pick up", "put down"};
  }
  /// Where the taxi is and who is in it, and whether the passenger has yet to change their mind.
  std::vector<double> state() const override { return {double(state_), double(fickle_)}; }
  void set_state(std::span<const double> state) override;

 protected:
  int64_t begin(EnvironmentRandom& random) override;
  Transition<int64_t> advance(int64_t action, EnvironmentRandom& random) override;

 private:
  bool fickle_passenger_;
  double fickle_probability_;
  bool fickle_ = false;
};

}  // namespace rlhf
