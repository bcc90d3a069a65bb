// Host memory behind the interface of device memory.
#include "kernels/memory.h"

#include <cstdlib>
#include <cstring>

namespace rlhf {

void* allocate(Cpu, size_t bytes) {
  constexpr size_t line = 64;  // a cache line, and the widest vector
  if (bytes > SIZE_MAX - line) return nullptr;
  const size_t rounded = (bytes + line - 1) / line * line;
  return std::aligned_alloc(line, rounded > 0 ? rounded : line);
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
