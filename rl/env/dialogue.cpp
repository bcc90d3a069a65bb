#include "rl/env/dialogue.h"

#include <algorithm>

namespace rlhf {
namespace {

constexpr std::string_view kId = "Dialogue-v0";

std::optional<int32_t> first_unknown(const Tokens& tokens, int64_t vocabulary) {
  for (const int32_t token : tokens) {
    if (token < 0 || token >= vocabulary) return token;
  }
  return {};
}

EnvironmentSpec make_spec(const DialogueConfig& config) {
  const auto at_least_one = [](std::string_view name, int64_t value) {
    if (value < 1) input_error(kId, "expected {} of 1 or more, got {}", name, value);
  };
  at_least_one("a number of openings", int64_t(config.openings.size()));
  at_least_one("turns", config.turns);
  at_least_one("a turn_length", config.turn_length);
  at_least_one("an answer_length", config.answer_length);
  if (!config.partner) input_error(kId, "expected a partner, got none");
  if (!config.reward) input_error(kId, "expected a reward function, got none");
  if (config.eos < 0 || config.eos >= config.vocabulary) {
    input_error(kId, "expected an end token from 0 to {}, got {}", config.vocabulary - 1,
                config.eos);
  }
  size_t longest = 0;
  for (const Tokens& opening : config.openings) {
    longest = std::max(longest, opening.size());
    const auto unknown = first_unknown(opening, config.vocabulary);
    if (!unknown) continue;
    input_error(kId, "expected tokens from 0 to {}, got {}", config.vocabulary - 1, *unknown);
  }
  const int64_t length =
      int64_t(longest) + config.turns * (config.turn_length + config.answer_length);
  return {.id = std::string(kId),
          .observation_space = TokenSequences{config.vocabulary, length},
          .action_space = {config.vocabulary}};
}

}  // namespace

Dialogue::Dialogue(DialogueConfig config) : config_(std::move(config)), spec_(make_spec(config_)) {}

Tokens Dialogue::begin(EnvironmentRandom& random) {
  const size_t opening = size_t(random.below(int64_t(config_.openings.size())));
  conversation_ = {{.by_agent = false, .tokens = config_.openings[opening]}};
  in_turn_ = false;
  turns_ = 0;
  return text();
}

Transition<Tokens> Dialogue::advance(int64_t action, EnvironmentRandom& random) {
  if (!in_turn_) conversation_.push_back({.by_agent = true});
  Tokens& turn = conversation_.back().tokens;
  turn.push_back(int32_t(action));
  in_turn_ = action != config_.eos && int64_t(turn.size()) < config_.turn_length;
  if (in_turn_) return {.observation = text()};
  turns_++;
  const bool ended = turns_ == config_.turns || !let_answer(random);
  const bool judged = ended || config_.reward_at == DialogueReward::each_turn;
  return {.observation = text(),
          .reward = judged ? config_.reward(conversation_) : 0,
          .terminated = ended};
}

bool Dialogue::let_answer(EnvironmentRandom& random) {
  const uint64_t seed = uint64_t(random.uniform() * 0x1p53);
  Tokens answer = config_.partner(conversation_, seed);
  check(int64_t(answer.size()) <= config_.answer_length, spec_.id,
        "expected answers of at most {} tokens, got {}", config_.answer_length, answer.size());
  const auto unknown = first_unknown(answer, config_.vocabulary);
  check(!unknown, spec_.id, "expected answers of tokens from 0 to {}, got {}",
        config_.vocabulary - 1, unknown.value_or(0));
  if (answer.empty()) return false;
  conversation_.push_back({.by_agent = false, .tokens = std::move(answer)});
  return true;
}

Tokens Dialogue::text() const {
  Tokens text;
  for (const DialogueTurn& turn : conversation_) {
    text.insert(text.end(), turn.tokens.begin(), turn.tokens.end());
  }
  return text;
}

std::vector<double> Dialogue::state() const {
  std::vector<double> state;
  for (const DialogueTurn& turn : conversation_) {
    state.push_back(turn.by_agent);
    state.push_back(double(turn.tokens.size()));
    state.insert(state.end(), turn.tokens.begin(), turn.tokens.end());
  }
  return state;
}

void Dialogue::set_state(std::span<const double> state) {
  std::vector<DialogueTurn> conversation;
  while (!state.empty()) {
    check(state.size() >= 2 && state[1] >= 0 && state[1] <= double(state.size() - 2), spec_.id,
          "expected a state of whole turns, got {} numbers more", state.size());
    const auto tokens = state.subspan(2, size_t(state[1]));
    check(state[0] == 0 || !tokens.empty(), spec_.id, "expected words in an agent's turn, got {}",
          tokens.size());
    conversation.push_back({state[0] != 0, Tokens(tokens.begin(), tokens.end())});
    state = state.subspan(2 + tokens.size());
  }
  check(!conversation.empty(), spec_.id, "expected a state of at least 1 turn, got none");
  conversation_ = std::move(conversation);
  turns_ = std::count_if(conversation_.begin(), conversation_.end(),
                         [](const DialogueTurn& turn) { return turn.by_agent; });
  const DialogueTurn& last = conversation_.back();
  in_turn_ = last.by_agent && last.tokens.back() != config_.eos &&
             int64_t(last.tokens.size()) < config_.turn_length;
  if (in_turn_) turns_--;
}

}  // namespace rlhf
