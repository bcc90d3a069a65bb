#include "rl/response_pool.h"

#include <algorithm>
#include <limits>

#include "core/check.h"

namespace rlhf {

int64_t count_learnt_tokens(ResponseSlice responses) {
  int64_t count = 0;
  for (const JudgedResponse* r : responses) count += int64_t(r->response.size());
  return count;
}

std::vector<JudgedResponse> judged_responses(std::span<const Episode> episodes) {
  std::vector<JudgedResponse> responses;
  for (const Episode& e : episodes) {
    responses.push_back({.row = e.row, .response = e.response, .score = e.score});
  }
  return responses;
}

std::vector<int64_t> quantiles_of(std::span<const double> scores, int64_t count) {
  std::vector<double> sorted(scores.begin(), scores.end());
  std::sort(sorted.begin(), sorted.end());
  const int64_t n = int64_t(sorted.size());
  std::vector<int64_t> quantiles;
  for (const double score : scores) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), score);
    const int64_t below = first - sorted.begin(), up_to = last - sorted.begin();
    const int64_t middle = count * (below + up_to) / (2 * n);
    quantiles.push_back(up_to == n ? count - 1 : below == 0 ? 0 : middle);
  }
  return quantiles;
}

void ResponsePool::add(std::span<const JudgedResponse> responses) {
  responses_.insert(responses_.end(), responses.begin(), responses.end());
}

void ResponsePool::sort(int64_t quantiles) {
  std::vector<double> scores;
  for (const JudgedResponse& r : responses_) scores.push_back(r.score);
  const std::vector<int64_t> of_each = quantiles_of(scores, quantiles);
  for (size_t i = 0; i < responses_.size(); i++) responses_[i].condition = of_each[i];
}

double ResponsePool::least_score(int64_t condition) const {
  double least = std::numeric_limits<double>::infinity();
  for (const JudgedResponse& r : responses_) {
    if (r.condition == condition) least = std::min(least, r.score);
  }
  return least;
}

// Checkpoints take tensors of floats, which hold tokens exactly; scores keep all of their digits.
// Conditions follow from scores.
void ResponsePool::archive(StateArchive& a) {
  std::vector<double> rows, lengths, scores;
  std::vector<float> tokens;
  for (const JudgedResponse& r : responses_) {
    rows.push_back(double(r.row));
    lengths.push_back(double(r.response.size()));
    scores.push_back(r.score);
    tokens.insert(tokens.end(), r.response.begin(), r.response.end());
  }
  a.numbers("pool.rows", rows);
  a.numbers("pool.lengths", lengths);
  a.numbers("pool.scores", scores);
  check(rows.size() == lengths.size() && rows.size() == scores.size(), "pool.rows",
        "expected a length and a score for each of {} responses, got {} and {}", rows.size(),
        lengths.size(), scores.size());
  int64_t count = 0;
  for (const double length : lengths) count += int64_t(length);
  if (count == 0) return;
  tokens.resize(size_t(count));
  const Tensor stored = Tensor::from(tokens, {count});
  a.tensor("pool.tokens", stored);

  const std::vector<float> read = stored.to_vector<float>();
  auto next = read.begin();
  responses_.assign(rows.size(), {});
  for (size_t i = 0; i < rows.size(); i++) {
    JudgedResponse& r = responses_[i];
    r.row = int64_t(rows[i]);
    r.score = scores[i];
    for (int64_t t = 0; t < int64_t(lengths[i]); t++) r.response.push_back(int32_t(*next++));
  }
}

}  // namespace rlhf
