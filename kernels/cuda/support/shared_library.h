// A library that is opened when it is first needed, so that a program which may never need it
// starts where there is none.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rlhf::gpu {

/// Never closed: at the end of the process it may be in use until the last moment.
class SharedLibrary {
 public:
  /// Opens the first of the files that there is: names, which the system looks for as it does for a
  /// program's own libraries (LD_LIBRARY_PATH first), or paths.
  explicit SharedLibrary(std::vector<std::string> files) : name_(files.at(0)) {
    for (const std::string& file : files) {
      if ((library_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL))) return;
      if (why_.empty()) why_ = dlerror();
    }
  }

  bool found() const { return library_; }
  const std::string& name() const { return name_; }
  /// What stood in the way of the first file; empty: nothing.
  const std::string& why() const { return why_; }

  /// The function of that name. @throws std::runtime_error with one line naming what is missing.
  template <class Function>
  Function* function(const char* name) const {
    if (!found()) {
      throw std::runtime_error("[" + name_ + "] expected this library, found none: " + why_);
    }
    void* const address = dlsym(library_, name);
    if (!address) {
      throw std::runtime_error("[" + name_ + "] expected a library with " + name +
                               ", got one without: is it of another version?");
    }
    return reinterpret_cast<Function*>(address);
  }

 private:
  std::string name_, why_;
  void* library_ = nullptr;
};

}  // namespace rlhf::gpu
