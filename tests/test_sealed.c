/* What a fleet's Redis keeps of a token: sealed, for one job, under one key. */
#include "fleet/sealed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECRET STR("a common key of all workers")
#define JOB STR("0123456789abcdef")
#define TOKEN STR("{\"token\":\"abc\",\"refresh\":\"\"}")

/* RFC 5869, appendix A.1: the first 32 bytes are T(1). */
static void hkdf__is_that_of_the_rfc(void **state)
{
    static const unsigned char ikm[22] = { 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                                           0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                                           0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b };
    static const unsigned char salt[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
    static const unsigned char info[] = {
        0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9
    };
    static const unsigned char want[SEALED_KEY_BYTES] = { 0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5,
                                                          0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36,
                                                          0x2f, 0x2a, 0x2d, 0x2d, 0x0a, 0x90, 0xcf,
                                                          0x1a, 0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56,
                                                          0xec, 0xc4, 0xc5, 0xbf };
    uint8_t key[SEALED_KEY_BYTES];

    (void)state;
    assert_int_equal(sealed_hkdf((struct str){ (const char *)ikm, sizeof ikm },
                                 (struct str){ (const char *)salt, sizeof salt },
                                 (struct str){ (const char *)info, sizeof info }, key),
                     RESULT_OK);
    assert_memory_equal(key, want, sizeof want);
}

static void sealed__is_opened_by_the_same_key_for_the_same_job(void **state)
{
    struct buf sealed = { 0 }, again = { 0 }, clear = { 0 };

    (void)state;
    assert_int_equal(sealed_make(SECRET, JOB, TOKEN, &sealed), RESULT_OK);
    assert_int_equal(sealed_make(SECRET, JOB, TOKEN, &again), RESULT_OK);
    assert_false(str_equal(buf_view(&sealed), buf_view(&again))); /* another nonce */
    assert_null(memmem(sealed.data, sealed.len, "abc", 3));
    assert_int_equal(sealed_open(SECRET, JOB, buf_view(&sealed), &clear), RESULT_OK);
    assert_true(str_equal(buf_view(&clear), TOKEN));
    buf_reset(&clear);
    assert_int_equal(sealed_open(STR("another key of some worker"), JOB, buf_view(&sealed), &clear),
                     RESULT_CORRUPT);
    assert_int_equal(sealed_open(SECRET, STR("0123456789abcdee"), buf_view(&sealed), &clear),
                     RESULT_CORRUPT);
    assert_int_equal(clear.len, 0);
    buf_release(&sealed);
    buf_release(&again);
    buf_release(&clear);
}

static void sealed__is_refused__whatever_character_is_another(void **state)
{
    struct buf sealed = { 0 }, clear = { 0 };

    (void)state;
    assert_int_equal(sealed_make(SECRET, JOB, TOKEN, &sealed), RESULT_OK);
    for (size_t i = 0; i < sealed.len; i++) {
        char before = sealed.data[i];

        sealed.data[i] = before == 'A' ? 'B' : 'A';
        assert_int_equal(sealed_open(SECRET, JOB, buf_view(&sealed), &clear), RESULT_CORRUPT);
        assert_int_equal(sealed_open(SECRET, JOB, (struct str){ sealed.data, i }, &clear),
                         RESULT_CORRUPT);
        sealed.data[i] = before;
    }
    assert_int_equal(sealed_open(SECRET, JOB, STR("no base64!"), &clear), RESULT_CORRUPT);
    assert_int_equal(clear.len, 0);
    buf_release(&sealed);
    buf_release(&clear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hkdf__is_that_of_the_rfc),
        cmocka_unit_test(sealed__is_opened_by_the_same_key_for_the_same_job),
        cmocka_unit_test(sealed__is_refused__whatever_character_is_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
