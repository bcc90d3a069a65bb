// CRC-32C (Castagnoli 1993), the checksum of TensorBoard's event files: reflected polynomial
// 0x82F63B78, as in RFC 3720, appendix B.4.
#pragma once

#include <cstdint>
#include <string_view>

namespace rlhf {

/// Of all bytes; 0xE3069283 for "123456789".
uint32_t crc32c(std::string_view bytes);

}  // namespace rlhf
