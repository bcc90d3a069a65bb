#include "rl/instructions.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "data/rows.h"
#include "kernels/philox.h"

namespace rlhf {
namespace {

constexpr double kNoBound = 1e9;

/// A band and the row that it stands in.
struct Band {
  Instruction instruction;
  std::string where;
};

Band read_band(const Row& row) {
  Band band{{.text = row.non_empty_text("instruction")}, row.where()};
  Instruction& i = band.instruction;
  const double least = row.optional_number("min").value_or(-kNoBound);
  const double below = row.optional_number("max").value_or(kNoBound);
  if (least > -kNoBound) i.least = least;
  if (below < kNoBound) i.below = below;
  if (!(i.least < i.below)) {
    input_error(band.where, "expected min below max, got {} and {}", i.least, i.below);
  }
  return band;
}

// numpy.quantile's default: linear between the neighbours.
double quantile(std::span<const double> sorted, double share) {
  const double at = share * double(sorted.size() - 1);
  const size_t low = size_t(at), high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - double(low)) * (sorted[high] - sorted[low]);
}

}  // namespace

std::vector<Instruction> read_instructions(const std::filesystem::path& file) {
  std::vector<Band> bands;
  for (const Row& row : read_rows(file)) bands.push_back(read_band(row));
  std::stable_sort(bands.begin(), bands.end(), [](const Band& a, const Band& b) {
    return a.instruction.least < b.instruction.least;
  });
  std::vector<Instruction> instructions;
  for (const auto& [instruction, where] : bands) {
    if (instructions.empty()) {
      if (std::isfinite(instruction.least)) {
        input_error(where,
                    "expected the lowest band to have no min, got {}: scores below it would "
                    "fulfil nothing",
                    instruction.least);
      }
    } else if (instruction.least != instructions.back().below) {
      input_error(where,
                  "expected a band from {}, where the one below it ends, got one from {}: "
                  "they {}",
                  instructions.back().below, instruction.least,
                  instruction.least < instructions.back().below ? "overlap" : "leave a gap");
    }
    instructions.push_back(instruction);
  }
  if (std::isfinite(instructions.back().below)) {
    input_error(bands.back().where,
                "expected the highest band to have no max, got {}: scores from "
                "there on would fulfil nothing",
                instructions.back().below);
  }
  return instructions;
}

std::vector<Instruction> instructions_over(std::span<const std::string> texts,
                                           std::span<const double> scores) {
  std::vector<double> sorted(scores.begin(), scores.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<Instruction> instructions;
  for (size_t i = 0; i < texts.size(); i++) {
    Instruction& now = instructions.emplace_back(Instruction{.text = texts[i]});
    if (i == 0) continue;
    now.least = quantile(sorted, double(i) / double(texts.size()));
    instructions[i - 1].below = now.least;
  }
  for (const Instruction& i : instructions) {
    if (std::none_of(sorted.begin(), sorted.end(), [&](double s) { return i.fulfilled_by(s); })) {
      input_error(
          "--instructions",
          "expected bands of its own, because {} sampled scores, {} to {}, do not fill {} of "
          "equal size; got none",
          sorted.size(), sorted.front(), sorted.back(), texts.size());
    }
  }
  return instructions;
}

int64_t fulfilled(std::span<const Instruction> instructions, double score) {
  const auto found = std::find_if(instructions.begin(), instructions.end(),
                                  [&](const Instruction& i) { return i.fulfilled_by(score); });
  check(found != instructions.end(), "instructions", "expected a band for a score, got {}", score);
  return found - instructions.begin();
}

int64_t drawn_instruction(uint64_t seed, int64_t episode, int64_t count) {
  constexpr uint32_t kSite = 0x0fffffff;  // the last: others are environments of a batch
  const PhiloxWords words =
      random_words(seed, RandomStream::exploration, kSite, 0, uint64_t(episode));
  return int64_t(unit_double(words[0], words[1]) * double(count));
}

}  // namespace rlhf
