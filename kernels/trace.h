// What a stretch of program asks of a device: every contract that it runs, with the memory that the
// contract names and the operations that it costs, and every kernel launched for it. Tests read it,
// and whoever wants to know where time goes.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/device.h"

namespace rlhf {

/// One launch of a kernel on a GPU.
struct LaunchRecord {
  std::string kernel;
  std::array<unsigned, 3> grid, block;
  size_t shared_bytes;  ///< dynamic
};

/// Memory that a contract names in visit().
struct FieldRecord {
  const char* name;
  const void* data;
  size_t bytes;
  bool read, written;
};

struct TracedRun {
  std::string contract;  ///< its type: "GeluForward<float>"; empty for launches without one
  Device device;
  double flops = 0;
  std::vector<FieldRecord> fields;
  std::vector<LaunchRecord> launches;  ///< none on the CPU
  std::vector<std::string> remarks;    ///< what went another way than planned, said once

  /// What has to be moved at least: every input once, every output once.
  double bytes() const {
    double sum = 0;
    for (const FieldRecord& field : fields)
      sum += double(field.bytes) * (field.read + field.written);
    return sum;
  }
};

/// While it lives, everything that this thread runs is recorded. Traces nest, and the innermost one
/// records. Work that a CUDA graph replays was recorded once, when the graph was.
class Trace {
 public:
  Trace() : outer_(std::exchange(innermost, this)) {}
  ~Trace() { innermost = outer_; }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// The trace that records this thread now, or null.
  static Trace* current() { return innermost; }

  const std::vector<TracedRun>& runs() const { return runs_; }

  /// What run() calls before it runs a contract, and gpu::launch as it launches.
  template <class Contract>
  void begin(Device device, const Contract& contract) {
    runs_.push_back({std::string(name_of<Contract>()), device, contract.flops(), {}, {}, {}});
    contract.visit(Fields{runs_.back().fields});
  }
  void launched(LaunchRecord launch) { last().launches.push_back(std::move(launch)); }
  /// What a kernel library says of the run.
  void remarked(std::string remark) { last().remarks.push_back(std::move(remark)); }

 private:
  struct Fields {
    std::vector<FieldRecord>& fields;

    template <class T>
    void in(const char* name, const T* data, int64_t count) const {
      add(name, data, count, true, false);
    }
    template <class T>
    void out(const char* name, T* data, int64_t count, bool accumulate = false) const {
      add(name, data, count, accumulate, true);
    }
    template <class T>
    void inout(const char* name, T* data, int64_t count) const {
      add(name, data, count, true, true);
    }
    void index(const char* name, const int32_t* data, int64_t count, int64_t) const {
      add(name, data, count, true, false);
    }
    template <class S>
    void record(const char* name, const S* data, int64_t count) const {
      add(name, data, count, true, false);
    }
    template <class T>
    void add(const char* name, const T* data, int64_t count, bool read, bool written) const {
      if (data) fields.push_back({name, data, size_t(count) * sizeof(T), read, written});
    }
  };

  /// The run that works; one without a name for what is launched outside of any.
  TracedRun& last() {
    if (runs_.empty()) runs_.push_back({{}, Device::cuda, 0, {}, {}, {}});
    return runs_.back();
  }

  /// "GeluForward<float>" for rlhf::GeluForward<float>.
  template <class Contract>
  static constexpr std::string_view name_of() {
    std::string_view text = __PRETTY_FUNCTION__;
    text.remove_prefix(text.find("Contract = ") + 11);
    text = text.substr(0, text.find_first_of(";]"));
    if (text.starts_with("rlhf::")) text.remove_prefix(6);
    return text;
  }

  static inline constinit thread_local Trace* innermost = nullptr;
  Trace* outer_;
  std::vector<TracedRun> runs_;
};

}  // namespace rlhf
