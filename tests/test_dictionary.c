#include "table/parquet/dictionary.h"
#include "table/parquet/keyed_hash.h"
#include "table/parquet/text_head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The text, with something after it that means nothing: something else each time. */
static uint32_t add(struct dictionary *d, struct str text)
{
    static int after;
    char *copy = malloc(text.len + TEXT_HEAD_BYTES);
    uint32_t hash, entry;

    assert_non_null(copy);
    memset(copy, ++after, text.len + TEXT_HEAD_BYTES);
    memcpy(copy, text.data ? text.data : "", text.len);
    text.data = copy;
    hash = keyed_hash_text(text);
    dictionary_approach(d, hash);
    dictionary_approach_text(d, hash);
    assert_int_equal(dictionary_text(d, text, hash, &entry), RESULT_OK);
    free(copy);
    return entry;
}

static uint32_t add_number(struct dictionary *d, uint64_t bits)
{
    uint32_t entry;

    assert_int_equal(dictionary_number(d, bits, &entry), RESULT_OK);
    return entry;
}

static void dictionary__numbers_texts_as_they_come__when_they_are_looked_up(void **state)
{
    struct dictionary d = { 0 };
    char text[32];

    (void)state;
    for (int round = 0; round < 2; round++) { /* through all sizes of its table */
        for (uint32_t i = 0; i < 20000; i++) {
            snprintf(text, sizeof text, "the name of %u", i);
            assert_int_equal(add(&d, str_view(text)), i);
        }
    }
    assert_int_equal(d.count, 20000);
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "the name of %u", i);
        assert_true(str_equal(dictionary_entry_text(&d, i), str_view(text)));
        assert_int_equal(dictionary_text_hash(&d, i), keyed_hash_text(str_view(text)));
    }
    assert_memory_equal(d.plain.data, "\x0D\0\0\0the name of 0\x0D\0\0\0the name of 1", 34);
    assert_int_equal(dictionary_plain_text(&d, 1).len, 17);
    dictionary_release(&d);
}

static void dictionary__tells_texts_apart__when_they_differ_in_one_byte_or_in_length(void **state)
{
    struct dictionary d = { 0 };
    char text[200];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t len = 0; len < sizeof text; len++) {
            memset(text, 'a', sizeof text);
            add(&d, (struct str){ text, len });
            text[len / 2] = 'b'; /* of no text of that length but the empty one's */
            add(&d, (struct str){ text, len });
        }
    }
    assert_int_equal(d.count, 2 * sizeof text - 1);
    dictionary_release(&d);
}

static void dictionary__tells_texts_apart__whichever_byte_it_is_that_differs(void **state)
{
    struct dictionary d = { 0 };
    uint32_t count = 0;
    char text[70];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t len = 0; len < sizeof text; len++) {
            for (size_t i = 0; i <= len; i++) {
                memset(text, 'a', sizeof text);
                text[i] = 'b'; /* the last time after it */
                add(&d, (struct str){ text, len });
                count += !round;
            }
        }
    }
    assert_int_equal(d.count, count);
    dictionary_release(&d);
}

/* Two factors that change places make the same product, whatever the secret, if that is in both alike. */
static void keyed_hash__differs__when_halves_change_places(void **state)
{
    const uint64_t of_length = 16 * UINT64_C(0x9E3779B97F4A7C15);
    char one[32], other[32];
    int same = 0;

    (void)state;
    for (uint64_t i = 1; i <= 64; i++) {
        uint64_t low = i * UINT64_C(0xA0761D6478BD642F), high = ~low * i;

        little_put_u64(one, low);
        little_put_u64(one + 8, high);
        little_put_u64(other, high ^ of_length);
        little_put_u64(other + 8, low ^ of_length);
        same +=
            keyed_hash_text((struct str){ one, 16 }) == keyed_hash_text((struct str){ other, 16 });
    }
    assert_true(same <= 1); /* once in 2^32 by chance */
}

/* It has no bytes, and who looks has none either: the sanitizer would tell. */
static void dictionary__has_the_empty_text__when_there_is_no_other(void **state)
{
    struct dictionary d = { 0 };

    (void)state;
    assert_int_equal(add(&d, STR_NONE), 0);
    assert_int_equal(add(&d, STR("")), 0);
    assert_int_equal(dictionary_entry_text(&d, 0).len, 0);
    assert_int_equal(add(&d, STR("a")), 1);
    dictionary_release(&d);
}

/* Takes `count` texts of that many digits, and no more of these, but those it has. */
static void assert_most(uint32_t count, int digits)
{
    struct dictionary d = { 0 };
    char text[64];

    for (uint32_t i = 0; i <= count; i++) {
        snprintf(text, sizeof text, "%0*u", digits, i);
        assert_int_equal(add(&d, str_view(text)), i < count ? i : DICTIONARY_FULL);
    }
    snprintf(text, sizeof text, "%0*u", digits, 7);
    assert_int_equal(add(&d, str_view(text)), 7);
    assert_int_equal(d.count, count);
    dictionary_release(&d);
}

static void dictionary__is_full__when_texts_are_many_or_long(void **state)
{
    struct dictionary d = { 0 };
    char text[DICTIONARY_TEXT_MAX + 1];

    (void)state;
    assert_most(DICTIONARY_SHORTS_MAX, DICTIONARY_SHORT_TEXT - 1);
    assert_most(DICTIONARY_TEXTS_MAX, DICTIONARY_SHORT_TEXT);
    memset(text, 'x', sizeof text);
    assert_int_equal(add(&d, (struct str){ text, sizeof text }), DICTIONARY_FULL);
    for (uint32_t i = 0;
         dictionary_bytes(&d) + sizeof text + DICTIONARY_TEXT_BYTES <= DICTIONARY_BYTES_MAX; i++) {
        snprintf(text, sizeof text, "%08u", i);
        text[8] = 'x';
        assert_int_equal(add(&d, (struct str){ text, DICTIONARY_TEXT_MAX }), i);
    }
    text[0] = 'y';
    assert_int_equal(add(&d, (struct str){ text, DICTIONARY_TEXT_MAX }), DICTIONARY_FULL);
    assert_in_range(dictionary_bytes(&d), DICTIONARY_BYTES_MAX / 2, DICTIONARY_BYTES_MAX);
    dictionary_release(&d);
}

static void dictionary__numbers_numbers_by_their_bits__until_it_is_full(void **state)
{
    const double zeros[] = { 0.0, -0.0 };
    struct dictionary d = { 0 };

    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t bits;

        memcpy(&bits, &zeros[i], sizeof bits);
        assert_int_equal(add_number(&d, bits), i);
        assert_int_equal(dictionary_bits(&d, i), bits);
    }
    for (uint64_t i = 2; i < 2 * DICTIONARY_NUMBERS_MAX; i++) {
        assert_int_equal(add_number(&d, i << 40), i < DICTIONARY_NUMBERS_MAX ? i : DICTIONARY_FULL);
    }
    assert_int_equal(add_number(&d, UINT64_C(77) << 40), 77);
    assert_int_equal(d.count, DICTIONARY_NUMBERS_MAX);
    assert_memory_equal(dictionary_plain_number(&d, 3).data, "\0\0\0\0\0\x03\0\0", 8);
    dictionary_release(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dictionary__numbers_texts_as_they_come__when_they_are_looked_up),
        cmocka_unit_test(dictionary__tells_texts_apart__when_they_differ_in_one_byte_or_in_length),
        cmocka_unit_test(dictionary__tells_texts_apart__whichever_byte_it_is_that_differs),
        cmocka_unit_test(keyed_hash__differs__when_halves_change_places),
        cmocka_unit_test(dictionary__has_the_empty_text__when_there_is_no_other),
        cmocka_unit_test(dictionary__is_full__when_texts_are_many_or_long),
        cmocka_unit_test(dictionary__numbers_numbers_by_their_bits__until_it_is_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
