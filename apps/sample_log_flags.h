// --log_samples: what a policy says as it learns, in samples.jsonl of its run's folder.
#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "apps/flags.h"
#include "data/tokenizer.h"
#include "rl/rollout.h"
#include "rl/run/samples_log.h"

namespace rlhf {

struct SampleLogFlags {
  int64_t rows = 8;   ///< responses of a logged step; 0: no log
  int64_t steps = 0;  ///< steps between two that are logged; 0: a twentieth of the run

  void declare(Flags& flags);
};

/// Logs the first step, every so many, and the last. Reads episodes and changes nothing.
class SampleLog {
 public:
  /// REQUIRES: the run's folder is taken; the tokenizer lives longer.
  SampleLog(const SampleLogFlags& flags, const std::filesystem::path& output_dir,
            std::optional<int64_t> resumed_step, const Tokenizer& tokenizer);

  /// Of step `step` of `total`, if it is one to log: responses at even distances in the batch, so
  /// that groups of responses to one prompt do not hide each other.
  void after(int64_t step, int64_t total, std::span<const Episode> episodes);

 private:
  SampleLogFlags flags_;
  const Tokenizer& tokenizer_;
  std::optional<SamplesLog> log_;
};

}  // namespace rlhf
