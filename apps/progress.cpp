#include "apps/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "apps/terminal.h"
#include "apps/watch.h"

namespace rlhf {
namespace {

constexpr int bar_columns = 24;

/// Eighths of a block make a short bar move smoothly; without UTF-8 a terminal gets signs it has.
std::string bar_of(double share, bool utf8) {
  const int eighths = int(std::clamp(share, 0.0, 1.0) * bar_columns * 8);
  std::string bar;
  for (int i = 0; i < bar_columns; ++i) {
    const int filled = std::clamp(eighths - 8 * i, 0, 8);
    if (!utf8) {
      bar += filled == 8 ? '#' : '.';
    } else if (filled == 0) {
      bar += "\u2500";
    } else {
      bar += filled < 5 ? "\u257E" : "\u2501";
    }
  }
  return bar;
}

bool terminal_reads_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    const std::string_view locale = value;
    return locale.find("UTF-8") != locale.npos || locale.find("utf8") != locale.npos;
  }
  return false;
}

/// "objective/kl" is known by its last part once it stands beside the title.
std::string_view short_name(std::string_view name) { return name.substr(name.rfind('/') + 1); }

}  // namespace

std::string duration_text(double seconds) {
  const auto s = int64_t(std::llround(std::clamp(seconds, 0.0, 3.6e9)));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string progress_line(const ProgressState& state, int width, bool bar) {
  const double share = state.total > 0 ? double(state.done) / double(state.total) : 0;
  const double left = double(state.total - state.done);
  std::string line = fmt::format("{} {:3.0f}%", state.title, std::floor(100 * share));
  const auto add_if_it_fits = [&](const std::string& part) {
    if (columns_of(line) + columns_of(part) <= width) line += part;
  };
  const bool room = columns_of(line) + bar_columns + 30 <= width;
  if (bar && room) line += " " + bar_of(share, terminal_reads_utf8());
  add_if_it_fits(fmt::format(" {}/{}", state.done, state.total));
  if (state.steps_per_second > 0) {
    const double rate = state.steps_per_second;
    add_if_it_fits(rate >= 1 ? fmt::format("  {:.{}f}/s", rate, rate < 10 ? 1 : 0)
                             : fmt::format("  {:.1f} s each", 1 / rate));
    add_if_it_fits(left > 0 ? "  eta " + duration_text(left / rate)
                            : "  in " + duration_text(state.seconds));
  }
  for (const auto& [name, value] : state.metrics) {
    add_if_it_fits(fmt::format("  {} {:.4g}", short_name(name), value));
  }
  return line;
}

Progress::Progress(std::string title, std::vector<std::string> shown, std::FILE* out)
    : title_(std::move(title)), shown_(std::move(shown)), out_(out), start_(Clock::now()) {
  const char* term = std::getenv("TERM");
  redraws_ = is_terminal(fileno(out)) && term && std::string_view(term) != "dumb";
}

Progress::~Progress() {
  if (line_open_) fmt::print(out_, "\n");
}

bool Progress::is_due(int64_t done, int64_t total, Clock::time_point now) {
  if (done >= total || last_done_ < 0) return true;
  const double seconds = std::chrono::duration<double>(now - last_).count();
  if (redraws_) return seconds >= 0.1;
  return seconds >= 10 || 10 * (done - last_done_) >= total;
}

void Progress::update(int64_t done, int64_t total, const Metrics& metrics) {
  const auto now = Clock::now();
  // A resumed run begins far from zero: only what was done here counts for the rate.
  if (first_done_ < 0) first_done_ = std::max<int64_t>(done - 1, 0);
  Watch* const watch = current_watch();
  if (!watch && !is_due(done, total, now)) return;
  last_ = now, last_done_ = done;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  ProgressState state{title_, done, total, 0, seconds, {}};
  if (seconds > 0) state.steps_per_second = double(done - first_done_) / seconds;
  if (watch) {
    state.metrics = metrics;
    watch->on_progress(state);
    return;
  }
  for (const std::string& name : shown_) {
    for (const auto& metric : metrics) {
      if (metric.first == name) state.metrics.push_back(metric);
    }
  }
  if (shown_.empty()) state.metrics = metrics;
  if (redraws_) {
    // One column stays free: some terminals wrap as soon as the last one is written.
    const int width = terminal_width(fileno(out_)) - 1;
    fmt::print(out_, "\r{}\x1b[K", progress_line(state, width, true));
  } else {
    fmt::print(out_, "{}\n", progress_line(state, 160, false));
  }
  line_open_ = redraws_;
  std::fflush(out_);
}

}  // namespace rlhf
