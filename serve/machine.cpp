#include "serve/machine.h"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "kernels/device_report.h"

namespace rlhf::serve {

MachineUse machine_use() {
  static const std::string processor = device_report(Cpu{}).name;
  MachineUse use{.processor = processor, .cores = std::thread::hardware_concurrency()};
  if (::getloadavg(&use.load, 1) != 1) use.load = 0;
  int64_t pages = 0, resident = 0;
  if (std::ifstream("/proc/self/statm") >> pages >> resident) {
    use.rss_bytes = resident * ::sysconf(_SC_PAGESIZE);
  }
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) use.total_bytes = int64_t(info.totalram) * info.mem_unit;
  return use;
}

std::optional<GpuUse> gpu_use(Device models) {
  if constexpr (has_cuda) {
    if (models == Device::cuda) {
      const DeviceReport report = device_report(Cuda{});
      if (!report.problem.empty()) return std::nullopt;
      return GpuUse{.name = report.name,
                    .used_bytes = int64_t(report.total_bytes - report.free_bytes),
                    .total_bytes = int64_t(report.total_bytes)};
    }
  }
  return std::nullopt;
}

}  // namespace rlhf::serve
