/* Compiled with -mavx2 and its companions on x86-64 only; see CMakeLists.txt. Elsewhere it is empty. */
#include "base/json_kernel.h"

#ifdef __x86_64__
#define JSON_KERNEL json_kernel_avx2
#define JSON_KERNEL_NAME "avx2"
#include "base/json_kernel_body.h"
#endif
