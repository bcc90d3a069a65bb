// The table behind the demo grammar (data/demo_grammar.h), which turns it into text.
#pragma once

#include <span>
#include <string_view>

namespace rlhf {

/// name -> alternatives separated by '|', with {symbols} to be expanded. A rule named "meal.thing"
/// stands before one named "thing" when a meal is reviewed.
struct DemoRule {
  std::string_view name;
  /// What each alternative says about the thing reviewed, as in demo_valence(). A rule with a
  /// valence is a list of single sentiment words; no other rule may contain one of them.
  double valence;
  std::string_view alternatives;
};

std::span<const DemoRule> demo_rules();

/// What reviews are about: "film", "meal", ...
std::span<const std::string_view> demo_topics();

}  // namespace rlhf
