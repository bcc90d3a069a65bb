# The two rules that keep the tree readable, checked without building it:
#   layers: an #include "..." goes downward only, by the table below, and is written from the root;
#   mirror: the contracts, their CPU and CUDA halves and their test cases are one set of names.
# Usage: cmake -DROOT=<repository> -P tests/layers.cmake
# Prints every violation as file:line and fails; a file whose folder has no rule is one, too.
cmake_minimum_required(VERSION 3.25)

# Headers of kernels/ that are not contracts.
set(support bf16 device device_lock device_report graph memory philox run trace)

# rule(<files> <what they may include> <in words> [<what they may not, in spite of that>])
# All but the words are regular expressions on paths from the root; the first rule that fits counts.
set(rules 0)
macro(rule files allowed words)
  set(files_${rules} "${files}")
  set(allowed_${rules} "${allowed}")
  set(words_${rules} "${words}")
  set(denied_${rules} "${ARGN}")
  math(EXPR rules "${rules} + 1")
endmacro()

string(REPLACE ";" "|" support_names "${support}")
set(kernel "^kernels/[a-z0-9_]+\\.h$")
rule("^bench/measure/" "^(bench/measure|rl|nn|data|core)/|${kernel}"
     "bench/measure, rl, nn, data, core and kernels/*.h")
rule("^serve/store/" "^(serve/store|data|core)/|^kernels/philox\\.h$"
     "serve/store, data, core without ops, and kernels/philox.h" "^core/ops")
rule("^serve/http/" "^(serve/http|core)/" "serve/http and core without ops" "^core/ops")
rule("^serve/engine/" "^(serve/engine|rl|nn|data|core)/|${kernel}"
     "serve/engine, rl, nn, data, core and kernels/*.h")
rule("^serve/openai/" "^(serve/(openai|http|engine)|rl|nn|data|core)/|${kernel}"
     "serve/openai, serve/http, serve/engine, rl, nn, data, core and kernels/*.h")
rule("^serve/" "^(serve|apps|rl|nn|data|core)/|${kernel}" "everything but bench and tests")
rule("^(apps|bench|tests)/" "." "everything")
rule("^rl/env/" "^(rl/env|data|core)/|^kernels/philox\\.h$"
     "rl/env, data, core without ops, and kernels/philox.h" "^core/ops")
rule("^rl/" "^(rl|nn|data|core)/|${kernel}" "rl, nn, data, core and kernels/*.h")
rule("^nn/" "^(nn|core)/|${kernel}" "nn, core and kernels/*.h")
rule("^data/" "^(data|core)/|^kernels/philox\\.h$" "data, core without ops, and kernels/philox.h"
     "^core/ops")
rule("^core/ops[./]" "^core/|${kernel}" "core and kernels/*.h")
rule("^core/" "^core/|${kernel}" "core without ops, and kernels/*.h" "^core/ops")
rule("^kernels/cpu/" "${kernel}|^kernels/cpu/[a-z0-9_]+/"
     "kernels/*.h and the helpers in folders below kernels/cpu")
rule("^kernels/cuda/emulator" "^kernels/(${support_names})\\.h$|^kernels/cuda/emulator"
     "kernels/{${support_names}}.h and the emulator")
rule("^kernels/cuda/" "${kernel}|^kernels/cuda/(support/|emulator\\.h$)"
     "kernels/*.h and the helpers in kernels/cuda/support")
rule("${kernel}" "^kernels/(${support_names})\\.h$" "of ours only kernels/{${support_names}}.h")

set(violations 0)
function(violation)
  string(CONCAT text ${ARGN})
  message(NOTICE "${text}")
  math(EXPR violations "${violations} + 1")
  set(violations ${violations} PARENT_SCOPE)
endfunction()

# ---- layers ------------------------------------------------------------------------------------

foreach(folder apps bench core data kernels nn rl serve tests)
  file(GLOB_RECURSE found RELATIVE ${ROOT} ${ROOT}/${folder}/*.h ${ROOT}/${folder}/*.cpp
       ${ROOT}/${folder}/*.cu)
  list(APPEND files ${found})
endforeach()

foreach(file IN LISTS files)
  set(mine -1)
  math(EXPR last "${rules} - 1")
  foreach(i RANGE ${last})
    if(file MATCHES "${files_${i}}")
      set(mine ${i})
      break()
    endif()
  endforeach()
  if(mine EQUAL -1)
    violation("${file}:1: no rule of tests/layers.cmake says what it may include")
    continue()
  endif()

  file(READ ${ROOT}/${file} content)
  set(content "\n${content}")
  string(REGEX MATCHALL "\n[ \t]*#[ \t]*include[ \t]*\"[^\"\n]*\"" includes "${content}")
  foreach(include IN LISTS includes)
    string(REGEX REPLACE "^[^\"]*\"(.*)\"$" "\\1" target "${include}")
    string(FIND "${content}" "${include}" position)
    string(SUBSTRING "${content}" 0 ${position} before)
    string(REGEX MATCHALL "\n" newlines "${before}")
    list(LENGTH newlines line)
    math(EXPR line "${line} + 1")
    if(NOT EXISTS ${ROOT}/${target})
      violation("${file}:${line}: \"${target}\" is not a path from the root of the repository")
    elseif(NOT target MATCHES "${allowed_${mine}}"
           OR (denied_${mine} AND target MATCHES "${denied_${mine}}"))
      violation("${file}:${line}: includes \"${target}\", may include ${words_${mine}}")
    endif()
  endforeach()
endforeach()

# ---- mirror ------------------------------------------------------------------------------------

# stems(<variable> <glob> [<stem to leave out>...])
function(stems variable glob)
  file(GLOB found ${ROOT}/${glob})
  set(names "")
  foreach(path IN LISTS found)
    cmake_path(GET path STEM name)
    list(APPEND names ${name})
  endforeach()
  list(REMOVE_ITEM names ${ARGN} "")
  set(${variable} ${names} PARENT_SCOPE)
endfunction()

stems(contracts "kernels/*.h" ${support})
stems(implementations "kernels/cpu/*.cpp" device_report memory)
stems(kernels "kernels/cuda/*.cu" device_report memory)
stems(cases "tests/cases/*.cpp")
set(all ${contracts} ${implementations} ${kernels} ${cases})
list(REMOVE_DUPLICATES all)
list(SORT all)
foreach(stem IN LISTS all)
  foreach(file kernels/${stem}.h kernels/cpu/${stem}.cpp kernels/cuda/${stem}.cu
          tests/cases/${stem}.cpp)
    if(NOT EXISTS ${ROOT}/${file})
      violation("${file}:1: missing, though another file of the kernel \"${stem}\" is there")
    endif()
  endforeach()
endforeach()

list(LENGTH files count)
list(LENGTH contracts mirrored)
if(violations)
  message(FATAL_ERROR "${violations} violations of layers or mirror in ${count} files")
endif()
message(NOTICE "${count} files keep to the layers, ${mirrored} kernels are mirrored")
