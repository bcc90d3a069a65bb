// The dialogues that docs/dialogue.md learns from, made by the program: visitors ask an information
// desk when places open, what they cost and where they are. Who answers there is by turns helpful
// or not, and kind or not; demo_dialogue_judge.h says which. Nothing is downloaded.
//
// A later question may only be understood from the earlier ones ("and what does it cost ?"), so
// that a model has to read the whole conversation. Item i of a seed is the same however many are
// asked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/messages.h"

namespace rlhf {

/// One to three questions, each with an answer of any kind; about every second conversation begins
/// with a system message. @throws Error unless count >= 0; so do the functions below.
std::vector<Conversation> demo_dialogues(uint64_t seed, int64_t count);

/// The same up to a question that waits for its answer.
std::vector<Conversation> demo_dialogue_prompts(uint64_t seed, int64_t count);

struct DialoguePreference {
  Conversation prompt;
  std::string chosen, rejected;
};

/// Two answers to a question, the chosen one of the higher gold score, but for a share of about
/// `noise` of the pairs, in which they are exchanged. @throws InputError unless noise is in [0, 1].
std::vector<DialoguePreference> demo_dialogue_preferences(uint64_t seed, int64_t count,
                                                          double noise);

}  // namespace rlhf
