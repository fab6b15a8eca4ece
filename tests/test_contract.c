/* What is expected of a table, and the sentences for what does not hold. */
#include "table/contract.h"

#include "base/clock.h"
#include "base/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COLUMNS 3 /* id, at, geo.city */
#define DAY_US (86400 * US_PER_S)
#define NOW "2026-06-01T00:00:00Z"

struct trial {
    struct columns *columns;
    struct table_spec spec;
    struct contract *contract;
    struct contract_tally tally;
    struct dedup *dedup;
    struct table_schema *before, *now; /* borrowed */
    const char *first_null;
    struct contract_verdict verdict;
};

static void trial_begin(struct trial *t)
{
    static const char *const names[] = { "id", "at" };
    uint32_t node;

    *t = (struct trial){ .columns = columns_new() };
    assert_non_null(t->columns);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(columns_add(t->columns, COLUMNS_ROOT, str_view(names[i]), &node, NULL),
                         RESULT_OK);
        assert_int_equal(columns_mark(t->columns, node, 0, i, NULL), RESULT_OK);
    }
    assert_int_equal(columns_add(t->columns, COLUMNS_ROOT, STR("geo"), &node, NULL), RESULT_OK);
    assert_int_equal(columns_add(t->columns, node, STR("city"), &node, NULL), RESULT_OK);
    assert_int_equal(columns_mark(t->columns, node, 0, 2, NULL), RESULT_OK);
    assert_int_equal(columns_settle(t->columns, STR("."), NULL), RESULT_OK);
    assert_int_equal(columns_count(t->columns), COLUMNS);
}

/* What is expected is set by then. */
static void trial_open(struct trial *t)
{
    assert_int_equal(contract_new(&t->contract, &t->spec, t->columns, NULL), RESULT_OK);
    assert_non_null(t->contract);
    t->dedup = contract_has_keys(t->contract) ? dedup_new(1 << 20, ROW_KEEP_FIRST) : NULL;
}

static void expect_fresh(struct trial *t, const char *text)
{
    assert_int_equal(table_expect_fresh(&t->spec.expect, str_view(text), NULL), RESULT_OK);
}

/* A row of those cells, NULL for one that is missing; the column in which a value is missed. */
static struct str see(struct trial *t, struct contract_tally *tally, const char *const *texts)
{
    struct row_cell cells[COLUMNS] = { { .row = 0 } };
    const struct row row = { .cells = cells, .count = COLUMNS, .number = 1 };
    struct str missing;
    struct buf keys = { 0 };

    for (size_t i = 0; i < COLUMNS; i++) {
        if (texts[i]) {
            cells[i] = (struct row_cell){ 1, texts[i], (uint32_t)strlen(texts[i]), CELL_STRING };
        }
    }
    assert_int_equal(contract_look(t->contract, tally, &row, &missing, NULL), RESULT_OK);
    if (t->dedup) {
        assert_int_equal(contract_add_key(t->contract, &keys, &row, true), RESULT_OK);
        assert_int_equal(dedup_take(t->dedup, buf_view(&keys), NULL), RESULT_OK);
        buf_release(&keys);
    }
    return missing;
}

static struct str row(struct trial *t, const char *id, const char *at, const char *city)
{
    return see(t, &t->tally, (const char *const[]){ id, at, city });
}

static int64_t time_at(const char *text)
{
    int64_t us;

    assert_true(timestamp_parse(str_view(text), &us));
    return us;
}

static const struct contract_verdict *judge(struct trial *t)
{
    struct contract_facts facts = { .tallies = &t->tally,
                                    .tally_count = 1,
                                    .keys = t->dedup,
                                    .before = t->before,
                                    .now = t->now,
                                    .first_null = t->first_null,
                                    .wall_us = time_at(NOW) };

    if (t->dedup) {
        assert_int_equal(dedup_end(t->dedup, NULL), RESULT_OK);
    }
    contract_judge(t->contract, &facts, &t->verdict);
    return &t->verdict;
}

static void trial_end(struct trial *t)
{
    contract_tally_release(&t->tally);
    contract_free(t->contract);
    dedup_free(t->dedup);
    columns_free(t->columns);
}

/* Judges; one promise is broken, and it is said so. */
static void assert_broken(struct trial *t, const char *want)
{
    assert_int_equal(judge(t)->count, 1);
    assert_string_equal(t->verdict.broken[0], want);
    trial_end(t);
}

static void assert_holds(struct trial *t)
{
    const struct contract_verdict *v = judge(t);

    if (v->count) {
        fail_msg("%s", v->broken[0]);
    }
    trial_end(t);
}

/* --- rows, keys and values --------------------------------------------------------------------------- */

static void contract__is_none__when_nothing_is_expected(void **state)
{
    struct trial t;

    (void)state;
    trial_begin(&t);
    assert_int_equal(contract_new(&t.contract, &t.spec, t.columns, NULL), RESULT_OK);
    assert_null(t.contract);
    trial_end(&t);
}

static void rows__are_counted_over_all_workers(void **state)
{
    struct contract_tally tallies[3] = { { .rows = 0 } }; /* the third has seen none */
    struct trial t;

    (void)state;
    trial_begin(&t);
    assert_int_equal(table_expect_rows(&t.spec.expect, STR(">= 4"), NULL), RESULT_OK);
    trial_open(&t);
    for (size_t i = 0; i < 3; i++) {
        (void)see(&t, &tallies[i % 2], (const char *const[COLUMNS]){ "1" });
    }
    contract_judge(t.contract, &(struct contract_facts){ .tallies = tallies, .tally_count = 3 },
                   &t.verdict);
    assert_int_equal(t.verdict.count, 1);
    assert_string_equal(t.verdict.broken[0], "rows >= 4: there are 3");
    (void)see(&t, &tallies[0], (const char *const[COLUMNS]){ "1" });
    contract_judge(t.contract, &(struct contract_facts){ .tallies = tallies, .tally_count = 3 },
                   &t.verdict);
    assert_int_equal(t.verdict.count, 0);
    for (size_t i = 0; i < 3; i++) {
        contract_tally_release(&tallies[i]);
    }
    trial_end(&t);
}

static void unique__names_the_first_keys__that_another_row_has(void **state)
{
    static const struct str names[] = { STR_INIT("id"), STR_INIT("/geo/city") };
    struct trial t;

    (void)state;
    trial_begin(&t);
    t.spec.expect.unique = names;
    t.spec.expect.unique_count = 2;
    trial_open(&t);
    row(&t, "7", NULL, "Oslo");
    row(&t, "7", NULL, "Rome");
    row(&t, "7", NULL, NULL); /* no key */
    row(&t, "7", NULL, NULL);
    row(&t, "7", NULL, "Oslo");
    assert_broken(&t, "unique id,/geo/city: 1 row has values that another has, first: 7, Oslo");
}

static void unique__is_broken__when_no_record_has_the_column(void **state)
{
    static const struct str names[] = { STR_INIT("id"), STR_INIT("code") };
    struct trial t;

    (void)state;
    trial_begin(&t);
    t.spec.expect.unique = names;
    t.spec.expect.unique_count = 2;
    trial_open(&t);
    row(&t, "7", NULL, NULL);
    row(&t, "7", NULL, NULL); /* no keys, so no two are alike */
    assert_broken(&t, "unique: no record has the column code");
}

static void not_null__counts_by_column__and_a_column_of_no_record_is_missing(void **state)
{
    static const struct str names[] = { STR_INIT("geo.city"), STR_INIT("code"), STR_INIT("id") };
    struct trial t;

    (void)state;
    trial_begin(&t);
    t.spec.expect.not_null = names;
    t.spec.expect.not_null_count = 3;
    t.first_null = "record 2";
    trial_open(&t);
    assert_true(str_equal(row(&t, "1", NULL, "Oslo"), STR("code")));
    assert_true(str_equal(row(&t, "2", NULL, NULL), STR("geo.city"))); /* the first of two */
    assert_broken(&t, "not_null geo.city: 1 row without a value, code: 2 rows without a value, "
                      "first: record 2");
}

static void not_null__holds__when_every_row_has_a_value(void **state)
{
    static const struct str names[] = { STR_INIT("id"), STR_INIT("/geo/city") };
    struct trial t;

    (void)state;
    trial_begin(&t);
    t.spec.expect.not_null = names;
    t.spec.expect.not_null_count = 2;
    trial_open(&t);
    assert_null(row(&t, "1", NULL, "").data); /* an empty text is a value */
    assert_null(row(&t, "2", NULL, "Rome").data);
    assert_holds(&t);
}

/* --- the latest time ---------------------------------------------------------------------------------- */

static void fresh__goes_by_the_latest__however_a_time_is_spelt(void **state)
{
    static const char *const recent[] = { "2026-05-31T00:00:01Z", "2026-05-31T02:00:01+02:00",
                                          "1780185601", "1780185601000" };

    (void)state;
    for (size_t i = 0; i < sizeof recent / sizeof recent[0]; i++) {
        struct trial t;

        trial_begin(&t);
        expect_fresh(&t, "/at < 1d");
        trial_open(&t);
        row(&t, "1", "2020-01-01T00:00:00Z", NULL);
        row(&t, "2", recent[i], NULL);
        row(&t, "3", "n/a", NULL);
        row(&t, "4", NULL, NULL);
        assert_true(t.tally.has_time);
        assert_int_equal(t.tally.latest_us, time_at(recent[0]));
        assert_holds(&t);
    }
}

static void fresh__is_broken__at_the_very_age(void **state)
{
    struct trial t;

    (void)state;
    trial_begin(&t);
    expect_fresh(&t, "at < 1d");
    trial_open(&t);
    row(&t, "1", "2026-05-31T00:00:00Z", NULL);
    assert_broken(&t, "fresh at < 1d00h: the latest is 1d00h old");
}

static void fresh__holds__when_the_time_is_to_come(void **state)
{
    struct trial t;

    (void)state;
    trial_begin(&t);
    expect_fresh(&t, "at < 1d");
    trial_open(&t);
    row(&t, "1", "2999-01-01T00:00:00Z", NULL);
    assert_holds(&t);
}

static void fresh__says_why__when_there_is_no_time(void **state)
{
    static const char *const odd[] = { "-5", "1.5", "9223372036855", "99999999999999999999", "" };
    struct trial t;

    (void)state;
    trial_begin(&t);
    expect_fresh(&t, "at < 2h");
    trial_open(&t);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        row(&t, "1", odd[i], NULL);
    }
    assert_broken(&t, "fresh at < 2h00m: no value there is a time");
    trial_begin(&t);
    expect_fresh(&t, "code < 2h");
    trial_open(&t);
    row(&t, "1", NOW, NULL);
    assert_broken(&t, "fresh code < 2h00m: no record has that column");
}

/* --- types, and all at once ---------------------------------------------------------------------------- */

static void types__say_what_differs__and_hold_without_a_table_before(void **state)
{
    struct schema_column was[] = { { .name = STR_INIT("id"), .type = TYPE_INT64 },
                                   { .name = STR_INIT("old"), .type = TYPE_INT64 } };
    struct schema_column is[] = { { .name = STR_INIT("id"), .type = TYPE_TEXT },
                                  { .name = STR_INIT("new"), .type = TYPE_INT64 } };
    struct table_schema before = { .count = 2, .columns = was };
    struct table_schema now = { .count = 2, .columns = is };
    struct trial t;

    (void)state;
    trial_begin(&t);
    t.spec.expect.types_frozen = true;
    t.now = &now;
    trial_open(&t);
    assert_int_equal(judge(&t)->count, 0);
    t.before = &now;
    assert_int_equal(judge(&t)->count, 0);
    t.before = &before;
    assert_broken(&t, "types frozen: id is text, was int64, new is new, old is gone");
}

static void verdict__has_a_sentence_for_each_promise__and_cuts_what_is_long(void **state)
{
    static char name[1000];
    static struct str names[1];
    struct trial t;

    (void)state;
    memset(name, 'x', sizeof name);
    names[0] = (struct str){ name, sizeof name };
    trial_begin(&t);
    assert_int_equal(table_expect_rows(&t.spec.expect, STR("= 2"), NULL), RESULT_OK);
    t.spec.expect.unique = t.spec.expect.not_null = names;
    t.spec.expect.unique_count = t.spec.expect.not_null_count = 1;
    expect_fresh(&t, "at < 1d");
    trial_open(&t);
    row(&t, "1", "2026-05-01T00:00:00Z", NULL);
    assert_int_equal(judge(&t)->count, 4);
    assert_string_equal(t.verdict.broken[0], "rows = 2: there is 1");
    assert_int_equal(strlen(t.verdict.broken[1]), CONTRACT_TEXT - 1);
    assert_int_equal(strlen(t.verdict.broken[2]), CONTRACT_TEXT - 1);
    assert_memory_equal(t.verdict.broken[2], "not_null xxx", 12);
    assert_non_null(strstr(t.verdict.broken[3], "fresh at < 1d00h: the latest is 31d00h old"));
    trial_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract__is_none__when_nothing_is_expected),
        cmocka_unit_test(rows__are_counted_over_all_workers),
        cmocka_unit_test(unique__names_the_first_keys__that_another_row_has),
        cmocka_unit_test(unique__is_broken__when_no_record_has_the_column),
        cmocka_unit_test(not_null__counts_by_column__and_a_column_of_no_record_is_missing),
        cmocka_unit_test(not_null__holds__when_every_row_has_a_value),
        cmocka_unit_test(fresh__goes_by_the_latest__however_a_time_is_spelt),
        cmocka_unit_test(fresh__is_broken__at_the_very_age),
        cmocka_unit_test(fresh__holds__when_the_time_is_to_come),
        cmocka_unit_test(fresh__says_why__when_there_is_no_time),
        cmocka_unit_test(types__say_what_differs__and_hold_without_a_table_before),
        cmocka_unit_test(verdict__has_a_sentence_for_each_promise__and_cuts_what_is_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
