/**
 * Kernels: the loops over JSON that take most of the time, once for each instruction set.
 *
 * All give the same answers. json_kernel_best says which one suits this processor, and json_kernels
 * lists all that run here, so that a test can set them against each other.
 *
 * Whatever the bytes, a kernel reads nothing outside [p, end).
 *
 * Threads  no state, any thread.
 */
#ifndef SCRAPETOP_BASE_JSON_KERNEL_H
#define SCRAPETOP_BASE_JSON_KERNEL_H

#include "base/json_split.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct json_kernel {
    const char *name; /* "portable", "sse2", "avx2", "avx512", "neon" */

    /** Over one value, `p` at its first byte; nesting may go `depth_max` deep. NULL when it is not valid
     *  JSON: json_check says where and why. */
    const char *(*verify)(const char *p, const char *end, unsigned depth_max);

    /** From after an opening quote to after the closing one, likewise. `*escaped` is set, never
     *  cleared, when a backslash stands between. */
    const char *(*verify_string)(const char *p, const char *end, bool *escaped);

    /** From an opening bracket or brace to after its partner, in text that is valid; `end` when there
     *  is none. */
    const char *(*container_end)(const char *p, const char *end);

    /** json_split_next. */
    struct json_split_found (*split)(struct json_split *split, struct str text);
};

const struct json_kernel *json_kernel_best(void);

#define JSON_KERNELS_MAX 4

/** Those that run on this processor; returns how many. */
size_t json_kernels(const struct json_kernel *kernels[JSON_KERNELS_MAX]);

/* Which of them there are depends on what the program was compiled for. */
extern const struct json_kernel json_kernel_portable, json_kernel_native, json_kernel_avx2,
    json_kernel_avx512;

#endif
