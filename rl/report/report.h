// report.html: what a run did, on one page that needs nothing but a browser. No script, font or
// request: it can be mailed, archived, and opened from a folder. Plain structs in, a string out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rl/report/svg_chart.h"

namespace rlhf {

/// A main figure at the top of the page: {"Held-out reward", "0.82", "before: 0.31"}.
struct Tile {
  std::string label, value;
  std::string note = {};
};

struct Table {
  std::string caption;
  std::vector<std::string> columns = {};
  /// Columns whose cells all read as numbers are set to the right.
  std::vector<std::vector<std::string>> rows = {};
  bool is_map = false;  ///< cells are places: all columns alike, their text in the middle
};

/// What a model made of a prompt: {"before", text, score}.
struct Completion {
  std::string label, text;
  std::optional<double> score = std::nullopt;
};

/// One prompt with its completions side by side, the prompt told apart from what the model wrote.
struct ReportSample {
  std::string prompt;
  std::vector<Completion> completions = {};
};

/// One phase of the run: pretraining, fine-tuning, reward model, PPO.
struct Section {
  std::string heading;
  std::vector<std::string> paragraphs = {};
  std::vector<Chart> charts = {};
  std::vector<Table> tables = {};
  std::vector<ReportSample> samples = {};
};

struct Report {
  std::string title;
  std::string introduction = {};  ///< what was run, in a few sentences
  std::vector<Tile> tiles = {};
  std::vector<Section> sections = {};
  /// Name and value of each: the run's flags; then version, machine, date, seconds.
  std::vector<std::pair<std::string, std::string>> flags = {};
  std::vector<std::pair<std::string, std::string>> footing = {};
};

/// The whole page. Every string of the report is taken as text and escaped; a content security
/// policy in the page forbids scripts and requests besides.
std::string render_report(const Report& report);

/// The style sheet of the page (rl/report/style.cpp).
extern const std::string_view report_style;

}  // namespace rlhf
