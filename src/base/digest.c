#include "base/digest.h"

/* The key of the published vectors: 00 01 ... 0f. */
#define KEY_0 UINT64_C(0x0706050403020100)
#define KEY_1 UINT64_C(0x0F0E0D0C0B0A0908)

struct sip {
    uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void stir(struct sip *s, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        s->a += s->b;
        s->c += s->d;
        s->b = rotate(s->b, 13) ^ s->a;
        s->d = rotate(s->d, 16) ^ s->c;
        s->a = rotate(s->a, 32);
        s->c += s->b;
        s->a += s->d;
        s->b = rotate(s->b, 17) ^ s->c;
        s->d = rotate(s->d, 21) ^ s->a;
        s->c = rotate(s->c, 32);
    }
}

static void absorb(struct sip *s, uint64_t word)
{
    s->d ^= word;
    stir(s, 2);
    s->a ^= word;
}

/* Little-endian whatever the machine is, so that a ledger can travel. */
static uint64_t read_word(const uint8_t *bytes, size_t len)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)bytes[i] << (8 * i);
    }
    return word;
}

static void write_word(uint8_t *bytes, uint64_t word)
{
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(word >> (8 * i));
    }
}

void digest_of(const void *bytes, size_t len, uint8_t digest[DIGEST_BYTES])
{
    const uint8_t *at = bytes;
    struct sip s = { KEY_0 ^ UINT64_C(0x736F6D6570736575),
                     KEY_1 ^ UINT64_C(0x646F72616E646F6D) ^ 0xEE,
                     KEY_0 ^ UINT64_C(0x6C7967656E657261), KEY_1 ^ UINT64_C(0x7465646279746573) };
    size_t whole = len - len % 8;

    for (size_t i = 0; i < whole; i += 8) {
        absorb(&s, read_word(at + i, 8));
    }
    absorb(&s, read_word(at + whole, len - whole) | (uint64_t)len << 56);
    s.c ^= 0xEE;
    stir(&s, 4);
    write_word(digest, s.a ^ s.b ^ s.c ^ s.d);
    s.b ^= 0xDD;
    stir(&s, 4);
    write_word(digest + 8, s.a ^ s.b ^ s.c ^ s.d);
}
