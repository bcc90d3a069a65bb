// For tests of the CUDA half, real or emulated: they pass by where a build has none that works.
#pragma once

#include <gtest/gtest.h>

#include "kernels/device_report.h"

/// Ends the test, saying why, unless Device::cuda can be used. (A macro, since GTEST_SKIP returns.)
#define RLHF_NEEDS_GPU() \
  if (const auto problem = device_problem(Device::cuda); !problem.empty()) GTEST_SKIP() << problem
