#include "kernels/device_report.h"

namespace rlhf {

DeviceReport device_report(Cpu) { return {.name = "CPU", .problem = {}}; }

}  // namespace rlhf
