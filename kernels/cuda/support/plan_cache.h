// What a library was found to do for a question, remembered: asking takes it milliseconds to half a
// second. No more than some number of answers are kept, those that were wanted last.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace rlhf::gpu {

/// From questions, which have an order, to plans; "there is none" is an answer, too. Any thread may
/// ask. A plan lives as long as somebody holds it.
template <class Question, class Plan>
class PlanCache {
 public:
  explicit PlanCache(size_t most) : most_(most) {}

  /// The answer to a question, null for none; ask() -> std::optional<Plan> is called for a new one.
  /// `keep`: for good, as what a recorded graph will go on using.
  template <class Ask>
  std::shared_ptr<const Plan> find(const Question& question, bool keep, const Ask& ask) {
    std::lock_guard lock(mutex_);
    if (const auto known = entries_.find(question); known != entries_.end()) {
      Entry& entry = known->second;
      entry.kept |= keep;
      order_.splice(order_.begin(), order_, entry.place);
      return entry.plan;
    }
    std::shared_ptr<const Plan> plan;
    if (std::optional<Plan> found = ask()) plan = std::make_shared<const Plan>(std::move(*found));
    order_.push_front(question);
    entries_.emplace(question, Entry{plan, order_.begin(), keep});
    return plan;
  }

  /// From now on the answer is "none".
  void refuse(const Question& question) {
    std::lock_guard lock(mutex_);
    if (const auto known = entries_.find(question); known != entries_.end()) {
      known->second.plan = nullptr;
    }
  }

  /// Takes out the answers that are too many, the longest unwanted first, but none that is kept.
  /// @returns them: whoever asks knows when their plans may end.
  std::list<std::shared_ptr<const Plan>> surplus() {
    std::lock_guard lock(mutex_);
    std::list<std::shared_ptr<const Plan>> taken;
    for (auto place = order_.end(); entries_.size() > most_ && place != order_.begin();) {
      --place;
      const auto entry = entries_.find(*place);
      if (entry->second.kept) continue;
      if (entry->second.plan) taken.push_back(std::move(entry->second.plan));
      entries_.erase(entry);
      place = order_.erase(place);
    }
    return taken;
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    std::shared_ptr<const Plan> plan;
    typename std::list<Question>::iterator place;
    bool kept;
  };

  const size_t most_;
  mutable std::mutex mutex_;
  std::map<Question, Entry> entries_;
  std::list<Question> order_;  // the last one wanted first
};

}  // namespace rlhf::gpu
