// A thread that keeps comparisons ready: prompts answered by the promoted version, for new pairs,
// and by a candidate and the promoted version, to find out which is better.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
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
  /// Somebody asks for comparisons: some are kept ready that this person has not seen.
  void expect(int64_t person);
  /// Whether it is making an answer now: more comparisons may come soon.
  bool busy() const { return busy_; }
  /// Begins no further answer.
  void end();
  /// end(), and waits for the answer that it is making: drain its engine to have that soon.
  void stop();

 private:
  void work();
  /// @returns whether there was something to do.
  bool make_one();
  bool collect();
  bool compare_candidates();
  /// @returns whether there was a prompt for it.
  bool compare(int64_t candidate);
  /// Comparisons that wait, for the one of those who ask for whom the fewest do.
  int64_t waiting(store::Purpose purpose, std::optional<int64_t> candidate = {});
  /// The next prompt of a query that all policies can read.
  std::optional<store::Prompt> next(store::PromptQuery query, const std::vector<Policy>& who);
  bool can_read(const Policy& policy, const store::Prompt& prompt);
  /// Tokens of an answer at most: prompts keep half of a small context.
  int64_t length_of(const Policy& policy) const;
  /// @throws InputError for a prompt that is too long, or a conversation where the policy has no
  /// template for one.
  Tokens tokens_of(const Policy& policy, const store::Prompt& prompt) const;
  void add(const store::Prompt& prompt, const std::vector<Policy>& who, store::Purpose purpose,
           std::optional<int64_t> candidate);
  /// @throws Error when the policy or the server ends.
  store::NewAnswer answer_of(const Policy& policy, engine::Job job) const;

  store::Store& store_;
  Policies& policies_;
  const ComparisonSettings settings_;
  const Complain complain_;
  std::map<int64_t, std::set<int64_t>> unreadable_;  ///< by version: prompts, as far as was seen
  /// Candidates that failed, because of their files, their size or their numbers, and when to try
  /// them again.
  std::map<int64_t, std::chrono::steady_clock::time_point> resting_;
  std::atomic<bool> busy_ = false, ending_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::map<int64_t, std::chrono::steady_clock::time_point> asked_;  ///< who, and when last
  std::thread thread_;
};

}  // namespace rlhf::serve
