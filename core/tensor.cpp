#include "core/tensor.h"

#include <array>

#include "core/allocator.h"
#include "kernels/run.h"

namespace rlhf {

Storage::Storage(int64_t count_, DType dtype_, Device device_)
    : data(Allocator::of(device_).allocate(size_t(count_) * size_of(dtype_))),
      count(count_),
      dtype(dtype_),
      device(device_) {}

Storage::~Storage() { Allocator::of(device).release(data, size_t(count) * size_of(dtype)); }

Tensor Tensor::empty(const Shape& shape, DType dtype, Device device) {
  return {std::make_shared<Storage>(shape.count(), dtype, device), 0, shape};
}

Tensor Tensor::zeros(const Shape& shape, DType dtype, Device device) {
  Tensor tensor = empty(shape, dtype, device);
  tensor.fill_zero();
  return tensor;
}

template <class T>
Tensor Tensor::from(std::span<const T> values, const Shape& shape, Device device) {
  check(int64_t(values.size()) == shape.count(), "tensor", "expected {} values for {}, got {}",
        shape.count(), shape.text(), values.size());
  Tensor tensor = empty(shape, dtype_of<T>(), device);
  if (values.empty()) return tensor;
  on_device(device, [&](auto tag) {
    copy(tag, tensor.data<T>(), values.data(), values.size_bytes(), Stream{});
  });
  return tensor;
}

template <class T>
T* Tensor::data() const {
  if (!storage_) return nullptr;
  check(dtype() == dtype_of<T>(), "tensor", "expected {}, got {}", name_of(dtype_of<T>()),
        name_of(dtype()));
  return static_cast<T*>(storage_->data) + offset_;
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  std::vector<T> values(static_cast<size_t>(count()));
  if (values.empty()) return values;
  on_device(device(), [&](auto tag) {
    copy(tag, values.data(), data<T>(), values.size() * sizeof(T), Stream{});
  });
  return values;
}

double Tensor::item() const {
  check(count() == 1, "tensor", "expected one element, got shape {}", shape_.text());
  return dispatch(dtype(), [&](auto t) -> double { return to_vector<decltype(t)>()[0]; });
}

void Tensor::copy_from(const Tensor& other) const {
  check(other.count() == count() && other.dtype() == dtype() && other.device() == device(),
        "tensor", "expected {} {} to copy from, got {} {}", name_of(dtype()), shape_.text(),
        name_of(other.dtype()), other.shape_.text());
  const size_t size = size_of(dtype());
  const auto at = [&](const Tensor& t) {
    return static_cast<char*>(t.storage_->data) + size_t(t.offset_) * size;
  };
  on_device(device(),
            [&](auto tag) { copy(tag, at(*this), at(other), size_t(count()) * size, Stream{}); });
}

void Tensor::fill_zero() const {
  const size_t size = size_of(dtype());
  on_device(device(), [&](auto tag) {
    fill(tag, static_cast<char*>(storage_->data) + size_t(offset_) * size, 0,
         size_t(count()) * size, Stream{});
  });
}

Tensor Tensor::reshape(const Shape& shape) const {
  check(shape.count() == count(), "reshape", "expected {} elements, got {}", count(), shape.text());
  Tensor tensor = *this;
  tensor.shape_ = shape;
  return tensor;
}

Tensor Tensor::view(int64_t begin, const Shape& shape) const {
  check(begin >= 0 && begin + shape.count() <= count(), "view",
        "expected a range within {}, got {}+{}", count(), begin, shape.count());
  Tensor tensor(storage_, offset_ + begin, shape);
  if (gradient_) {
    ensure_gradient_storage();
    tensor.gradient_ =
        std::make_shared<Gradient>(Gradient{gradient_->storage, gradient_->offset + begin, false});
  }
  return tensor;
}

void Tensor::set_requires_grad(bool wanted) {
  if (!wanted) {
    gradient_ = nullptr;
  } else if (!gradient_) {
    gradient_ = std::make_shared<Gradient>();
  }
}

void Tensor::ensure_gradient_storage() const {
  if (!gradient_->storage) {
    gradient_->storage = std::make_shared<Storage>(count(), dtype(), device());
    gradient_->offset = 0;
  }
}

Tensor Tensor::grad() const {
  if (!has_grad()) return {};
  return {gradient_->storage, gradient_->offset, shape_};
}

template <class T>
const T* Tensor::grad_data() const {
  return has_grad() ? static_cast<const T*>(gradient_->storage->data) + gradient_->offset : nullptr;
}

template <class T>
GradientOut<T> Tensor::grad_out() const {
  if (!gradient_) return {};
  ensure_gradient_storage();
  const bool accumulate = std::exchange(gradient_->written, true);
  return {static_cast<T*>(gradient_->storage->data) + gradient_->offset, accumulate};
}

template Tensor Tensor::from(std::span<const float>, const Shape&, Device);
template Tensor Tensor::from(std::span<const double>, const Shape&, Device);
template Tensor Tensor::from(std::span<const int32_t>, const Shape&, Device);
template float* Tensor::data() const;
template double* Tensor::data() const;
template int32_t* Tensor::data() const;
template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<int32_t> Tensor::to_vector() const;
template const float* Tensor::grad_data() const;
template const double* Tensor::grad_data() const;
template GradientOut<float> Tensor::grad_out() const;
template GradientOut<double> Tensor::grad_out() const;

}  // namespace rlhf
