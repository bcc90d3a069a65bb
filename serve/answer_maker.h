// A thread that keeps comparisons ready: prompts answered by the promoted version, for new pairs,
// and by a candidate and the promoted version, to find out which is better.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "serve/policies.h"
#include "serve/store/comparisons.h"

namespace rlhf::serve {

struct ComparisonSettings {
  int answers = 2;          ///< of a comparison, 2 to 8
  int64_t max_tokens = 64;  ///< of an answer
  double temperature = 1;
  double top_p = 1;
  int64_t ahead = 8;             ///< comparisons that wait for somebody
  double doubled = 0.1;          ///< share that two people judge
  int64_t candidate_votes = 50;  ///< comparisons of a candidate at most
  uint64_t seed = 1;             ///< of all answers
};

class AnswerMaker {
 public:
  using Complain = std::function<void(const std::string& line)>;

  AnswerMaker(store::Store& store, Policies& policies, ComparisonSettings settings,
              Complain complain);
  ~AnswerMaker();

  /// Something has changed (prompts, votes, versions): look again.
  void wake();
  /// Whether it is making an answer now: more comparisons may come soon.
  bool busy() const { return busy_; }
  /// Ends after the comparison that it is making.
  void stop();

 private:
  void work();
  /// @returns whether there was something to do.
  bool make_one();
  bool collect();
  bool compare_candidates();
  /// The next prompt of a query that the policy can read.
  std::optional<store::Prompt> next(store::PromptQuery query, const Policy& policy);
  /// Nothing for a version whose files are not there, or not what they were.
  std::optional<Policy> loaded(int64_t version);
  /// Tokens of an answer at most: prompts keep half of a small context.
  int64_t length_of(const Policy& policy) const;
  /// @throws InputError for a prompt that is too long, or a conversation where the policy has no
  /// template for one.
  Tokens tokens_of(const Policy& policy, const store::Prompt& prompt) const;
  void add(const store::Prompt& prompt, const std::vector<Policy>& who, store::Purpose purpose,
           std::optional<int64_t> candidate);

  store::Store& store_;
  Policies& policies_;
  const ComparisonSettings settings_;
  const Complain complain_;
  std::set<int64_t> unusable_;  ///< prompts that the policy cannot read, as far as was seen
  std::set<int64_t> broken_;    ///< versions that could not be loaded
  std::atomic<bool> busy_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace rlhf::serve
