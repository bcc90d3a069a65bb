#include "rl/report/report.h"

#include <fmt/core.h>

#include <algorithm>

#include "rl/report/html.h"
#include "rl/report/number.h"

namespace rlhf {
namespace {

/// Digits, a sign, a point, separators, a percent sign: set to the right, so that columns line up.
bool is_figure(std::string_view cell) {
  return !cell.empty() && cell.find_first_of("0123456789") != std::string_view::npos &&
         cell.find_first_not_of("0123456789.,+-%eE \u2212\u2009") == std::string_view::npos;
}

/// A column is numeric when all of its filled cells are; a dash fills none.
bool is_numeric(const Table& table, size_t column) {
  const auto figure = [&](const std::vector<std::string>& row) {
    return column >= row.size() || row[column].empty() || row[column] == "\u2013" ||
           is_figure(row[column]);
  };
  return std::all_of(table.rows.begin(), table.rows.end(), figure);
}

std::string render_table(const Table& table) {
  std::string out =
      table.is_map ? "<div class=\"table map\"><table>" : "<div class=\"table\"><table>";
  if (!table.caption.empty())
    out += fmt::format("<caption>{}</caption>", html_escape(table.caption));
  const auto cell = [&](std::string_view tag, size_t column, std::string_view text) {
    out += fmt::format("<{0}{1}>{2}</{0}>", tag,
                       !table.is_map && is_numeric(table, column) ? " class=\"figure\"" : "",
                       html_escape(text));
  };
  out += "<thead><tr>";
  for (size_t c = 0; c < table.columns.size(); ++c) cell("th", c, table.columns[c]);
  out += "</tr></thead><tbody>";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (size_t c = 0; c < row.size(); ++c) cell("td", c, row[c]);
    out += "</tr>";
  }
  return out + "</tbody></table></div>\n";
}

std::string render_sample(const ReportSample& sample) {
  std::string out = fmt::format(
      "<article class=\"sample\"><div class=\"prompt\"><span class=\"mark\">prompt</span>"
      "<p dir=\"auto\">{}</p></div><div class=\"completions\">",
      html_escape(sample.prompt));
  for (const Completion& completion : sample.completions) {
    const std::string score =
        completion.score ? fmt::format("<b>{}</b>", readable_number(*completion.score)) : "";
    const std::string text =
        completion.text.empty() ? "<em>(nothing)</em>" : html_escape(completion.text);
    out += fmt::format(
        "<div class=\"completion\"><span class=\"mark\">{}{}</span><p dir=\"auto\">{}</p></div>",
        html_escape(completion.label), score, text);
  }
  return out + "</div></article>\n";
}

std::string render_section(const Section& section, size_t number) {
  std::string out =
      fmt::format("<section id=\"part-{}\"><h2>{}</h2>\n", number, html_escape(section.heading));
  for (const std::string& text : section.paragraphs) {
    out += fmt::format("<p class=\"prose\">{}</p>\n", html_escape(text));
  }
  if (!section.charts.empty()) out += "<div class=\"charts\">\n";
  for (const Chart& chart : section.charts) out += render_chart(chart);
  if (!section.charts.empty()) out += "</div>\n";
  for (const Table& table : section.tables) out += render_table(table);
  for (const ReportSample& sample : section.samples) out += render_sample(sample);
  return out + "</section>\n";
}

std::string render_tiles(const std::vector<Tile>& tiles) {
  if (tiles.empty()) return "";
  std::string out = "<dl class=\"tiles\">";
  for (const Tile& tile : tiles) {
    out += fmt::format("<div><dt>{}</dt><dd>{}<small>{}</small></dd></div>",
                       html_escape(tile.label), html_escape(tile.value), html_escape(tile.note));
  }
  return out + "</dl>\n";
}

std::string render_contents(const std::vector<Section>& sections) {
  if (sections.size() < 2) return "";
  std::string out = "<nav aria-label=\"Contents\">";
  for (size_t i = 0; i < sections.size(); ++i) {
    out += fmt::format("<a href=\"#part-{}\">{}</a>", i, html_escape(sections[i].heading));
  }
  return out + "</nav>\n";
}

std::string render_flags(const std::vector<std::pair<std::string, std::string>>& flags) {
  if (flags.empty()) return "";
  std::string out =
      fmt::format("<section><details><summary>Flags of this run ({})</summary><dl class=\"flags\">",
                  flags.size());
  for (const auto& [name, value] : flags) {
    out += fmt::format("<dt>{}</dt><dd>{}</dd>", html_escape(name), html_escape(value));
  }
  return out + "</dl></details></section>\n";
}

std::string render_footing(const std::vector<std::pair<std::string, std::string>>& footing) {
  std::string out = "<footer>";
  for (const auto& [name, value] : footing) {
    out += fmt::format("<span>{} <b>{}</b></span>", html_escape(name), html_escape(value));
  }
  return out + "</footer>\n";
}

}  // namespace

std::string render_report(const Report& report) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\""
      " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{0}</title>\n<style>{1}</style></head>\n<body><main>\n"
      "<header><p class=\"maker\">rlhf.cpp</p><h1>{0}</h1><p class=\"lead\">{2}</p></header>\n",
      html_escape(report.title), report_style, html_escape(report.introduction));
  out += render_tiles(report.tiles);
  out += render_contents(report.sections);
  for (size_t i = 0; i < report.sections.size(); ++i) out += render_section(report.sections[i], i);
  out += render_flags(report.flags);
  out += render_footing(report.footing);
  return out + "</main></body></html>\n";
}

}  // namespace rlhf
