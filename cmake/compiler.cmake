# g++ 12 builds coroutine expressions wrongly and without a word (temporaries destroyed twice, `while (x && co_await f())`
# awaiting f although x is false). Such a program loses events; so it is not built at all.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR
    "\n  ${CMAKE_CXX_COMPILER} is GCC ${CMAKE_CXX_COMPILER_VERSION}, which silently miscompiles C++ coroutines:\n"
    "  temporaries in co_await expressions are destroyed twice, and conditions are evaluated that must not be.\n"
    "  Penstock is built with clang-19:  tools/install-deps && cmake --preset release\n")
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR
    "\n  ${CMAKE_CXX_COMPILER} is Clang ${CMAKE_CXX_COMPILER_VERSION}; std::expected with libstdc++ 12 needs Clang 19.\n"
    "  Penstock is built with clang-19:  tools/install-deps && cmake --preset release\n")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

set(PENSTOCK_SANITIZE "" CACHE STRING "address | thread | (empty)")
if(PENSTOCK_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  # Asio caches coroutine frames per thread, which would hide a use after free from ASan.
  add_compile_definitions(BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING BOOST_ASIO_DISABLE_SMALL_BLOCK_RECYCLING)
elseif(PENSTOCK_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()

# Sources that instantiate Beast need up to 1.3 GB each to compile: one at a time.
set_property(GLOBAL PROPERTY JOB_POOLS heavy=1)
