// What a policy of two levels is made of, as hierarchical.json says it: the sub-tasks and the
// segments that they write. Parsing takes bytes in memory and allocates nothing by them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf {

/// What a response is made of.
struct SegmentShape {
  int64_t segments = 4;        ///< at most
  int64_t segment_length = 8;  ///< tokens of one at most

  bool operator==(const SegmentShape&) const = default;
};

struct Hierarchy {
  std::vector<std::string> subtasks;  ///< their names
  std::string descriptions;           ///< as --subtasks had them
  SegmentShape shape;

  bool operator==(const Hierarchy&) const = default;
};

/// The content of a hierarchical.json.
/// @throws InputError "[source] ..." naming the key.
Hierarchy parse_hierarchy(std::string_view text, std::string_view source);

/// What parse_hierarchy reads.
std::string hierarchy_text(const Hierarchy& hierarchy);

}  // namespace rlhf
