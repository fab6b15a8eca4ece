/**
 * Many bytes of JSON at a time: which of them matter, as a bit for each byte, the first byte lowest.
 *
 * The one place that knows instruction sets. AVX2, SSE2 or NEON is taken when the file that includes this
 * is compiled for it, AVX-512 when that file also defines JSON_SIMD_AVX512, else (or with JSON_SIMD_PORTABLE defined) 64-bit words do the same. A
 * processor's extras are chosen at run time one level up, in json_kernel.h. Only bytes
 * [p, p + JSON_SIMD_WIDTH) are read, so a caller must know that there are as many.
 *
 * Idea of the 64-byte masks: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", 2019.
 */
#ifndef SCRAPETOP_BASE_JSON_SIMD_H
#define SCRAPETOP_BASE_JSON_SIMD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(JSON_SIMD_PORTABLE)
#define JSON_SIMD_WIDTH 8
#elif defined(JSON_SIMD_AVX512)
#include <immintrin.h>
#define JSON_SIMD_WIDTH 64
#elif defined(__AVX2__)
#include <immintrin.h>
#define JSON_SIMD_AVX2
#define JSON_SIMD_WIDTH 32
#elif defined(__SSE2__)
#include <emmintrin.h>
#define JSON_SIMD_SSE2
#define JSON_SIMD_WIDTH 16
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#define JSON_SIMD_NEON
#define JSON_SIMD_WIDTH 16
#else
#define JSON_SIMD_PORTABLE
#define JSON_SIMD_WIDTH 8
#endif

#if defined(JSON_SIMD_AVX512)

typedef __m512i json_simd;
typedef uint64_t json_simd_found; /* the others find a byte for each byte */

static inline json_simd json_simd_load(const char *p)
{
    return _mm512_loadu_si512(p);
}

static inline void json_simd_store(char *p, json_simd v)
{
    _mm512_storeu_si512(p, v);
}

static inline json_simd_found json_simd_is(json_simd v, char c)
{
    return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

static inline json_simd_found json_simd_or(json_simd_found a, json_simd_found b)
{
    return a | b;
}

static inline json_simd json_simd_with(json_simd v, char bits)
{
    return _mm512_or_si512(v, _mm512_set1_epi8(bits));
}

/* Unsigned. */
static inline json_simd_found json_simd_at_most(json_simd v, char c)
{
    return _mm512_cmple_epu8_mask(v, _mm512_set1_epi8(c));
}

static inline json_simd_found json_simd_is_odd(json_simd v)
{
    return _mm512_cmplt_epi8_mask(v, _mm512_set1_epi8(' '));
}

static inline uint64_t json_simd_bits(json_simd_found is)
{
    return is;
}

#elif defined(JSON_SIMD_AVX2)

typedef __m256i json_simd;

static inline json_simd json_simd_load(const char *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static inline void json_simd_store(char *p, json_simd v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, v);
}

static inline json_simd json_simd_is(json_simd v, char c)
{
    return _mm256_cmpeq_epi8(v, _mm256_set1_epi8(c));
}

static inline json_simd json_simd_or(json_simd a, json_simd b)
{
    return _mm256_or_si256(a, b);
}

static inline json_simd json_simd_with(json_simd v, char bits)
{
    return _mm256_or_si256(v, _mm256_set1_epi8(bits));
}

/* Unsigned. */
static inline json_simd json_simd_at_most(json_simd v, char c)
{
    return _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(c)), v);
}

/* Below 0x20 or above 0x7F: those are the bytes that are below a space when a sign is seen. */
static inline json_simd json_simd_is_odd(json_simd v)
{
    return _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), v);
}

static inline uint64_t json_simd_bits(json_simd is)
{
    return (uint32_t)_mm256_movemask_epi8(is);
}

#elif defined(JSON_SIMD_SSE2)

typedef __m128i json_simd;

static inline json_simd json_simd_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void json_simd_store(char *p, json_simd v)
{
    _mm_storeu_si128((__m128i *)(void *)p, v);
}

static inline json_simd json_simd_is(json_simd v, char c)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

static inline json_simd json_simd_or(json_simd a, json_simd b)
{
    return _mm_or_si128(a, b);
}

static inline json_simd json_simd_with(json_simd v, char bits)
{
    return _mm_or_si128(v, _mm_set1_epi8(bits));
}

static inline json_simd json_simd_at_most(json_simd v, char c)
{
    return _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(c)), v);
}

static inline json_simd json_simd_is_odd(json_simd v)
{
    return _mm_cmplt_epi8(v, _mm_set1_epi8(' '));
}

static inline uint64_t json_simd_bits(json_simd is)
{
    return (uint32_t)_mm_movemask_epi8(is);
}

#elif defined(JSON_SIMD_NEON)

typedef uint8x16_t json_simd;

static inline json_simd json_simd_load(const char *p)
{
    return vld1q_u8((const uint8_t *)p);
}

static inline void json_simd_store(char *p, json_simd v)
{
    vst1q_u8((uint8_t *)p, v);
}

static inline json_simd json_simd_is(json_simd v, char c)
{
    return vceqq_u8(v, vdupq_n_u8((uint8_t)c));
}

static inline json_simd json_simd_or(json_simd a, json_simd b)
{
    return vorrq_u8(a, b);
}

static inline json_simd json_simd_with(json_simd v, char bits)
{
    return vorrq_u8(v, vdupq_n_u8((uint8_t)bits));
}

static inline json_simd json_simd_at_most(json_simd v, char c)
{
    return vcleq_u8(v, vdupq_n_u8((uint8_t)c));
}

static inline json_simd json_simd_is_odd(json_simd v)
{
    return vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(' '));
}

static inline uint64_t json_simd_bits(json_simd is)
{
    static const uint8_t weights[16] = { 1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128 };
    uint8x16_t weighed = vandq_u8(is, vld1q_u8(weights));

    return (uint64_t)vaddv_u8(vget_low_u8(weighed)) | (uint64_t)vaddv_u8(vget_high_u8(weighed))
                                                          << 8;
}

#else

/* A word; what "is" has the top bit of its byte set and no other. No step carries from one byte
 * into the next, so the answers are exact. */
typedef uint64_t json_simd;

#define JSON_SIMD_ONES UINT64_C(0x0101010101010101)
#define JSON_SIMD_TOPS UINT64_C(0x8080808080808080)

static inline json_simd json_simd_load(const char *p)
{
    json_simd v;

    memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline void json_simd_store(char *p, json_simd v)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    memcpy(p, &v, sizeof v);
}

static inline json_simd json_simd_is(json_simd v, char c)
{
    json_simd x = v ^ JSON_SIMD_ONES * (unsigned char)c;

    return ~(((x & ~JSON_SIMD_TOPS) + ~JSON_SIMD_TOPS) | x) & JSON_SIMD_TOPS;
}

static inline json_simd json_simd_or(json_simd a, json_simd b)
{
    return a | b;
}

static inline json_simd json_simd_with(json_simd v, char bits)
{
    return v | JSON_SIMD_ONES * (unsigned char)bits;
}

/* `c` below 0x80. */
static inline json_simd json_simd_at_most(json_simd v, char c)
{
    json_simd above = (v & ~JSON_SIMD_TOPS) + JSON_SIMD_ONES * (0x7FU - (unsigned char)c);

    return ~(above | v) & JSON_SIMD_TOPS;
}

static inline json_simd json_simd_is_odd(json_simd v)
{
    return json_simd_at_most(v, 0x1F) | (v & JSON_SIMD_TOPS);
}

static inline uint64_t json_simd_bits(json_simd is)
{
    return (is >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

#endif

/** Bytes that end a run of a string's bytes that mean themselves, or need a closer look: quote,
 *  backslash, control characters, and all beyond ASCII. */
static inline uint64_t json_simd_not_plain(const char *p)
{
    json_simd v = json_simd_load(p);

    return json_simd_bits(json_simd_or(json_simd_is_odd(v),
                                       json_simd_or(json_simd_is(v, '"'), json_simd_is(v, '\\'))));
}

/** Quotes and backslashes. */
static inline uint64_t json_simd_string_stops(const char *p)
{
    json_simd v = json_simd_load(p);

    return json_simd_bits(json_simd_or(json_simd_is(v, '"'), json_simd_is(v, '\\')));
}

/** What ends a number or a literal: a comma, a closing bracket or brace, white space. (Also other
 *  bytes that neither may hold.) */
static inline uint64_t json_simd_bare_stops(const char *p)
{
    json_simd v = json_simd_load(p);

    return json_simd_bits(json_simd_or(
        json_simd_at_most(v, ' '),
        json_simd_or(json_simd_is(v, ','), json_simd_is(json_simd_with(v, 0x20), '}'))));
}

/** All but the digits 0 to 9. */
static inline uint64_t json_simd_not_digits(const char *p)
{
    json_simd v = json_simd_load(p);
    uint64_t all = UINT64_MAX >> (64 - JSON_SIMD_WIDTH);

    return all &
           (json_simd_bits(json_simd_at_most(v, '/')) | ~json_simd_bits(json_simd_at_most(v, '9')));
}

/** Bytes that are equal in both places. */
static inline uint64_t json_simd_same(const char *a, const char *b)
{
    json_simd x = json_simd_load(a), y = json_simd_load(b);

#if defined(JSON_SIMD_AVX512)
    return _mm512_cmpeq_epi8_mask(x, y);
#elif defined(JSON_SIMD_AVX2)
    return json_simd_bits(_mm256_cmpeq_epi8(x, y));
#elif defined(JSON_SIMD_SSE2)
    return json_simd_bits(_mm_cmpeq_epi8(x, y));
#elif defined(JSON_SIMD_NEON)
    return json_simd_bits(vceqq_u8(x, y));
#else
    return json_simd_bits(json_simd_is(x ^ y, 0));
#endif
}

/** Where `a` stands with `b` right after it; JSON_SIMD_WIDTH + 1 bytes are read. */
static inline uint64_t json_simd_pairs(const char *p, char a, char b)
{
    return json_simd_bits(json_simd_is(json_simd_load(p), a)) &
           json_simd_bits(json_simd_is(json_simd_load(p + 1), b));
}

static inline unsigned json_simd_first(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits);
}

/** The masks of 64 bytes. */
struct json_simd_block {
    uint64_t quote, backslash, open, close;
    /* white space; also control characters, which valid text has in no other place */
    uint64_t space;
};

static inline struct json_simd_block json_simd_block(const char *p)
{
    struct json_simd_block b = { 0, 0, 0, 0, 0 };

    for (unsigned i = 0; i < 64; i += JSON_SIMD_WIDTH) {
        json_simd v = json_simd_load(p + i), folded = json_simd_with(v, 0x20); /* [] become {} */

        b.quote |= json_simd_bits(json_simd_is(v, '"')) << i;
        b.backslash |= json_simd_bits(json_simd_is(v, '\\')) << i;
        b.space |= json_simd_bits(json_simd_at_most(v, ' ')) << i;
        b.open |= json_simd_bits(json_simd_is(folded, '{')) << i;
        b.close |= json_simd_bits(json_simd_is(folded, '}')) << i;
    }
    return b;
}

/** The commas of 64 bytes. */
static inline uint64_t json_simd_commas(const char *p)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < 64; i += JSON_SIMD_WIDTH) {
        bits |= json_simd_bits(json_simd_is(json_simd_load(p + i), ',')) << i;
    }
    return bits;
}

/** Every bit becomes the sum (XOR) of itself and all lower ones: between two quotes it is set. */
static inline uint64_t json_simd_between(uint64_t quotes)
{
#if defined(__PCLMUL__) && (defined(JSON_SIMD_AVX2) || defined(JSON_SIMD_AVX512))
    /* A product without carries, with all ones, is just that. */
    return (uint64_t)_mm_cvtsi128_si64(
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)quotes), _mm_set1_epi8(-1), 0));
#else
    for (unsigned i = 1; i < 64; i *= 2) {
        quotes ^= quotes << i;
    }
    return quotes;
#endif
}

/** Bits of the bytes after a backslash that has a meaning. `*carry`: the block before ended in such a
 *  backslash, then whether this one does.
 *
 *  Of a run of backslashes every other has a meaning, from the first on. So after a run that begins at an
 *  even place it is the odd places that are meant, and the other way round. What tells them apart is a
 *  sum: adding its first bit to a run clears it and sets the bit after (the paper above, section 3.1.1). */
static inline uint64_t json_simd_escaped(uint64_t backslash, bool *carry)
{
    const uint64_t even = UINT64_C(0x5555555555555555);
    uint64_t after, odd_firsts, sums;

    backslash &= ~(uint64_t)*carry;
    after = backslash << 1 | *carry;
    odd_firsts = backslash & ~after & ~even;
    *carry = __builtin_add_overflow(backslash, odd_firsts, &sums);
    return after & (even ^ sums << 1);
}

#endif
