// rlhf doctor: the facts that a report of a bug needs, about the binary and about the machine.
#include <fmt/ranges.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "apps/commands.h"
#include "apps/cpu_check.h"
#include "apps/device_flags.h"
#include "apps/print.h"
#include "apps/terminal.h"
#include "kernels/device_report.h"
#include "rl/run/version.h"

namespace rlhf {
namespace {

using nlohmann::ordered_json;

/// The text after the first line's "<key> :" in a file of /proc, or "" where there is none.
std::string proc_value(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

double gib(double bytes) { return bytes / double(1 << 30); }

/// What a container may use, in bytes: less than the machine has; infinity when not limited.
double container_memory() {
  std::ifstream file("/sys/fs/cgroup/memory.max");
  double bytes = 0;
  return file >> bytes ? bytes : std::numeric_limits<double>::infinity();
}

double meminfo_bytes(std::string_view key) {
  return std::strtod(proc_value("/proc/meminfo", key).c_str(), nullptr) * 1024;
}

std::string build_type() {
#ifdef NDEBUG
  std::string text = "assertions off";
#else
  std::string text = "assertions on";
#endif
#ifdef __OPTIMIZE__
  text = "optimised, " + text;
#else
  text = "not optimised, " + text;
#endif
#ifdef __SANITIZE_ADDRESS__
  text += ", address sanitizer";
#endif
#ifdef __SANITIZE_THREAD__
  text += ", thread sanitizer";
#endif
  return text;
}

std::string locale_name() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value && *value) return value;
  }
  return "C (none set)";
}

std::string first_of(std::string value, const char* fallback) {
  return value.empty() ? fallback : value;
}

std::string cuda_text() {
  const DeviceReport gpu = gpu_report();
  const auto version_of = [](int number) {
    return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
  };
  if (gpu.emulated) return gpu_text(gpu);
  return fmt::format("{}; runtime {}, driver {}, {}, {}", gpu_text(gpu), version_of(gpu.runtime),
                     gpu.driver == 0 ? "none" : version_of(gpu.driver),
                     cublaslt_problem().empty() ? "cuBLASLt" : "no cuBLASLt",
                     cudnn_problem().empty() ? "cuDNN (--attention cudnn)" : "no cuDNN");
}

int openmp_threads() {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

ordered_json examine() {
  std::error_code failure;
  const auto folder = std::filesystem::current_path(failure);
  const auto disk = std::filesystem::space(folder, failure);
  const double total = std::min(meminfo_bytes("MemTotal"), container_memory());
  return {
      {"version", version},
      {"compiler", "g++ " __VERSION__},
      {"build", build_type()},
      {"built_for", built_for_instructions()},
      {"cuda", has_cuda ? cuda_text() : "none in this build (CPU)"},
      {"cpu", device_report(Cpu{}).name},
      {"cpu_has", cpu_instructions()},
      {"cores", std::thread::hardware_concurrency()},
      {"openmp_threads", openmp_threads()},
      {"memory_gib", gib(total)},
      {"memory_free_gib", gib(std::min(meminfo_bytes("MemAvailable"), total))},
      {"folder", folder.string()},
      {"disk_free_gib", failure ? ordered_json() : ordered_json(gib(double(disk.available)))},
      {"locale", locale_name()},
      {"system", first_of(proc_value("/proc/version", "Linux"), "unknown")},
  };
}

std::string text_of(const ordered_json& value) {
  if (value.is_string()) return escape_line(value.get<std::string>());
  if (value.is_array())
    return fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), " "));
  return value.is_number_float() ? fmt::format("{:.1f}", value.get<double>()) : value.dump();
}

}  // namespace

Command doctor_command() {
  const auto json = std::make_shared<bool>(false);
  return {
      .name = "doctor",
      .summary = "show what a report of a bug needs: binary, machine, memory, disk",
      .example = "rlhf doctor",
      .declare = [json](Flags& flags) { flags.add("json", *json, "print one JSON object"); },
      .run =
          [json](const Invocation&) {
            const ordered_json facts = examine();
            if (*json) {
              say("{}\n", facts.dump(2, ' ', false, ordered_json::error_handler_t::replace));
              return 0;
            }
            for (const auto& [name, value] : facts.items()) {
              say("{} {}\n", dim(fmt::format("{:<16}", name)), text_of(value));
            }
            return 0;
          },
  };
}

}  // namespace rlhf
