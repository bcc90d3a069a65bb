// Reads TensorBoard's event files by their description alone, with a checksum computed bit by bit:
// shares nothing with the writer.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rlhf {

struct ReadEvent {
  double wall_time = 0;
  int64_t step = 0;
  std::string file_version;
  bool session_start = false;
  std::vector<std::pair<std::string, float>> scalars;
};

inline uint32_t bitwise_crc32c(std::string_view bytes) {
  uint32_t rest = 0xFFFFFFFF;
  for (const char c : bytes) {
    rest ^= uint8_t(c);
    for (int bit = 0; bit < 8; ++bit) rest = rest & 1 ? (rest >> 1) ^ 0x82F63B78 : rest >> 1;
  }
  return ~rest;
}

/// Takes bytes from the front; throws where there are too few.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  bool at_end() const { return bytes_.empty(); }
  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) throw std::runtime_error("the bytes end too soon");
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = number<uint8_t>();
      value |= uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }
  /// Calls f(field number, reader of its content): 8 or 4 bytes, a varint, or what is nested.
  void fields(auto&& f) {
    while (!at_end()) {
      const uint64_t key = varint();
      const std::string_view before = bytes_;
      std::string_view content;
      if ((key & 7) == 0) {
        varint();
        content = before.substr(0, before.size() - bytes_.size());
      } else if ((key & 7) == 1) {
        content = take(8);
      } else if ((key & 7) == 2) {
        content = take(varint());
      } else if ((key & 7) == 5) {
        content = take(4);
      } else {
        throw std::runtime_error("an unknown wire type");
      }
      f(key >> 3, ByteReader(content));
    }
  }
  std::string rest() { return std::string(take(bytes_.size())); }

 private:
  std::string_view bytes_;
};

inline ReadEvent read_event(std::string_view bytes) {
  ReadEvent event;
  ByteReader(bytes).fields([&](uint64_t field, ByteReader content) {
    if (field == 1) event.wall_time = content.number<double>();
    if (field == 2) event.step = int64_t(content.varint());
    if (field == 3) event.file_version = content.rest();
    if (field == 5) {
      content.fields([&](uint64_t, ByteReader value) {
        auto& [tag, number] = event.scalars.emplace_back();
        value.fields([&](uint64_t part, ByteReader inner) {
          if (part == 1) tag = inner.rest();
          if (part == 2) number = inner.number<float>();
        });
      });
    }
    if (field == 7) {
      content.fields(
          [&](uint64_t, ByteReader status) { event.session_start = status.varint() == 1; });
    }
  });
  return event;
}

/// All events of a file. Throws for a wrong checksum or a record that is not whole.
inline std::vector<ReadEvent> read_events(std::string_view file) {
  const auto check_crc = [](std::string_view bytes, uint32_t masked) {
    if (bitwise_crc32c(bytes) != std::rotl(masked - 0xa282ead8, 15)) {
      throw std::runtime_error("a wrong checksum");
    }
  };
  std::vector<ReadEvent> events;
  for (ByteReader reader(file); !reader.at_end();) {
    const std::string_view length = reader.take(8);
    check_crc(length, reader.number<uint32_t>());
    const std::string_view event = reader.take(ByteReader(length).number<uint64_t>());
    check_crc(event, reader.number<uint32_t>());
    events.push_back(read_event(event));
  }
  return events;
}

}  // namespace rlhf
