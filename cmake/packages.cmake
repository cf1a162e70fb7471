# Outside libraries. Each is linked by the part that includes it; headers of ours do not expose them (Asio excepted).
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(deflate REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3)
find_package(simdjson REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(spdlog REQUIRED)
find_package(prometheus-cpp REQUIRED)

find_path(PROTOZERO_INCLUDE protozero/pbf_reader.hpp REQUIRED)
find_path(CLI11_INCLUDE CLI/CLI.hpp REQUIRED)
find_path(RAPIDJSON_INCLUDE rapidjson/reader.h REQUIRED)

# ISA-L exists for x86-64 and arm64 only; without it the libdeflate encoder serves every level.
find_path(ISAL_INCLUDE isa-l/igzip_lib.h)
find_library(ISAL_LIBRARY isal)
add_library(isal INTERFACE)
if(ISAL_INCLUDE AND ISAL_LIBRARY)
  target_include_directories(isal SYSTEM INTERFACE ${ISAL_INCLUDE})
  target_link_libraries(isal INTERFACE ${ISAL_LIBRARY})
  target_compile_definitions(isal INTERFACE PENSTOCK_HAVE_ISAL=1)
endif()

# Asio's bodies are compiled once, in engine/net/asio_impl.cpp; every target must agree on that.
add_library(asio INTERFACE)
target_include_directories(asio SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_link_libraries(asio INTERFACE Threads::Threads OpenSSL::SSL OpenSSL::Crypto)
target_compile_definitions(asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ERROR_CODE_HEADER_ONLY)
