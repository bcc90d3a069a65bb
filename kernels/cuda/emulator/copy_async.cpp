#include "kernels/cuda/emulator/copy_async.h"

#include <cstring>
#include <vector>

#include "kernels/cuda/emulator/race_check.h"
#include "kernels/cuda/emulator/thread_block.h"

namespace rlhf::emulator {
namespace {

struct Copy {
  void* to;
  const void* from;
  size_t bytes, read;
  int group;
};

/// Of one thread.
struct Copies {
  std::vector<Copy> on_their_way;
  int group = 0;  // that the next copy joins
};

Copies copies_of[ThreadBlock::most_threads];
bool any = false;

}  // namespace

void copy_async(void* shared, const void* global, size_t bytes, size_t read) {
  const bool size = bytes == 4 || bytes == 8 || bytes == 16;
  if (!size || read > bytes || reinterpret_cast<size_t>(shared) % bytes ||
      reinterpret_cast<size_t>(global) % bytes) {
    running_block.fail(
        "expected an asynchronous copy of 4, 8 or 16 bytes between addresses aligned to as many, "
        "got " +
        std::to_string(bytes) + " bytes");
  }
  std::memset(shared, 0xff, bytes);
  const Unwatched bookkeeping;
  Copies& mine = copies_of[running_block.thread()];
  mine.on_their_way.push_back({shared, global, bytes, read, mine.group});
  any = true;
}

void copy_async_commit() { copies_of[running_block.thread()].group++; }

void copy_async_wait(int pending_groups) {
  Copies& mine = copies_of[running_block.thread()];
  auto& copies = mine.on_their_way;
  size_t landed = 0;
  while (landed < copies.size() && copies[landed].group < mine.group - pending_groups) {
    const Copy& copy = copies[landed++];
    std::memcpy(copy.to, copy.from, copy.read);
    std::memset(static_cast<char*>(copy.to) + copy.read, 0, copy.bytes - copy.read);
  }
  const Unwatched bookkeeping;
  copies.erase(copies.begin(), copies.begin() + std::ptrdiff_t(landed));
}

void forget_async_copies() {
  if (!any) return;
  const Unwatched bookkeeping;
  for (Copies& copies : copies_of) copies = {};
  any = false;
}

}  // namespace rlhf::emulator
