// Lines from whoever talks to the program, at a terminal or through a pipe, where Ctrl-C means "not
// this" and leaves the program running.
#pragma once

#include <optional>
#include <string>

namespace rlhf {

/// While it lives, SIGINT is remembered instead of ending the process.
class LineInput {
 public:
  LineInput();
  ~LineInput();
  LineInput(const LineInput&) = delete;
  LineInput& operator=(const LineInput&) = delete;

  enum class Event { line, end, interrupt };

  /// Waits for a line of stdin, which is then in `line` without its line end, for Ctrl-C, or for
  /// the end of input. A last line without a line end counts. @throws InputError for a line of more
  /// than a mebibyte.
  Event next(std::string& line);

  /// Whether Ctrl-C has been pressed since this was last asked.
  bool interrupted();

 private:
  std::string held_;
  bool ended_ = false;
};

}  // namespace rlhf
