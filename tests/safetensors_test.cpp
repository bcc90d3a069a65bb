// Named tensors on disk: what we write comes back, and what the safetensors package writes is read.
#include "core/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <limits>

#include "tests/files.h"
#include "tests/paths.h"

namespace rlhf {
namespace {

namespace fs = std::filesystem;

class SafetensorsTest : public testing::Test {
 protected:
  std::string content() const { return content_of(path); }

 private:
  TemporaryFolder root_;

 protected:
  fs::path path = root_ / "model.safetensors";
};

std::string little_endian(uint64_t value) {
  std::string bytes;
  for (int i = 0; i < 8; i++) bytes.push_back(char(value >> (8 * i)));
  return bytes;
}

std::string with_header(const std::string& header, size_t data_bytes = 0) {
  return little_endian(header.size()) + header + std::string(data_bytes, '\1');
}

std::vector<uint32_t> bits_of(const Tensor& tensor) {
  std::vector<uint32_t> bits;
  for (const float value : tensor.to_vector<float>()) {
    bits.push_back(std::bit_cast<uint32_t>(value));
  }
  return bits;
}

TEST_F(SafetensorsTest, RoundTripKeepsNamesShapesAndBits) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = HUGE_VALF;
  const Tensor odd = Tensor::from(std::vector<float>{0, -0.0f, nan, inf, -inf, 1e-45f}, {2, 3});
  const Tensor fine = Tensor::from(std::vector<double>{0.1, 1e-310}, {2, 1, 1, 1});
  const Tensor scalar = Tensor::from(std::vector<float>{7}, {});
  write_safetensors(path, {{"odd \"name\"/\xe4\xb8\xad", odd},
                           {"b.1", fine},
                           {"a", scalar},
                           {"empty", Tensor::empty({0, 4}, DType::f32)},
                           {"row", odd.view(3, {1, 3})},
                           {"bf16", Tensor::from(std::vector<bf16>{bf16(1), bf16(-0.5f)}, {2})}});
  const auto read = read_safetensors(path);
  ASSERT_EQ(read.size(), 6u);
  const Tensor& same = read.at("odd \"name\"/\xe4\xb8\xad");
  EXPECT_EQ(same.shape(), odd.shape());
  EXPECT_EQ(bits_of(same), bits_of(odd));
  EXPECT_EQ(read.at("b.1").shape(), fine.shape());
  EXPECT_EQ(read.at("b.1").to_vector<double>(), fine.to_vector<double>());
  EXPECT_EQ(read.at("a").shape(), Shape{});
  EXPECT_EQ(read.at("a").item(), 7);
  EXPECT_EQ(read.at("bf16").dtype(), DType::bf16);
  EXPECT_EQ(read.at("bf16").to(DType::f32).to_vector<float>(), (std::vector<float>{1, -0.5f}));
  EXPECT_EQ(read.at("empty").shape(), (Shape{0, 4}));
  EXPECT_EQ(bits_of(read.at("row")), bits_of(odd.view(3, {1, 3})));
}

TEST_F(SafetensorsTest, WritesTheFormatsLayout) {
  write_safetensors(path, {{"z", Tensor::from(std::vector<float>{1}, {1})},
                           {"y", Tensor::from(std::vector<double>{2}, {1, 1})}});
  std::string header = R"({"__metadata__":{"format":"pt"},)"
                       R"("z":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                       R"("y":{"dtype":"F64","shape":[1,1],"data_offsets":[4,12]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string one("\0\0\x80\x3f", 4), two("\0\0\0\0\0\0\0\x40", 8);
  EXPECT_EQ(content(), little_endian(header.size()) + header + one + two);
}

TEST_F(SafetensorsTest, RefusesToWriteIntegers) {
  EXPECT_THROW(write_safetensors(path, {{"i", Tensor::from(std::vector<int32_t>{1}, {1})}}), Error);
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(SafetensorsTest, ReadsWhatThePackageWrites) {
  const auto read = read_safetensors(in_source("tests/data/safetensors_golden.safetensors"));
  EXPECT_EQ(read.size(), 8u) << "integers and masks are left out";
  EXPECT_EQ(read.at("brain").dtype(), DType::bf16);
  for (const std::string name : {"half", "brain"}) {
    const Tensor ours = read.at(name).to(DType::f32), theirs = read.at(name + ".widened");
    ASSERT_GT(ours.count(), 100);
    ASSERT_EQ(ours.shape(), theirs.shape());
    const auto a = ours.to_vector<float>(), b = theirs.to_vector<float>();
    const auto a_bits = bits_of(ours), b_bits = bits_of(theirs);
    for (size_t i = 0; i < a.size(); i++) {
      if (std::isnan(b[i])) {
        EXPECT_TRUE(std::isnan(a[i])) << name << " " << i;
      } else {
        EXPECT_EQ(a_bits[i], b_bits[i]) << name << " " << i;
      }
    }
  }
  EXPECT_EQ(read.at("matrix").shape(), (Shape{2, 3}));
  EXPECT_EQ(read.at("matrix").to_vector<float>(),
            (std::vector<float>{1.5f, -2.25f, 1e-40f, 3e38f, 0.1f, -0.0f}));
  EXPECT_EQ(read.at("double").to_vector<double>(), (std::vector<double>{0.1, 1e-310, 1e300}));
  EXPECT_EQ(read.at("scalar").shape(), Shape{});
  EXPECT_EQ(read.at("scalar").item(), 42);
  EXPECT_EQ(read.at("empty").shape(), (Shape{0, 3}));
}

TEST_F(SafetensorsTest, AcceptsTheFormatsOddities) {
  const auto read = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return read_safetensors(path);
  };
  EXPECT_TRUE(read(with_header("{}")).empty());
  EXPECT_TRUE(read(with_header("{}      ")).empty()) << "padding at the end";
  EXPECT_TRUE(read(with_header(R"({"__metadata__":{"format":"pt","x":"y"}})")).empty());
  const std::string unordered = R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                                R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                                R"("e":{"dtype":"F32","shape":[2,0],"data_offsets":[4,4]}})";
  EXPECT_EQ(read(with_header(unordered, 8)).size(), 3u);
}

TEST_F(SafetensorsTest, RefusesWhatIsNoFile) {
  EXPECT_THROW(read_safetensors(path), InputError);
  EXPECT_THROW(read_safetensors(path.parent_path()), InputError);
}

// No cut of a good file may be read, and none may crash the reader.
TEST_F(SafetensorsTest, RefusesEveryTruncation) {
  write_safetensors(
      path, {{"a", Tensor::zeros({3}, DType::f32)}, {"b", Tensor::zeros({2, 2}, DType::f64)}});
  const std::string whole = content();
  for (size_t bytes = 0; bytes < whole.size(); bytes++) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, bytes);
    EXPECT_THROW(read_safetensors(path), InputError) << bytes;
  }
}

}  // namespace
}  // namespace rlhf
