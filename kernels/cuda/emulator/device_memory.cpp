#include "kernels/cuda/emulator/device_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <stdexcept>

#include "kernels/cuda/emulator/stream.h"

namespace rlhf::emulator {
namespace {

constexpr size_t alignment = 256;
constexpr size_t guard = under_asan ? 0 : alignment;  // red zones do it there, to the byte

struct Piece {
  size_t bytes;
  MemoryKind kind;
};

struct Memory {
  std::map<uintptr_t, Piece> pieces;
  size_t used = 0;
  size_t limit = 0;
};

Memory& memory() {
  static auto* const only = new Memory;  // tensors in static storage may outlive any order
  return *only;
}

size_t device_bytes() {
  static const size_t of_machine = size_t(sysconf(_SC_PHYS_PAGES)) * size_t(sysconf(_SC_PAGESIZE));
  return memory().limit ? memory().limit : of_machine;
}

/// The piece that `address` lies in, or the end.
std::map<uintptr_t, Piece>::iterator find(uintptr_t address) {
  auto& pieces = memory().pieces;
  auto piece = pieces.upper_bound(address);
  if (piece == pieces.begin()) return pieces.end();
  --piece;
  return address < piece->first + std::max<size_t>(piece->second.bytes, 1) ? piece : pieces.end();
}

cudaError_t allocate(void** result, size_t bytes, MemoryKind kind) {
  const std::lock_guard lock(device_mutex());
  if (const cudaError_t status = refuse_while_capturing(); status != cudaSuccess) return status;
  const bool on_device = kind != MemoryKind::pinned;
  if (on_device && bytes > device_bytes() - std::min(device_bytes(), memory().used)) {
    return remember(cudaErrorMemoryAllocation);
  }
  void* block = nullptr;
  if (posix_memalign(&block, alignment, std::max<size_t>(bytes, 1) + 2 * guard)) {
    return remember(cudaErrorMemoryAllocation);
  }
  std::memset(block, 0xff, bytes + 2 * guard);
  const uintptr_t begin = reinterpret_cast<uintptr_t>(block) + guard;
  memory().pieces[begin] = {bytes, kind};
  if (on_device) memory().used += bytes;
  *result = reinterpret_cast<void*>(begin);
  return cudaSuccess;
}

/// Whether the address is this process's. Numbers are not: what programs count, and pairs of
/// floats, lie far below or above what a 64-bit Linux maps.
bool mapped(uintptr_t address) {
  constexpr uintptr_t lowest = uintptr_t{1} << 32, highest = uintptr_t{1} << 47;
  if (address < lowest || address >= highest) return false;
  static const auto page = uintptr_t(sysconf(_SC_PAGESIZE));
  unsigned char resident;
  return mincore(reinterpret_cast<void*>(address / page * page), 1, &resident) == 0;
}

bool repair(unsigned char* band) {
  const bool intact = std::all_of(band, band + guard, [](unsigned char b) { return b == 0xff; });
  if (!intact) std::memset(band, 0xff, guard);
  return intact;
}

void check(uintptr_t begin, const Piece& piece, const std::string& who) {
  auto* const data = reinterpret_cast<unsigned char*>(begin);
  const bool before = repair(data - guard), behind = repair(data + piece.bytes);
  if (before && behind) return;
  throw std::runtime_error("[" + who + "] expected writes within device memory, got one " +
                           (before ? "behind" : "before") + " a piece of " +
                           std::to_string(piece.bytes) + " bytes");
}

cudaError_t release(void* address) {
  if (!address) return cudaSuccess;
  const std::lock_guard lock(device_mutex());
  if (const cudaError_t status = refuse_while_capturing(); status != cudaSuccess) return status;
  run_all_streams();  // as on a GPU: what is queued may use it
  auto& pieces = memory().pieces;
  const auto piece = pieces.find(reinterpret_cast<uintptr_t>(address));
  if (piece == pieces.end()) return remember(cudaErrorInvalidValue);
  const auto [begin, freed] = *piece;
  pieces.erase(piece);
  if (freed.kind != MemoryKind::pinned) memory().used -= freed.bytes;
  auto* const block = reinterpret_cast<unsigned char*>(begin) - guard;
  struct Free {
    void* block;
    ~Free() { std::free(block); }
  } const after_the_check{block};
  check(begin, freed, "cudaFree");
  return cudaSuccess;
}

}  // namespace

MemoryKind kind_of(const void* address, size_t bytes) {
  const std::lock_guard lock(device_mutex());
  const auto begin = reinterpret_cast<uintptr_t>(address);
  const auto piece = find(begin);
  if (piece == memory().pieces.end()) return MemoryKind::host;
  const bool inside = begin + bytes <= piece->first + piece->second.bytes;
  return inside ? piece->second.kind : MemoryKind::host;
}

bool is_device_pointer(const void* address) { return kind_of(address) != MemoryKind::host; }

void check_guard_bands() {
  const std::lock_guard lock(device_mutex());
  for (const auto& [begin, piece] : memory().pieces) check(begin, piece, "device memory");
}

void check_guard_bands(const void* arguments, size_t bytes, const std::string& who) {
  const auto* const words = static_cast<const char*>(arguments);
  for (size_t i = 0; i + sizeof(uintptr_t) <= bytes; i += sizeof(uintptr_t)) {
    uintptr_t word;
    std::memcpy(&word, words + i, sizeof word);
    const auto piece = find(word);
    if (piece != memory().pieces.end()) check(piece->first, piece->second, who);
  }
}

void check_reachable(const void* arguments, size_t bytes, const std::string& kernel) {
  const std::lock_guard lock(device_mutex());
  const auto& pieces = memory().pieces;
  const auto* const words = static_cast<const char*>(arguments);
  for (size_t i = 0; i + sizeof(uintptr_t) <= bytes; i += sizeof(uintptr_t)) {
    uintptr_t word;
    std::memcpy(&word, words + i, sizeof word);
    if (!mapped(word)) continue;
    // The end of a piece is no mistake: an empty array may begin there.
    const auto behind = pieces.upper_bound(word);
    if (behind != pieces.begin()) {
      const auto& [begin, piece] = *std::prev(behind);
      if (word <= begin + std::max<size_t>(piece.bytes, 1)) continue;
    }
    throw std::runtime_error("[kernel " + kernel +
                             "] expected arguments that point to device memory, got an address of "
                             "the host or of memory that was freed");
  }
}

void set_device_bytes(size_t bytes) {
  const std::lock_guard lock(device_mutex());
  memory().limit = bytes;
}

}  // namespace rlhf::emulator

using rlhf::emulator::MemoryKind;

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  return rlhf::emulator::allocate(memory, bytes, MemoryKind::device);
}
cudaError_t cudaFree(void* memory) { return rlhf::emulator::release(memory); }
cudaError_t cudaMallocHost(void** memory, size_t bytes, unsigned) {
  return rlhf::emulator::allocate(memory, bytes, MemoryKind::pinned);
}
cudaError_t cudaFreeHost(void* memory) { return rlhf::emulator::release(memory); }
cudaError_t cudaMallocManaged(void** memory, size_t bytes, unsigned) {
  return rlhf::emulator::allocate(memory, bytes, MemoryKind::managed);
}
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  const std::lock_guard lock(rlhf::emulator::device_mutex());
  *total_bytes = rlhf::emulator::device_bytes();
  *free_bytes = *total_bytes - std::min(*total_bytes, rlhf::emulator::memory().used);
  return cudaSuccess;
}
