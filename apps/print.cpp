#include "apps/print.h"

#include <cstdio>

namespace rlhf {

void print(Outlet outlet, std::string_view text) {
  if (Watched* watched = Watched::of_this_thread()) return watched->hear(outlet, text);
  fmt::print(outlet == Outlet::result ? stdout : stderr, "{}", text);
}

void show_now() {
  if (!current_watch()) std::fflush(stdout);
}

}  // namespace rlhf
