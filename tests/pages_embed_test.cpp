// The pages as the program holds them: the bytes of the repository, each under its own hash, asking
// for nothing that is not there, and for nothing that their content policy would stop.
#include <gtest/gtest.h>

#include <re2/re2.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "serve/pages/pages.h"
#include "tests/paths.h"

namespace rlhf::pages {
namespace {

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

std::filesystem::path folder() { return in_source("serve/pages"); }

/// What the first group of a pattern matched, everywhere in a text.
std::set<std::string> matches(std::string_view text, const std::string& pattern) {
  std::set<std::string> found;
  re2::StringPiece rest(text.data(), text.size());
  const RE2 regex(pattern);
  for (std::string name; RE2::FindAndConsume(&rest, regex, &name);) found.insert(name);
  return found;
}

TEST(PagesEmbed, HoldsEveryFileAsItIs) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    const std::string extension = entry.path().extension();
    const std::string name = entry.path().filename();
    if (extension == ".cpp" || extension == ".h" || name == "frame.html") continue;
    const Page* page = find_page(name);
    ASSERT_NE(page, nullptr) << name;
    files++;
    if (extension == ".html") continue;  // see below
    EXPECT_EQ(page->content, bytes_of(entry.path())) << name;
  }
  EXPECT_EQ(all_pages().size(), files + 1);  // and the script of the charts
  ASSERT_NE(find_page("chart.min.js"), nullptr);
  EXPECT_NE(find_page("chart.min.js")->content.find("Chart.js v"), std::string_view::npos);
}

TEST(PagesEmbed, PagesAreTheFrameAroundTheirContent) {
  const std::string frame = bytes_of(folder() / "frame.html");
  for (const std::string name : {"compare", "chat", "runs", "manage"}) {
    const Page* page = find_page(name + ".html");
    ASSERT_NE(page, nullptr) << name;
    std::string expected = frame;
    RE2::GlobalReplace(&expected, "{{page}}", name);
    const size_t place = expected.find("{{main}}");
    expected.replace(place, std::string_view("{{main}}").size(),
                     bytes_of(folder() / (name + ".html")));
    EXPECT_EQ(page->content, expected);
  }
  EXPECT_EQ(find_page("frame.html"), nullptr);
}

TEST(PagesEmbed, TypesAndHashes) {
  EXPECT_EQ(find_page("compare.html")->type, "text/html; charset=utf-8");
  EXPECT_EQ(find_page("compare.js")->type, "text/javascript; charset=utf-8");
  EXPECT_EQ(find_page("base.css")->type, "text/css; charset=utf-8");
  std::set<std::string_view> hashes;
  for (const Page& page : all_pages()) {
    EXPECT_TRUE(RE2::FullMatch(std::string(page.etag), "\"[0-9a-f]{32}\""));
    hashes.insert(page.etag);
  }
  EXPECT_EQ(hashes.size(), all_pages().size());
}

TEST(PagesEmbed, NoOtherNameIsFound) {
  for (const char* name : {"", "compare", "../pages.h", "pages.cpp", "/compare.html"}) {
    EXPECT_EQ(find_page(name), nullptr) << name;
  }
}

TEST(PagesEmbed, WhatPagesAskForIsThere) {
  size_t asked = 0;
  for (const Page& page : all_pages()) {
    if (page.name == "chart.min.js") continue;
    std::set<std::string> names = matches(page.content, "[\"'](?:/static|\\.)/([\\w.]+)[\"']");
    for (const std::string& name : names) {
      EXPECT_NE(find_page(name), nullptr) << page.name << " asks for " << name;
      asked++;
    }
  }
  EXPECT_GT(asked, 60u);
}

TEST(PagesEmbed, NothingInlineAndNothingForeign) {
  for (const Page& page : all_pages()) {
    if (page.name == "chart.min.js") continue;
    const std::string where(page.name);
    std::set<std::string> addresses = matches(page.content, "(https?://[\\w./]+)");
    addresses.erase("http://www.w3.org/2000/svg");  // a name, not an address
    EXPECT_EQ(addresses, std::set<std::string>{}) << where;
    EXPECT_EQ(matches(page.content,
                      "(innerHTML|outerHTML|insertAdjacentHTML|document\\.write|"
                      "\\beval\\(|new Function)"),
              std::set<std::string>{})
        << where;
    if (!where.ends_with(".html")) continue;
    EXPECT_EQ(matches(page.content, "(<style|\\sstyle=|\\son[a-z]+=|<script>)"),
              std::set<std::string>{})
        << where;
  }
}

TEST(PagesEmbed, EveryKeyHasWords) {
  std::set<std::string> known;
  for (const Page& page : all_pages()) {
    if (page.name.starts_with("words_")) known.merge(matches(page.content, "\n  (\\w+): \\["));
  }
  EXPECT_GT(known.size(), 200u);
  for (const Page& page : all_pages()) {
    if (page.name == "chart.min.js" || page.name == "i18n.js") continue;
    for (const std::string& key :
         matches(page.content,
                 "(?:\\bt(?:_label|_title|_placeholder)?: |\\bt\\(|data-t(?:_label)?=)"
                 "['\"](\\w+)['\"]")) {
      EXPECT_TRUE(known.contains(key)) << page.name << " says " << key;
    }
  }
}

}  // namespace
}  // namespace rlhf::pages
