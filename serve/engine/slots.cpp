#include "serve/engine/slots.h"

#include <algorithm>
#include <utility>

namespace rlhf::engine {

Slots::Place Slots::take(const Tokens& prompt, bool reuse) {
  Place best;
  std::pair<int64_t, uint64_t> best_worth;
  for (size_t i = 0; i < slots_.size(); i++) {
    const Slot& slot = slots_[i];
    if (slot.taken) continue;
    const auto end =
        std::mismatch(prompt.begin(), prompt.end() - 1, slot.held.begin(), slot.held.end()).first;
    const int64_t common = reuse ? end - prompt.begin() : 0;
    const bool matches = 2 * common >= int64_t(std::min(prompt.size(), slot.held.size()));
    // The longer free, the more: what it holds is the less likely to be asked for again.
    const std::pair worth{matches ? common : 0, uses_ - slot.last_used};
    if (best.slot >= 0 && worth <= best_worth) continue;
    best = {int64_t(i), common};
    best_worth = worth;
  }
  if (best.slot >= 0) {
    slots_[size_t(best.slot)].taken = true;
    taken_++;
  }
  return best;
}

void Slots::give_back(int64_t slot, Tokens held) {
  slots_[size_t(slot)] = {std::move(held), false, ++uses_};
  taken_--;
}

}  // namespace rlhf::engine
