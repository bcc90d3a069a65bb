// A page by its name. The table itself is written by the build: cmake/embed.cmake.
#include "serve/pages/pages.h"

#include <algorithm>

namespace rlhf::pages {

const Page* find_page(std::string_view name) {
  const std::span<const Page> pages = all_pages();
  const auto found = std::ranges::find(pages, name, &Page::name);
  return found == pages.end() ? nullptr : &*found;
}

}  // namespace rlhf::pages
