// The web pages of `rlhf serve` and all that they load, held by the program itself: no folder to
// install, no path that a request could lead astray, the same bytes wherever the program goes.
//
// compare.html is meant for /, chat.html, runs.html and manage.html for /chat, /runs and /manage,
// all others for /static/NAME, which is how the pages ask for them.
#pragma once

#include <span>
#include <string_view>

namespace rlhf::pages {

struct Page {
  std::string_view name;     ///< of the file, without folders: "compare.js"
  std::string_view type;     ///< for Content-Type
  std::string_view content;  ///< the bytes of the repository; a page's inside of frame.html
  std::string_view etag;     ///< a hash of the content, in quotes as the header has it
};

/// The file of that name, or null.
const Page* find_page(std::string_view name);

/// Every file.
std::span<const Page> all_pages();

}  // namespace rlhf::pages
