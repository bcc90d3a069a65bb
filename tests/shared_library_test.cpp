// Libraries that are opened when they are needed: what is there works, what is missing is named.
#include "kernels/cuda/support/shared_library.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "tests/message_of.h"

namespace rlhf {
namespace {

using gpu::SharedLibrary;

TEST(SharedLibrary, PassesCallsOn) {
  const SharedLibrary math({"libm.so.6"});
  ASSERT_TRUE(math.found()) << math.why();
  EXPECT_EQ(math.function<double(double)>("cos")(1.25), std::cos(1.25));
}

TEST(SharedLibrary, OpensTheFirstThatThereIs) {
  const SharedLibrary math({"libno_such_library.so.9", "libm.so.6"});
  EXPECT_TRUE(math.found());
  EXPECT_NE(math.function<double(double)>("sin"), nullptr);
}

TEST(SharedLibrary, NamesWhatIsMissing) {
  const SharedLibrary none({"libno_such_library.so.9", "/no/such/folder/libno_such_library.so.9"});
  EXPECT_FALSE(none.found());
  EXPECT_EQ(none.name(), "libno_such_library.so.9");
  const std::string message = message_of<std::runtime_error>([&] { none.function<void()>("f"); });
  EXPECT_EQ(message.find("[libno_such_library.so.9] expected this library, found none: "), 0u)
      << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(SharedLibrary, NamesAMissingFunction) {
  const SharedLibrary math({"libm.so.6"});
  const std::string message =
      message_of<std::runtime_error>([&] { math.function<void()>("no_such_function"); });
  EXPECT_EQ(message,
            "[libm.so.6] expected a library with no_such_function, got one without: is it of "
            "another version?");
}

}  // namespace
}  // namespace rlhf
