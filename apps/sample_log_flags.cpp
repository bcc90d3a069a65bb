#include "apps/sample_log_flags.h"

#include <algorithm>

#include "rl/model/chat_encoding.h"
#include "rl/responses.h"

namespace rlhf {
namespace {

constexpr size_t most_scores = size_t{1} << 16;  // of a line: a histogram needs no more

/// `count` places of `size` at even distances.
std::vector<size_t> spread(size_t count, size_t size) {
  std::vector<size_t> places;
  for (size_t i = 0; i < std::min(count, size); i++) {
    places.push_back(count >= size ? i : i * size / count);
  }
  return places;
}

Sample sample_of(const Episode& episode, const Tokenizer& tokenizer) {
  const int64_t length = judged_length(episode);
  double kl = 0;
  for (size_t t = 0; t < size_t(length); t++) {
    kl += double(episode.log_prob[t]) - double(episode.ref_log_prob[t]);
  }
  return {.prompt = readable(tokenizer, episode.prompt),
          .response = tokenizer.decode(std::span(episode.response).first(size_t(length))),
          .score = episode.raw_score,
          .kl = kl,
          .length = length};
}

}  // namespace

void SampleLogFlags::declare(Flags& flags) {
  flags.group("Samples");
  flags.add("log_samples", rows, between(0, 1000),
            "responses of a logged update in samples.jsonl, beside all of its scores; 0: no log");
  flags.add("log_samples_steps", steps, at_least(0),
            "updates between two that are logged; 0: a twentieth of the run");
}

SampleLog::SampleLog(const SampleLogFlags& flags, const std::filesystem::path& output_dir,
                     std::optional<int64_t> resumed_step, const Tokenizer& tokenizer)
    : flags_(flags), tokenizer_(tokenizer) {
  const std::filesystem::path path = output_dir / "samples.jsonl";
  // A resumed run that logs no more still drops what it is about to do otherwise.
  if (flags_.rows > 0 || std::filesystem::exists(path)) log_.emplace(path, resumed_step);
}

void SampleLog::after(int64_t step, int64_t total, std::span<const Episode> episodes) {
  if (flags_.rows == 0) return;
  const int64_t every = flags_.steps > 0 ? flags_.steps : std::max<int64_t>(1, total / 20);
  if (step != 1 && step != total && step % every != 0) return;
  StepSamples samples{.step = step, .scores = {}, .samples = {}};
  for (const size_t i : spread(most_scores, episodes.size())) {
    samples.scores.push_back(episodes[i].raw_score);
  }
  for (const size_t i : spread(size_t(flags_.rows), episodes.size())) {
    samples.samples.push_back(sample_of(episodes[i], tokenizer_));
  }
  log_->write(samples);
}

}  // namespace rlhf
