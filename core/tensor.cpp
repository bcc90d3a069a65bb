#include "core/tensor.h"

#include <array>

#include "core/allocator.h"
#include "kernels/run.h"

namespace rlhf {

Storage::Storage(int64_t count_, DType dtype_, Device device_)
    : allocator(Allocator::current(device_)),
      data(allocator->allocate(size_t(count_) * size_of(dtype_))),
      count(count_),
      dtype(dtype_),
      device(device_) {}

Storage::~Storage() { allocator->release(data, size_t(count) * size_of(dtype)); }

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
    upload(tag, tensor.data<T>(), values.data(), values.size_bytes(), Stream{});
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
    download(tag, values.data(), data<T>(), values.size() * sizeof(T), Stream{});
  });
  return values;
}

double Tensor::item() const {
  check(count() == 1, "tensor", "expected one element, got shape {}", shape_.text());
  return dispatch(dtype(), [&](auto t) -> double { return to_vector<decltype(t)>()[0]; });
}

void* Tensor::raw() const {
  return static_cast<char*>(storage_->data) + size_t(offset_) * size_of(dtype());
}

void Tensor::copy_from(const Tensor& other) const {
  check(other.count() == count() && other.dtype() == dtype(), "tensor",
        "expected {} {} to copy from, got {} {}", name_of(dtype()), shape_.text(),
        name_of(other.dtype()), other.shape_.text());
  const size_t bytes = size_t(count()) * size_of(dtype());
  if (other.device() == device()) {
    on_device(device(), [&](auto tag) { copy(tag, raw(), other.raw(), bytes, Stream{}); });
  } else if (device() == Device::cpu) {
    on_device(other.device(),
              [&](auto tag) { download(tag, raw(), other.raw(), bytes, Stream{}); });
  } else {
    on_device(device(), [&](auto tag) { upload(tag, raw(), other.raw(), bytes, Stream{}); });
  }
}

void Tensor::fill_zero() const {
  on_device(device(),
            [&](auto tag) { fill(tag, raw(), 0, size_t(count()) * size_of(dtype()), Stream{}); });
}

Tensor Tensor::to(Device device) const {
  if (!defined() || device == this->device()) return *this;
  Tensor out = empty(shape_, dtype(), device);
  out.copy_from(*this);
  return out;
}

Tensor Tensor::to(DType dtype) const {
  if (!defined() || dtype == this->dtype()) return *this;
  return dispatch(this->dtype(), [&](auto from_type) {
    const auto values = to_vector<decltype(from_type)>();
    return dispatch(dtype, [&](auto to_type) {
      using To = decltype(to_type);
      std::vector<To> converted;
      converted.reserve(values.size());
      for (const auto value : values) converted.push_back(To(value));
      return from(converted, shape_, device());
    });
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
    leave_shared_gradient();
    ensure_gradient_storage(gradient_->storage ? gradient_->storage->dtype : dtype());
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

void Tensor::ensure_gradient_storage(DType dtype) const {
  if (!gradient_->storage) {
    gradient_->storage = std::make_shared<Storage>(count(), dtype, device());
    gradient_->offset = 0;
  }
  check(gradient_->storage->dtype == dtype, "gradient", "expected {}, got {}", name_of(dtype),
        name_of(gradient_->storage->dtype));
}

Tensor Tensor::grad() const {
  if (!has_grad()) return {};
  return {gradient_->storage, gradient_->offset, shape_};
}

void Tensor::leave_shared_gradient() const {
  if (!std::exchange(gradient_->shared, false) || gradient_->storage.use_count() == 1) return;
  const Tensor before = grad();
  const DType dtype = std::exchange(gradient_->storage, nullptr)->dtype;
  ensure_gradient_storage(dtype);
  if (before.defined()) grad().copy_from(before);
}

bool Tensor::share_grad(const Tensor& other) const {
  if (gradient_->storage || other.gradient_->storage->dtype != dtype()) return false;
  check(other.has_grad() && other.count() == count(), "gradient", "expected one of {}, got {}",
        shape_.text(), other.shape_.text());
  other.gradient_->shared = true;
  *gradient_ = *other.gradient_;
  return true;
}

template <class T>
const T* Tensor::grad_data() const {
  return grad().data<T>();
}

template <class T>
GradientOut<T> Tensor::grad_out() const {
  if (!gradient_) return {};
  leave_shared_gradient();
  ensure_gradient_storage(dtype_of<T>());
  const bool accumulate = std::exchange(gradient_->written, true);
  return {static_cast<T*>(gradient_->storage->data) + gradient_->offset, accumulate};
}

template Tensor Tensor::from(std::span<const float>, const Shape&, Device);
template Tensor Tensor::from(std::span<const double>, const Shape&, Device);
template Tensor Tensor::from(std::span<const bf16>, const Shape&, Device);
template Tensor Tensor::from(std::span<const int32_t>, const Shape&, Device);
template Tensor Tensor::from(std::span<const int8_t>, const Shape&, Device);
template float* Tensor::data() const;
template double* Tensor::data() const;
template bf16* Tensor::data() const;
template int32_t* Tensor::data() const;
template int8_t* Tensor::data() const;
template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<bf16> Tensor::to_vector() const;
template std::vector<int32_t> Tensor::to_vector() const;
template std::vector<int8_t> Tensor::to_vector() const;
template const float* Tensor::grad_data() const;
template const double* Tensor::grad_data() const;
template const bf16* Tensor::grad_data() const;
template GradientOut<float> Tensor::grad_out() const;
template GradientOut<double> Tensor::grad_out() const;
template GradientOut<bf16> Tensor::grad_out() const;

}  // namespace rlhf
