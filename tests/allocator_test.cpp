// The caching allocator: size classes, reuse, and counters that add up.
#include "core/allocator.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <set>
#include <thread>
#include <vector>

#include "core/check.h"

namespace {
thread_local bool heap_is_empty = false;
}

// g++ sees the free() below inlined beside a `new` that it has not inlined, and takes them for a
// mismatch.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(size_t bytes) {
  void* const memory = heap_is_empty ? nullptr : std::malloc(bytes);
  return memory ? memory : throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace rlhf {
namespace {

TEST(Allocator, SizeClassesWasteAtMostAFifthOfABlock) {
  EXPECT_EQ(Allocator::size_class(0), 64u);
  EXPECT_EQ(Allocator::size_class(1), 64u);
  EXPECT_EQ(Allocator::size_class(64), 64u);
  EXPECT_EQ(Allocator::size_class(65), 80u);
  EXPECT_EQ(Allocator::size_class(1024), 1024u);
  EXPECT_EQ(Allocator::size_class(1025), 1280u);
  EXPECT_EQ(Allocator::size_class(1281), 1536u);
  EXPECT_EQ(Allocator::size_class(1793), 2048u);
  size_t previous = 0;
  std::set<size_t> classes;
  for (size_t bytes = 1; bytes <= 70000; bytes++) {
    const size_t size = Allocator::size_class(bytes);
    ASSERT_GE(size, bytes);
    ASSERT_GE(size, previous);
    ASSERT_EQ(Allocator::size_class(size), size) << "a class is its own class";
    if (bytes > 64) {
      ASSERT_LE(size - bytes, size / 5) << bytes;
    }
    classes.insert(size);
    previous = size;
  }
  EXPECT_EQ(classes.size(), 1u + 4 * 10 + 1) << "64, four to each of ten doublings, one beyond";
}

TEST(Allocator, CountersAddUpAndBlocksAreUsedAgain) {
  Allocator allocator(Device::cpu);
  void* a = allocator.allocate(1000);
  void* b = allocator.allocate(5000);
  EXPECT_EQ(allocator.statistics().live, 1024u + 5120u);
  EXPECT_EQ(allocator.statistics().cached, 0u);
  allocator.release(a, 1000);
  EXPECT_EQ(allocator.statistics().live, 5120u);
  EXPECT_EQ(allocator.statistics().cached, 1024u);
  EXPECT_EQ(allocator.statistics().peak, 1024u + 5120u);

  void* small = allocator.allocate(100);
  EXPECT_NE(small, a) << "of another class";
  EXPECT_EQ(allocator.statistics().cached, 1024u);
  EXPECT_EQ(allocator.allocate(1001), a) << "of the same class";
  EXPECT_EQ(allocator.statistics().cached, 0u);

  allocator.release(b, 5000);
  EXPECT_EQ(allocator.statistics().peak, 1024u + 5120u + 112u);
  allocator.trim();
  EXPECT_EQ(allocator.statistics().cached, 0u);
  EXPECT_EQ(allocator.statistics().live, 1024u + 112u);
  allocator.release(a, 1001);
  allocator.release(small, 100);
  EXPECT_EQ(allocator.statistics().live, 0u);
}

TEST(Allocator, BlocksAreAlignedAndDoNotOverlap) {
  Allocator allocator(Device::cpu);
  std::vector<std::pair<char*, size_t>> blocks;
  for (size_t bytes : {1, 63, 64, 65, 100, 999, 4097}) {
    auto* block = static_cast<char*>(allocator.allocate(bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % 64, 0u) << bytes;
    std::memset(block, int(blocks.size()), bytes);
    blocks.emplace_back(block, bytes);
  }
  for (size_t i = 0; i < blocks.size(); i++) {
    const auto& [block, bytes] = blocks[i];
    EXPECT_EQ(block[0], char(i));
    EXPECT_EQ(block[bytes - 1], char(i));
    allocator.release(block, bytes);
  }
}

TEST(Allocator, RefusesWhatTheDeviceDoesNotHave) {
  Allocator allocator(Device::cpu);
  void* cached = allocator.allocate(1 << 20);
  allocator.release(cached, 1 << 20);
  try {
    allocator.allocate(SIZE_MAX - 10);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("expected room for 18446744073709551605 bytes"),
              std::string::npos)
        << error.what();
  }
  EXPECT_EQ(allocator.statistics().live, 0u);
  EXPECT_EQ(allocator.statistics().cached, 0u) << "cached blocks are given up before giving up";
}

/// Tensors die while an exception for want of memory is on its way.
TEST(Allocator, ReleasingNeedsNoMemory) {
  Allocator allocator(Device::cpu);
  for (int round = 0; round < 2; round++) {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; i++) blocks.push_back(allocator.allocate(1000));
    heap_is_empty = true;
    for (void* block : blocks) allocator.release(block, 1000);
    heap_is_empty = false;
    EXPECT_EQ(allocator.statistics().cached, 100u * 1024u);
    allocator.trim();
  }
}

TEST(Allocator, ThreadsMayShareIt) {
  Allocator allocator(Device::cpu);
  const auto churn = [&](int offset) {
    for (size_t i = 0; i < 2000; i++) {
      const size_t bytes = 64 + (i * 37 + size_t(offset)) % 2000;
      auto* block = static_cast<unsigned char*>(allocator.allocate(bytes));
      block[0] = block[bytes - 1] = (unsigned char)(offset);
      ASSERT_EQ(block[0], offset);
      allocator.release(block, bytes);
    }
  };
  std::thread other(churn, 1);
  churn(2);
  other.join();
  EXPECT_EQ(allocator.statistics().live, 0u);
}

#ifndef NDEBUG
TEST(Allocator, DebugBuildsHandOutNaN) {
  Allocator allocator(Device::cpu);
  auto* block = static_cast<float*>(allocator.allocate(256));
  for (int i = 0; i < 64; i++) EXPECT_NE(block[i], block[i]);
  allocator.release(block, 256);
}
#endif

TEST(Allocator, APoolGivesOutBlocksOfUpToTwiceTheSize) {
  Allocator lender(Device::cpu);
  Allocator pool(lender);
  void* const large = pool.allocate(2048);
  pool.release(large, 2048);
  EXPECT_EQ(pool.allocate(1024), large);
  EXPECT_EQ(pool.statistics().live, 2048u);
  void* const other = pool.allocate(1024);
  EXPECT_NE(other, large);
  pool.release(large, 1024);
  pool.release(other, 1024);
  EXPECT_EQ(pool.statistics().cached, 3072u);
  void* const small = pool.allocate(512);
  EXPECT_EQ(small, other) << "the smallest that will do";
  pool.release(small, 512);
  pool.trim();
  EXPECT_EQ(pool.statistics().cached, 0u);
  EXPECT_EQ(lender.statistics().live, 0u);
}

TEST(Allocator, AsksOthersForWhatTheyCanDoWithoutWhenThereIsNoMemory) {
  Allocator lender(Device::cpu);
  Allocator pool(lender);
  pool.release(pool.allocate(4096), 4096);
  int asked = 0;
  lender.set_relief(&pool, [&] {
    asked++;
    pool.trim();
  });
  EXPECT_THROW(pool.allocate(SIZE_MAX / 4), Error) << "the pool is free to be asked meanwhile";
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(lender.statistics().live, 0u);
  EXPECT_EQ(lender.statistics().cached, 0u) << "the device has it back";
  lender.set_relief(&pool, {});
  EXPECT_THROW(lender.allocate(SIZE_MAX / 4), Error);
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace rlhf
