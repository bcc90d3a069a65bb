#include "rl/env/vector_environment.h"

#include <algorithm>

namespace rlhf {
namespace {

/// Reads a list of numbers from front to back.
class NumberReader {
 public:
  explicit NumberReader(std::span<const double> numbers) : rest_(numbers) {}
  double next() { return take(1)[0]; }
  uint64_t next_word() {
    const double high = next();
    return uint64_t(high) << 32 | uint64_t(next());
  }
  std::span<const double> take(size_t count) {
    check(count <= rest_.size(), "environments", "expected {} more numbers of a state, got {}",
          count, rest_.size());
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  size_t left() const { return rest_.size(); }

 private:
  std::span<const double> rest_;
};

// A double holds every word of 32 bits, but not every one of 64.
void append_word(std::vector<double>& numbers, uint64_t word) {
  numbers.push_back(double(word >> 32));
  numbers.push_back(double(word & 0xffffffff));
}

}  // namespace

uint64_t copy_seed(uint64_t seed, int64_t copy) {
  // Environments draw at sites that count up from 0.
  constexpr uint32_t site = 0x0fffffff;
  const PhiloxWords w = random_words(seed, RandomStream::environment, site, 0, uint64_t(copy));
  return uint64_t(w[0]) << 32 | w[1];
}

VectorEnvironment::VectorEnvironment(const MakeEnvironment& make, int64_t copies, uint64_t seed)
    : seed_(seed) {
  check(copies > 0, "environments", "expected at least 1 copy, got {}", copies);
  for (int64_t i = 0; i < copies; i++) copies_.push_back(make());
  size_ = flat_size(spec().observation_space);
  const size_t n = copies_.size(), floats = n * size_t(size_);
  observations_.resize(floats);
  final_observations_.resize(floats);
  rewards_.resize(n);
  terminated_.resize(n);
  truncated_.resize(n);
  returns_.resize(n);
  finished_.reserve(n);
  reset();
}

std::span<float> VectorEnvironment::row(std::vector<float>& rows, size_t i) const {
  return std::span(rows).subspan(i * size_t(size_), size_t(size_));
}

void VectorEnvironment::reset() {
  for (size_t i = 0; i < copies_.size(); i++) {
    const uint64_t seed = copy_seed(seed_, int64_t(i));
    std::visit([&](auto& e) { flatten(e->reset(seed), row(observations_, i)); }, copies_[i]);
  }
  std::fill(rewards_.begin(), rewards_.end(), 0.0f);
  std::fill(terminated_.begin(), terminated_.end(), 0);
  std::fill(truncated_.begin(), truncated_.end(), 0);
  std::fill(returns_.begin(), returns_.end(), 0.0);
  finished_.clear();
}

template <class AnEnvironment>
void VectorEnvironment::step_copy(AnEnvironment& environment, size_t i, int64_t action) {
  const auto result = environment.step(action);
  rewards_[i] = float(result.reward);
  terminated_[i] = result.terminated;
  truncated_[i] = result.truncated;
  returns_[i] += result.reward;
  if (!result.done()) {
    flatten(result.observation, row(observations_, i));
    return;
  }
  flatten(result.observation, row(final_observations_, i));
  finished_.push_back({int64_t(i), returns_[i], environment.elapsed(), result.terminated});
  returns_[i] = 0;
  flatten(environment.reset(), row(observations_, i));
}

void VectorEnvironment::step(std::span<const int64_t> actions) {
  check(actions.size() == copies_.size(), spec().id, "expected {} actions, got {}", copies_.size(),
        actions.size());
  finished_.clear();
  for (size_t i = 0; i < copies_.size(); i++) {
    std::visit([&](auto& e) { step_copy(*e, i, actions[i]); }, copies_[i]);
  }
}

std::vector<double> VectorEnvironment::save() const {
  std::vector<double> numbers;
  for (size_t i = 0; i < copies_.size(); i++) {
    std::visit(
        [&](const auto& e) {
          const auto saved = e->save();
          append_word(numbers, saved.seed);
          append_word(numbers, saved.episode);
          append_word(numbers, saved.step);
          numbers.push_back(saved.running);
          numbers.push_back(double(saved.state.size()));
          numbers.insert(numbers.end(), saved.state.begin(), saved.state.end());
        },
        copies_[i]);
    numbers.push_back(returns_[i]);
  }
  numbers.insert(numbers.end(), observations_.begin(), observations_.end());
  return numbers;
}

void VectorEnvironment::restore(std::span<const double> saved) {
  NumberReader numbers(saved);
  for (size_t i = 0; i < copies_.size(); i++) {
    std::visit(
        [&](auto& e) {
          auto state = e->save();
          state.seed = numbers.next_word();
          state.episode = numbers.next_word();
          state.step = numbers.next_word();
          state.running = numbers.next() != 0;
          const auto values = numbers.take(size_t(numbers.next()));
          state.state.assign(values.begin(), values.end());
          e->restore(state);
        },
        copies_[i]);
    returns_[i] = numbers.next();
  }
  const auto observations = numbers.take(observations_.size());
  std::copy(observations.begin(), observations.end(), observations_.begin());
  check(numbers.left() == 0, spec().id, "expected {} numbers of a state, got {}",
        saved.size() - numbers.left(), saved.size());
  finished_.clear();
}

}  // namespace rlhf
