#include "base/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 3720 appendix B.4, and the check value that every catalogue of CRCs gives. */
static void crc32c__gives_known_values(void **state)
{
    unsigned char bytes[32];

    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283U);
    assert_int_equal(crc32c(0, "", 0), 0);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x8A9136AAU);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x62A8AB43U);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)i;
    }
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x46DD794EU);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(31 - i);
    }
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x113FDB5CU);
}

static void fill(unsigned char *bytes, size_t len)
{
    uint32_t seed = 1;

    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (unsigned char)(seed >> 24);
    }
}

/* Every length and alignment around the processor's word. */
static void crc32c__agrees_with_table__when_processor_does_it(void **state)
{
    unsigned char bytes[300];

    (void)state;
    fill(bytes, sizeof bytes);
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; from + len <= sizeof bytes; len++) {
            assert_int_equal(crc32c(0, bytes + from, len), crc32c_portable(0, bytes + from, len));
        }
    }
}

/* Several lanes at once, and what is left behind them. */
static void crc32c__agrees_with_table__when_there_are_many_bytes(void **state)
{
    static unsigned char bytes[8192];

    (void)state;
    fill(bytes, sizeof bytes);
    for (size_t len = 300; len <= sizeof bytes; len += 13) {
        size_t from = len % 8;

        if (from + len <= sizeof bytes) {
            assert_int_equal(crc32c(7, bytes + from, len), crc32c_portable(7, bytes + from, len));
        }
    }
}

static void crc32c__goes_on__when_given_in_pieces(void **state)
{
    unsigned char bytes[100];
    uint32_t whole;

    (void)state;
    fill(bytes, sizeof bytes);
    whole = crc32c(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof bytes - cut), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c__gives_known_values),
        cmocka_unit_test(crc32c__agrees_with_table__when_processor_does_it),
        cmocka_unit_test(crc32c__agrees_with_table__when_there_are_many_bytes),
        cmocka_unit_test(crc32c__goes_on__when_given_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
