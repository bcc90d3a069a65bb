// Attention by NVIDIA's cuDNN, for comparison and for where it is faster. What its heuristics
// recommend for a shape is compiled once, which takes about half a second, and kept, as long as the
// shape is among the last of them.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cuda/support/attention_graphs.h"
#include "kernels/cuda/support/attention_library.h"
#include "kernels/cuda/support/cudnn_import.h"
#include "kernels/cuda/support/plan_cache.h"
#include "kernels/cuda/support/workspace.h"

namespace rlhf::gpu {
namespace {

constexpr size_t least_version = 91600;      // before, sequences of no multiple of 128 had bugs
constexpr int64_t most_workspace = 1 << 30;  // bytes; more are better spent on the model
constexpr size_t most_plans = 64;            // in each direction; a plan holds a compiled kernel

/// What a plan depends on, besides the direction.
struct Question {
  int64_t B, T, H, D, q_token, q_batch, kv_token, kv_batch;
  bool causal;
  auto operator<=>(const Question&) const = default;

  AttentionLayout layout() const {
    return {.B = B,
            .Tq = T,
            .Tk = T,
            .H = H,
            .D = D,
            .q_token = q_token,
            .q_batch = q_batch,
            .kv_token = kv_token,
            .kv_batch = kv_batch,
            .causal = causal};
  }
};

/// Whether cuDNN promises anything for such a call, apart from its addresses.
template <class Call>
bool within_its_promises(const Call& c) {
  const AttentionLayout& l = c.layout;
  constexpr int64_t aligned = 8;   // elements of bf16 in 16 bytes
  constexpr int64_t widest = 256;  // of heads that have a backward, too
  return c.dropout == 0 && !l.begin && !l.end && !l.kv_row && l.Tq == l.Tk && l.Tq > 1 &&
         l.D <= widest && l.D % aligned == 0 && l.q_token % aligned == 0 &&
         l.kv_token % aligned == 0 &&
         (l.B == 1 || (l.q_batch % aligned == 0 && l.kv_batch % aligned == 0));
}

Question question_of(const AttentionLayout& l) {
  // Of one sequence the distance to the next means nothing, and may be 0.
  return {.B = l.B,
          .T = l.Tq,
          .H = l.H,
          .D = l.D,
          .q_token = l.q_token,
          .q_batch = l.B == 1 ? l.Tq * l.q_token : l.q_batch,
          .kv_token = l.kv_token,
          .kv_batch = l.B == 1 ? l.Tk * l.kv_token : l.kv_batch,
          .causal = l.causal};
}

/// Never to be freed: at the end of the process the driver may be gone before the last plan.
class Plans {
 public:
  /// `describe` makes a graph of a layout.
  explicit Plans(cudnn::Graph (*describe)(const AttentionLayout&)) : describe_(describe) {}

  /// None when the library has nothing for such a layout.
  std::shared_ptr<const cudnn::Plan> find(const Question& question, Stream stream) {
    const bool recorded = is_recording(stream);
    auto plan = plans_.find(question, recorded, [&] {
      auto found = cudnn::find_plan(describe_(question.layout()), device());
      if (found && found->workspace > most_workspace) found.reset();
      return found;
    });
    if (!recorded) drop_surplus();
    return plan;
  }

 private:
  static const cudnn::Descriptor& device() {
    static const cudnn::Descriptor only = [] {
      int32_t number = 0;
      check(cudaGetDevice(&number), "asking for the device");
      cudnn::Descriptor device(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
      device.set(CUDNN_ATTR_DEVICEPROP_DEVICE_ID, number);
      return cudnn::sealed(std::move(device));
    }();
    return only;
  }

  /// A plan takes its kernel with it, which may still be at work.
  void drop_surplus() {
    const auto surplus = plans_.surplus();
    if (!surplus.empty()) check(cudaDeviceSynchronize(), "waiting for kernels of old plans");
  }

  cudnn::Graph (*describe_)(const AttentionLayout&);
  PlanCache<Question, cudnn::Plan> plans_{most_plans};
};

struct Address {
  AttentionId id;
  const void* data;
};

std::vector<Address> addresses(const AttentionForward<bf16>& c) {
  return {{id_q, c.q}, {id_k, c.k}, {id_v, c.v}, {id_out, c.out}, {id_lse, c.lse}};
}
std::vector<Address> addresses(const AttentionBackward<bf16>& c) {
  return {{id_q, c.q},     {id_k, c.k},     {id_v, c.v},     {id_out, c.out},    {id_lse, c.lse},
          {id_d_q, c.d_q}, {id_d_k, c.d_k}, {id_d_v, c.d_v}, {id_d_out, c.d_out}};
}

bool all_aligned(const std::vector<Address>& places) {
  constexpr uintptr_t alignment = 16;
  return std::all_of(places.begin(), places.end(), [](const Address& place) {
    return reinterpret_cast<uintptr_t>(place.data) % alignment == 0;
  });
}

/// Puts a plan into the stream; `places` are all that its graph names.
void execute(const cudnn::Plan& plan, const std::vector<Address>& places, void* workspace,
             Stream stream) {
  std::vector<int64_t> ids;
  std::vector<void*> data;
  for (const Address& place : places) {
    ids.push_back(place.id);
    data.push_back(const_cast<void*>(place.data));
  }
  cudnn::Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids.data(), ids.size());
  pack.set_addresses(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, data.data(), data.size());
  pack.set_addresses(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, &workspace, 1);
  pack = cudnn::sealed(std::move(pack));

  static const cudnnHandle_t handle = [] {
    cudnnHandle_t created{};
    cudnn::check(cudnnCreate(&created), "opening cuDNN");
    return created;
  }();
  cudnn::check(cudnnSetStream(handle, stream_of(stream)), "choosing a stream");
  cudnn::check(cudnnBackendExecute(handle, plan.descriptor.raw(), pack.raw()), "attention_cudnn");
}

template <class Call>
bool attend(const Call& c, Plans& plans, Stream stream) {
  constexpr bool backward = std::is_same_v<Call, AttentionBackward<bf16>>;
  std::vector<Address> places = addresses(c);
  if (!within_its_promises(c) || !all_aligned(places)) return false;
  const AttentionLayout& l = c.layout;
  const auto plan = plans.find(question_of(l), stream);
  if (!plan) return false;

  Workspace work;
  const auto delta = work.part<float>(backward ? l.B * l.H * l.Tq : 0);
  const auto own = work.part<char>(plan->workspace);
  if (backward || plan->workspace) work.allocate(stream);
  // Numbers lie on the host, and are read before execute() returns.
  constexpr float masked = -INFINITY, one = 1;
  places.push_back({id_scale, &c.scale});
  if (l.causal) places.push_back({id_masked, &masked});
  if (backward) places.push_back({id_delta, work[delta]});
  if (backward) places.push_back({id_one, &one});
  execute(*plan, places, work[own], stream);
  return true;
}

}  // namespace

std::string attention_library_problem() {
  const SharedLibrary& library = cudnn_library();
  if (!library.found()) {
    return "expected cuDNN's " + library.name() + ", found none (" + library.why() +
           "): install cuDNN, name its folder in LD_LIBRARY_PATH, or use --attention native";
  }
  const size_t version = cudnnGetVersion();
  if (version >= least_version) return {};
  return "expected cuDNN 9.16 or later, found " + std::to_string(version / 10000) + "." +
         std::to_string(version / 100 % 100) + ": update it, or use --attention native";
}

bool attend_by_library(const AttentionForward<bf16>& c, Stream stream) {
  static Plans& plans = *new Plans(forward_graph);
  return attend(c, plans, stream);
}

bool attend_by_library(const AttentionBackward<bf16>& c, Stream stream) {
  static Plans& plans = *new Plans(backward_graph);
  return attend(c, plans, stream);
}

}  // namespace rlhf::gpu
