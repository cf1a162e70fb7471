# The fuzz targets without libFuzzer: in every build their seeds, and what fuzzing has found, are replayed.
include(${CMAKE_CURRENT_LIST_DIR}/targets.cmake)

foreach(name ${fuzz_targets})
  add_executable(${name}_replay ${CMAKE_CURRENT_LIST_DIR}/${name}_fuzz.cpp ${CMAKE_CURRENT_LIST_DIR}/replay.cpp)
  target_include_directories(${name}_replay PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name}_replay PRIVATE ${fuzz_libraries_${name}} penstock_warnings)
  add_test(NAME corpus_replay.${name} COMMAND ${name}_replay ${CMAKE_CURRENT_LIST_DIR}/corpus/${name})
  set_tests_properties(corpus_replay.${name} PROPERTIES TIMEOUT 120)
endforeach()
