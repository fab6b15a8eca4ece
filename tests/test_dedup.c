/* Which of rows with one key stays: in memory, and when keys go to a file. */
#include "table/dedup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 120000U
#define KEYS 30011U /* a prime */

static const uint32_t columns[] = { 0 };

/* A row whose one cell is `text`; NULL: it has none. */
static void add(struct buf *keys, const char *text, int64_t time_us)
{
    struct row_cell cell = { .row = 0 };
    const struct row row = { .cells = &cell, .count = 1, .number = 1 };
    const struct dedup_by by = { columns, 1, time_us };

    if (text) {
        cell.kind = CELL_BARE;
        cell.text = text;
        cell.len = (uint32_t)strlen(text);
    }
    cell.row = text ? row.number : 0;
    assert_int_equal(dedup_add_key(keys, &row, &by, text != NULL), RESULT_OK);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

struct rows {
    uint32_t key[ROWS];
    int64_t time_us[ROWS];
    bool want[ROWS]; /* it stays, found by looking at all rows */
};

static void make(struct rows *rows, enum row_keep keep)
{
    static int64_t best[KEYS]; /* row + 1 */
    uint32_t seed = 7;

    memset(best, 0, sizeof best);
    for (uint32_t i = 0; i < ROWS; i++) {
        int64_t held;

        rows->key[i] = next_random(&seed) % KEYS;
        rows->time_us[i] = next_random(&seed) % 5;
        rows->want[i] = false;
        held = best[rows->key[i]];
        if (!held || (keep == ROW_KEEP_LAST && rows->time_us[i] >= rows->time_us[held - 1])) {
            best[rows->key[i]] = (int64_t)i + 1;
        }
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        if (best[i]) {
            rows->want[best[i] - 1] = true;
        }
    }
}

static void check_all(enum row_keep keep, uint64_t memory, bool spilt)
{
    struct rows *rows = malloc(sizeof *rows);
    struct dedup *u = dedup_new(memory, keep);
    struct buf keys = { 0 };
    uint64_t dropped = 0;
    struct err err;

    assert_non_null(rows);
    make(rows, keep);
    for (uint32_t i = 0; i < ROWS; i++) {
        char text[96];

        snprintf(text, sizeof text, "%u%064u", rows->key[i], rows->key[i] % 3);
        add(&keys, text, rows->time_us[i]);
        if (i % 97 == 0 || i + 1 == ROWS) {
            assert_int_equal(dedup_take(u, buf_view(&keys), &err), RESULT_OK);
            buf_reset(&keys);
        }
    }
    assert_int_equal(dedup_end(u, &err), RESULT_OK);
    assert_int_equal(dedup_is_spilt(u), spilt);
    for (uint32_t i = 0; i < ROWS; i++) {
        if (dedup_is_kept(u, i) != rows->want[i]) {
            fail_msg("row %u with key %u", i, rows->key[i]);
        }
        dropped += !rows->want[i];
    }
    assert_int_equal(dedup_dropped(u), dropped);
    dedup_free(u);
    buf_release(&keys);
    free(rows);
}

static void dedup__agrees_with_a_look_at_all_rows__when_memory_does(void **state)
{
    (void)state;
    check_all(ROW_KEEP_FIRST, (uint64_t)64 << 20, false);
    check_all(ROW_KEEP_LAST, (uint64_t)64 << 20, false);
}

static void dedup__agrees_with_a_look_at_all_rows__when_keys_go_to_a_file(void **state)
{
    (void)state;
    check_all(ROW_KEEP_FIRST, (uint64_t)3 << 20, true);
    check_all(ROW_KEEP_LAST, (uint64_t)3 << 20, true);
}

static void dedup__keeps_the_later_row__when_times_are_equal(void **state)
{
    struct dedup *u = dedup_new((uint64_t)1 << 20, ROW_KEEP_LAST);
    struct buf keys = { 0 };
    struct err err;

    (void)state;
    add(&keys, "a", 5);
    add(&keys, NULL, 9);
    add(&keys, "a", 5);
    add(&keys, "a", 4); /* came earlier, stands later in the order */
    add(&keys, NULL, 9);
    assert_int_equal(dedup_take(u, buf_view(&keys), &err), RESULT_OK);
    assert_int_equal(dedup_end(u, &err), RESULT_OK);
    assert_false(dedup_is_kept(u, 0));
    assert_true(dedup_is_kept(u, 1));
    assert_true(dedup_is_kept(u, 2));
    assert_false(dedup_is_kept(u, 3));
    assert_true(dedup_is_kept(u, 4));
    dedup_free(u);
    buf_release(&keys);
}

static void dedup__says_so__when_even_a_part_is_too_large(void **state)
{
    struct dedup *u = dedup_new((uint64_t)3 << 20, ROW_KEEP_FIRST);
    struct buf keys = { 0 };
    enum result result = RESULT_OK;
    struct err err;
    char *text = calloc(1, (1 << 16) + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 1 << 16);
    for (unsigned i = 0; i < 3000; i++) { /* 190 MB in 64 parts of 0.9 MB */
        snprintf(text, 16, "%015u", i);
        text[15] = 'x';
        add(&keys, text, 0);
        result = dedup_take(u, buf_view(&keys), &err);
        assert_int_equal(result, RESULT_OK);
        buf_reset(&keys);
    }
    assert_int_equal(dedup_end(u, &err), RESULT_LIMIT);
    assert_string_equal(err.code, "E-TAB6");
    assert_non_null(strstr(err.text, "--memory"));
    dedup_free(u);
    buf_release(&keys);
    free(text);
}

static void dedup__says_so__when_there_is_no_place_for_a_file(void **state)
{
    struct dedup *u = dedup_new(1 << 10, ROW_KEEP_LAST);
    enum result result = RESULT_OK;
    struct buf keys = { 0 };
    struct err err;

    (void)state;
    setenv("TMPDIR", "/nonexistent", 1);
    for (unsigned i = 0; i < 100 && result == RESULT_OK; i++) {
        char text[16];

        snprintf(text, sizeof text, "%u", i);
        buf_reset(&keys);
        add(&keys, text, 0);
        result = dedup_take(u, buf_view(&keys), &err);
    }
    unsetenv("TMPDIR");
    assert_int_not_equal(result, RESULT_OK);
    assert_string_equal(err.code, "E-TAB6");
    assert_non_null(strstr(err.text, "TMPDIR"));
    dedup_free(u);
    buf_release(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dedup__agrees_with_a_look_at_all_rows__when_memory_does),
        cmocka_unit_test(dedup__agrees_with_a_look_at_all_rows__when_keys_go_to_a_file),
        cmocka_unit_test(dedup__keeps_the_later_row__when_times_are_equal),
        cmocka_unit_test(dedup__says_so__when_even_a_part_is_too_large),
        cmocka_unit_test(dedup__says_so__when_there_is_no_place_for_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
