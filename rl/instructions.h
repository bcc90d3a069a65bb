// What a policy may be told to reach: texts, each with the band of scores that fulfils it. Bands
// cover all scores once, so that every response fulfils exactly one instruction.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace rlhf {

struct Instruction {
  std::string text;
  double least = -std::numeric_limits<double>::infinity();  ///< the band is [least, below)
  double below = std::numeric_limits<double>::infinity();

  bool fulfilled_by(double score) const { return least <= score && score < below; }
};

/// Rows of "instruction" and the numbers "min" and "max", in the order of their bands. What is
/// missing, or 1e9 and more away from 0, is no bound.
/// @throws InputError naming file and line of a band that is empty, overlaps another, or leaves a
/// gap to the next, or to the end where no bound may be.
std::vector<Instruction> read_instructions(const std::filesystem::path& file);

/// The texts over bands of equally many of these scores, as numpy's quantiles cut them.
/// @throws InputError when so few scores differ that a band would be empty.
std::vector<Instruction> instructions_over(std::span<const std::string> texts,
                                           std::span<const double> scores);

/// The one that a score fulfils.
int64_t fulfilled(std::span<const Instruction> instructions, double score);

/// Which of `count` instructions an episode is given: uniform, a pure function of (seed, episode).
int64_t drawn_instruction(uint64_t seed, int64_t episode, int64_t count);

}  // namespace rlhf
