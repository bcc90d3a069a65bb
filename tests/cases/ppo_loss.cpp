// PPO's clipped losses against equations 7 and 9, with ratios and values on both sides of the clip.
#include "kernels/ppo_loss.h"

#include <algorithm>
#include <cmath>

#include "tests/case.h"

namespace rlhf {
namespace {

struct Shape {
  std::string label;
  int64_t count;
  float clip = 0.2f;
  float dual_clip = 0;
  float log_ratio_clamp = 0;
  float clip_high = 0;
};

struct PpoPolicyLossCase {
  using Shape = rlhf::Shape;
  static constexpr const char* name = "ppo_policy_loss";
  static std::vector<Shape> shapes() {
    return {{"one", 1},
            {"odd", 301},
            {"parallel", 7000},
            {"dual_clip", 301, 0.2f, 1.5f},
            {"log_ratio_clamp", 301, 0.2f, 0, 0.15f},
            {"clip_high", 301, 0.2f, 0, 0, 0.35f},
            {"all", 301, 0.2f, 1.6f, 0.5f, 0.28f}};
  }
  static std::vector<Shape> bench_shapes() { return {{"512x53", 512 * 53}}; }

  template <class T>
  static PpoPolicyLossForward<T> forward(Buffers& b, const Shape& s) {
    return {.loss = b.output<T>(s.count),
            .log_prob = b.normal<T>(s.count, 0.3, -2),
            .old_log_prob = b.normal<T>(s.count, 0.3, -2),
            .advantage = b.normal<T>(s.count),
            .count = s.count,
            .clip = s.clip,
            .dual_clip = s.dual_clip,
            .log_ratio_clamp = s.log_ratio_clamp,
            .clip_high = s.clip_high};
  }

  static void reference(const PpoPolicyLossForward<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      const double most = c.log_ratio_clamp > 0 ? std::exp(double(c.log_ratio_clamp)) : 1e9;
      const double free = std::exp(c.log_prob[i]) / std::exp(c.old_log_prob[i]);
      const double ratio = std::min(std::max(free, 1 / most), most);
      const double low = 1 - double(c.clip);
      const double high = 1 + double(c.clip_high > 0 ? c.clip_high : c.clip);
      const double near = ratio < low ? low : ratio > high ? high : ratio;
      c.loss[i] = -std::min(ratio * c.advantage[i], near * c.advantage[i]);
      if (c.dual_clip > 0 && c.advantage[i] < 0) {
        c.loss[i] = -std::max(-c.loss[i], double(c.dual_clip) * c.advantage[i]);
      }
    }
  }

  template <class T>
  static PpoPolicyLossBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_log_prob = b.gradient<T>(s.count),
            .d_loss = b.normal<T>(s.count),
            .log_prob = b.normal<T>(s.count),
            .old_log_prob = b.normal<T>(s.count),
            .advantage = b.normal<T>(s.count),
            .count = s.count,
            .clip = s.clip,
            .dual_clip = s.dual_clip,
            .log_ratio_clamp = s.log_ratio_clamp,
            .clip_high = s.clip_high};
  }
};
const Register<PpoPolicyLossCase> registered_policy;

struct PpoValueLossCase {
  using Shape = rlhf::Shape;
  static constexpr const char* name = "ppo_value_loss";
  static std::vector<Shape> shapes() {
    return {{"one", 1}, {"odd", 301}, {"unclipped", 64, 0}, {"parallel", 7000}};
  }
  static std::vector<Shape> bench_shapes() { return {{"512x53", 512 * 53}}; }

  template <class T>
  static PpoValueLossForward<T> forward(Buffers& b, const Shape& s) {
    return {.loss = b.output<T>(s.count),
            .value = b.normal<T>(s.count, 0.4),
            .old_value = b.normal<T>(s.count, 0.4),
            .target = b.normal<T>(s.count, 0.4),
            .count = s.count,
            .clip = s.clip};
  }

  static void reference(const PpoValueLossForward<double>& c) {
    for (int64_t i = 0; i < c.count; i++) {
      const double clip = double(c.clip), change = c.value[i] - c.old_value[i];
      const double near = c.old_value[i] + std::min(std::max(change, -clip), clip);
      const double plain = std::pow(c.value[i] - c.target[i], 2) / 2;
      c.loss[i] = clip == 0 ? plain : std::max(plain, std::pow(near - c.target[i], 2) / 2);
    }
  }

  template <class T>
  static PpoValueLossBackward<T> backward(Buffers& b, const Shape& s) {
    return {.d_value = b.gradient<T>(s.count),
            .d_loss = b.normal<T>(s.count),
            .value = b.normal<T>(s.count),
            .old_value = b.normal<T>(s.count),
            .target = b.normal<T>(s.count),
            .count = s.count,
            .clip = s.clip};
  }
};
const Register<PpoValueLossCase> registered_value;

}  // namespace
}  // namespace rlhf
