// The order in which the threads of a block run. A correct kernel gives the same bits in each;
// one that lacks a barrier often needs a particular order to show it.
#pragma once

#include <cstdint>

namespace rlhf::emulator {

enum class Order {
  forward,     ///< a warp goes on until it waits for the block, then the next one
  reverse,     ///< the same from the last thread to the first
  random,      ///< any thread that can go on, drawn by the seed
  warp_first,  ///< the first warp runs ahead of the others as far as it can
  warp_last,   ///< the last warp runs ahead of the others
};
inline constexpr Order all_orders[] = {Order::forward, Order::reverse, Order::random,
                                       Order::warp_first, Order::warp_last};

struct Schedule {
  Order order = Order::forward;
  uint64_t seed = 0;
};

/// For the launches that follow. At first it is what the environment says, RLHF_EMULATOR_ORDER:
/// forward, reverse, random, random:<seed>, warp_first or warp_last.
void set_schedule(Schedule schedule);
Schedule schedule();
const char* name_of(Order order);

}  // namespace rlhf::emulator
