// Texts that end an answer, found while it is written: what may be the beginning of one is held
// back until it is known not to be, and nothing of a found one, or behind it, comes out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rlhf::engine {

/// The answer ends with the first character that completes one of the texts, however it was cut
/// into pieces; of several that it completes, with the one that begins first.
class StopTexts {
 public:
  /// REQUIRES: no text is empty; texts and pieces are UTF-8.
  explicit StopTexts(std::vector<std::string> texts) : texts_(std::move(texts)) {}

  /// The text that can be shown now that `piece` has come.
  std::string push(std::string_view piece);

  /// What was still held back when the last piece had come.
  std::string finish();

  /// Which text has been found; -1: none.
  int64_t found() const { return found_; }

 private:
  std::vector<std::string> texts_;
  std::string held_;  // the beginning of a text, perhaps
  int64_t found_ = -1;
};

}  // namespace rlhf::engine
