#include "rl/classical/replay_buffer.h"

#include <algorithm>
#include <vector>

#include "kernels/philox.h"

namespace rlhf::classical {
namespace {

// `width` numbers of each of the rows.
template <class T = float>
std::vector<T> taken(const Tensor& from, int64_t width, std::span<const int64_t> row) {
  std::vector<T> values(row.size() * size_t(width));
  for (size_t i = 0; i < row.size(); i++) {
    const float* begin = from.data<float>() + row[i] * width;
    std::copy(begin, begin + width, values.begin() + int64_t(i) * width);
  }
  return values;
}

}  // namespace

ReplayBuffer::ReplayBuffer(int64_t capacity, int64_t observation_size)
    : capacity_(capacity),
      observation_(Tensor::zeros({capacity, observation_size}, DType::f32)),
      next_observation_(Tensor::zeros({capacity, observation_size}, DType::f32)),
      action_(Tensor::zeros({capacity}, DType::f32)),
      reward_(Tensor::zeros({capacity}, DType::f32)),
      terminated_(Tensor::zeros({capacity}, DType::f32)) {}

void ReplayBuffer::add(std::span<const float> observation, int64_t action, double reward,
                       std::span<const float> next_observation, bool terminated) {
  const int64_t width = observation_.shape()[1];
  check(int64_t(observation.size()) == width && observation.size() == next_observation.size(),
        "replay", "expected observations of {} numbers, got {} and {}", width, observation.size(),
        next_observation.size());
  std::copy(observation.begin(), observation.end(), observation_.data<float>() + next_ * width);
  std::copy(next_observation.begin(), next_observation.end(),
            next_observation_.data<float>() + next_ * width);
  action_.data<float>()[next_] = float(action);
  reward_.data<float>()[next_] = float(reward);
  terminated_.data<float>()[next_] = terminated;
  next_ = (next_ + 1) % capacity_;
  size_ = std::min(size_ + 1, capacity_);
}

ReplayBatch ReplayBuffer::sample(int64_t count, uint64_t seed, int64_t draw) const {
  std::vector<int64_t> row(static_cast<size_t>(count));
  for (size_t i = 0; i < row.size(); i++) {
    const PhiloxWords words =
        random_words(seed, RandomStream::replay, uint32_t(i), 0, uint64_t(draw));
    row[i] = int64_t(unit_double(words[0], words[1]) * double(size_));
  }
  const int64_t width = observation_.shape()[1];
  return {.observation = Tensor::from(taken(observation_, width, row), {count, width}),
          .next_observation = Tensor::from(taken(next_observation_, width, row), {count, width}),
          .action = Tensor::from(taken<int32_t>(action_, 1, row), {count}),
          .reward = Tensor::from(taken(reward_, 1, row), {count}),
          .terminated = Tensor::from(taken(terminated_, 1, row), {count})};
}

void ReplayBuffer::archive(StateArchive& a) {
  a.number("replay.size", size_);
  a.number("replay.next", next_);
  a.tensor("replay.observation", observation_);
  a.tensor("replay.next_observation", next_observation_);
  a.tensor("replay.action", action_);
  a.tensor("replay.reward", reward_);
  a.tensor("replay.terminated", terminated_);
}

}  // namespace rlhf::classical
