#include "serve/engine/stop_texts.h"

#include <algorithm>
#include <utility>

namespace rlhf::engine {
namespace {

// How many bytes at the end of `text` are the beginning of `stop`, all of which it never holds.
size_t begun(std::string_view text, std::string_view stop) {
  for (size_t size = std::min(text.size(), stop.size() - 1); size > 0; size--) {
    if (text.ends_with(stop.substr(0, size))) return size;
  }
  return 0;
}

}  // namespace

std::string StopTexts::push(std::string_view piece) {
  if (found_ >= 0) return {};
  held_ += piece;
  size_t begin = 0, end = std::string::npos;
  for (size_t i = 0; i < texts_.size(); i++) {
    const size_t at = held_.find(texts_[i]);
    if (at == std::string::npos) continue;
    const size_t behind = at + texts_[i].size();
    if (behind < end || (behind == end && at < begin)) {
      begin = at, end = behind, found_ = int64_t(i);
    }
  }
  if (found_ >= 0) {
    held_.resize(begin);
    return std::exchange(held_, {});
  }
  size_t keep = 0;
  for (const std::string& stop : texts_) keep = std::max(keep, begun(held_, stop));
  std::string shown = held_.substr(0, held_.size() - keep);
  held_.erase(0, shown.size());
  return shown;
}

std::string StopTexts::finish() { return std::exchange(held_, {}); }

}  // namespace rlhf::engine
