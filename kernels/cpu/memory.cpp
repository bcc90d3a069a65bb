// Host memory behind the interface of device memory.
#include "kernels/memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace rlhf {
namespace {

constexpr size_t line = 64;  // a cache line, and the widest vector
constexpr size_t huge_page = size_t(2) << 20;

}  // namespace

void* allocate(Cpu, size_t bytes) {
  if (bytes > SIZE_MAX - line) return nullptr;
  const size_t rounded = bytes > line ? (bytes + line - 1) / line * line : line;
  void* memory = nullptr;
  if (posix_memalign(&memory, rounded < huge_page ? line : huge_page, rounded) != 0) return nullptr;
#ifdef MADV_HUGEPAGE
  // Weights are read by columns and panels, a page of 4 KB for every few numbers: with these the
  // processor finds where a page lies without looking it up. Kernels that refuse lose nothing.
  if (rounded >= huge_page) madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  return memory;
}

void release(Cpu, void* memory) { std::free(memory); }

void copy(Cpu, void* to, const void* from, size_t bytes, Stream) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

void fill(Cpu, void* memory, unsigned char byte, size_t bytes, Stream) {
  if (bytes > 0) std::memset(memory, byte, bytes);
}

void upload(Cpu, void* to, const void* from, size_t bytes, Stream stream) {
  copy(Cpu{}, to, from, bytes, stream);
}

void download(Cpu, void* to, const void* from, size_t bytes, Stream stream) {
  copy(Cpu{}, to, from, bytes, stream);
}

void synchronize(Cpu, Stream) {}

void* allocate_unified(Cpu, size_t bytes) { return allocate(Cpu{}, bytes); }

}  // namespace rlhf
