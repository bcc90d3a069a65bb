# Files as part of the program: rlhf_embed writes a C++ source with a table of their names, content
# types, contents and hashes, and makes a library of it, so that a server needs no folder beside it.
#
# Run as a script, by the build, this file writes that source:
#   cmake -DOUTPUT=<source> -DFRAME=<file> -DFILES=<file>|<file>|... -P embed.cmake
#
# Pages are one frame around different content: what stands in a *.html takes the place of {{main}}
# in the frame, its name without .html that of {{page}}.

if(CMAKE_SCRIPT_MODE_FILE)
  set(type_html "text/html; charset=utf-8")
  set(type_css "text/css; charset=utf-8")
  set(type_js "text/javascript; charset=utf-8")
  set(type_svg "image/svg+xml")

  set(source "// Written by cmake/embed.cmake.\n#include \"serve/pages/pages.h\"\n\n")
  string(APPEND source "namespace rlhf::pages {\nnamespace {\nconst Page table[] = {\n")
  string(REPLACE "|" ";" FILES "${FILES}")
  file(READ ${FRAME} frame)
  foreach(file IN LISTS FILES)
    cmake_path(GET file FILENAME name)
    cmake_path(GET file EXTENSION LAST_ONLY extension)
    string(SUBSTRING "${extension}" 1 -1 extension)
    if(NOT DEFINED type_${extension})
      message(FATAL_ERROR "${file}: no content type is known for .${extension}")
    endif()
    file(READ ${file} content)
    if(extension STREQUAL "html")
      cmake_path(GET file STEM page)
      string(REPLACE "{{main}}" "${content}" content "${frame}")
      string(REPLACE "{{page}}" "${page}" content "${content}")
    endif()
    string(SHA256 hash "${content}")
    string(SUBSTRING ${hash} 0 32 hash)
    string(SUBSTRING ${hash} 0 12 mark)  # what ends the literal cannot stand in the text
    string(APPEND source "    {\"${name}\", \"${type_${extension}}\",\n     R\"${mark}(" "${content}"
           ")${mark}\",\n     \"\\\"${hash}\\\"\"},\n")
  endforeach()
  string(APPEND source "};\n}  // namespace\n\n"
         "std::span<const Page> all_pages() { return table; }\n\n}  // namespace rlhf::pages\n")
  file(WRITE ${OUTPUT} "${source}")
  return()
endif()

# rlhf_embed(<folder> <file>...): the library of the folder, as rlhf_layer names it: its *.cpp, and
# the table of its pages (*.html in its frame.html, *.css *.js *.svg) and of the given files.
function(rlhf_embed folder)
  string(REPLACE "/" "_" name ${folder})
  file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.html
       ${CMAKE_SOURCE_DIR}/${folder}/*.css ${CMAKE_SOURCE_DIR}/${folder}/*.js
       ${CMAKE_SOURCE_DIR}/${folder}/*.svg)
  set(frame ${CMAKE_SOURCE_DIR}/${folder}/frame.html)
  list(REMOVE_ITEM pages ${frame})
  list(APPEND pages ${ARGN})
  list(JOIN pages "|" files)
  set(output ${CMAKE_BINARY_DIR}/embed/${name}.cpp)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DFRAME=${frame} "-DFILES=${files}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${pages} ${frame} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    COMMENT "Embedding ${folder}" VERBATIM)
  rlhf_layer(${folder})
  target_sources(${name} PRIVATE ${output})
endfunction()
