/* What a worker makes of a column's values before they become a page, against the plain way to do it. Texts
 * lie at the very end of what may be read, so that the sanitizers see a byte too many. */
#include "table/parquet/parquet_indices.h"
#include "table/parquet/parquet_plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(*state >> 33);
}

static void append(struct buf *plain, struct str text)
{
    char len[PARQUET_LEN_BYTES];

    little_put_u32(len, (uint32_t)text.len);
    assert_int_equal(buf_append(plain, len, sizeof len), RESULT_OK);
    assert_int_equal(buf_append_str(plain, text), RESULT_OK);
}

/* The same bytes, and just as many after them as are promised. */
static struct str tight(struct buf *plain)
{
    char *data = realloc(plain->data, plain->len + TEXT_HEAD_BYTES);

    assert_non_null(data);
    plain->data = data;
    plain->cap = plain->len + TEXT_HEAD_BYTES;
    return buf_view(plain);
}

/* --- texts ---------------------------------------------------------------------------------------- */

static const struct str alike[] = {
    STR_INIT(""),         STR_INIT("\0"),        STR_INIT("\0\0"),     STR_INIT("a"),
    STR_INIT("a\0"),      STR_INIT("ab"),        STR_INIT("abcdefg"),  STR_INIT("abcdefg\0"),
    STR_INIT("abcdefgh"), STR_INIT("abcdefghi"), STR_INIT("abcdefgj"), STR_INIT("abcdefghijklmnop"),
    STR_INIT("b"),        STR_INIT("\x7F"),      STR_INIT("\xC3\xA9"), STR_INIT("\xF0\x9F"),
};

static void parquet_text_head__orders_as_bytes_do__unless_it_is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(alike) * COUNT(alike); i++) {
        struct str left = alike[i / COUNT(alike)], right = alike[i % COUNT(alike)];
        struct buf a = { 0 }, b = { 0 };
        uint64_t left_head, right_head;

        append(&a, left);
        append(&b, right);
        left_head = parquet_text_head(parquet_text_at(tight(&a).data));
        right_head = parquet_text_head(parquet_text_at(tight(&b).data));
        if (left_head != right_head) {
            assert_int_equal(left_head < right_head, str_compare(left, right) < 0);
        } else if (left.len > 8 || right.len > 8) {
            assert_memory_equal(left.data, right.data, 8);
        }
        buf_release(&a);
        buf_release(&b);
    }
}

static void parquet_plain_bound_texts__finds_both__in_any_order(void **state)
{
    uint64_t random = 5;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct buf plain = { 0 };
        struct str least = alike[0], greatest = alike[0], values;
        size_t low, high;

        for (uint32_t i = 0, count = 1 + next_random(&random) % 6; i < count; i++) {
            struct str text = alike[next_random(&random) % COUNT(alike)];

            least = i && str_compare(least, text) <= 0 ? least : text;
            greatest = i && str_compare(greatest, text) >= 0 ? greatest : text;
            append(&plain, text);
        }
        values = tight(&plain);
        parquet_plain_bound_texts(values, &low, &high);
        assert_true(str_equal(parquet_text_at(values.data + low), least));
        assert_true(str_equal(parquet_text_at(values.data + high), greatest));
        buf_release(&plain);
    }
}

/* --- runs ----------------------------------------------------------------------------------------- */

static void append_value(struct buf *plain, size_t size, uint32_t number)
{
    char bytes[8];

    if (!size) {
        append(plain, alike[number % COUNT(alike)]);
        return;
    }
    little_put_u64(bytes, number * UINT64_C(0x0123456789ABCDEF));
    assert_int_equal(buf_append(plain, bytes, size), RESULT_OK);
}

/* Values of which some stand several times, others once, and the last ones may have no runs any more. */
static void check_runs(size_t size, uint64_t *random)
{
    struct buf runs = { 0 }, values = { 0 }, spare = { 0 }, want = { 0 };
    uint32_t count = 0, others = next_random(random) % 20;
    struct buf before;

    for (uint32_t i = 1; i <= others; i++) {
        uint32_t number = next_random(random);
        uint32_t more = next_random(random) % 3 ? 0 : 1 + next_random(random) % 20;

        append_value(&values, size, number);
        for (uint32_t times = 0; times <= more; times++, count++) {
            append_value(&want, size, number);
        }
        if (more) {
            assert_int_equal(parquet_runs_add(&runs, i, more), RESULT_OK);
        }
    }
    before = values;
    assert_int_equal(parquet_runs_bytes(&runs, size, count, buf_view(&values)), want.len);
    assert_int_equal(parquet_runs_expand(&runs, size, count, &values, &spare), RESULT_OK);
    assert_int_equal(values.len, want.len);
    if (want.len) {
        assert_memory_equal(values.data, want.data, want.len);
    }
    assert_ptr_equal(runs.len ? spare.data : values.data, before.data);
    buf_release(&runs);
    buf_release(&values);
    buf_release(&spare);
    buf_release(&want);
}

static void parquet_runs_expand__puts_each_value_in_as_often_as_it_stands__of_any_size(void **state)
{
    uint64_t random = 11;

    (void)state;
    for (int round = 0; round < 500; round++) {
        check_runs(0, &random);
        check_runs(1, &random);
        check_runs(PARQUET_INDEX_BYTES, &random);
        check_runs(8, &random);
    }
}

/* --- entries -------------------------------------------------------------------------------------- */

/* `count` of so many different texts, of which some are short and others long. */
static void append_texts(struct buf *plain, uint32_t count, uint32_t different, uint64_t *random)
{
    char text[96];

    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = next_random(random) % different;
        int len = snprintf(text, sizeof text, "%0*u", 14 + (int)(number % 22), number);

        append(plain, (struct str){ text, (size_t)len });
    }
}

static void check_bounds(const struct parquet_indices *x, struct str plain,
                         const struct parquet_entry_bounds *bounds)
{
    size_t low, high;

    parquet_plain_bound_texts(plain, &low, &high);
    assert_true(str_equal(dictionary_entry_text(&x->local, bounds->low),
                          parquet_text_at(plain.data + low)));
    assert_true(str_equal(dictionary_entry_text(&x->local, bounds->high),
                          parquet_text_at(plain.data + high)));
}

/* Blocks of few texts and of many, before and after the dictionary has become too large for a near cache. */
static void parquet_indices_look_up__gives_back_each_text__however_many_there_are(void **state)
{
    static const uint32_t counts[] = { 1,    3,    15, 16, 17, 31, 32, 33,
                                       1000, 3000, 1,  15, 16, 17, 33, 5000 };
    struct parquet_indices x = { .open = true };
    uint64_t random = 3;

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct buf plain = { 0 }, entries = { 0 }, back = { 0 };
        struct parquet_entry_bounds bounds;
        struct str values;
        bool full;

        append_texts(&plain, counts[i], 4000, &random);
        values = tight(&plain);
        assert_int_equal(
            parquet_indices_look_up(&x, TYPE_TEXT, values, counts[i], &entries, &bounds, &full),
            RESULT_OK);
        assert_false(full);
        assert_int_equal(entries.len, counts[i] * PARQUET_INDEX_BYTES);
        check_bounds(&x, values, &bounds);
        assert_int_equal(parquet_indices_to_plain(&x, TYPE_TEXT, &entries, &back), RESULT_OK);
        assert_int_equal(back.len, plain.len);
        assert_memory_equal(back.data, plain.data, plain.len);
        buf_release(&plain);
        buf_release(&entries);
        buf_release(&back);
    }
    assert_true(x.local.count > 2000);
    parquet_indices_release(&x);
}

static void parquet_indices_look_up__finds_both_bounds__when_texts_begin_alike(void **state)
{
    struct parquet_indices x = { .open = true };
    uint64_t random = 9;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct buf plain = { 0 }, entries = { 0 };
        uint32_t count = 1 + next_random(&random) % 6;
        struct parquet_entry_bounds bounds;
        bool full;

        for (uint32_t i = 0; i < count; i++) {
            append(&plain, alike[next_random(&random) % COUNT(alike)]);
        }
        assert_int_equal(
            parquet_indices_look_up(&x, TYPE_TEXT, tight(&plain), count, &entries, &bounds, &full),
            RESULT_OK);
        check_bounds(&x, buf_view(&plain), &bounds);
        buf_release(&plain);
        buf_release(&entries);
    }
    parquet_indices_release(&x);
}

static void parquet_indices_look_up__says_so__when_a_text_fits_into_no_dictionary(void **state)
{
    static char large[DICTIONARY_TEXT_MAX + 1];

    (void)state;
    for (uint32_t known = 10; known <= 3000; known += 2990) {
        struct parquet_indices x = { .open = true };
        struct buf plain = { 0 }, entries = { 0 };
        struct parquet_entry_bounds bounds;
        uint64_t random = 1;
        bool full;

        append_texts(&plain, known, 100000, &random);
        assert_int_equal(
            parquet_indices_look_up(&x, TYPE_TEXT, tight(&plain), known, &entries, &bounds, &full),
            RESULT_OK);
        assert_false(full);
        append(&plain, (struct str){ large, sizeof large });
        append_texts(&plain, 40, 100000, &random);
        assert_int_equal(parquet_indices_look_up(&x, TYPE_TEXT, tight(&plain), known + 41, &entries,
                                                 &bounds, &full),
                         RESULT_OK);
        assert_true(full);
        buf_release(&plain);
        buf_release(&entries);
        parquet_indices_release(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parquet_text_head__orders_as_bytes_do__unless_it_is_the_same),
        cmocka_unit_test(parquet_plain_bound_texts__finds_both__in_any_order),
        cmocka_unit_test(
            parquet_runs_expand__puts_each_value_in_as_often_as_it_stands__of_any_size),
        cmocka_unit_test(parquet_indices_look_up__gives_back_each_text__however_many_there_are),
        cmocka_unit_test(parquet_indices_look_up__finds_both_bounds__when_texts_begin_alike),
        cmocka_unit_test(parquet_indices_look_up__says_so__when_a_text_fits_into_no_dictionary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
