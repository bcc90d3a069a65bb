// Many requests, one model: an engine runs the requests of all clients in one batch that changes
// from token to token (continuous batching; Yu et al. 2022). Each running request has a slot, a row
// of one key-value cache; a step reads the newest token of every running request at once, so that
// the weights are read from memory once for all of them. docs/serving-engine.md tells the rest.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "rl/model/model_folder.h"
#include "serve/engine/job.h"
#include "serve/engine/stats.h"

namespace rlhf::engine {

struct Options {
  int64_t slots = 16;    ///< requests that run at the same time
  int64_t capacity = 0;  ///< tokens a slot holds, prompt and answer; 0: the model's n_positions
  /// Requests that wait for a slot before further ones are refused; a client that has none among
  /// them may have one all the same, while there are fewer than twice as many.
  int64_t queue = 64;
  int64_t prefill_chunk = 128;  ///< prompt tokens computed between two steps, at most
  int threads = 0;              ///< of the engine's loops on the CPU; 0: as OpenMP has it
};

/// A job that the engine can never do. The text reads "[field] expected ..., got ...".
struct JobError : InputError {
  JobError(std::string_view field, const std::string& reason)
      : InputError(fmt::format("[{}] {}", field, reason)), field(field), reason(reason) {}
  std::string field, reason;
};

/// There is no place in the queue: try again later.
struct QueueFull : Error {
  using Error::Error;
};

/// The engine is shutting down and takes no more requests.
struct Draining : Error {
  using Error::Error;
};

/// Safe to call from any thread, its listeners' calls included. Destroying it cancels what runs;
/// the last owner may be a listener.
class Engine {
 public:
  /// @throws InputError for options out of range.
  explicit Engine(std::shared_ptr<const LoadedLanguageModel> model, Options options = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// @throws JobError for a prompt that is empty, too long or has ids outside of the vocabulary,
  /// and for options out of range.
  void check(const Job& job) const;

  /// Queues a request; its listener hears of it from now on, perhaps before this returns. Returns a
  /// number by which it can be cancelled.
  /// @throws JobError as check() does; QueueFull; Draining.
  uint64_t submit(Job job, std::shared_ptr<Listener> listener);

  /// Ends a request before its token after next; one that has finished, or is unknown, is left as
  /// it is.
  void cancel(uint64_t id);

  /// Takes no more requests but the jobs that answers under way go on with, waits until all have
  /// finished, and cancels what has not after that time; from then on it takes no job at all. Not
  /// to be called by a listener.
  void drain(std::chrono::milliseconds at_most);

  Stats stats() const;
  /// Tokens that a prompt and its answer may have together.
  int64_t capacity() const;
  const LoadedLanguageModel& model() const;

 private:
  class Loop;
  std::shared_ptr<Loop> loop_;
};

/// A whole answer.
struct Completion {
  Tokens tokens;  ///< a final stop token included
  std::string text;
  std::vector<float> log_probs;
  std::vector<TokenOut> prompt;  ///< with Job::prompt_log_probs
  Finish finish;
};

/// Submits a request and waits for its end: for learning loops and tests. Not to be called by a
/// listener. @throws as submit does.
Completion complete(Engine& engine, Job job);

}  // namespace rlhf::engine
