# The CUDA half: RLHF_CUDA chooses who compiles kernels/cuda/*.cu.
#   ON        nvcc, for the architectures of RLHF_CUDA_ARCHITECTURES
#   EMULATED  the C++ compiler: kernels run on the CPU, thread by thread (docs/emulator.md)
#   AUTO      ON where there is an nvcc, on the PATH or in CUDA's default place, else EMULATED
#   OFF       nobody
set(RLHF_CUDA AUTO CACHE STRING "CUDA half: AUTO, ON, EMULATED or OFF")
set_property(CACHE RLHF_CUDA PROPERTY STRINGS AUTO ON EMULATED OFF)
set(RLHF_CUDA_ARCHITECTURES "90a-real" CACHE STRING "GPUs to compile for, in CMake's notation")

if(NOT RLHF_CUDA MATCHES "^(AUTO|ON|EMULATED|OFF)$")
  message(FATAL_ERROR "RLHF_CUDA: expected AUTO, ON, EMULATED or OFF, got ${RLHF_CUDA}")
endif()

set(cuda_half ${RLHF_CUDA})
if(RLHF_CUDA MATCHES "^(AUTO|ON)$")
  find_program(NVCC nvcc HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH
               PATHS /usr/local/cuda /opt/cuda PATH_SUFFIXES bin)
  if(NVCC)
    set(cuda_half ON)
  elseif(RLHF_CUDA STREQUAL "ON")
    message(FATAL_ERROR "RLHF_CUDA=ON: expected nvcc on the PATH or in /usr/local/cuda/bin, found "
            "none; install the CUDA toolkit, or build with RLHF_CUDA=EMULATED")
  else()
    set(cuda_half EMULATED)
  endif()
endif()

if(cuda_half STREQUAL "ON")
  # CMake 3.25.1 knows no flag for C++20 of NVIDIA's compiler.
  if(CMAKE_VERSION VERSION_LESS 3.25.2)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  endif()
  set(CMAKE_CUDA_COMPILER ${NVCC})
  set(CMAKE_CUDA_ARCHITECTURES ${RLHF_CUDA_ARCHITECTURES})
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  if(CCACHE)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
  endif()
  find_package(CUDAToolkit REQUIRED)
  # cuDNN is installed by itself; without it, or with one of before 9.16, attention is our own.
  find_path(CUDNN_INCLUDE_DIR cudnn_version.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
  set(CUDNN_VERSION "")
  if(CUDNN_INCLUDE_DIR AND CUDNN_LIBRARY)
    file(STRINGS ${CUDNN_INCLUDE_DIR}/cudnn_version.h numbers
         REGEX "^#define CUDNN_(MAJOR|MINOR) [0-9]+")
    string(REGEX REPLACE "[^0-9;]" "" numbers "${numbers}")
    list(JOIN numbers . CUDNN_VERSION)
  endif()
  set(has_cudnn OFF)
  if(CUDNN_VERSION VERSION_GREATER_EQUAL 9.16)
    set(has_cudnn ON)
  endif()
endif()

set(halves_ON "CPU and CUDA ${CMAKE_CUDA_COMPILER_VERSION} build")
set(halves_EMULATED "CPU build, GPU emulated; CUDA not found (that is fine)")
if(RLHF_CUDA STREQUAL "EMULATED")
  set(halves_EMULATED "CPU build, GPU emulated as asked")
endif()
set(halves_OFF "CPU build, no GPU as asked")
set(halves ${halves_${cuda_half}})

# rlhf_cuda_library(<target> <source>...): a library of .cu files, by whoever compiles them here.
function(rlhf_cuda_library target)
  add_library(${target} ${library_kind} ${ARGN})
  if(cuda_half STREQUAL "EMULATED")
    set(kernels ${ARGN})
    list(FILTER kernels INCLUDE REGEX "\\.cu$")
    # g++ does not know the ending.
    set_source_files_properties(${kernels} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
    target_link_libraries(${target} PUBLIC rlhf_options)
  else()
    target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
    target_compile_options(${target} PRIVATE --expt-relaxed-constexpr --generate-line-info
                           -Xcompiler=-Wall,-Wextra,-Wno-unknown-pragmas
                           -Xcompiler=-Wno-missing-field-initializers)
  endif()
endfunction()

# The library of kernels/cuda, empty when there is no CUDA half.
function(rlhf_cuda_layer target)
  file(GLOB kernels CONFIGURE_DEPENDS kernels/cuda/*.cu kernels/cuda/support/*.cu)
  file(GLOB emulator CONFIGURE_DEPENDS kernels/cuda/emulator/*.cpp)
  # NVIDIA's libraries are opened by the program when it first needs them, not linked: it starts where
  # they are not, and their half a gigabyte stays out of it (docs/devices.md). cuBLASLt's header is
  # there where CUDA is.
  if(cuda_half STREQUAL "ON")
    list(FILTER kernels EXCLUDE REGEX "/gemm_no_library\\.cu$")
    set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cuda/support/cublaslt_import.cu PROPERTIES
      COMPILE_DEFINITIONS RLHF_CUBLASLT_FOLDER="${CUDAToolkit_LIBRARY_DIR}")
  else()
    list(FILTER kernels EXCLUDE REGEX "/(gemm_cublaslt|cublaslt_import)\\.cu$")
  endif()
  if(has_cudnn)
    list(FILTER kernels EXCLUDE REGEX "/attention_no_library\\.cu$")
    get_filename_component(cudnn_folder ${CUDNN_LIBRARY} DIRECTORY)
    set_source_files_properties(${CMAKE_SOURCE_DIR}/kernels/cuda/support/cudnn_import.cu PROPERTIES
      COMPILE_DEFINITIONS RLHF_CUDNN_FOLDER="${cudnn_folder}")
  else()
    list(FILTER kernels EXCLUDE REGEX "/(attention_cudnn|cudnn_import)\\.cu$")
  endif()
  if(cuda_half STREQUAL "OFF")
    add_library(${target} INTERFACE)
    return()
  elseif(cuda_half STREQUAL "EMULATED")
    rlhf_cuda_library(${target} ${kernels} ${emulator})
    # The emulator tells ThreadSanitizer what kernels do; what it does itself is not to be seen.
    if(RLHF_SANITIZE MATCHES "thread")
      set_source_files_properties(${emulator} PROPERTIES COMPILE_OPTIONS -fno-sanitize=thread)
      target_compile_definitions(${target} PUBLIC RLHF_EMULATOR_TSAN)
    endif()
  else()
    rlhf_cuda_library(${target} ${kernels})
    # One runtime in a process, though several of its libraries may have kernels.
    set(runtime CUDA::cudart_static)
    if(RLHF_SHARED)
      set(runtime CUDA::cudart)
    endif()
    # Not its headers: whoever includes kernels/*.h is compiled alike for a real and an emulated GPU.
    target_link_libraries(${target} PRIVATE ${runtime} ${CMAKE_DL_LIBS})
    if(has_cudnn)
      target_include_directories(${target} SYSTEM PRIVATE ${CUDNN_INCLUDE_DIR})
    endif()
  endif()
  target_compile_definitions(${target} PUBLIC RLHF_HAS_CUDA)
endfunction()
