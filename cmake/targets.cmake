# How this project declares what it builds: every target gets the same warnings
# and, when asked for, the same sanitizers.

set(ATSFUZZ_WARNINGS -Wall -Wextra -Werror -Wshadow -Wno-unused-parameter
    -Wno-missing-field-initializers)
set(ATSFUZZ_SANITIZERS -fsanitize=address,undefined
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer)

function(atsfuzz_options target)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${target} PRIVATE ${ATSFUZZ_WARNINGS})
  if(ATSFUZZ_SANITIZE)
    target_compile_options(${target} PRIVATE ${ATSFUZZ_SANITIZERS})
    target_link_options(${target} PRIVATE ${ATSFUZZ_SANITIZERS})
  endif()
endfunction()

# atsfuzz_library(NAME SOURCES... [DEPENDS targets...])
function(atsfuzz_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  atsfuzz_options(${name})
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS})
endfunction()

# atsfuzz_test(NAME SOURCES... [DEPENDS targets...]): a GoogleTest program that
# CTest runs; test names are sentences.
function(atsfuzz_test name)
  if(NOT ATSFUZZ_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPENDS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  atsfuzz_options(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gmock
                                        GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name}
           WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS
                                          "${ARG_LABELS}")
endfunction()
