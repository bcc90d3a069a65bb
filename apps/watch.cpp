#include "apps/watch.h"

#include "core/check.h"

namespace rlhf {
namespace {
thread_local Watched* innermost = nullptr;
}

Watched::Watched(Watch& watch) : watch_(watch) {
  check(!innermost, "watch", "expected a thread that is not watched yet, got one that is");
  innermost = this;
}

Watched::~Watched() { innermost = nullptr; }

Watched* Watched::of_this_thread() { return innermost; }

void Watched::hear(Outlet outlet, std::string_view text) {
  std::string& line = outlet == Outlet::result ? result_ : note_;
  for (const char c : text) {
    if (c != '\n') {
      line += c;
    } else if (!line.empty()) {
      watch_.on_line(outlet, std::exchange(line, {}));
    }
  }
}

Watch* current_watch() { return innermost ? &innermost->watch() : nullptr; }

}  // namespace rlhf
