// Random secrets, and hashes that give nothing away.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rlhf::store {

/// From the system's generator.
uint64_t random_seed();

/// 256 random bits as 64 hexadecimal digits.
std::string random_token();

/// What is kept of a token. Tokens are random, so a plain SHA-256 cannot be turned back.
std::string hash_of_token(std::string_view token);

/// scrypt (RFC 7914) with N = 2^15, r = 8, p = 1 (32 MiB, about 0.1 s) and a random salt:
/// "scrypt$15$8$1$<salt>$<hash>".
std::string hash_of_password(std::string_view password);

/// Compares in a time that does not depend on where they differ. One password is hashed at a time,
/// so that many tries do not take much memory.
bool password_fits(std::string_view password, std::string_view hash);

}  // namespace rlhf::store
