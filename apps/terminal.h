// What may go to a terminal, and how wide it is.
#pragma once

#include <string>
#include <string_view>

namespace rlhf {

/// True when the file descriptor (1 stdout, 2 stderr) is a terminal; a command that is watched has
/// none.
bool is_terminal(int descriptor);

/// Columns of the terminal behind the descriptor, or 80 when it is none or does not say.
int terminal_width(int descriptor);

/// `text` with what steers a terminal made visible: ESC becomes \x1b, broken bytes \xff, marks that
/// turn the direction of writing \u202e. Letters of any script, \n and \t pass. Everything that a
/// model or a file says goes through here before it is printed.
std::string escape_controls(std::string_view text);

/// The same on one line: \n and \t are made visible, too.
std::string escape_line(std::string_view text);

// For people who look at a terminal: plain text when the descriptor is none, when NO_COLOR is set
// (https://no-color.org) or when TERM is "dumb".
std::string bold(std::string_view text, int descriptor = 1);
std::string dim(std::string_view text, int descriptor = 1);

/// Terminal columns that valid text takes: 2 for wide East Asian letters and emoji, 0 for combining
/// marks.
int columns_of(std::string_view text);

}  // namespace rlhf
