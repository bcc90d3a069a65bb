// The rows of the key-value cache. A row that is free keeps what its last request left there: the
// next prompt that begins alike (the next turn of a conversation, the same system prompt) need not
// be computed from its first token on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/tokens.h"

namespace rlhf::engine {

class Slots {
 public:
  struct Place {
    int64_t slot = -1;   ///< -1: all are taken
    int64_t common = 0;  ///< how many of the prompt's tokens its row holds already
  };

  explicit Slots(int64_t count) : slots_(std::size_t(count)) {}

  /// Takes the free slot that shares most with the prompt, where that is at least half of one of
  /// the two; else the one that has been free for longest. The prompt's last token never counts: it
  /// is read again in any case.
  /// @param reuse false: nothing counts as shared.
  Place take(const Tokens& prompt, bool reuse);

  /// `held`: what the slot's row holds from now on.
  void give_back(int64_t slot, Tokens held);

  int64_t count() const { return int64_t(slots_.size()); }
  int64_t free() const { return count() - taken_; }

 private:
  struct Slot {
    Tokens held;
    bool taken = false;
    uint64_t last_used = 0;
  };

  std::vector<Slot> slots_;
  int64_t taken_ = 0;
  uint64_t uses_ = 0;
};

}  // namespace rlhf::engine
