#include "data/demo_dialogue_world.h"

namespace rlhf {
namespace {

constexpr DeskPlace places[] = {
    {"museum", {"opens at nine", "costs five euros", "is behind the station"}},
    {"hotel", {"opens at seven", "costs eighty euros", "is by the river"}},
    {"cinema", {"opens at four", "costs nine euros", "is beside the bank"}},
    {"theatre", {"opens at six", "costs twenty euros", "is on the old square"}},
    {"library", {"opens at eight", "costs nothing", "is near the school"}},
    {"market", {"opens at five", "costs two euros", "is under the bridge"}},
    {"pool", {"opens at ten", "costs three euros", "is in the park"}},
    {"tower", {"opens at noon", "costs four euros", "is on the hill"}},
};

constexpr std::string_view openings[] = {"when does the {} open ?", "what time does the {} open ?",
                                         "hello , when can i visit the {} ?",
                                         "from when on is the {} open ?"};
constexpr std::string_view prices[] = {"what does the {} cost ?", "how much is the {} ?",
                                       "is the {} expensive ?",
                                       "hello , what do i pay at the {} ?"};
constexpr std::string_view ways[] = {"where is the {} ?", "how do i find the {} ?",
                                     "hello , i am looking for the {} .",
                                     "can you show me the {} on the map ?"};
constexpr std::string_view more_openings[] = {"and when does it open ?",
                                              "what time does it open ?"};
constexpr std::string_view more_prices[] = {"and what does it cost ?", "how much is it ?"};
constexpr std::string_view more_ways[] = {"and where is it ?", "how do i find it ?"};

constexpr std::string_view refusals[] = {"i do not know .", "look it up yourself .",
                                         "that is not my job .", "ask somebody else ."};
constexpr std::string_view kind_openings[] = {"of course .", "with pleasure .", "gladly .",
                                              "good morning .", "thank you for asking ."};
constexpr std::string_view kind_endings[] = {"can i help you with anything else ?",
                                             "have a lovely day .", "enjoy your visit .",
                                             "please ask if you need more ."};
constexpr std::string_view rude_openings[] = {"not again .", "what now ?", "hurry up .",
                                              "you people ask too much .", "oh no ."};
constexpr std::string_view rude_endings[] = {"now leave me alone .", "was that so hard ?",
                                             "go away .", "do not come back ."};

}  // namespace

std::span<const DeskPlace> desk_places() { return places; }

std::span<const std::string_view> desk_askings(DeskQuestion question) {
  switch (question) {
    case DeskQuestion::opening:
      return openings;
    case DeskQuestion::price:
      return prices;
    case DeskQuestion::way:
      return ways;
  }
  return {};
}

std::span<const std::string_view> desk_follow_ups(DeskQuestion question) {
  switch (question) {
    case DeskQuestion::opening:
      return more_openings;
    case DeskQuestion::price:
      return more_prices;
    case DeskQuestion::way:
      return more_ways;
  }
  return {};
}

std::span<const std::string_view> desk_refusals() { return refusals; }
std::span<const std::string_view> desk_kind_openings() { return kind_openings; }
std::span<const std::string_view> desk_kind_endings() { return kind_endings; }
std::span<const std::string_view> desk_rude_openings() { return rude_openings; }
std::span<const std::string_view> desk_rude_endings() { return rude_endings; }

}  // namespace rlhf
