#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check(size_t len, const uint8_t expected[DIGEST_BYTES])
{
    uint8_t text[64], digest[DIGEST_BYTES];

    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)i;
    }
    digest_of(text, len, digest);
    assert_memory_equal(digest, expected, DIGEST_BYTES);
}

static void digest_of__agrees__with_the_published_vectors(void **state)
{
    static const uint8_t of_0[] = { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                    0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93 };
    static const uint8_t of_1[] = { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
                                    0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45 };
    static const uint8_t of_15[] = { 0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11,
                                     0x7e, 0x08, 0xec, 0x0f, 0x97, 0xcf, 0xc3, 0xd9 };

    (void)state;
    check(0, of_0);
    check(1, of_1);
    check(15, of_15);
}

static void digest_of__differs__when_one_bit_does(void **state)
{
    uint8_t a[DIGEST_BYTES], b[DIGEST_BYTES];

    (void)state;
    digest_of("http://h.test/1", 15, a);
    digest_of("http://h.test/0", 15, b);
    assert_memory_not_equal(a, b, DIGEST_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_of__agrees__with_the_published_vectors),
        cmocka_unit_test(digest_of__differs__when_one_bit_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
