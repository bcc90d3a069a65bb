// Attention as graphs of the operations that cuDNN recognises as attention (its developer guide,
// "fused flash attention"): what lies between the products is never stored.
#pragma once

#include "kernels/attention.h"
#include "kernels/cuda/support/cudnn_graph.h"

namespace rlhf::gpu {

/// By which a tensor in memory gets its address.
enum AttentionId : int64_t {
  id_q,
  id_k,
  id_v,
  id_out,
  id_lse,
  id_d_q,
  id_d_k,
  id_d_v,
  id_d_out,
  id_delta,  ///< (B, H, T) floats to work with: sum_d d_out out of a query
  id_scale,
  id_masked,  ///< minus infinity
  id_one,
};

/// The tensors of a layout, as (B, H, rows, columns).
class AttentionTensors {
 public:
  AttentionTensors(const cudnn::Graph& graph, const AttentionLayout& l) : graph_(graph), l_(l) {}

  cudnn::Tensor queries(AttentionId id) const {
    return rows(id, l_.Tq, {l_.q_batch, l_.D, l_.q_token, 1});
  }
  cudnn::Tensor keys(AttentionId id) const {
    return rows(id, l_.Tk, {l_.kv_batch, l_.D, l_.kv_token, 1});
  }
  /// (B, H, D, Tk), the second factor of a product with queries.
  cudnn::Tensor transposed_keys(AttentionId id) const {
    return graph_.memory(id, CUDNN_DATA_BFLOAT16, {l_.B, l_.H, l_.D, l_.Tk},
                         {l_.kv_batch, l_.D, 1, l_.kv_token});
  }
  cudnn::Tensor outputs(AttentionId id) const {
    return rows(id, l_.Tq, {l_.Tq * l_.H * l_.D, l_.D, l_.H * l_.D, 1});
  }
  cudnn::Tensor statistics(AttentionId id) const {
    return graph_.memory(id, CUDNN_DATA_FLOAT, row(), cudnn::dense(row()));
  }
  cudnn::Four row() const { return {l_.B, l_.H, l_.Tq, 1}; }
  cudnn::Four scores() const { return {l_.B, l_.H, l_.Tq, l_.Tk}; }

 private:
  cudnn::Tensor rows(AttentionId id, int64_t tokens, const cudnn::Four& stride) const {
    return graph_.memory(id, CUDNN_DATA_BFLOAT16, {l_.B, l_.H, tokens, l_.D}, stride);
  }

  const cudnn::Graph& graph_;
  const AttentionLayout& l_;
};

/// Scores of keys after their query become minus infinity. REQUIRES: Tq == Tk.
inline cudnn::Tensor mask_later_keys(cudnn::Graph& graph, const cudnn::Tensor& scores) {
  using cudnn::Tensor;
  const auto index = [&](int64_t axis) {
    Tensor number = graph.between(scores.size, scores.stride, CUDNN_DATA_INT32);
    graph.pointwise({.mode = CUDNN_POINTWISE_GEN_INDEX, .x = scores, .axis = axis}, number);
    return number;
  };
  const Tensor query = index(2), key = index(3);
  const Tensor seen = graph.between(scores.size, scores.stride, CUDNN_DATA_BOOLEAN);
  graph.pointwise(
      {.mode = CUDNN_POINTWISE_CMP_GE, .x = query, .b = &key, .precision = CUDNN_DATA_BOOLEAN},
      seen);
  const Tensor masked = graph.number(id_masked);
  return graph.pointwise(
      {.mode = CUDNN_POINTWISE_BINARY_SELECT, .x = scores, .b = &masked, .t = &seen});
}

/// out and lse from q, k, v.
inline cudnn::Graph forward_graph(const AttentionLayout& l) {
  using cudnn::Tensor;
  cudnn::Graph graph;
  const AttentionTensors tensors(graph, l);
  const Tensor products = graph.between(tensors.scores());
  graph.multiply(tensors.queries(id_q), tensors.transposed_keys(id_k), products);
  const Tensor scale = graph.number(id_scale);
  Tensor scores = graph.pointwise({.mode = CUDNN_POINTWISE_MUL, .x = products, .b = &scale});
  if (l.causal) scores = mask_later_keys(graph, scores);

  const Tensor largest = graph.between(tensors.row()), sum = graph.between(tensors.row());
  graph.reduce(CUDNN_REDUCE_TENSOR_MAX, scores, largest);
  const Tensor below = graph.pointwise({.mode = CUDNN_POINTWISE_SUB, .x = scores, .b = &largest});
  const Tensor weights = graph.pointwise({.mode = CUDNN_POINTWISE_EXP, .x = below});
  graph.reduce(CUDNN_REDUCE_TENSOR_ADD, weights, sum);
  const Tensor log_sum = graph.pointwise({.mode = CUDNN_POINTWISE_LOG, .x = sum});
  graph.pointwise({.mode = CUDNN_POINTWISE_ADD, .x = largest, .b = &log_sum},
                  tensors.statistics(id_lse));

  const Tensor p =
      graph.between(tensors.scores(), cudnn::dense(tensors.scores()), CUDNN_DATA_BFLOAT16);
  graph.pointwise({.mode = CUDNN_POINTWISE_DIV, .x = weights, .b = &sum}, p);
  graph.multiply(p, tensors.keys(id_v), tensors.outputs(id_out));
  return graph;
}

/// d_q, d_k and d_v from d_out and what the forward read and wrote. Of two ways that cuDNN has this
/// is the one whose bits are the same each time: were d_q first summed in an array of float, blocks
/// would add to it in any order; without one, they leave ds in the workspace, 2 bytes a score.
inline cudnn::Graph backward_graph(const AttentionLayout& l) {
  using cudnn::Tensor;
  cudnn::Graph graph;
  const AttentionTensors tensors(graph, l);
  const Tensor q = tensors.queries(id_q), transposed_k = tensors.transposed_keys(id_k);
  const Tensor d_out = tensors.outputs(id_d_out);
  const Tensor scale = graph.number(id_scale), one = graph.number(id_one);

  // delta_i = d_out_i . out_i = sum_j p_ij dp_ij, times 1: without this product, in whose place
  // dropout has its factor, cuDNN takes a slower kernel of three times the workspace.
  const Tensor out = tensors.outputs(id_out), delta = tensors.statistics(id_delta);
  const Tensor product = graph.between(d_out.size);
  graph.pointwise({.mode = CUDNN_POINTWISE_MUL, .x = d_out, .b = &out}, product);
  const Tensor undropped = graph.between(tensors.row());
  graph.reduce(CUDNN_REDUCE_TENSOR_ADD, product, undropped);
  graph.pointwise({.mode = CUDNN_POINTWISE_MUL, .x = undropped, .b = &one}, delta);

  // p_ij = exp(scale q_i . k_j - lse_i)
  const Tensor products = graph.between(tensors.scores()), lse = tensors.statistics(id_lse);
  graph.multiply(q, transposed_k, products);
  const Tensor scaled = graph.pointwise({.mode = CUDNN_POINTWISE_MUL, .x = products, .b = &scale});
  Tensor below = graph.pointwise({.mode = CUDNN_POINTWISE_SUB, .x = scaled, .b = &lse});
  if (l.causal) below = mask_later_keys(graph, below);
  const Tensor p = graph.pointwise({.mode = CUDNN_POINTWISE_EXP, .x = below});
  graph.multiply(graph.transpose(p, CUDNN_DATA_BFLOAT16), d_out, tensors.keys(id_d_v));

  // ds_ij = scale p_ij (d_out_i . v_j - delta_i)
  const Tensor d_p = graph.between(tensors.scores());
  graph.multiply(d_out, tensors.transposed_keys(id_v), d_p);
  const Tensor centred = graph.pointwise({.mode = CUDNN_POINTWISE_SUB, .x = d_p, .b = &delta});
  const Tensor unscaled = graph.pointwise({.mode = CUDNN_POINTWISE_MUL, .x = centred, .b = &p});
  const Tensor d_s = graph.pointwise({.mode = CUDNN_POINTWISE_MUL, .x = unscaled, .b = &scale});
  graph.multiply(graph.transpose(d_s, CUDNN_DATA_BFLOAT16), q, tensors.keys(id_d_k));
  graph.multiply(d_s, graph.transpose(transposed_k, CUDNN_DATA_BFLOAT16), tensors.queries(id_d_q));
  return graph;
}

}  // namespace rlhf::gpu
