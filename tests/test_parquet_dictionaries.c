#include "table/parquet/keyed_hash.h"
#include "table/parquet/parquet_dictionaries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROOM ((size_t)64 << 20)

static const struct parquet_column columns[] = {
    { .name = STR_INIT("text"), .type = TYPE_TEXT },
    { .name = STR_INIT("other"), .type = TYPE_TEXT },
    { .name = STR_INIT("number"), .type = TYPE_INT64 },
    { .name = STR_INIT("flag"), .type = TYPE_BOOLEAN },
};
static const struct parquet_schema schema = { .columns = columns, .count = 4 };
enum { TEXT, OTHER, NUMBER, FLAG };

/* A worker's dictionary, and what it knows of it. */
struct worker {
    struct dictionary local;
    uint32_t adopted;
    uint32_t known[DICTIONARY_TEXTS_MAX];
};

static struct worker *new_worker(void)
{
    struct worker *w = calloc(1, sizeof *w);

    assert_non_null(w);
    return w;
}

static void free_worker(struct worker *w)
{
    dictionary_release(&w->local);
    free(w);
}

/* False when the worker's is full. */
static bool meet(struct worker *w, uint32_t i)
{
    char text[40];
    uint32_t entry;

    snprintf(text, sizeof text, "a text that is not short: %u", i);
    assert_int_equal(
        dictionary_text(&w->local, str_view(text), keyed_hash_text(str_view(text)), &entry),
        RESULT_OK);
    return entry != DICTIONARY_FULL;
}

/* The worker's new entries, met among so many values. */
static void adopt(struct parquet_dictionaries *d, uint32_t column, struct worker *w,
                  uint64_t values, uint64_t first_values)
{
    const struct parquet_tally tally = { values, first_values, values * 30, first_values * 30 };

    assert_int_equal(parquet_dictionaries_adopt(d, column, &w->local, w->adopted, &tally, w->known),
                     RESULT_OK);
    parquet_dictionaries_end_block(d);
    w->adopted = w->local.count;
}

static void parquet_dictionaries__number_as_blocks_come__when_workers_know_others(void **state)
{
    static const uint32_t mine[] = { 7, 5, 9 }, yours[] = { 5, 1, 7, 2 };
    struct parquet_dictionaries *d = parquet_dictionaries_new(&schema, ROOM);
    struct worker *a = new_worker(), *b = new_worker();

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(meet(a, mine[i]));
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(meet(b, yours[i]));
    }
    adopt(d, TEXT, a, 3, 3);
    assert_int_equal(parquet_dictionaries_count(d, TEXT), 3);
    adopt(d, TEXT, b, 4, 4);
    assert_true(meet(a, 2));
    assert_true(meet(a, 3));
    adopt(d, TEXT, a, 2, 2);
    assert_int_equal(a->known[0], 0); /* 7 */
    assert_int_equal(a->known[2], 2); /* 9 */
    assert_int_equal(b->known[0], 1); /* 5 */
    assert_int_equal(b->known[1], 3); /* 1 */
    assert_int_equal(b->known[2], 0); /* 7 */
    assert_int_equal(b->known[3], 4); /* 2 */
    assert_int_equal(a->known[3], 4); /* 2 */
    assert_int_equal(a->known[4], 5); /* 3 */
    assert_int_equal(parquet_dictionaries_count(d, TEXT), 6);
    assert_false(parquet_dictionaries_is_open(d, FLAG));
    free_worker(a);
    free_worker(b);
    parquet_dictionaries_free(d);
}

/* Blocks of a thousand values, `fresh` of which are new; the values until the dictionary is closed. */
static uint64_t values_until_closed(uint32_t fresh)
{
    struct parquet_dictionaries *d = parquet_dictionaries_new(&schema, ROOM);
    struct worker *w = new_worker();
    uint64_t values = 0;

    for (uint32_t met = 0; parquet_dictionaries_is_open(d, TEXT) && values < 1000000;) {
        bool full = false;

        for (uint32_t end = met + fresh; met < end; met++) {
            full |= !meet(w, met);
        }
        values += 1000;
        if (full) {
            parquet_dictionaries_close(d, TEXT);
        } else {
            adopt(d, TEXT, w, 1000, 1000);
        }
    }
    assert_int_equal(parquet_dictionaries_count(d, TEXT) != 0,
                     parquet_dictionaries_is_open(d, TEXT));
    free_worker(w);
    parquet_dictionaries_free(d);
    return values;
}

static void parquet_dictionaries__are_closed__when_values_hardly_repeat(void **state)
{
    (void)state;
    assert_in_range(values_until_closed(1000), 4096, 20000);
    assert_in_range(values_until_closed(960), 4096, 20000);
    /* Few do at first when they are drawn from many. */
    assert_in_range(values_until_closed(600), 65536, 140000);
    assert_int_equal(values_until_closed(50), 1000000);
}

static void parquet_dictionary_pays__when_repeats_outweigh_its_pages(void **state)
{
    const struct parquet_tally once = { 1000, 1000, 30000, 30000 };
    const struct parquet_tally exploded = { 1000, 100, 30000, 3000 };
    const struct parquet_tally in_pairs = { 1000, 500, 30000, 15000 };
    const struct parquet_tally groups = { 10 * PARQUET_GROUP_ROWS, 10 * PARQUET_GROUP_ROWS,
                                          30000000, 30000000 };

    (void)state;
    assert_true(parquet_dictionary_pays(TYPE_TEXT, 500, 15000, &once));
    assert_false(parquet_dictionary_pays(TYPE_TEXT, 501, 15000, &once));
    assert_false(parquet_dictionary_pays(TYPE_TEXT, 500, 15001, &once));
    assert_true(parquet_dictionary_pays(TYPE_INT64, 250, 2000, &once));
    assert_false(parquet_dictionary_pays(TYPE_DOUBLE, 251, 2008, &once));
    /* The same in many rows one after the other is short as an index, but not in two. */
    assert_true(parquet_dictionary_pays(TYPE_TEXT, 100, 3000, &exploded));
    assert_false(parquet_dictionary_pays(TYPE_TEXT, 500, 15000, &in_pairs));
    /* It stands in each row group. */
    assert_true(parquet_dictionary_pays(TYPE_TEXT, 1000, 1000000, &groups));
    assert_false(parquet_dictionary_pays(TYPE_TEXT, 1000, 2000000, &groups));
}

static void parquet_dictionaries__are_closed__when_one_is_full(void **state)
{
    struct parquet_dictionaries *d = parquet_dictionaries_new(&schema, ROOM);
    uint32_t known[DICTIONARY_NUMBERS_MAX];
    const struct parquet_tally tally = { .values = 1000000, .first_values = 1000000 };

    (void)state;
    for (uint64_t i = 0; i <= DICTIONARY_NUMBERS_MAX; i += DICTIONARY_NUMBERS_MAX / 2) {
        struct dictionary local = { 0 };
        uint32_t entry;

        assert_true(parquet_dictionaries_is_open(d, NUMBER));
        for (uint64_t j = 0; j < DICTIONARY_NUMBERS_MAX / 2; j++) {
            assert_int_equal(dictionary_number(&local, i + j, &entry), RESULT_OK);
        }
        assert_int_equal(parquet_dictionaries_adopt(d, NUMBER, &local, 0, &tally, known),
                         RESULT_OK);
        dictionary_release(&local);
    }
    assert_false(parquet_dictionaries_is_open(d, NUMBER));
    parquet_dictionaries_close(d, TEXT);
    assert_false(parquet_dictionaries_is_open(d, TEXT));
    assert_true(parquet_dictionaries_is_open(d, OTHER));
    parquet_dictionaries_free(d);
}

/* Two columns of as many entries, one block after the other: with room for one, who does not pay goes; and if both
 * pay, who comes last. */
static void assert_who_goes(uint64_t values, uint64_t other_values, bool stays, bool other_stays)
{
    struct parquet_dictionaries *d;
    struct worker *a = new_worker(), *b = new_worker();

    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(meet(a, i));
        assert_true(meet(b, i));
    }
    d = parquet_dictionaries_new(&schema, 2 * dictionary_bytes(&a->local) - 1000);
    adopt(d, TEXT, a, values, values);
    assert_true(parquet_dictionaries_is_open(d, TEXT));
    adopt(d, OTHER, b, other_values, other_values);
    assert_int_equal(parquet_dictionaries_is_open(d, TEXT), stays);
    assert_int_equal(parquet_dictionaries_is_open(d, OTHER), other_stays);
    free_worker(a);
    free_worker(b);
    parquet_dictionaries_free(d);
}

static void parquet_dictionaries__share_the_room__when_there_is_too_little(void **state)
{
    (void)state;
    assert_who_goes(9000, 9000, true, false);
    assert_who_goes(1000, 9000, false, true);
    assert_who_goes(9000, 1000, true, false);
    assert_who_goes(1000, 1000, false, true); /* there is enough for one */
}

static void parquet_dictionaries__let_those_go_that_grew__when_a_block_brings_too_much(void **state)
{
    struct worker *workers[3] = { new_worker(), new_worker(), new_worker() };
    const struct parquet_tally often = { 100000, 100000, 3000000, 3000000 };
    struct parquet_dictionaries *d;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        for (size_t w = 0; w < 3; w++) {
            assert_true(meet(workers[w], i));
        }
    }
    d = parquet_dictionaries_new(&schema, 3 * dictionary_bytes(&workers[0]->local));
    adopt(d, OTHER, workers[0], often.values, often.values);
    /* Both have room, but not with what stands in the second column. */
    for (uint32_t i = 1000; i < 2100; i++) {
        assert_true(meet(workers[1], i));
    }
    assert_int_equal(
        parquet_dictionaries_adopt(d, TEXT, &workers[1]->local, 0, &often, workers[1]->known),
        RESULT_OK);
    assert_int_equal(
        parquet_dictionaries_adopt(d, OTHER, &workers[2]->local, 0, &often, workers[2]->known),
        RESULT_OK);
    assert_true(parquet_dictionaries_is_open(d, TEXT));
    parquet_dictionaries_end_block(d);
    assert_false(parquet_dictionaries_is_open(d, TEXT));
    assert_true(parquet_dictionaries_is_open(d, OTHER)); /* had it all before */
    for (size_t w = 0; w < 3; w++) {
        free_worker(workers[w]);
    }
    parquet_dictionaries_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parquet_dictionaries__number_as_blocks_come__when_workers_know_others),
        cmocka_unit_test(parquet_dictionaries__are_closed__when_values_hardly_repeat),
        cmocka_unit_test(parquet_dictionary_pays__when_repeats_outweigh_its_pages),
        cmocka_unit_test(parquet_dictionaries__are_closed__when_one_is_full),
        cmocka_unit_test(parquet_dictionaries__share_the_room__when_there_is_too_little),
        cmocka_unit_test(
            parquet_dictionaries__let_those_go_that_grew__when_a_block_brings_too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
