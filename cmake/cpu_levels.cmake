# One program for every x86-64 machine: kernels_cpu is built once for each level of the architecture
# (x86-64 psABI: v3 is AVX2 with FMA, v4 is AVX-512), as a shared library in the folder where glibc's
# loader looks first on a CPU of that level:
#
#   lib/libkernels_cpu.so                            any x86-64
#   lib/glibc-hwcaps/x86-64-v3/libkernels_cpu.so     AVX2
#   lib/glibc-hwcaps/x86-64-v4/libkernels_cpu.so     AVX-512
#
# Only the chosen one is ever loaded. So the sources need no second form, and no inline function of a
# header that was compiled for AVX-512 can end up in what an older CPU runs. `ld.so --list-diagnostics`
# tells what a machine is; `ld.so --glibc-hwcaps-mask x86-64-v3 bin/rlhf` pretends to be a lesser one.
set(levels_by_default OFF)
if(NOT RLHF_NATIVE AND NOT RLHF_SANITIZE AND CMAKE_SYSTEM_NAME STREQUAL "Linux"
   AND CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  set(levels_by_default ON)
endif()
option(RLHF_CPU_LEVELS "Kernels of the CPU for every level of x86-64; the loader picks one"
       ${levels_by_default})

if(RLHF_CPU_LEVELS AND RLHF_NATIVE)
  message(FATAL_ERROR "RLHF_CPU_LEVELS: expected RLHF_NATIVE=OFF beside it, got ON")
endif()

# rlhf_cpu_layer(<libraries it may use>...): the layer kernels/cpu, with its levels where wanted.
function(rlhf_cpu_layer)
  if(NOT RLHF_CPU_LEVELS)
    rlhf_layer(kernels/cpu ${ARGN})
    return()
  endif()
  set(library_kind SHARED)
  rlhf_layer(kernels/cpu ${ARGN})
  get_target_property(sources kernels_cpu SOURCES)
  foreach(level x86-64-v3 x86-64-v4)
    add_library(kernels_cpu_${level} SHARED ${sources})
    target_compile_options(kernels_cpu_${level} PRIVATE -march=${level})
    target_link_libraries(kernels_cpu_${level} PUBLIC rlhf_options ${ARGN})
    set_target_properties(kernels_cpu_${level} PROPERTIES OUTPUT_NAME kernels_cpu
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/glibc-hwcaps/${level})
    add_dependencies(kernels_cpu kernels_cpu_${level})
  endforeach()
endfunction()
