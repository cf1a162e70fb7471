// RapidJSON's reader with the vector code of this machine. Included only by .cpp files.
//
// Its stack adds offsets to null pointers before the first allocation: harmless where it is, but fatal under the
// undefined-behaviour sanitizer, so that one check is off inside this library.
#pragma once

#if defined(__SSE2__)
#define RAPIDJSON_SSE2
#elif defined(__ARM_NEON)
#define RAPIDJSON_NEON
#endif

#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#include <rapidjson/error/error.h>
#include <rapidjson/reader.h>
#if defined(__clang__)
#pragma clang attribute pop
#endif
