#include "core/sha256.h"

#include <openssl/evp.h>

#include <fstream>
#include <vector>

#include "core/check.h"

namespace rlhf {

struct Sha256::Context {
  EVP_MD_CTX* handle = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(handle); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  check(context_->handle && EVP_DigestInit_ex(context_->handle, EVP_sha256(), nullptr) == 1,
        "sha256", "expected libcrypto to offer it, got a failure");
}

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  check(EVP_DigestUpdate(context_->handle, bytes.data(), bytes.size()) == 1, "sha256",
        "expected libcrypto to take {} bytes, got a failure", bytes.size());
}

std::string Sha256::digest() {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context_->handle, bytes, &size) == 1, "sha256",
        "expected libcrypto to finish, got a failure");
  std::string text;
  for (unsigned i = 0; i < size; i++) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::string sha256_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  check(bool(file), path.string(), "expected a file to read, got none that can be read");
  Sha256 hash;
  std::vector<char> buffer(size_t{1} << 20);
  while (file.read(buffer.data(), std::streamsize(buffer.size())) || file.gcount() > 0) {
    hash.add({buffer.data(), size_t(file.gcount())});
  }
  check(!file.bad(), path.string(), "expected to read all of it, got an error of the disk");
  return hash.digest();
}

}  // namespace rlhf
