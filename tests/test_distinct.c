#include "normalise/distinct.h"
#include "normalise/facts.h"
#include "normalise/numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static enum result add(struct distinct *set, struct str text, size_t bytes_max)
{
    return distinct_add(set, text, keyed_hash_text(text), bytes_max);
}

static void add_texts(struct distinct *set, unsigned first, unsigned end)
{
    char text[16];

    for (unsigned i = first; i < end; i++) {
        snprintf(text, sizeof text, "%u", i);
        assert_int_equal(add(set, str_view(text), DISTINCT_BYTES_MAX), RESULT_OK);
    }
}

static uint32_t find(const struct dictionary *dictionary, struct str text)
{
    struct keyed_hash hash = keyed_hash_text(text);

    dictionary_approach(dictionary, hash);
    dictionary_approach_text(dictionary, hash);
    return dictionary_find(dictionary, text, hash);
}

/* A set of both, the one of `first` merged first. */
static void merge_both(struct distinct *into, unsigned first, unsigned other)
{
    struct distinct a = { 0 }, b = { 0 };

    add_texts(&a, first, first + 600);
    add_texts(&b, other, other + 600);
    assert_int_equal(distinct_merge(into, &a, DISTINCT_BYTES_MAX), RESULT_OK);
    assert_int_equal(distinct_merge(into, &b, DISTINCT_BYTES_MAX), RESULT_OK);
    assert_int_equal(into->total_count, 1200);
    distinct_release(&a);
    distinct_release(&b);
}

static void distinct__gives_one_dictionary__when_merged_in_any_order(void **state)
{
    struct distinct ab = { 0 }, ba = { 0 };
    struct dictionary *one, *other;

    (void)state;
    merge_both(&ab, 0, 300);
    merge_both(&ba, 300, 0);
    assert_int_equal(dictionary_new(&one, &ab), RESULT_OK);
    assert_int_equal(dictionary_new(&other, &ba), RESULT_OK);
    assert_int_equal(dictionary_count(one), 900);
    assert_int_equal(dictionary_count(other), 900);
    for (uint32_t i = 0; i < 900; i++) {
        assert_true(str_equal(dictionary_text(one, i), dictionary_text(other, i)));
        assert_int_equal(find(one, dictionary_text(one, i)), i);
    }
    assert_true(str_equal(dictionary_text(one, 1), STR("1")));
    assert_true(str_equal(dictionary_text(one, 2), STR("10"))); /* by bytes */
    assert_int_equal(find(one, STR("900")), 900);
    dictionary_free(one);
    dictionary_free(other);
    distinct_release(&ab);
    distinct_release(&ba);
}

/* Texts of every length that agree in all but their end, or end where others go on with NULs. */
static void dictionary__is_sorted_by_bytes__when_texts_begin_the_same(void **state)
{
    struct distinct set = { 0 };
    struct dictionary *dictionary;
    char text[64];

    (void)state;
    for (size_t len = 0; len <= 40; len++) {
        for (int last = 0; last < 256; last += 5) {
            memset(text, 'x', sizeof text);
            text[len] = (char)last;
            assert_int_equal(add(&set, (struct str){ text, len + 1 }, DISTINCT_BYTES_MAX),
                             RESULT_OK);
        }
        memset(text, 0, sizeof text);
        assert_int_equal(add(&set, (struct str){ text, len }, DISTINCT_BYTES_MAX), RESULT_OK);
    }
    assert_int_equal(dictionary_new(&dictionary, &set), RESULT_OK);
    assert_int_equal(dictionary_count(dictionary), set.count);
    for (uint32_t i = 0; i < set.count; i++) {
        assert_true(i == 0 || str_compare(dictionary_text(dictionary, i - 1),
                                          dictionary_text(dictionary, i)) < 0);
        assert_int_equal(find(dictionary, dictionary_text(dictionary, i)), i);
    }
    dictionary_free(dictionary);
    distinct_release(&set);
}

/* The first set that does not take `count` texts of that many digits. */
static void assert_most(unsigned count, int digits)
{
    struct distinct set = { 0 }, other = { 0 };
    char text[64];

    for (unsigned i = 0; i <= count; i++) {
        assert_false(set.given_up);
        snprintf(text, sizeof text, "%0*u", digits, i);
        assert_int_equal(add(&set, str_view(text), DISTINCT_BYTES_MAX), RESULT_OK);
    }
    assert_true(set.given_up);
    add_texts(&other, 0, 3);
    assert_int_equal(distinct_merge(&other, &set, DISTINCT_BYTES_MAX), RESULT_OK);
    assert_true(other.given_up);
}

/* Such a set has no bytes, and who looks has none either: the sanitizer would tell. */
static void dictionary__finds_the_empty_text__when_there_is_no_other(void **state)
{
    struct distinct set = { 0 };
    struct dictionary *dictionary;

    (void)state;
    assert_int_equal(add(&set, STR_NONE, DISTINCT_BYTES_MAX), RESULT_OK);
    assert_int_equal(dictionary_new(&dictionary, &set), RESULT_OK);
    assert_int_equal(dictionary_count(dictionary), 1);
    assert_int_equal(find(dictionary, STR_NONE), 0);
    assert_int_equal(find(dictionary, STR("a")), 1);
    dictionary_free(dictionary);
    distinct_release(&set);
}

static void distinct__gives_up__when_strings_are_many_or_long(void **state)
{
    struct distinct lengthy = { 0 }, few = { 0 };
    char text[DISTINCT_TEXT_MAX + 1];
    struct dictionary *none;

    (void)state;
    assert_most(DISTINCT_SHORTS_MAX, DISTINCT_SHORT_TEXT - 1);
    assert_most(DISTINCT_STRINGS_MAX, DISTINCT_SHORT_TEXT);
    add_texts(&few, 0, 10);
    assert_int_equal(add(&few, STR("10"), distinct_bytes(&few)), RESULT_OK);
    assert_true(few.given_up);
    memset(text, 'x', sizeof text);
    assert_int_equal(add(&lengthy, (struct str){ text, sizeof text }, DISTINCT_BYTES_MAX),
                     RESULT_OK);
    assert_true(lengthy.given_up);
    assert_int_equal(dictionary_new(&none, &lengthy), RESULT_OK);
    assert_null(none);
}

static void distinct__counts_each_string_once__when_lengths_differ(void **state)
{
    struct distinct set = { 0 };
    char text[200];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t len = 0; len < sizeof text; len++) {
            memset(text, 'a', sizeof text);
            assert_int_equal(add(&set, (struct str){ text, len }, DISTINCT_BYTES_MAX), RESULT_OK);
            text[len / 2] = 'b'; /* differs in one byte, and for 0 not at all */
            assert_int_equal(add(&set, (struct str){ text, len }, DISTINCT_BYTES_MAX), RESULT_OK);
        }
    }
    assert_int_equal(set.count, 2 * sizeof text - 1);
    assert_int_equal(set.total_count, 4 * sizeof text);
    distinct_release(&set);
}

static void numbers__turn_into_doubles__when_a_fraction_is_met(void **state)
{
    static const double want[] = { -7, -0.0, 0, 0.5, 3 };
    struct numbers set = { 0 }, other = { 0 };
    struct number_dictionary *d;

    (void)state;
    assert_int_equal(numbers_add_whole(&set, 3, NUMBERS_MAX), RESULT_OK);
    assert_int_equal(numbers_add_whole(&set, 0, NUMBERS_MAX), RESULT_OK);
    assert_int_equal(numbers_add_fraction(&set, 0.5, NUMBERS_MAX), RESULT_OK);
    assert_int_equal(numbers_add_fraction(&set, -0.0, NUMBERS_MAX), RESULT_OK);
    assert_int_equal(numbers_add_whole(&set, 3, NUMBERS_MAX), RESULT_OK);
    assert_int_equal(numbers_add_whole(&other, -7, NUMBERS_MAX), RESULT_OK);
    assert_int_equal(numbers_add_whole(&other, 3, NUMBERS_MAX), RESULT_OK);
    assert_int_equal(numbers_merge(&other, &set, NUMBERS_MAX), RESULT_OK);
    assert_int_equal(other.total, 7);
    assert_int_equal(other.form, NUMBERS_FRACTION);
    assert_int_equal(number_dictionary_new(&d, &other), RESULT_OK);
    assert_int_equal(number_dictionary_count(d), 5);
    for (uint32_t i = 0; i < 5; i++) {
        uint64_t bits;

        memcpy(&bits, &want[i], sizeof bits);
        assert_int_equal(number_dictionary_bits(d, i), bits);
        assert_int_equal(number_dictionary_find(d, bits), i);
    }
    assert_int_equal(number_dictionary_find(d, 12345), 5);
    number_dictionary_free(d);
    numbers_release(&set);
    numbers_release(&other);
}

static void add_wholes(struct numbers *set, int64_t first, int64_t end, uint32_t max)
{
    for (int64_t i = first; i < end; i++) {
        assert_int_equal(numbers_add_whole(set, i, max), RESULT_OK);
    }
}

static void numbers__give_up__when_they_are_many_or_times_and_others_meet(void **state)
{
    struct numbers many = { 0 }, half = { 0 }, other = { 0 }, mixed = { 0 }, times = { 0 };

    (void)state;
    add_wholes(&many, 1, NUMBERS_MAX + 1, NUMBERS_MAX);
    assert_false(many.given_up);
    add_wholes(&many, -1, 0, NUMBERS_MAX);
    assert_true(many.given_up);
    add_wholes(&half, 1, 7, 10);
    add_wholes(&other, 7, 13, 10);
    assert_int_equal(numbers_merge(&half, &other, 10), RESULT_OK);
    assert_true(half.given_up);
    add_wholes(&mixed, 1, 3, 10);
    assert_int_equal(numbers_add_time(&times, 5, 10), RESULT_OK);
    assert_int_equal(numbers_merge(&mixed, &times, 10), RESULT_OK);
    assert_true(mixed.given_up);
    assert_int_equal(numbers_add_whole(&mixed, 1, 10), RESULT_OK);
    assert_int_equal(numbers_count(&mixed), 0);
    numbers_release(&other);
    numbers_release(&times);
}

static void numbers__sort_as_their_type_does__when_some_are_negative(void **state)
{
    static const int64_t wholes[] = { INT64_MIN, -3, -1, 0, 1, 2, INT64_MAX };
    const uint32_t count = sizeof wholes / sizeof wholes[0];
    struct numbers set = { 0 };
    struct number_dictionary *d;

    (void)state;
    for (uint32_t i = 0; i < 4 * count; i++) {
        assert_int_equal(numbers_add_whole(&set, wholes[i * 3 % count], NUMBERS_MAX), RESULT_OK);
    }
    assert_int_equal(number_dictionary_new(&d, &set), RESULT_OK);
    assert_int_equal(number_dictionary_count(d), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal((int64_t)number_dictionary_bits(d, i), wholes[i]);
        assert_int_equal(number_dictionary_find(d, (uint64_t)wholes[i]), i);
    }
    number_dictionary_free(d);
    numbers_release(&set);
}

static const struct facts_wish wish = { .types = true, .distinct_bytes = DISTINCT_BYTES_MAX };
static const struct facts_room room = { DISTINCT_BYTES_MAX, NUMBERS_MAX };
static const struct facts_rows rows = { 1, 1000 }, often = { 1, 1 }, exploded = { 20, 1000 };

static void note(struct facts_queue *queue, struct facts *all, uint32_t node, enum cell_kind kind,
                 struct str text)
{
    assert_int_equal(facts_note(queue, all, node, &wish, &room, kind, text), RESULT_OK);
}

static void facts__have_a_dictionary__when_strings_repeat_and_nothing_else_is_there(void **state)
{
    enum { REPEATED, SINGLE, MIXED, NODES };
    struct facts all[NODES] = { 0 };
    struct facts_queue queue = { 0 };
    struct dictionary *dictionary;

    (void)state;
    for (int i = 0; i < 4; i++) {
        note(&queue, all, REPEATED, i & 1 ? CELL_ESCAPED : CELL_STRING,
             i & 1 ? STR("\\u0061") : STR("a"));
        note(&queue, all, MIXED, i & 1 ? CELL_BARE : CELL_STRING, i & 1 ? STR("1") : STR("a"));
    }
    note(&queue, all, SINGLE, CELL_STRING, STR("a"));
    assert_int_equal(facts_catch_up(&queue, all, &room), RESULT_OK);
    assert_int_equal(facts_dictionary(&all[REPEATED], &room, &rows, &dictionary), RESULT_OK);
    assert_int_equal(dictionary_count(dictionary), 1);
    dictionary_free(dictionary);
    assert_int_equal(facts_dictionary(&all[SINGLE], &room, &rows, &dictionary), RESULT_OK);
    assert_null(dictionary);
    assert_int_equal(facts_dictionary(&all[SINGLE], &room, &exploded, &dictionary), RESULT_OK);
    assert_int_equal(dictionary_count(dictionary), 1);
    dictionary_free(dictionary);
    assert_int_equal(facts_dictionary(&all[MIXED], &room, &rows, &dictionary), RESULT_OK);
    assert_null(dictionary);
    for (int i = 0; i < NODES; i++) {
        facts_release(&all[i]);
    }
    facts_queue_release(&queue);
}

/* Large sets are added to with a delay, across which nothing may get lost or end in another set. */
static void facts__count_every_string__when_sets_outgrow_the_cache(void **state)
{
    enum { COUNT = 3000 };
    struct facts all[3] = { 0 };
    struct facts_queue queue = { 0 };
    char text[32];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            for (uint32_t node = 0; node < 3; node++) {
                snprintf(text, sizeof text, "%u of node %u", i, node);
                note(&queue, all, node, i & 1 ? CELL_ESCAPED : CELL_STRING, str_view(text));
            }
        }
    }
    facts_forget(&queue, 2); /* of the last node, what still waits */
    facts_release(&all[2]);
    all[2] = (struct facts){ 0 };
    assert_int_equal(facts_catch_up(&queue, all, &room), RESULT_OK);
    for (uint32_t node = 0; node < 2; node++) {
        assert_int_equal(all[node].distinct.count, COUNT);
        assert_int_equal(all[node].distinct.total_count, 2 * COUNT);
        facts_release(&all[node]);
    }
    assert_int_equal(all[2].distinct.count, 0);
    facts_queue_release(&queue);
}

static void facts__have_a_dictionary_of_numbers__when_they_repeat_and_are_of_the_type(void **state)
{
    static const char *const texts[] = { "1.5", "2", "1.5", "2", "2", "2", "2", "2" };
    enum { FRACTIONS, TIMES, QUOTED, NODES };
    struct facts all[NODES] = { 0 };
    struct facts_queue queue = { 0 };
    struct number_dictionary *d;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        note(&queue, all, FRACTIONS, CELL_BARE, str_view(texts[i]));
        note(&queue, all, TIMES, CELL_STRING, STR("2026-11-21T04:15:00Z"));
        note(&queue, all, QUOTED, i ? CELL_BARE : CELL_STRING, STR("2"));
    }
    assert_int_equal(facts_number_dictionary(&all[FRACTIONS], TYPE_DOUBLE, &room, &rows, &d),
                     RESULT_OK);
    assert_int_equal(number_dictionary_count(d), 2);
    number_dictionary_free(d);
    assert_int_equal(facts_number_dictionary(&all[TIMES], TYPE_TIMESTAMP, &room, &rows, &d),
                     RESULT_OK);
    assert_int_equal(number_dictionary_count(d), 1);
    number_dictionary_free(d);
    assert_int_equal(facts_number_dictionary(&all[TIMES], TYPE_INT64, &room, &rows, &d), RESULT_OK);
    assert_null(d);
    assert_int_equal(facts_number_dictionary(&all[QUOTED], TYPE_INT64, &room, &rows, &d),
                     RESULT_OK);
    assert_null(d); /* a string was among them */
    assert_int_equal(facts_number_dictionary(&all[FRACTIONS], TYPE_DOUBLE, &room, &often, &d),
                     RESULT_OK);
    assert_null(d); /* written anew with every row */
    for (int i = 0; i < NODES; i++) {
        facts_release(&all[i]);
    }
    facts_queue_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinct__gives_one_dictionary__when_merged_in_any_order),
        cmocka_unit_test(dictionary__is_sorted_by_bytes__when_texts_begin_the_same),
        cmocka_unit_test(dictionary__finds_the_empty_text__when_there_is_no_other),
        cmocka_unit_test(distinct__gives_up__when_strings_are_many_or_long),
        cmocka_unit_test(distinct__counts_each_string_once__when_lengths_differ),
        cmocka_unit_test(numbers__turn_into_doubles__when_a_fraction_is_met),
        cmocka_unit_test(numbers__give_up__when_they_are_many_or_times_and_others_meet),
        cmocka_unit_test(numbers__sort_as_their_type_does__when_some_are_negative),
        cmocka_unit_test(facts__have_a_dictionary__when_strings_repeat_and_nothing_else_is_there),
        cmocka_unit_test(facts__count_every_string__when_sets_outgrow_the_cache),
        cmocka_unit_test(facts__have_a_dictionary_of_numbers__when_they_repeat_and_are_of_the_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
