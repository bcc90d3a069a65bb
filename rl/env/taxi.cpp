#include "rl/env/taxi.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace rlhf {
namespace {

constexpr int64_t kInTaxi = 4;
constexpr int64_t kSouth = 0, kNorth = 1, kEast = 2, kWest = 3, kPickUp = 4, kPutDown = 5;
constexpr std::array<std::array<int64_t, 2>, 4> kMoves{{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}};
constexpr std::array<std::array<int64_t, 2>, 4> kPlaces{{{0, 0}, {0, 4}, {4, 0}, {4, 3}}};
// What lies to the east of each cell: '|' is a wall.
constexpr std::array<std::string_view, 5> kEastOf{" |  |", " |  |", "    |", "| | |", "| | |"};

using Situation = Taxi::Situation;

bool is_open(const Situation& s, int64_t direction) {
  switch (direction) {
    case kSouth:
      return s.row < 4;
    case kNorth:
      return s.row > 0;
    case kEast:
      return kEastOf[size_t(s.row)][size_t(s.column)] == ' ';
    default:
      return s.column > 0 && kEastOf[size_t(s.row)][size_t(s.column - 1)] == ' ';
  }
}

Situation moved(Situation s, int64_t direction) {
  if (!is_open(s, direction)) return s;
  s.row += kMoves[size_t(direction)][0];
  s.column += kMoves[size_t(direction)][1];
  return s;
}

// The number of the place where the taxi stands, or 4.
int64_t place_of(const Situation& s) {
  const std::array<int64_t, 2> here{s.row, s.column};
  return std::find(kPlaces.begin(), kPlaces.end(), here) - kPlaces.begin();
}

std::vector<Outcome> drive(const Situation& s, int64_t direction, const TaxiConfig& config) {
  const auto to = [&](int64_t where, double probability) {
    return Outcome{probability, Taxi::encode(moved(s, where)), -1, false};
  };
  if (!config.is_rainy) return {to(direction, 1)};
  constexpr std::array<int64_t, 4> left{kEast, kWest, kNorth, kSouth};
  constexpr std::array<int64_t, 4> right{kWest, kEast, kSouth, kNorth};
  const double beside = (1 - config.rainy_probability) / 2;
  // Whoever cannot go ahead does not slip aside either.
  const bool ahead = is_open(s, direction);
  return {to(direction, config.rainy_probability),
          to(ahead ? left[size_t(direction)] : direction, beside),
          to(ahead ? right[size_t(direction)] : direction, beside)};
}

Outcome pick_up(Situation s) {
  if (s.passenger == kInTaxi || place_of(s) != s.passenger) return {1, Taxi::encode(s), -10, false};
  s.passenger = kInTaxi;
  return {1, Taxi::encode(s), -1, false};
}

Outcome put_down(Situation s) {
  const int64_t place = place_of(s);
  if (s.passenger != kInTaxi || place == 4) return {1, Taxi::encode(s), -10, false};
  s.passenger = place;
  const bool delivered = place == s.destination;
  return {1, Taxi::encode(s), delivered ? 20.0 : -1.0, delivered};
}

void check_probability(const TaxiConfig& config, std::string_view name, double value) {
  if (value >= 0 && value <= 1) return;
  input_error(config.id, "expected a {} from 0 to 1, got {}", name, value);
}

TransitionTable make_table(const TaxiConfig& config) {
  check_probability(config, "rainy_probability", config.rainy_probability);
  check_probability(config, "fickle_probability", config.fickle_probability);
  TransitionTable table(500, 6);
  table.exact = !config.fickle_passenger;
  for (int64_t state = 0; state < table.states; state++) {
    const Situation s = Taxi::decode(state);
    if (s.passenger != kInTaxi && s.passenger != s.destination) {
      table.initial[size_t(state)] = 1.0 / 300;
    }
    for (int64_t direction = kSouth; direction <= kWest; direction++) {
      table.at(state, direction) = drive(s, direction, config);
    }
    table.at(state, kPickUp) = {pick_up(s)};
    table.at(state, kPutDown) = {put_down(s)};
  }
  return table;
}

}  // namespace

Situation Taxi::decode(int64_t state) {
  return {state / 100, state / 20 % 5, state / 4 % 5, state % 4};
}

int64_t Taxi::encode(const Situation& s) {
  return ((s.row * 5 + s.column) * 5 + s.passenger) * 4 + s.destination;
}

Taxi::Taxi(const TaxiConfig& config)
    : TabularEnvironment({.id = config.id, .max_episode_steps = 200, .reward_threshold = 8},
                         make_table(config)),
      fickle_passenger_(config.fickle_passenger),
      fickle_probability_(config.fickle_probability) {}

std::vector<uint8_t> Taxi::action_mask() const {
  const Situation s = decode(state_);
  std::vector<uint8_t> mask;
  for (int64_t direction = kSouth; direction <= kWest; direction++) {
    mask.push_back(is_open(s, direction));
  }
  const int64_t place = place_of(s);
  mask.push_back(s.passenger != kInTaxi && place == s.passenger);
  mask.push_back(s.passenger == kInTaxi && place != 4);
  return mask;
}

int64_t Taxi::begin(EnvironmentRandom& random) {
  TabularEnvironment::begin(random);
  fickle_ = fickle_passenger_ && random.uniform() < fickle_probability_;
  return state_;
}

Transition<int64_t> Taxi::advance(int64_t action, EnvironmentRandom& random) {
  const Situation before = decode(state_);
  Transition<int64_t> result = TabularEnvironment::advance(action, random);
  Situation now = decode(state_);
  const bool drove = now.row != before.row || now.column != before.column;
  if (!fickle_ || before.passenger != kInTaxi || !drove) return result;
  fickle_ = false;
  now.destination = (before.destination + 1 + random.below(3)) % 4;
  result.observation = state_ = encode(now);
  return result;
}

void Taxi::set_state(std::span<const double> state) {
  check(state.size() == 2, spec().id, "expected a state of 2 numbers, got {}", state.size());
  TabularEnvironment::set_state(state.first(1));
  fickle_ = state[1] != 0;
}

}  // namespace rlhf
