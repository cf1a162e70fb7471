# The fuzz targets: every NAME_fuzz.cpp, with its seeds in corpus/NAME, and what it is linked with.
file(GLOB fuzz_targets RELATIVE ${CMAKE_CURRENT_LIST_DIR} CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*_fuzz.cpp)
list(TRANSFORM fuzz_targets REPLACE "_fuzz\\.cpp$" "")

foreach(name ${fuzz_targets})
  set(fuzz_libraries_${name} stages simdjson::simdjson)
endforeach()
set(fuzz_libraries_config penstock_cli)
set(fuzz_libraries_dead_letter engine_host)
