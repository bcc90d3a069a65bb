// Which writing system a text is in, as far as a report needs it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace rlhf {

/// "Latin", "Han", "Cyrillic", ...: of a letter, by its Unicode block; "other" for a letter of a
/// block that is not listed, "" for what is no letter. Kana and Hangul tell Japanese and Korean
/// apart from Chinese.
std::string_view script_of(int32_t code_point);

/// Letters of a text by script.
std::map<std::string_view, int64_t> count_scripts(std::string_view text);

/// The script of most letters; "none" for a text without letters.
std::string_view main_script(const std::map<std::string_view, int64_t>& counts);

}  // namespace rlhf
