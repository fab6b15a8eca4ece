/* Compiled with -mavx512bw and its companions on x86-64 only; see CMakeLists.txt. Elsewhere it is empty. */
#include "base/json_kernel.h"

#ifdef __x86_64__
#define JSON_SIMD_AVX512
#define JSON_KERNEL json_kernel_avx512
#define JSON_KERNEL_NAME "avx512"
#include "base/json_kernel_body.h"
#endif
