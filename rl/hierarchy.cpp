#include "rl/hierarchy.h"

#include <algorithm>
#include <set>

#include "rl/model/config_reader.h"

namespace rlhf {
namespace {

using nlohmann::json;

constexpr int64_t kMost = 1 << 20;  // segments, and tokens of one: more than a model's positions

std::vector<std::string> names_in(const ConfigReader& in) {
  const json* list = in.find("subtasks");
  const auto is_name = [](const json& name) { return name.is_string() && name != ""; };
  if (!list || !list->is_array() || list->size() < 2 ||
      !std::all_of(list->begin(), list->end(), is_name)) {
    in.fail("subtasks", "a list of two names or more", list ? *list : json());
  }
  auto names = list->get<std::vector<std::string>>();
  if (std::set<std::string>(names.begin(), names.end()).size() < names.size()) {
    in.fail("subtasks", "each name once", *list);
  }
  return names;
}

int64_t positive(const ConfigReader& in, const char* key) {
  int64_t value = 0;
  in.read(key, value);
  if (value < 1 || value > kMost) {
    const json* found = in.find(key);
    in.fail(key, fmt::format("a whole number from 1 to {}", kMost), found ? *found : json());
  }
  return value;
}

}  // namespace

Hierarchy parse_hierarchy(std::string_view text, std::string_view source) {
  const ConfigReader in(text, source);
  Hierarchy out{.subtasks = names_in(in),
                .descriptions = {},
                .shape = {.segments = positive(in, "segments"),
                          .segment_length = positive(in, "segment_length")}};
  if (const json* descriptions = in.find("descriptions")) {
    if (!descriptions->is_string()) in.fail("descriptions", "text", *descriptions);
    out.descriptions = *descriptions;
  }
  return out;
}

std::string hierarchy_text(const Hierarchy& hierarchy) {
  const nlohmann::ordered_json out{{"subtasks", hierarchy.subtasks},
                                   {"descriptions", hierarchy.descriptions},
                                   {"segments", hierarchy.shape.segments},
                                   {"segment_length", hierarchy.shape.segment_length}};
  return out.dump(2) + "\n";
}

}  // namespace rlhf
