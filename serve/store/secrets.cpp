#include "serve/store/secrets.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <charconv>
#include <mutex>
#include <span>
#include <vector>

#include "core/check.h"
#include "core/sha256.h"
#include "core/system_random.h"

namespace rlhf::store {
namespace {

struct Cost {
  uint64_t log_n, r, p;
};
constexpr Cost cost{15, 8, 1};
constexpr size_t salt_bytes = 16, hash_bytes = 32;

std::string hexadecimal(std::span<const unsigned char> bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

std::string scrypt(std::string_view password, std::string_view salt, const Cost& cost) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  unsigned char out[hash_bytes];
  const int done = EVP_PBE_scrypt(
      password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()),
      salt.size(), uint64_t{1} << cost.log_n, cost.r, cost.p, uint64_t{64} << 20, out, sizeof out);
  check(done == 1, "scrypt", "expected a hash, got none");
  return hexadecimal(out);
}

/// The pieces between the dollar signs.
std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  while (true) {
    const size_t end = text.find('$');
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

uint64_t number_in(std::string_view text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

uint64_t random_seed() {
  uint64_t seed;
  system_random({reinterpret_cast<unsigned char*>(&seed), sizeof seed});
  return seed;
}

std::string random_token() {
  unsigned char bytes[32];
  system_random(bytes);
  return hexadecimal(bytes);
}

std::string hash_of_token(std::string_view token) {
  Sha256 hash;
  hash.add(token);
  return hash.digest();
}

std::string hash_of_password(std::string_view password) {
  unsigned char bytes[salt_bytes];
  system_random(bytes);
  const std::string salt = hexadecimal(bytes);
  return fmt::format("scrypt${}${}${}${}${}", cost.log_n, cost.r, cost.p, salt,
                     scrypt(password, salt, cost));
}

bool password_fits(std::string_view password, std::string_view hash) {
  const auto pieces = pieces_of(hash);
  check(pieces.size() == 6 && pieces[0] == "scrypt", "password",
        "expected a scrypt hash, got something else");
  const Cost cost{number_in(pieces[1]), number_in(pieces[2]), number_in(pieces[3])};
  const std::string computed = scrypt(password, pieces[4], cost);
  return computed.size() == pieces[5].size() &&
         CRYPTO_memcmp(computed.data(), pieces[5].data(), computed.size()) == 0;
}

}  // namespace rlhf::store
