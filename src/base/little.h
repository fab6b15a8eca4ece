/**
 * Numbers as bytes, the lowest first, whatever the machine is.
 *
 * One load or store each where the machine is little-endian; compilers do not make one of a loop over bytes.
 *
 * Threads  no state.
 */
#ifndef SCRAPETOP_BASE_LITTLE_H
#define SCRAPETOP_BASE_LITTLE_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LITTLE_SWAP(bits, value) __builtin_bswap##bits(value)
#else
#define LITTLE_SWAP(bits, value) (value)
#endif

static inline void little_put_u32(char *to, uint32_t value)
{
    value = LITTLE_SWAP(32, value);
    memcpy(to, &value, sizeof value);
}

static inline void little_put_u64(char *to, uint64_t value)
{
    value = LITTLE_SWAP(64, value);
    memcpy(to, &value, sizeof value);
}

static inline uint32_t little_get_u32(const char *from)
{
    uint32_t value;

    memcpy(&value, from, sizeof value);
    return LITTLE_SWAP(32, value);
}

static inline uint64_t little_get_u64(const char *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof value);
    return LITTLE_SWAP(64, value);
}

#endif
