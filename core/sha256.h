// SHA-256 (FIPS 180-4) by OpenSSL's libcrypto: what proves that a file or a model is the one it
// was. `sha256sum` prints the same digits.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace rlhf {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes);
  /// The digest of all that was added, as 64 hexadecimal digits. Call it once, last.
  std::string digest();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// The digest of a file's bytes. @throws Error when it cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace rlhf
