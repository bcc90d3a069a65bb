#include "data/demo_dialogue_judge.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/check.h"
#include "data/demo_dialogue_world.h"

namespace rlhf {
namespace {

/// Words between single spaces, so that "ten" is not found in "often".
std::string padded(std::string_view text) {
  std::string out = " ";
  for (const char c : text) {
    const char letter = c == '\n' || c == '\t' ? ' ' : c;
    if (letter != ' ' || out.back() != ' ') out += letter;
  }
  if (out.back() != ' ') out += ' ';
  return out;
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(" " + std::string(part) + " ") != std::string::npos;
}

bool holds_any(const std::string& text, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](auto part) { return holds(text, part); });
}

std::string with_place(std::string_view asking, std::string_view place) {
  std::string text(asking);
  text.replace(text.find("{}"), 2, place);
  return text;
}

struct Asked {
  std::optional<DeskQuestion> question;
  const DeskPlace* place = nullptr;
};

/// What the visitor wants to know in the end: a question may leave out what was said before.
Asked what_is_asked(std::span<const Message> conversation) {
  Asked asked;
  for (const Message& message : conversation) {
    if (message.role != Role::user) continue;
    const std::string text = padded(message.content);
    for (const DeskPlace& place : desk_places()) {
      if (holds(text, place.name)) asked.place = &place;
    }
    for (const DeskQuestion question : desk_questions) {
      if (holds_any(text, desk_follow_ups(question))) asked.question = question;
      for (const auto asking : desk_askings(question)) {
        if (asked.place && holds(text, with_place(asking, asked.place->name))) {
          asked.question = question;
        }
      }
    }
  }
  return asked;
}

double help_of(const std::string& answer, const Asked& asked) {
  const size_t matter = size_t(*asked.question);
  bool right = false, wrong = false;
  for (const DeskPlace& place : desk_places()) {
    const std::string_view fact = place.facts[matter];
    if (!holds(answer, fact)) continue;
    const bool named_right =
        &place == asked.place && (holds(answer, fmt::format("{} {}", place.name, fact)) ||
                                  holds(answer, fmt::format("it {}", fact)));
    (named_right ? right : wrong) = true;
  }
  return wrong ? -1 : right ? 1 : -0.5;
}

bool is_degenerate(const std::string& answer) {
  std::set<std::string> seen;
  size_t sentences = 0;
  for (size_t begin = 0; begin < answer.size();) {
    const size_t end = std::min(answer.find_first_of(".?!", begin), answer.size() - 1);
    const std::string sentence = answer.substr(begin, end - begin);
    begin = end + 1;
    if (sentence.find_first_not_of(' ') == std::string::npos) continue;
    sentences++;
    if (!seen.insert(sentence).second) return true;
  }
  return sentences > 6;
}

}  // namespace

double gold_answer(std::span<const Message> conversation, std::string_view answer) {
  const Asked asked = what_is_asked(conversation);
  if (!asked.question || !asked.place) {
    input_error("demo dialogue",
                "expected a question of the information desk, got {} messages without one",
                conversation.size());
  }
  const std::string text = padded(answer);
  if (is_degenerate(text)) return -1;
  const int kind = holds_any(text, desk_kind_openings()) || holds_any(text, desk_kind_endings());
  const int rude = holds_any(text, desk_rude_openings()) || holds_any(text, desk_rude_endings());
  return (2 * help_of(text, asked) + kind - rude) / 3;
}

bool gold_good(std::span<const Message> conversation, std::string_view answer) {
  return gold_answer(conversation, answer) > 0.5;
}

}  // namespace rlhf
