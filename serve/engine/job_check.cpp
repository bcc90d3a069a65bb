#include "serve/engine/job_check.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/unicode.h"

namespace rlhf::engine {
namespace {

// What one request may ask of everybody else's time.
constexpr size_t most_stops = 64, longest_stop = 4096;
constexpr int most_alternatives = 128;
constexpr std::chrono::hours longest_timeout{24 * 30};

template <class... Args>
[[noreturn]] void refuse(std::string_view field, fmt::format_string<Args...> reason,
                         Args&&... args) {
  throw JobError(field, fmt::format(reason, std::forward<Args>(args)...));
}

void between(std::string_view what, double value, double low, double high) {
  if (!(value >= low && value <= high)) {
    refuse(what, "expected a number from {} to {}, got {}", low, high, value);
  }
}

void check_sampling(const SamplingOptions& sampling) {
  if (sampling.max_new_tokens < 0) {
    refuse("max_new_tokens", "expected at least 0, got {}", sampling.max_new_tokens);
  }
  between("temperature", sampling.temperature, 0, 100);
  if (sampling.top_k < 0) refuse("top_k", "expected at least 0, got {}", sampling.top_k);
  between("top_p", sampling.top_p, 0, 1);
  if (sampling.top_p == 0) refuse("top_p", "expected more than 0, got 0");
  between("min_p", sampling.min_p, 0, 1);
  between("repetition_penalty", sampling.repetition_penalty, 1e-3, 1e3);
  if (sampling.first_sequence >> 40) {
    refuse("first_sequence", "expected less than 2^40, got {}", sampling.first_sequence);
  }
}

void check_stops(const std::vector<std::string>& stops) {
  if (stops.size() > most_stops) {
    refuse("stop", "expected at most {} texts, got {}", most_stops, stops.size());
  }
  for (const std::string& stop : stops) {
    if (stop.empty() || stop.size() > longest_stop) {
      refuse("stop", "expected 1 to {} bytes, got {}", longest_stop, stop.size());
    }
    if (find_invalid_utf8(stop)) refuse("stop", "expected UTF-8, got {}", quote(stop));
  }
}

}  // namespace

void check_job(const Job& job, const LoadedLanguageModel& model, int64_t capacity) {
  check_sampling(job.sampling);
  const Gpt2Config& config = model.model.transformer.config;
  const int64_t length = int64_t(job.prompt.size());
  // What comes out is a sequence that the model can read again; one that is only measured is one.
  const int64_t most = capacity - (job.sampling.max_new_tokens > 0);
  if (length < 1) refuse("prompt", "expected at least one token, got none");
  if (length > most) refuse("prompt", "expected at most {} tokens, got {}", most, length);
  const int64_t ids = std::min<int64_t>(config.vocab_size, model.tokenizer->vocab_size());
  const auto check_id = [&](std::string_view what, int32_t id) {
    if (id < 0 || id >= ids) {
      refuse(what, "expected token ids from 0 to {}, got {}", ids - 1, id);
    }
  };
  for (const int32_t id : job.prompt) check_id("prompt", id);
  for (const auto& [id, bias] : job.logit_bias) {
    check_id("logit_bias", id);
    between("logit_bias", bias, -1000, 1000);
  }
  between("presence_penalty", job.presence_penalty, -100, 100);
  between("frequency_penalty", job.frequency_penalty, -100, 100);
  check_stops(job.stop);
  between("top_log_probs", job.top_log_probs, -1, most_alternatives);
  if (job.timeout.count() < 0 || job.timeout > longest_timeout) {
    refuse("timeout", "expected 0 to {} ms, got {}",
           std::chrono::milliseconds(longest_timeout).count(), job.timeout.count());
  }
}

void check_options(const Options& options, const LoadedLanguageModel& model) {
  const auto at_least = [](std::string_view what, int64_t value, int64_t low) {
    if (value < low) input_error(what, "expected at least {}, got {}", low, value);
  };
  at_least("slots", options.slots, 1);
  at_least("queue", options.queue, 0);
  at_least("prefill_chunk", options.prefill_chunk, 1);
  at_least("threads", options.threads, 0);
  const int64_t positions = model.model.transformer.config.n_positions;
  if (options.capacity != 0 && (options.capacity < 2 || options.capacity > positions)) {
    input_error("capacity", "expected 2 to the model's {} positions, got {}", positions,
                options.capacity);
  }
}

}  // namespace rlhf::engine
