#include "rl/run/event.h"

#include <bit>

#include "rl/run/little_endian.h"

namespace rlhf {
namespace {

enum WireType : uint64_t { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

/// A message under construction: fields are appended by number.
class Message {
 public:
  Message& integer(uint64_t field, int64_t value) {
    key(field, varint);
    append_varint(uint64_t(value));
    return *this;
  }
  Message& real64(uint64_t field, double value) {
    key(field, fixed64);
    append_little_endian(bytes_, std::bit_cast<uint64_t>(value));
    return *this;
  }
  Message& real32(uint64_t field, float value) {
    key(field, fixed32);
    append_little_endian(bytes_, std::bit_cast<uint32_t>(value));
    return *this;
  }
  /// A string, or a message inside this one.
  Message& nested(uint64_t field, std::string_view bytes) {
    key(field, length_delimited);
    append_varint(bytes.size());
    bytes_ += bytes;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(uint64_t field, WireType type) { append_varint(field << 3 | type); }
  void append_varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += char(value | 0x80);
    bytes_ += char(value);
  }

  std::string bytes_;
};

Message event(double wall_time, int64_t step) {
  return Message().real64(1, wall_time).integer(2, step);
}

}  // namespace

std::string version_event(double wall_time) {
  return Message().real64(1, wall_time).nested(3, "brain.Event:2").bytes();
}

std::string session_start_event(double wall_time, int64_t first_step) {
  constexpr int64_t start = 1;  // SessionLog.SessionStatus
  return event(wall_time, first_step).nested(7, Message().integer(1, start).bytes()).bytes();
}

std::string scalars_event(double wall_time, int64_t step, const Metrics& metrics) {
  Message summary;
  for (const auto& [name, value] : metrics) {
    summary.nested(1, Message().nested(1, name).real32(2, float(value)).bytes());
  }
  return event(wall_time, step).nested(5, summary.bytes()).bytes();
}

}  // namespace rlhf
