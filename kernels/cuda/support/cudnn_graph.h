// A computation described to cuDNN as a graph of small operations, which it recognises as one that
// it has a fused kernel for; and the plan to run it.
#pragma once

#include <array>
#include <optional>

#include "kernels/cuda/support/cudnn_descriptor.h"

namespace rlhf::gpu::cudnn {

/// Of a tensor of rank 4, batch first: sizes, or elements from one to the next.
using Four = std::array<int64_t, 4>;

/// Strides of what lies dense in the order of its dimensions.
inline Four dense(const Four& size) {
  return {size[1] * size[2] * size[3], size[2] * size[3], size[3], 1};
}

class Tensor {
 public:
  Tensor(int64_t id, cudnnDataType_t type, const Four& size, const Four& stride, bool in_memory,
         bool by_value = false)
      : size(size), stride(stride), descriptor_(CUDNN_BACKEND_TENSOR_DESCRIPTOR) {
    constexpr int64_t alignment = 16;
    descriptor_.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
    descriptor_.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
    descriptor_.set(CUDNN_ATTR_TENSOR_DIMENSIONS, size.data(), size.size());
    descriptor_.set(CUDNN_ATTR_TENSOR_STRIDES, stride.data(), stride.size());
    descriptor_.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, alignment);
    descriptor_.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, !in_memory);
    descriptor_.set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, by_value);
    descriptor_ = sealed(std::move(descriptor_));
  }

  operator const Descriptor&() const { return descriptor_; }

  Four size, stride;

 private:
  Descriptor descriptor_;
};

/// Operations and the tensors between them. Tensors in memory have ids from 0 up, by which they get
/// their addresses when a plan is executed; what only passes from one operation to the next has
/// none to be known.
class Graph {
 public:
  Tensor memory(int64_t id, cudnnDataType_t type, const Four& size, const Four& stride) const {
    return {id, type, size, stride, true};
  }
  /// A float that the host passes with each execution.
  Tensor number(int64_t id) const {
    return {id, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, true, true};
  }
  Tensor between(const Four& size, const Four& stride, cudnnDataType_t type = CUDNN_DATA_FLOAT) {
    return {next_id_++, type, size, stride, false};
  }
  Tensor between(const Four& size) { return between(size, dense(size)); }

  /// y = mode(x, b, t), as many operands as the mode has, computed in `precision`; `axis`: which
  /// index CUDNN_POINTWISE_GEN_INDEX yields.
  struct Pointwise {
    cudnnPointwiseMode_t mode;
    const Tensor& x;
    const Tensor* b = nullptr;
    const Tensor* t = nullptr;
    cudnnDataType_t precision = CUDNN_DATA_FLOAT;
    int64_t axis = -1;
  };
  void pointwise(const Pointwise& p, const Tensor& y) {
    Descriptor how(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    how.set(CUDNN_ATTR_POINTWISE_MODE, p.mode);
    how.set(CUDNN_ATTR_POINTWISE_MATH_PREC, p.precision);
    if (p.axis >= 0) how.set(CUDNN_ATTR_POINTWISE_AXIS, p.axis);
    how = sealed(std::move(how));
    Descriptor operation(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, p.x);
    if (p.b) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *p.b);
    if (p.t) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_TDESC, *p.t);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    add(std::move(operation));
  }
  /// The same into a new tensor of x's size.
  Tensor pointwise(const Pointwise& p) {
    Tensor y = between(p.x.size, p.x.stride);
    pointwise(p, y);
    return y;
  }

  /// c = a b, matrix by matrix, summed in float.
  void multiply(const Tensor& a, const Tensor& b, const Tensor& c) {
    Descriptor how(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    how.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_DATA_FLOAT);
    how = sealed(std::move(how));
    Descriptor operation(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_MATMUL_DESC, how);
    operation.set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, a);
    operation.set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, b);
    operation.set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, c);
    add(std::move(operation));
  }

  /// Sums, maxima, ... of x along the dimensions in which y has size 1.
  void reduce(cudnnReduceTensorOp_t how_to, const Tensor& x, const Tensor& y) {
    Descriptor how(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    how.set(CUDNN_ATTR_REDUCTION_OPERATOR, how_to);
    how.set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    how = sealed(std::move(how));
    Descriptor operation(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, how);
    operation.set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
    operation.set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y);
    add(std::move(operation));
  }

  /// The same elements by other sizes and strides, here of a transpose.
  Tensor transpose(const Tensor& x, cudnnDataType_t type) {
    Tensor y = between({x.size[0], x.size[1], x.size[3], x.size[2]},
                       {x.stride[0], x.stride[1], x.stride[3], x.stride[2]}, type);
    Descriptor operation(CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_RESHAPE_XDESC, x);
    operation.set(CUDNN_ATTR_OPERATION_RESHAPE_YDESC, y);
    add(std::move(operation));
    return y;
  }

  Descriptor describe() const {
    Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations_);
    return sealed(std::move(graph));
  }

 private:
  void add(Descriptor operation) { operations_.push_back(sealed(std::move(operation))); }

  static constexpr int64_t first_between = 1000;
  int64_t next_id_ = first_between;
  std::vector<Descriptor> operations_;
};

/// How cuDNN would execute a graph.
struct Plan {
  Descriptor descriptor;
  int64_t workspace;  ///< bytes
};

/// The first that works of the plans which cuDNN recommends for a device, a
/// CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR; none when it has nothing for such a graph. Nothing is tried
/// and timed, so that the choice is the same in every run.
inline std::optional<Plan> find_plan(const Graph& graph, const Descriptor& device) {
  const Descriptor described = graph.describe();
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    Descriptor adviser(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    adviser.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, described);
    adviser.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
    adviser.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, device);
    if (!adviser.seal()) continue;
    constexpr size_t most_advice = 16;
    for (const Descriptor& advice : adviser.get(CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                                CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, most_advice)) {
      Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, advice);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device);
      if (!plan.seal()) continue;
      const auto bytes = plan.get<int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, 1);
      return Plan{std::move(plan), bytes.at(0)};
    }
  }
  return std::nullopt;
}

}  // namespace rlhf::gpu::cudnn
