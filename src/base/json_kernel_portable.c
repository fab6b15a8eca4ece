#define JSON_SIMD_PORTABLE
#define JSON_KERNEL json_kernel_portable
#define JSON_KERNEL_NAME "portable"
#include "base/json_kernel_body.h"
