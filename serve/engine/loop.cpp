#include "serve/engine/loop.h"

#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <exception>
#include <utility>

#include "serve/engine/job_check.h"
#include "serve/engine/shared_prefix.h"

namespace rlhf::engine {
namespace {

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

int64_t capacity_of(const Gpt2Config& config, const Options& options) {
  return options.capacity == 0 ? config.n_positions : options.capacity;
}

}  // namespace

Engine::Loop::Loop(std::shared_ptr<const LoadedLanguageModel> model, const Options& options)
    : model_(std::move(model)),
      options_(options),
      cache_(gpt2().make_cache(options.slots, capacity_of(gpt2().config, options))),
      slots_(options.slots) {
  stats_.slots = options.slots;
}

void Engine::Loop::start(const std::shared_ptr<Loop>& loop) {
  loop->thread_ = std::thread([loop] { loop->run(); });
}

void Engine::Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = draining_ = closed_ = true;
  }
  wake_.notify_all();
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();  // a listener was the last owner
  } else {
    thread_.join();
  }
}

uint64_t Engine::Loop::submit(Job job, std::shared_ptr<Listener> listener) {
  check_job(job, *model_, capacity());
  uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    if (job.goes_on ? closed_ : draining_) {
      throw Draining("[engine] expected no further request: it is shutting down");
    }
    if (!queue_.has_place(job.client, options_.queue, slots_.free())) {
      stats_.refused++;
      throw QueueFull(fmt::format("[engine] expected at most {} waiting requests", options_.queue));
    }
    id = ++last_id_;
    auto request = std::make_shared<Request>(id, std::move(job), std::move(listener),
                                             *model_->tokenizer, capacity());
    live_[id] = request;
    queue_.push(std::move(request));
  }
  wake_.notify_one();
  return id;
}

void Engine::Loop::cancel(uint64_t id) {
  const std::lock_guard lock(mutex_);
  if (const auto at = live_.find(id); at != live_.end()) at->second->cancel();
}

void Engine::Loop::drain(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  draining_ = true;
  const auto all_ended = [&] { return live_.empty(); };
  idle_.wait_for(lock, at_most, all_ended);
  closed_ = true;
  for (const auto& [id, request] : live_) request->cancel();
  idle_.wait(lock, all_ended);
}

Stats Engine::Loop::stats() const {
  const std::lock_guard lock(mutex_);
  Stats now = stats_;
  now.running = slots_.count() - slots_.free();
  now.waiting = queue_.waiting();
  now.draining = draining_;
  now.tokens_per_second = rate_.per_second(Clock::now());
  return now;
}

void Engine::Loop::run() {
#ifdef _OPENMP
  if (options_.threads > 0) omp_set_num_threads(options_.threads);
#endif
  Recorder recorder(gpt2().device());
  while (admit()) {
    sweep();
    step(recorder);
    publish();
  }
}

bool Engine::Loop::admit() {
  std::vector<RequestPointer> unwanted;
  std::vector<std::pair<RequestPointer, Slots::Place>> admitted;
  const Clock::time_point now = Clock::now();
  {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return stopping_ || queue_.waiting() > 0 || !running_.empty(); });
    unwanted = queue_.remove_if([&](const Request& request) {
      return stopping_ || request.cancelled() || request.expired(now);
    });
    while (slots_.free() > 0 && queue_.waiting() > 0) {
      RequestPointer request = queue_.pop();
      const Job& job = request->job();
      // Scores need the states behind all of the prompt's tokens, which no cache has.
      const Slots::Place place = slots_.take(job.prompt, /*reuse=*/!job.prompt_log_probs);
      stats_.prompt_tokens += job.prompt.size();
      stats_.cached_tokens += uint64_t(place.common);
      admitted.emplace_back(std::move(request), place);
    }
  }
  for (const RequestPointer& request : unwanted) {
    const bool wanted = !stopping_ && !request->cancelled();
    end(request, wanted ? FinishReason::timeout : FinishReason::cancelled);
  }
  for (auto& [request, place] : admitted) {
    running_.push_back(request);
    request->begin(place.slot);
    request->found(place.common);
  }
  return !stopping_ || !running_.empty();
}

// Ends what nobody waits for any more. A request that has begun to speak notices its deadline with
// its next token, so that nothing held back is lost.
void Engine::Loop::sweep() {
  const Clock::time_point now = Clock::now();
  for (const RequestPointer& request : std::vector(running_)) {
    if (stopping_ || request->cancelled()) {
      end(request, FinishReason::cancelled);
    } else if (request->measured_only() &&
               (request->unread() == 0 || !request->job().prompt_log_probs)) {
      end(request, FinishReason::length);
    } else if (request->generated().empty() && request->expired(now)) {
      end(request, FinishReason::timeout);
    }
  }
}

std::vector<Part> Engine::Loop::next_parts() {
  const SharedPrefixes shared = share_prefixes(cache_, running_);
  if (shared.copied > 0) {
    const std::lock_guard lock(mutex_);
    stats_.cached_tokens += uint64_t(shared.copied);
  }
  std::vector<Part> parts;
  int64_t budget = options_.prefill_chunk;
  auto at = running_.begin();
  for (size_t left = running_.size(); left > 0; left--) {
    const RequestPointer request = *at;
    const int64_t unread = shared.waiting.contains(request.get()) ? 0 : request->unread();
    const int64_t count = unread == 1 ? 1 : std::min(unread, budget);
    if (count > 0) parts.push_back({request, count});
    if (unread == 1 || count == 0) {
      at++;
      continue;
    }
    budget -= count;
    std::rotate(at, at + 1, running_.end());  // after this, the others have their turn
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.count < b.count; });
  return parts;
}

void Engine::Loop::step(Recorder& recorder) {
  std::vector<Part> parts;
  StepStates states;
  std::vector<ScoredToken> scored;
  try {
    parts = next_parts();
    if (parts.empty()) return;
    states = read_parts(gpt2(), cache_, recorder, parts);
    std::vector<SampledRow> rows;
    for (const Part& part : parts) {
      if (part.speaks()) rows.push_back({part.request->job(), part.request->generated()});
    }
    if (!rows.empty()) scored = sample(gpt2().config, states.logits, rows);
  } catch (const std::exception& error) {
    for (const RequestPointer& request : std::vector(running_)) {
      end(request, FinishReason::error, error.what());
    }
    return;
  }
  const Clock::time_point now = Clock::now();
  auto next = scored.begin();
  int64_t first = 0;
  for (const Part& part : parts) {
    ScoredToken* const token = part.speaks() ? &*next++ : nullptr;
    take(part, states.hidden.view(first * gpt2().config.n_embd, {part.count, gpt2().config.n_embd}),
         token, now);
    first += part.count;
  }
}

void Engine::Loop::take(const Part& part, const Tensor& hidden, ScoredToken* token,
                        Clock::time_point now) {
  const RequestPointer& request = part.request;
  const bool first = request->generated().empty();
  const Clock::time_point before = first ? request->submitted() : request->last_token();
  std::optional<FinishReason> reason;
  try {
    measure(part, hidden);
    request->filled += part.count;
    if (!token) return;
    reason = request->take(std::move(*token), now);
  } catch (const std::exception& error) {
    end(request, FinishReason::error, error.what());
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    stats_.generated_tokens++;
    (first ? stats_.time_to_first_token : stats_.time_per_token).add(seconds_between(before, now));
    rate_.add(1, now);
  }
  if (reason) end(request, *reason);
}

// Scores the prompt tokens that follow those of the part, where they are asked for.
void Engine::Loop::measure(const Part& part, const Tensor& hidden) {
  const Job& job = part.request->job();
  const int64_t behind = part.request->filled + 1;
  const int64_t count = std::min(part.count, int64_t(job.prompt.size()) - behind);
  if (!job.prompt_log_probs || count <= 0) return;
  const Tensor states = hidden.view(0, {count, gpt2().config.n_embd});
  part.request->take_scores(score(gpt2().config, gpt2().logits(states),
                                  std::span(job.prompt).subspan(size_t(behind), size_t(count)),
                                  job.top_log_probs));
}

void Engine::Loop::end(const RequestPointer& request, FinishReason reason,
                       const std::string& error) {
  std::erase(running_, request);
  {
    const std::lock_guard lock(mutex_);
    if (request->slot >= 0) {
      // What a failure has left in the cache is nothing to go on from.
      slots_.give_back(request->slot, reason == FinishReason::error ? Tokens{} : request->held());
      queue_.ended(request->job().client);
    }
    stats_.finished[size_t(reason)]++;
    stats_.request_duration.add(seconds_between(request->submitted(), Clock::now()));
  }
  request->finish(reason, error);
  {
    const std::lock_guard lock(mutex_);
    live_.erase(request->id());
  }
  idle_.notify_all();
}

void Engine::Loop::publish() {
  int64_t held = 0;
  for (const RequestPointer& request : running_) held += request->filled;
  const std::lock_guard lock(mutex_);
  stats_.kv_cache_usage = double(held) / double(options_.slots * capacity());
}

}  // namespace rlhf::engine
