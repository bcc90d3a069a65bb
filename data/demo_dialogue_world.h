// What the information desk of the demo dialogues knows and how people speak there: one table that
// the dialogues are made of and that their judge reads.
#pragma once

#include <span>
#include <string_view>

namespace rlhf {

/// What can be asked of a place.
enum class DeskQuestion { opening, price, way };
inline constexpr DeskQuestion desk_questions[] = {DeskQuestion::opening, DeskQuestion::price,
                                                  DeskQuestion::way};

struct DeskPlace {
  std::string_view name;
  std::string_view facts[3];  ///< the true answers, by question: "opens at nine", ...
};

std::span<const DeskPlace> desk_places();

/// How to ask; "{}" is the place.
std::span<const std::string_view> desk_askings(DeskQuestion question);
/// How to ask for more about the place spoken of.
std::span<const std::string_view> desk_follow_ups(DeskQuestion question);

std::span<const std::string_view> desk_refusals();
// Sentences around an answer.
std::span<const std::string_view> desk_kind_openings();
std::span<const std::string_view> desk_kind_endings();
std::span<const std::string_view> desk_rude_openings();
std::span<const std::string_view> desk_rude_endings();

}  // namespace rlhf
