// The judge of the demo dialogues: whether an answer of the information desk is right and kind. It
// stands for the people of real feedback: it says which of two answers is better when preferences
// are collected and, since no training stage sees it, whether learning from them has worked.
#pragma once

#include <span>
#include <string_view>

#include "data/messages.h"

namespace rlhf {

/// What an answer to the last question of a conversation is worth, in [-1, 1]:
/// (2 help + kindness) / 3.
///  - help: 1 for the true fact about the place and the matter asked for, -1 when a fact of that
///    matter is there that is not true (also beside the true one), else -1/2: a refusal, nothing,
///    or an answer to another question.
///  - kindness: 1 for a kind sentence, -1 for a rude one, 0 for neither or both.
///  - An answer that says a sentence twice, or has more than six, is worth -1: more is not better.
/// What the visitor means is read from all of their questions. @throws Error when nothing was
/// asked.
double gold_answer(std::span<const Message> conversation, std::string_view answer);

/// Right and not rude: gold_answer above 1/2.
bool gold_good(std::span<const Message> conversation, std::string_view answer);

}  // namespace rlhf
