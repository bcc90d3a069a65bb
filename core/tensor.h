// A dense row-major tensor: a value handle over shared storage, with room for a gradient. Copying a
// Tensor copies the handle. Views are a reshape or a range of the elements; nothing is ever
// strided, which keeps every kernel a loop over rows.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"
#include "kernels/device.h"

namespace rlhf {

class Allocator;

/// Memory with an element type on a device, returned to its caching allocator at the end.
struct Storage {
  Storage(int64_t count, DType dtype, Device device);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::shared_ptr<Allocator> allocator;
  void* data;
  int64_t count;
  DType dtype;
  Device device;
};

/// Where a tensor's gradient goes. `written` says whether this step has put anything there yet: the
/// first writer overwrites, later ones add. Its type is chosen by who asks first: activations keep
/// their own, parameters that of an accumulator, in which thousands of rows can be summed.
struct Gradient {
  std::shared_ptr<Storage> storage;  ///< null until first asked for
  int64_t offset = 0;
  bool written = false;
  bool shared = false;  ///< the memory may hold another tensor's gradient, too: write to a copy
};

class Tensor {
 public:
  Tensor() = default;  ///< undefined: an absent bias, a gradient nobody asked for

  static Tensor empty(const Shape& shape, DType dtype, Device device = Device::cpu);
  static Tensor zeros(const Shape& shape, DType dtype, Device device = Device::cpu);
  /// A copy of `values`. @throws Error unless there are as many as the shape has elements.
  template <class T>
  static Tensor from(std::span<const T> values, const Shape& shape, Device device = Device::cpu);
  template <class T>
  static Tensor from(const std::vector<T>& values, const Shape& shape,
                     Device device = Device::cpu) {
    return from(std::span<const T>(values), shape, device);
  }

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int64_t count() const { return shape_.count(); }
  DType dtype() const { return storage_->dtype; }
  Device device() const { return storage_->device; }

  /// The first element, null when undefined: memory of the tensor's device, which the host may
  /// touch on the CPU alone. @throws Error when T is not the element type.
  template <class T>
  T* data() const;
  /// A copy on the host; waits for the device.
  template <class T>
  std::vector<T> to_vector() const;
  /// The only element of a tensor of one, as double; waits for the device.
  double item() const;
  /// Elements of the same type and number, from whatever device.
  void copy_from(const Tensor& other) const;
  void fill_zero() const;

  /// The same values on a device, or as another floating-point type (rounded to nearest): this very
  /// tensor when it is so already, else a copy without a gradient. Undefined stays undefined. Types
  /// change on the host, since models do so when they are loaded.
  Tensor to(Device device) const;
  Tensor to(DType dtype) const;

  /// What this tensor is the rounding of, if somebody has said so; undefined otherwise. Copies and
  /// views do not inherit it.
  Tensor rounded_from() const { return rounded_from_ ? *rounded_from_ : Tensor{}; }
  void set_rounded_from(const Tensor& exact) {
    rounded_from_ = std::make_shared<const Tensor>(exact);
  }

  /// The same elements under another shape; shares memory and gradient.
  Tensor reshape(const Shape& shape) const;
  /// Elements [begin, begin + shape.count()) of the flat storage; shares memory and gradient place
  /// (arenas carve their parameters out with it).
  Tensor view(int64_t begin, const Shape& shape) const;

  bool requires_grad() const { return gradient_ != nullptr; }
  /// Gives the tensor a place for a gradient, or takes it away (a frozen parameter).
  void set_requires_grad(bool wanted);
  Gradient* gradient() const { return gradient_.get(); }
  bool has_grad() const { return gradient_ && gradient_->written; }
  /// The gradient as a tensor of this shape; undefined when nothing was written.
  Tensor grad() const;
  /// The gradient's elements, null when nothing was written. @throws Error when it is of another
  /// type than T.
  template <class T>
  const T* grad_data() const;
  /// Where a backward kernel is to write, marked as written; null when no gradient is wanted. T is
  /// the tensor's own type, of parameters Accumulator of it. @throws Error when somebody has asked
  /// for another type before.
  template <class T>
  GradientOut<T> grad_out() const;
  /// Makes `other`'s gradient, of as many elements, this tensor's as well, without a copy: whoever
  /// writes to one of the two next gets memory of its own, unless the other is gone by then. False
  /// when this tensor has a gradient already, or a place of its own for it.
  bool share_grad(const Tensor& other) const;

 private:
  Tensor(std::shared_ptr<Storage> storage, int64_t offset, const Shape& shape)
      : storage_(std::move(storage)), offset_(offset), shape_(shape) {}
  void ensure_gradient_storage(DType dtype) const;
  void leave_shared_gradient() const;
  void* raw() const;

  std::shared_ptr<Storage> storage_;
  int64_t offset_ = 0;
  Shape shape_;
  std::shared_ptr<Gradient> gradient_;
  std::shared_ptr<const Tensor> rounded_from_;
};

}  // namespace rlhf
