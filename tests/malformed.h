// Small files from strangers that must be refused, as tables: what each is and what is said of it.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "core/check.h"
#include "tests/message_of.h"

namespace rlhf {

struct Malformed {
  std::string name;
  std::string text;
  std::string message;  ///< what the error must say
};

/// `parse` is given a text, and calls its source "file".
inline void expect_refused(const std::vector<Malformed>& cases, auto&& parse) {
  std::set<std::string> names;
  for (const Malformed& bad : cases) {
    const std::string text = message_of<InputError>([&] { parse(bad.text); });
    EXPECT_EQ(text.rfind("[file", 0), 0u) << bad.name << ": " << text;
    EXPECT_NE(text.find(bad.message), std::string::npos)
        << bad.name << ": " << text << "\nlacks " << bad.message;
    EXPECT_LT(text.size(), 400u) << bad.name;
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << bad.name;
    EXPECT_TRUE(names.insert(bad.name).second) << bad.name;
  }
}

}  // namespace rlhf
