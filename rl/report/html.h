// Text into HTML. Model output is hostile: whatever it holds, it must come out as text.
#pragma once

#include <string>
#include <string_view>

namespace rlhf {

/// Safe inside elements and inside quoted attributes: & < > " ' are escaped, control characters but
/// \n and \t are shown as <U+001B>, broken UTF-8 as U+FFFD.
std::string html_escape(std::string_view text);

}  // namespace rlhf
