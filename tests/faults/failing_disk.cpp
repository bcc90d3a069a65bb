// A library that a test puts before libc (LD_PRELOAD): the n-th call of one kind that changes a
// disk fails, or writes a part only, or kills the process. Nothing in the program knows about it.
//
//   RLHF_FAULT=<call>:<n>:<fault>   call: open write fsync rename mkdir unlink
//                                   fault: ENOSPC EIO EINTR short kill
//   RLHF_FAULT_DONE=<file>          is created when the fault has happened: without it the program
//                                   made fewer than n such calls
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

enum class Fault { none, error, partial };

std::atomic<long> calls{0};

/// What is to happen to this call of that name; sets errno for an error.
Fault fault_of(const char* call) {
  const char* plan = std::getenv("RLHF_FAULT");
  const size_t length = std::strlen(call);
  if (!plan || std::strncmp(plan, call, length) != 0 || plan[length] != ':') return Fault::none;
  char* rest = nullptr;
  const long n = std::strtol(plan + length + 1, &rest, 10);
  if (++calls != n) return Fault::none;
  if (const char* done = std::getenv("RLHF_FAULT_DONE")) {
    real<int(int)>("close")(
        real<int(const char*, int, ...)>("open")(done, O_WRONLY | O_CREAT, 0600));
  }
  const char* fault = rest + 1;
  if (std::strcmp(fault, "kill") == 0) raise(SIGKILL);
  if (std::strcmp(fault, "short") == 0) return Fault::partial;
  errno = std::strcmp(fault, "ENOSPC") == 0  ? ENOSPC
          : std::strcmp(fault, "EINTR") == 0 ? EINTR
                                             : EIO;
  return Fault::error;
}

// Reading is not what these tests are about, and programs read before main as well.
bool writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY; }

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0;
  va_end(list);
  if (writes(flags) && fault_of("open") != Fault::none) return -1;
  return real<int(const char*, int, ...)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0;
  va_end(list);
  return open(path, flags, mode);
}

ssize_t write(int file, const void* data, size_t size) {
  if (file > 2) {  // what is said to a person is not a file
    const Fault fault = fault_of("write");
    if (fault == Fault::error) return -1;
    if (fault == Fault::partial && size > 1) size /= 2;
  }
  return real<ssize_t(int, const void*, size_t)>("write")(file, data, size);
}

int fsync(int file) {
  return fault_of("fsync") == Fault::none ? real<int(int)>("fsync")(file) : -1;
}

int rename(const char* from, const char* to) {
  return fault_of("rename") == Fault::none ? real<int(const char*, const char*)>("rename")(from, to)
                                           : -1;
}

int mkdir(const char* path, mode_t mode) {
  return fault_of("mkdir") == Fault::none ? real<int(const char*, mode_t)>("mkdir")(path, mode)
                                          : -1;
}

int unlinkat(int folder, const char* path, int flags) {
  return fault_of("unlink") == Fault::none
             ? real<int(int, const char*, int)>("unlinkat")(folder, path, flags)
             : -1;
}

}  // extern "C"
