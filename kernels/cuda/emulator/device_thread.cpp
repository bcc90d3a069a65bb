#include "kernels/cuda/emulator/device_thread.h"

#include <link.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "kernels/cuda/emulator/sanitizers.h"

namespace rlhf::emulator {
namespace {

/// The thread-local variables of this program, for the calling thread.
struct ThreadLocals {
  char* begin = nullptr;
  size_t bytes = 0;

  bool holds(const void* address) const {
    const char* const at = static_cast<const char*>(address);
    return at >= begin && at < begin + bytes;
  }
};

int find_thread_locals(dl_phdr_info* program, size_t, void* result) {
  for (int i = 0; i < program->dlpi_phnum; i++) {
    if (program->dlpi_phdr[i].p_type != PT_TLS || !program->dlpi_tls_data) continue;
    *static_cast<ThreadLocals*>(result) = {static_cast<char*>(program->dlpi_tls_data),
                                           program->dlpi_phdr[i].p_memsz};
  }
  return 1;  // only the first, which is the program itself
}

/// On the device's thread nothing but kernels uses variables of this program that are thread-local;
/// so all of them may be overwritten. Where the C library was linked statically, its own are among
/// them, and none is.
void poison_shared_memory() {
  static const ThreadLocals mine = [] {
    ThreadLocals found;
    dl_iterate_phdr(find_thread_locals, &found);
    return found.holds(&errno) ? ThreadLocals{} : found;
  }();
  if (mine.bytes) std::memset(mine.begin, 0xff, mine.bytes);
}

/// Runs one body at a time. A child of fork() has no such thread and starts its own.
class DeviceThread {
 public:
  void run(const std::function<void()>& body) {
    std::unique_lock lock(mutex_);
    body_ = &body;
    wanted_.notify_one();
    done_.wait(lock, [&] { return !body_; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  DeviceThread() {
    std::thread([this] { loop(); }).detach();
  }

 private:
  void loop() {
    std::unique_lock lock(mutex_);
    while (true) {
      wanted_.wait(lock, [&] { return body_; });
      try {
        poison_shared_memory();
        (*body_)();
      } catch (...) {
        error_ = std::current_exception();
      }
      body_ = nullptr;
      done_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable wanted_, done_;
  const std::function<void()>* body_ = nullptr;
  std::exception_ptr error_;
};

}  // namespace

void on_device_thread(const std::function<void()>& body) {
  if (under_asan) return body();  // where shared memory is static
  static DeviceThread* thread = nullptr;
  static pid_t process = 0;
  if (process != getpid()) {
    process = getpid();
    thread = new DeviceThread;
  }
  thread->run(body);
}

void on_new_thread(const std::function<void()>& body) {
  std::exception_ptr error;
  std::thread thread([&] {
    try {
      body();
    } catch (...) {
      error = std::current_exception();
    }
  });
  thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace rlhf::emulator
