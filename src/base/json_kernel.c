#include "base/json_kernel.h"

#include "base/json_simd.h"

#ifdef __x86_64__
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("pclmul");
}

/* VBMI2 came with those processors (Ice Lake, Zen 4) that do not slow down for wide registers. */
static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vbmi2");
}
#endif

size_t json_kernels(const struct json_kernel *kernels[JSON_KERNELS_MAX])
{
    size_t count = 0;

    kernels[count++] = &json_kernel_portable;
#ifndef JSON_SIMD_PORTABLE
    kernels[count++] = &json_kernel_native;
#endif
#ifdef __x86_64__
    if (has_avx2()) {
        kernels[count++] = &json_kernel_avx2;
    }
    if (has_avx512()) {
        kernels[count++] = &json_kernel_avx512;
    }
#endif
    return count;
}

const struct json_kernel *json_kernel_best(void)
{
#ifdef __x86_64__
    if (has_avx512()) {
        return &json_kernel_avx512;
    }
    if (has_avx2()) {
        return &json_kernel_avx2;
    }
#endif
#ifndef JSON_SIMD_PORTABLE
    return &json_kernel_native;
#else
    return &json_kernel_portable;
#endif
}
