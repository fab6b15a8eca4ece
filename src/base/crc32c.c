#include "base/crc32c.h"

#include "base/os.h"

#include <stdbool.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#elif defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
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
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

/* The instruction takes three cycles but may begin in each: so three lanes at once, which lie after each other,
 * are nearly three times as fast as one. The CRC of a lane is then put as far ahead as there are bytes
 * after it, by a product with x^(8 * bytes - 33) whose remainder the next instruction takes along
 * (Gopal et al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", 2011). */
struct lanes {
    size_t bytes;       /* of each; a multiple of a word */
    uint32_t one, both; /* what puts a CRC ahead by one lane, and by two */
};

static const struct lanes long_lanes = { 512, 0xDD7E3B0CU, 0x170076FAU };
static const struct lanes short_lanes = { 128, 0x0D3B6092U, 0xB9E02B86U };

static uint64_t word_at(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

__attribute__((target("sse4.2,pclmul"))) static uint64_t put_ahead(uint64_t crc, uint32_t by)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)crc), _mm_cvtsi64_si128((int64_t)by), 0);

    return (uint64_t)_mm_cvtsi128_si64(product);
}

/* All triples of lanes at the head of the bytes. */
__attribute__((target("sse4.2,pclmul"))) static uint64_t
take_lanes(uint64_t crc, const unsigned char **bytes, size_t *len, const struct lanes *lanes)
{
    const size_t size = lanes->bytes, last = size - sizeof(uint64_t);

    for (; *len >= 3 * size; *bytes += 3 * size, *len -= 3 * size) {
        const unsigned char *a = *bytes, *b = a + size, *c = b + size;
        uint64_t crc_b = 0, crc_c = 0;

        for (size_t i = 0; i < last; i += sizeof(uint64_t)) {
            crc = _mm_crc32_u64(crc, word_at(a + i));
            crc_b = _mm_crc32_u64(crc_b, word_at(b + i));
            crc_c = _mm_crc32_u64(crc_c, word_at(c + i));
        }
        crc = put_ahead(_mm_crc32_u64(crc, word_at(a + last)), lanes->both);
        crc ^= put_ahead(_mm_crc32_u64(crc_b, word_at(b + last)), lanes->one);
        crc = _mm_crc32_u64(crc_c, word_at(c + last) ^ crc);
    }
    return crc;
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t
crc32c_processor(uint32_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t wide = ~crc;

    wide = take_lanes(wide, &at, &len, &long_lanes);
    wide = take_lanes(wide, &at, &len, &short_lanes);
    for (; len >= sizeof(uint64_t); at += sizeof(uint64_t), len -= sizeof(uint64_t)) {
        wide = _mm_crc32_u64(wide, word_at(at));
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
    return os_cpu_has_crc32();
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
