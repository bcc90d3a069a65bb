// samples.jsonl: what a policy said as it learnt, some responses of some steps beside the scores of
// all of that step's, a line a step:
//
//     {"step": 12, "scores": [0.3, -1.2, ...], "samples": [{"prompt": "...", "response": "...",
//      "score": 0.3, "kl": 0.8, "length": 24}, ...]}
//
// written so that `tail -f`, pages that follow a run and a crash in the middle see whole lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rl/run/append_file.h"

namespace rlhf {

struct Sample {
  std::string prompt, response;  ///< valid UTF-8
  double score;                  ///< as the reward gave it; NaN where it is null
  double kl;                     ///< to the reference, summed over the response's tokens; likewise
  int64_t length;                ///< tokens of the response
};

struct StepSamples {
  int64_t step;
  std::vector<double> scores;  ///< of every response of the step; null as NaN
  std::vector<Sample> samples;
};

class SamplesLog {
 public:
  /// Starts the file anew, or, when a run is resumed, keeps the lines up to `resumed_step`, byte
  /// for byte, and drops the later ones. @throws Error when the file cannot be written.
  explicit SamplesLog(const std::filesystem::path& path,
                      std::optional<int64_t> resumed_step = std::nullopt);

  /// Appends one line in one write. Numbers round-trip; NaN and infinities become null; bytes that
  /// are no UTF-8 become U+FFFD. The last samples of a line that would be longer than readers take
  /// (16 MiB) are left out. @throws Error when the disk does not take it.
  void write(const StepSamples& samples);

 private:
  AppendFile file_;
};

/// A line of a samples file.
struct SamplesLine {
  StepSamples samples;
  std::string_view text;  ///< with its newline
};

/// Calls `visit` for each line of a samples file's content, which may be any bytes. A last line
/// without a newline, which a run that was killed or still goes on leaves, is left out.
/// @throws InputError "[source:line] ..." when another line is not of the form above, or when steps
/// do not rise.
void parse_samples(std::string_view bytes, std::string_view source,
                   const std::function<void(SamplesLine)>& visit);

/// The lines of a samples file of the steps after `after_step`. @throws InputError the same, or
/// when it cannot be read.
std::vector<StepSamples> read_samples(const std::filesystem::path& path, int64_t after_step = -1);

}  // namespace rlhf
