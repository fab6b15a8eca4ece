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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sort_key__follows_seed_page_and_record__when_compared),
        cmocka_unit_test(sort_key__is_the_listings__when_asked_from_any_of_its_pages),
        cmocka_unit_test(sort_key__is_refused__when_too_deep),
        cmocka_unit_test(findings__keep_order_and_texts__when_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
