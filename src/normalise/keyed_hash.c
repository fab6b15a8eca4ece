#include "normalise/keyed_hash.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

__extension__ typedef unsigned __int128 u128;

/* 0: not drawn yet. */
static _Atomic uint64_t secret;

static inline uint64_t load(const char *p, size_t len)
{
    uint64_t value = 0;

    memcpy(&value, p, len);
    return value;
}

/* Both halves of the product: every bit of the result depends on all bits of both. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    u128 product = (u128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t draw_secret(void)
{
    uint64_t drawn = 0, none = 0;

    /* Without the kernel's, where memory happens to lie is a secret, too. */
    if (getrandom(&drawn, sizeof drawn, GRND_NONBLOCK) != (ssize_t)sizeof drawn || !drawn) {
        drawn = (uint64_t)(uintptr_t)&drawn * UINT64_C(0xD6E8FEB86659FD93) | 1;
    }
    return atomic_compare_exchange_strong(&secret, &none, drawn) ? drawn : none;
}

static inline uint64_t key(void)
{
    uint64_t known = atomic_load_explicit(&secret, memory_order_relaxed);

    return known ? known : draw_secret();
}

/* Sixteen bytes at a time, of long texts twice as many; the secret is in every product, so that none can be made
 * zero. */
uint32_t keyed_hash_text(struct str text)
{
    const uint64_t seed = key();
    uint64_t hash = seed ^ text.len * UINT64_C(0x9E3779B97F4A7C15), low = 0, high = 0;
    const char *p = text.data;
    size_t left = text.len;

    if (left > 32) {
        uint64_t other = ~hash;

        for (; left > 32; p += 32, left -= 32) {
            hash = fold(load(p, 8) ^ hash, load(p + 8, 8) ^ seed);
            other = fold(load(p + 16, 8) ^ other, load(p + 24, 8) ^ seed);
        }
        hash ^= other;
    }
    if (left > 16) {
        hash = fold(load(p, 8) ^ hash, load(p + 8, 8) ^ seed);
        p += 16;
        left -= 16;
    }
    if (left >= 8) {
        low = load(p, 8);
        high = load(p + left - 8, 8);
    } else if (left >= 4) {
        low = load(p, 4);
        high = load(p + left - 4, 4);
    } else {
        low = left ? load(p, 1) | load(p + left / 2, 1) << 8 : 0;
        high = left ? load(p + left - 1, 1) : 0;
    }
    return (uint32_t)fold(low ^ hash, high ^ seed);
}

uint32_t keyed_hash_number(uint64_t number)
{
    return (uint32_t)fold(number ^ key(), UINT64_C(0x9E3779B97F4A7C15));
}
