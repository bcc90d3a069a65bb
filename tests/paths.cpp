#include "tests/paths.h"

namespace rlhf {

const char* const source_folder = RLHF_SOURCE_DIR;
const char* const rlhf_program = RLHF_BINARY;
const char* const failing_disk_library = RLHF_FAILING_DISK;

}  // namespace rlhf
