#include "table/parquet/keyed_hash.h"

#include "base/os.h"
#include "table/parquet/text_head.h"

#include <stdatomic.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

/* 0: not drawn yet. */
static _Atomic uint64_t secret;

static inline uint64_t load(const char *p)
{
    uint64_t value;

    memcpy(&value, p, sizeof value);
    return value;
}

/* Both halves of the product: every bit of the result depends on all bits of both. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    u128 product = (u128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Once; kept out of the functions below, which so have no frame to set up. */
__attribute__((noinline, cold)) static uint64_t draw_secret(void)
{
    uint64_t drawn = 0, none = 0;

    /* Without the kernel's, where memory happens to lie is a secret, too. */
    if (!os_random(&drawn, sizeof drawn) || !drawn) {
        drawn = (uint64_t)(uintptr_t)&drawn * UINT64_C(0xD6E8FEB86659FD93) | 1;
    }
    return atomic_compare_exchange_strong(&secret, &none, drawn) ? drawn : none;
}

static inline uint64_t key(void)
{
    uint64_t known = atomic_load_explicit(&secret, memory_order_relaxed);

    return known ? known : draw_secret();
}

/* Sixteen bytes at a time, of long texts twice as many; those at the end once more, unless there are just so many.
 * The secret is in every product, so that none can be made zero; and not the same way in both of its factors, so that
 * nobody can make them change places. */
uint32_t keyed_hash_text(struct str text)
{
    const uint64_t seed = key(), second = seed * UINT64_C(0xD6E8FEB86659FD93);
    uint64_t hash = seed ^ text.len * UINT64_C(0x9E3779B97F4A7C15), other = ~hash;
    const char *p = text.data, *end = p + text.len;

    if (text.len <= TEXT_HEAD_BYTES) {
        struct text_head head = text_head(p, text.len);

        return (uint32_t)fold(head.low ^ hash, head.high ^ second);
    }
    for (; end - p > 32; p += 32) {
        hash = fold(load(p) ^ hash, load(p + 8) ^ second);
        other = fold(load(p + 16) ^ other, load(p + 24) ^ second);
    }
    if (end - p > 16) {
        hash = fold(load(p) ^ hash, load(p + 8) ^ second);
    }
    return (uint32_t)fold(load(end - 16) ^ hash ^ other, load(end - 8) ^ second);
}

uint32_t keyed_hash_number(uint64_t number)
{
    return (uint32_t)fold(number ^ key(), UINT64_C(0x9E3779B97F4A7C15));
}
