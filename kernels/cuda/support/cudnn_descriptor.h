// What cuDNN's graph interface is made of: descriptors, objects without a C type that are filled
// attribute by attribute, then sealed.
#pragma once

#include <cudnn.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rlhf::gpu::cudnn {

/// @throws std::runtime_error with one line: what was tried, and what cuDNN said.
inline void check(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  char reason[256] = "";
  cudnnGetLastErrorString(reason, sizeof reason);
  throw std::runtime_error("[cudnn] expected " + std::string(what) + " to work, got " +
                           cudnnGetErrorString(status) + ": " + reason);
}

/// What cuDNN calls a C++ type; CUDNN_TYPE_VOID_PTR: nothing.
template <class T>
inline constexpr cudnnBackendAttributeType_t attribute_type = CUDNN_TYPE_VOID_PTR;
template <>
inline constexpr auto attribute_type<bool> = CUDNN_TYPE_BOOLEAN;
template <>
inline constexpr auto attribute_type<char> = CUDNN_TYPE_CHAR;
template <>
inline constexpr auto attribute_type<int32_t> = CUDNN_TYPE_INT32;
template <>
inline constexpr auto attribute_type<int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr auto attribute_type<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr auto attribute_type<cudnnPointwiseMode_t> = CUDNN_TYPE_POINTWISE_MODE;
template <>
inline constexpr auto attribute_type<cudnnReduceTensorOp_t> = CUDNN_TYPE_REDUCTION_OPERATOR_TYPE;
template <>
inline constexpr auto attribute_type<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    check(cudnnBackendCreateDescriptor(type, &raw_), "creating a descriptor");
  }
  ~Descriptor() {
    if (raw_) static_cast<void>(cudnnBackendDestroyDescriptor(raw_));
  }
  Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }

  cudnnBackendDescriptor_t raw() const { return raw_; }

  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, const T* values, size_t count) {
    return set(name, attribute_type<T>, values, count);
  }
  template <class T>
  requires(attribute_type<T> !=
           CUDNN_TYPE_VOID_PTR) Descriptor& set(cudnnBackendAttributeName_t name, const T& value) {
    return set(name, &value, 1);
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, &value.raw_, 1);
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const std::vector<Descriptor>& values) {
    std::vector<cudnnBackendDescriptor_t> raw;
    for (const Descriptor& value : values) raw.push_back(value.raw_);
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, raw.data(), raw.size());
  }
  /// Addresses, which C++ cannot tell from descriptors.
  Descriptor& set_addresses(cudnnBackendAttributeName_t name, void* const* values, size_t count) {
    return set(name, CUDNN_TYPE_VOID_PTR, values, count);
  }

  /// No attribute changes from here on. False when cuDNN has nothing that works like that, which
  /// of engines and plans is an answer; of everything else it is a mistake, see sealed().
  bool seal() { return cudnnBackendFinalize(raw_) == CUDNN_STATUS_SUCCESS; }

  /// At most `most` values.
  template <class T>
  std::vector<T> get(cudnnBackendAttributeName_t name, size_t most) const {
    std::vector<T> values(most);
    int64_t count = 0;
    check(cudnnBackendGetAttribute(raw_, name, attribute_type<T>, int64_t(most), &count,
                                   values.data()),
          "reading an attribute");
    values.resize(size_t(count));
    return values;
  }
  /// At most `most` descriptors of a type; what cuDNN reads out it writes into new ones.
  std::vector<Descriptor> get(cudnnBackendAttributeName_t name, cudnnBackendDescriptorType_t type,
                              size_t most) const {
    std::vector<Descriptor> values;
    std::vector<cudnnBackendDescriptor_t> raw;
    for (size_t i = 0; i < most; i++) raw.push_back(values.emplace_back(type).raw_);
    int64_t count = 0;
    check(cudnnBackendGetAttribute(raw_, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, int64_t(most), &count,
                                   raw.data()),
          "reading descriptors");
    values.erase(values.begin() + count, values.end());
    return values;
  }

 private:
  Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                  const void* values, size_t count) {
    check(cudnnBackendSetAttribute(raw_, name, type, int64_t(count), values),
          "setting an attribute");
    return *this;
  }

  cudnnBackendDescriptor_t raw_ = nullptr;
};

/// Seals what has to be right.
inline Descriptor sealed(Descriptor descriptor) {
  check(cudnnBackendFinalize(descriptor.raw()), "sealing a descriptor");
  return descriptor;
}

}  // namespace rlhf::gpu::cudnn
