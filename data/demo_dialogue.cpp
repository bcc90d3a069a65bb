#include "data/demo_dialogue.h"

#include <utility>

#include "core/check.h"
#include "data/demo_dialogue_judge.h"
#include "data/demo_dialogue_world.h"
#include "data/demo_grammar.h"

namespace rlhf {
namespace {

/// Sites of the random numbers, behind those of the demo corpus.
enum Site : uint32_t { dialogue_site = 8, prompt_site, preference_site };

template <class List>
const auto& draw(const List& list, DemoDice& dice) {
  return list[dice.below(list.size())];
}

std::string asking(std::string_view pattern, std::string_view place) {
  std::string text(pattern);
  text.replace(text.find("{}"), 2, place);
  return text;
}

/// A visitor and the desk, a message at a time.
class Visit {
 public:
  explicit Visit(DemoDice& dice) : dice_(dice) {
    if (dice_.below(2) == 0) {
      messages_.push_back({Role::system, "you work at the information desk ."});
    }
  }

  void ask() {
    const bool first = place_ == nullptr;
    const DeskQuestion before = question_;
    question_ = desk_questions[dice_.below(std::size(desk_questions))];
    const bool same_place = !first && dice_.below(2) == 0;
    if (same_place && question_ != before) {
      say(Role::user, std::string(draw(desk_follow_ups(question_), dice_)));
      return;
    }
    place_ = &draw(desk_places(), dice_);
    say(Role::user, asking(draw(desk_askings(question_), dice_), place_->name));
  }

  /// Right, wrong or none; kind, rude or plain.
  std::string draw_answer() {
    const float manner = dice_.uniform();
    std::string text;
    const auto add = [&](std::string_view sentence) {
      text += (text.empty() ? "" : " ") + std::string(sentence);
    };
    const bool kind = manner < 0.35f, rude = manner >= 0.65f;
    const size_t around = dice_.below(3);  // before, after, both
    if (kind && around != 1) add(draw(desk_kind_openings(), dice_));
    if (rude && around != 1) add(draw(desk_rude_openings(), dice_));
    const float help = dice_.uniform();
    if (help < 0.75f) {
      // What is wrong is so in one of two ways: a fact of another place, or the other place at all.
      // A judge that saw only the first would be content with any place.
      const DeskPlace& source = help < 0.5f ? *place_ : draw(desk_places(), dice_);
      const DeskPlace& named = help < 0.625f ? *place_ : source;
      add(fmt::format("the {} {} .", named.name, source.facts[size_t(question_)]));
    } else {
      add(draw(desk_refusals(), dice_));
    }
    if (kind && around != 0) add(draw(desk_kind_endings(), dice_));
    if (rude && around != 0) add(draw(desk_rude_endings(), dice_));
    return text;
  }

  void say(Role role, std::string content) { messages_.push_back({role, std::move(content)}); }
  const Conversation& messages() const { return messages_; }

 private:
  DemoDice& dice_;
  Conversation messages_;
  const DeskPlace* place_ = nullptr;
  DeskQuestion question_ = DeskQuestion::opening;
};

/// A visit up to a question; the ones before are answered.
Visit waiting(DemoDice& dice) {
  Visit visit(dice);
  const size_t answered = dice.below(3);
  visit.ask();
  for (size_t i = 0; i < answered; i++) {
    visit.say(Role::assistant, visit.draw_answer());
    visit.ask();
  }
  return visit;
}

}  // namespace

std::vector<Conversation> demo_dialogues(uint64_t seed, int64_t count) {
  return demo_generate(seed, dialogue_site, count, [](DemoDice& dice) {
    Visit visit = waiting(dice);
    visit.say(Role::assistant, visit.draw_answer());
    return visit.messages();
  });
}

std::vector<Conversation> demo_dialogue_prompts(uint64_t seed, int64_t count) {
  return demo_generate(seed, prompt_site, count,
                       [](DemoDice& dice) { return waiting(dice).messages(); });
}

std::vector<DialoguePreference> demo_dialogue_preferences(uint64_t seed, int64_t count,
                                                          double noise) {
  if (!(noise >= 0 && noise <= 1)) {
    input_error("noise", "expected a probability in [0, 1], got {}", noise);
  }
  return demo_generate(seed, preference_site, count, [noise](DemoDice& dice) {
    Visit visit = waiting(dice);
    DialoguePreference pair{visit.messages(), visit.draw_answer(), ""};
    // Between equals there is no preference to record.
    const double chosen = gold_answer(pair.prompt, pair.chosen);
    double rejected = chosen;
    while (rejected == chosen) {
      pair.rejected = visit.draw_answer();
      rejected = gold_answer(pair.prompt, pair.rejected);
    }
    const bool err = dice.uniform() < noise;
    if ((rejected > chosen) != err) std::swap(pair.chosen, pair.rejected);
    return pair;
  });
}

}  // namespace rlhf
