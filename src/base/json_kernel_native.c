/* What every processor of the target has: SSE2 on x86-64, NEON on arm64. */
#include "base/json_simd.h"

#ifndef JSON_SIMD_PORTABLE
#define JSON_KERNEL json_kernel_native
#if defined(JSON_SIMD_AVX2)
#define JSON_KERNEL_NAME "native"
#elif defined(JSON_SIMD_NEON)
#define JSON_KERNEL_NAME "neon"
#else
#define JSON_KERNEL_NAME "sse2"
#endif
#include "base/json_kernel_body.h"
#endif
