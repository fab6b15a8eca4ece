#include "base/crc32c.h"

#include <stdbool.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__x86_64__)
#include <nmmintrin.h>
#endif

/* A CRC is linear: the entry of a byte is the sum (XOR) of the entries of its bits. So the table is
 * written down as eight numbers, the remainders of x^39 down to x^32 by the reflected polynomial
 * 0x82F63B78, and the compiler does the rest. */
#define BIT(i, n, remainder) (((i) >> (n)&1) ? (remainder) : 0U)
#define ENTRY(i)                                                                                   \
    (BIT(i, 0, 0xF26B8303U) ^ BIT(i, 1, 0xE13B70F7U) ^ BIT(i, 2, 0xC79A971FU) ^                    \
     BIT(i, 3, 0x8AD958CFU) ^ BIT(i, 4, 0x105EC76FU) ^ BIT(i, 5, 0x20BD8EDEU) ^                    \
     BIT(i, 6, 0x417B1DBCU) ^ BIT(i, 7, 0x82F63B78U))
#define ENTRIES_4(i) ENTRY(i), ENTRY((i) + 1), ENTRY((i) + 2), ENTRY((i) + 3)
#define ENTRIES_16(i) ENTRIES_4(i), ENTRIES_4((i) + 4), ENTRIES_4((i) + 8), ENTRIES_4((i) + 12)
#define ENTRIES_64(i)                                                                              \
    ENTRIES_16(i), ENTRIES_16((i) + 16), ENTRIES_16((i) + 32), ENTRIES_16((i) + 48)

static const uint32_t table[256] = { ENTRIES_64(0), ENTRIES_64(64), ENTRIES_64(128),
                                     ENTRIES_64(192) };

uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;

    crc = ~crc;
    while (len--) {
        crc = table[(crc ^ *at++) & 0xFF] ^ crc >> 8;
    }
    return ~crc;
}

#if defined(__x86_64__)

static bool processor_has_crc(void)
{
    return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static uint32_t crc32c_processor(uint32_t crc, const void *bytes,
                                                                   size_t len)
{
    const unsigned char *at = bytes;
    uint64_t wide = ~crc;
    uint64_t word;

    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    while (len--) {
        crc = _mm_crc32_u8(crc, *at++);
    }
    return ~crc;
}

#elif defined(__aarch64__)

static bool processor_has_crc(void)
{
    return getauxval(AT_HWCAP) & HWCAP_CRC32;
}

__attribute__((target("+crc"))) static uint32_t crc32c_processor(uint32_t crc, const void *bytes,
                                                                 size_t len)
{
    const unsigned char *at = bytes;
    uint64_t word;

    crc = ~crc;
    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        crc = __crc32cd(crc, word);
    }
    while (len--) {
        crc = __crc32cb(crc, *at++);
    }
    return ~crc;
}

#else

static bool processor_has_crc(void)
{
    return false;
}

static uint32_t crc32c_processor(uint32_t crc, const void *bytes, size_t len)
{
    return crc32c_portable(crc, bytes, len);
}

#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
    return processor_has_crc() ? crc32c_processor(crc, bytes, len)
                               : crc32c_portable(crc, bytes, len);
}
