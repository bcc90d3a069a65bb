#include "serve/http/raw_head.h"

namespace rlhf::http {
namespace {

// Walks over the bytes from part to part.
class Walk {
 public:
  explicit Walk(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool part(const char* begin, size_t size) {
    if (begin != at_ || size > size_t(end_ - at_)) return false;
    at_ += size;
    return true;
  }
  bool nuls(int count) {
    for (; count > 0; count--) {
      if (at_ == end_ || *at_ != '\0') return false;
      at_++;
    }
    return true;
  }
  void white_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) at_++;
  }
  bool line_end() { return nuls(2); }
  bool at_end() const { return at_ == end_; }

 private:
  const char* at_;
  const char* end_;
};

}  // namespace

bool is_exact(const RawHead& head) {
  Walk walk(head.bytes);
  const std::string_view method = head.bytes.substr(0, head.bytes.find('\0'));
  if (!walk.part(head.bytes.data(), method.size()) || !walk.nuls(1)) return false;
  if (!walk.part(head.target, head.target_size) || !walk.nuls(1)) return false;
  if (!walk.part(head.version, std::string_view("HTTP/1.1").size()) || !walk.line_end()) {
    return false;
  }
  for (const Field& field : head.fields) {
    if (!walk.part(field.name.data(), field.name.size()) || !walk.nuls(1)) return false;
    walk.white_space();
    if (!walk.part(field.value.data(), field.value.size()) || !walk.line_end()) return false;
  }
  return walk.line_end() && walk.at_end();
}

}  // namespace rlhf::http
