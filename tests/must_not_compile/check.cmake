# Run as a script: cmake -DCOMPILER=... -DFLAGS="..." -DSOURCE=FILE -P check.cmake
#
# FILE compiles as it is, and does not with -DMISUSE: then one of its errors matches the expression in its first line,
# so that it fails for the reason it is there for.
file(STRINGS ${SOURCE} first LIMIT_COUNT 1)
if(NOT first MATCHES "^// expected: (.+)$")
  message(FATAL_ERROR "${SOURCE}: the first line is to be: // expected: EXPRESSION")
endif()
set(expected "${CMAKE_MATCH_1}")
separate_arguments(flags UNIX_COMMAND "${FLAGS}")
set(compile ${COMPILER} -std=c++23 -fsyntax-only ${flags} ${SOURCE})

execute_process(COMMAND ${compile} RESULT_VARIABLE failed ERROR_VARIABLE output)
if(failed)
  message(FATAL_ERROR "the control does not compile:\n${output}")
endif()
execute_process(COMMAND ${compile} -DMISUSE RESULT_VARIABLE failed ERROR_VARIABLE output)
if(NOT failed)
  message(FATAL_ERROR "the misuse compiles")
endif()
string(REGEX MATCHALL "error: [^\n]*" errors "${output}")
if(NOT "${errors}" MATCHES "${expected}")
  message(FATAL_ERROR "it fails for another reason than \"${expected}\":\n${output}")
endif()
