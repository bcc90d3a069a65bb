// What an engine does all day, on a thread of its own: admit requests to free slots, compute a step
// of all of them (one token, or a piece of a prompt that is not read yet), and tell those who wait.
// Requests are touched by this thread alone; what others ask for (submit, cancel, drain, stats)
// lies behind one mutex that is never held while something is computed or a listener called.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/engine/engine.h"
#include "serve/engine/fair_queue.h"
#include "serve/engine/recent_rate.h"
#include "serve/engine/slots.h"
#include "serve/engine/step.h"

namespace rlhf::engine {

class Engine::Loop {
 public:
  Loop(std::shared_ptr<const LoadedLanguageModel> model, const Options& options);

  /// Starts the thread, which keeps its loop alive until it has ended.
  static void start(const std::shared_ptr<Loop>& loop);
  /// Cancels everything; waits for the thread's end unless it is the thread that asks.
  void stop();

  uint64_t submit(Job job, std::shared_ptr<Listener> listener);
  void cancel(uint64_t id);
  void drain(std::chrono::milliseconds at_most);
  Stats stats() const;
  int64_t capacity() const { return cache_.capacity; }
  const LoadedLanguageModel& model() const { return *model_; }

 private:
  using RequestPointer = std::shared_ptr<Request>;

  const Gpt2& gpt2() const { return model_->model.transformer; }
  void run();
  /// Waits for work and gives it slots; false when the thread is to end.
  bool admit();
  void sweep();
  /// What the next step reads, in ascending order of counts.
  std::vector<Part> next_parts();
  void step(Recorder& recorder);
  /// What a step has found out: the states behind the part's tokens, and its next one if it speaks.
  void take(const Part& part, const Tensor& hidden, ScoredToken* token, Clock::time_point now);
  void measure(const Part& part, const Tensor& hidden);
  void end(const RequestPointer& request, FinishReason reason, const std::string& error = {});
  void publish();

  const std::shared_ptr<const LoadedLanguageModel> model_;
  const Options options_;
  const KvCache cache_;
  std::vector<RequestPointer> running_;  // the thread's own

  mutable std::mutex mutex_;
  std::condition_variable wake_;  // the thread: there may be something to do
  std::condition_variable idle_;  // who drains: a request has ended
  FairQueue queue_;
  Slots slots_;
  std::map<uint64_t, RequestPointer> live_;  // waiting or running
  Stats stats_;
  RecentRate rate_;
  uint64_t last_id_ = 0;
  bool draining_ = false;  // no new requests
  bool closed_ = false;    // nor what those under way go on with
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace rlhf::engine
