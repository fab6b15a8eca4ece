#include "plan/discovered.h"
#include "plan/sort_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The detail of record `record` on page `ordinal` of seed `id`'s listing. */
static struct sort_key detail(uint64_t id, uint32_t ordinal, uint32_t record)
{
    struct request page = { .id = id }, next = { .id = 1000 };
    struct sort_key at, place;

    sort_key_of_page(&page, ordinal, &at);
    next.sort_key = sort_key_view(&at);
    next.page.ordinal = ordinal;
    assert_true(sort_key_of_record(&next, record, &place));
    return place;
}

static void assert_before(struct sort_key a, struct sort_key b)
{
    assert_true(sort_key_compare(sort_key_view(&a), sort_key_view(&b)) < 0);
    assert_true(sort_key_compare(sort_key_view(&b), sort_key_view(&a)) > 0);
}

static void sort_key__follows_seed_page_and_record__when_compared(void **state)
{
    struct request seed = { .id = 7 };
    struct sort_key first, second, later, round;

    (void)state;
    sort_key_of_page(&seed, 0, &first);
    sort_key_of_page(&seed, 1, &second);
    sort_key_of_seed(0, 8, &later);
    sort_key_of_seed(1, 1, &round);
    assert_before(first, second);
    assert_before(second, later);
    assert_before(later, round);
    assert_before(detail(7, 0, 300), detail(7, 1, 0));
    assert_before(detail(7, 1, 255), detail(7, 1, 256));
    assert_before(detail(7, 9, 0), detail(8, 0, 0));
}

static void sort_key__is_the_listings__when_asked_from_any_of_its_pages(void **state)
{
    struct request seed = { .id = 7 }, third = { .id = 90, .page.ordinal = 3 };
    struct sort_key at, from_first, from_third;

    (void)state;
    sort_key_of_page(&seed, 3, &at);
    third.sort_key = sort_key_view(&at);
    sort_key_of_page(&seed, 4, &from_first);
    sort_key_of_page(&third, 4, &from_third);
    assert_int_equal(sort_key_compare(sort_key_view(&from_first), sort_key_view(&from_third)), 0);
}

static void sort_key__is_refused__when_too_deep(void **state)
{
    struct request at = { .id = 1 };
    struct sort_key place, kept;
    unsigned levels = 0;

    (void)state;
    while (sort_key_of_record(&at, 0, &place)) {
        struct sort_key page;

        kept = place;
        at.sort_key = sort_key_view(&kept);
        sort_key_of_page(&at, 1, &page);
        assert_int_equal(page.len, kept.len + 4);
        levels++;
    }
    assert_int_equal(levels, SORT_KEY_LEVELS_MAX);
}

static void findings__keep_order_and_texts__when_added(void **state)
{
    struct discoveries discoveries = { 0 };
    struct request_texts texts = { .key = STR("page=2"), .url = STR("http://a/?page=2") };
    struct page_at page = { .ordinal = 1 };

    (void)state;
    discoveries_add(&discoveries, discovered_new(0, &texts, &page));
    texts.key = STR("page=3");
    discoveries_add(&discoveries, discovered_new(0, &texts, &page));
    assert_int_equal(discoveries.count, 2);
    assert_string_equal(discoveries.first->texts.key.data, "page=2");
    assert_string_equal(discoveries.last->texts.key.data, "page=3");
    assert_null(discoveries.first->texts.body.data);
    assert_int_equal(discoveries_note(&discoveries, PAGE_NOTE_BACK, "back to %d", 1), RESULT_OK);
    assert_string_equal(discoveries.notes->text, "back to 1");
    discoveries_release(&discoveries);
    assert_null(discoveries.first);
}

/* Halves of halves stand in the order of time, whatever was halved how often, and before the next seed. */
static void parts_of_a_window__stand_in_the_order_of_time(void **state)
{
    struct request whole = { .id = 7 }, half = { .id = 1000 };
    struct sort_key a, b, aa, ab, aba, page, next;

    (void)state;
    assert_true(sort_key_of_part(&whole, 0, 24, &a));
    assert_true(sort_key_of_part(&whole, 1, 24, &b));
    half.sort_key = sort_key_view(&a);
    assert_true(sort_key_of_part(&half, 0, 24, &aa));
    assert_true(sort_key_of_part(&half, 1, 24, &ab));
    sort_key_of_page(&half, 9, &page);
    half.sort_key = sort_key_view(&ab);
    assert_true(sort_key_of_part(&half, 0, 24, &aba));
    sort_key_of_seed(0, 8, &next);
    assert_before(aa, ab);
    assert_before(aa, aba);
    assert_before(page, b);
    assert_before(ab, b);
    assert_before(aba, b);
    assert_before(b, next);
}

static void parts_of_a_window__are_not_halved_for_ever(void **state)
{
    struct request request = { .id = 7 };
    struct sort_key keys[2];
    unsigned depth = 0;

    (void)state;
    while (sort_key_of_part(&request, 1, 24, &keys[depth % 2])) {
        request.sort_key = sort_key_view(&keys[depth++ % 2]);
    }
    assert_int_equal(depth, 24);
}

static void parts_of_a_page__stand_between_it_and_the_next(void **state)
{
    struct request first = { .id = 7 }, page = { .id = 90, .page.ordinal = 3 };
    struct request part = { .id = 91, .page = { .ordinal = 300, .basis = PAGE_PART } };
    struct sort_key at, next, one, two, of_one;

    (void)state;
    sort_key_of_page(&first, 3, &at);
    sort_key_of_page(&first, 4, &next);
    page.sort_key = sort_key_view(&at);
    sort_key_of_page_part(&page, 300, &one);
    sort_key_of_page_part(&page, 350, &two);
    part.sort_key = sort_key_view(&one);
    sort_key_of_page_part(&part, 325, &of_one);
    assert_before(at, one);
    assert_before(one, of_one);
    assert_before(of_one, two);
    assert_before(two, next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sort_key__follows_seed_page_and_record__when_compared),
        cmocka_unit_test(sort_key__is_the_listings__when_asked_from_any_of_its_pages),
        cmocka_unit_test(sort_key__is_refused__when_too_deep),
        cmocka_unit_test(findings__keep_order_and_texts__when_added),
        cmocka_unit_test(parts_of_a_window__stand_in_the_order_of_time),
        cmocka_unit_test(parts_of_a_window__are_not_halved_for_ever),
        cmocka_unit_test(parts_of_a_page__stand_between_it_and_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
