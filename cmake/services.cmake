# ATSFUZZ_SERVICES: each target is one file that runs where nothing is installed
# (services/CMakeLists.txt). Compiler, flags and engine are the service's.

# Compilers that nobody here has seen may warn of what these accept.
list(REMOVE_ITEM ATSFUZZ_WARNINGS -Werror)

# What is fuzzed is the driver, or the abstract machine. The edges of what
# stands around them are none of the engine's business.
add_compile_options(-fno-sanitize=fuzzer-no-link)

# Hashes and generators wrap, which is no mistake, and is reported by what OSS-Fuzz
# asks of UBSan.
add_compile_options(-fno-sanitize=unsigned-integer-overflow)

# Archives instead of shared libraries, where a package has both. The latter are
# kept in ATSFUZZ_SHARED_LIBRARIES: a library can be linked with nothing else.
get_property(packages DIRECTORY PROPERTY IMPORTED_TARGETS)
foreach(package IN LISTS packages)
  get_target_property(configurations ${package} IMPORTED_CONFIGURATIONS)
  foreach(configuration IN LISTS configurations)
    set(property IMPORTED_LOCATION_${configuration})
    get_target_property(location ${package} ${property})
    string(REGEX REPLACE "[.]so([.][0-9]+)*$" ".a" archive "${location}")
    if(NOT archive STREQUAL location AND EXISTS "${archive}")
      set_target_properties(${package} PROPERTIES ${property} "${archive}")
      list(APPEND ATSFUZZ_SHARED_LIBRARIES "${location}")
    endif()
  endforeach()
endforeach()
