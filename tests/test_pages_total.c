/* Totals and page numbers that are wrong, change on the way, or have no end. */
#include "plan/pages/pages.h"
#include "pages_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void total__as_digits_in_a_string__counts(void **state)
{
    static const char *const totals[] = { "\"3\"", "3", "3.0", "\" 3 \"" };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
        char text[64];

        fixture_begin(f, by_total, LIST "?page=1");
        snprintf(text, sizeof text, "\"total\":%s", totals[i]);
        fixture_read(f, fixture_items(0, 1, text));
        CHECK_FOUND(f, LIST "?page=2", LIST "?page=3");
        CHECK_NO_NOTE(f);
    }
}

static void total__that_is_none__is_told_and_the_pages_asked_one_by_one(void **state)
{
    static const char *const totals[] = { "\"many\"",
                                          "-5",
                                          "2.5",
                                          "1e3",
                                          "true",
                                          "[3]",
                                          "{}",
                                          "18446744073709551616",
                                          "18446744073709551615" };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
        char text[64];

        fixture_begin(f, by_total, LIST "?page=1");
        snprintf(text, sizeof text, "\"total\":%s", totals[i]);
        fixture_read(f, fixture_items(0, 2, text));
        CHECK_FOUND(f, LIST "?page=2");
        fixture_check_note(f, PAGE_NOTE_BAD_TOTAL, "/total is ");
        fixture_check_note(f, PAGE_NOTE_BAD_TOTAL, "no number of records");
        fixture_follow(f, 0);
        fixture_read(f, fixture_items(2, 2, text));
        CHECK_FOUND(f, LIST "?page=3");
        CHECK_NO_NOTE(f);
    }
}

static void total__smaller_than_what_came__is_not_believed(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 5, "\"total\":3"));
    CHECK_FOUND(f, LIST "?page=2");
    fixture_check_note(f, PAGE_NOTE_BAD_TOTAL, "/total is 3, but 5 came");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(5, 5, "\"total\":3"));
    CHECK_FOUND(f, LIST "?page=3");
    CHECK_NO_NOTE(f);
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(5, 0, "\"total\":3"));
    CHECK_NOTHING(f);
}

static void total__smaller_than_what_came__is_found_out_on_the_last_page(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 5, "\"total\":9"));
    CHECK_FOUND(f, LIST "?page=2");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(5, 5, "\"total\":9"));
    CHECK_FOUND(f, LIST "?page=3");
    fixture_check_note(f, PAGE_NOTE_BAD_TOTAL, "/total is 9, but 10 came");
}

static void total__of_pages__that_is_nought_is_not_believed(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_NUMBER,
                               .param = TEXT("page"),
                               .total_pages = TEXT("/pages") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST "?page=1");
    fixture_read(f, fixture_items(0, 5, "\"pages\":0"));
    CHECK_FOUND(f, LIST "?page=2");
    fixture_check_note(f, PAGE_NOTE_BAD_TOTAL, "/pages is 0, but 5 records came");
}

static void total__with_no_record__is_told(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 0, "\"total\":100"));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_BAD_TOTAL, "/total is 100, but 0 records came");
    fixture_read(f, fixture_items(0, 0, "\"total\":0"));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
}

static void total__that_changes__is_told_and_what_was_added_is_asked(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 2, "\"total\":6"));
    CHECK_FOUND(f, LIST "?page=2", LIST "?page=3");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 2, "\"total\":7"));
    CHECK_FOUND(f, LIST "?page=4");
    fixture_check_note(f, PAGE_NOTE_TOTAL_CHANGED, "6 became 7 on page 2");
    assert_int_equal(fixture_found(f, 0)->page.expected, 4);
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(6, 1, "\"total\":7"));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
}

static void total__that_grows_by_much__is_followed_by_the_last_page(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 1, "\"total\":3"));
    fixture_follow(f, 0); /* not the last: names few, of which the last goes on */
    fixture_read(f, fixture_items(1, 1, "\"total\":5000"));
    assert_true(f->out.count >= PAGES_ADDED_MAX);
    assert_true(f->out.count <= PAGES_ADDED_MAX + PAGES_BLOCK);

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 1, "\"total\":3"));
    fixture_follow(f, 1);
    fixture_read(f, fixture_items(2, 1, "\"total\":5000"));
    assert_int_equal(f->out.count, PAGES_BLOCK);
    assert_string_equal(fixture_url(f, 0), LIST "?page=4");
    fixture_follow(f, PAGES_BLOCK - 1); /* by its own account the last: goes on */
    fixture_read(f, fixture_items(1002, 1, "\"total\":5000"));
    assert_int_equal(f->out.count, PAGES_BLOCK);
    assert_string_equal(fixture_url(f, 0), LIST "?page=1004");
}

static void total__that_shrinks__is_told(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 2, "\"total\":6"));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 2, "\"total\":4"));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_TOTAL_CHANGED, "6 became 4 on page 2");
}

static void total__in_a_header_that_is_not_there__is_told(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_NUMBER,
                               .param = TEXT("page"),
                               .total_pages = TEXT("header:X-Pages") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST "?page=1");
    fixture_read(f, fixture_items(0, 2, ""));
    CHECK_FOUND(f, LIST "?page=2");
    fixture_check_note(f, PAGE_NOTE_NO_MATCH, "the answer has no header X-Pages");
    f->headers[0] = "x-pages";
    f->headers[1] = " 3 ";
    fixture_read(f, fixture_items(0, 2, ""));
    CHECK_FOUND(f, LIST "?page=2", LIST "?page=3");
    CHECK_NO_NOTE(f);
}

static void total__of_everything_there_is__is_cut_at_the_limit(void **state)
{
    struct job_pages pages = by_total;
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST "?page=1");
    fixture_read(f, fixture_items(0, 1, "\"total\":18446744073709551614"));
    assert_int_equal(f->out.count, PAGES_BLOCK);
    fixture_check_note(f, PAGE_NOTE_LIMIT, "18446744073709551614 pages, 1000000 at most");
    assert_int_equal(fixture_found(f, 0)->page.expected, JOB_PAGES_MAX);

    pages.max = 3;
    fixture_begin(f, pages, LIST "?page=1");
    fixture_read(f, fixture_items(0, 1, "\"total\":10"));
    CHECK_FOUND(f, LIST "?page=2", LIST "?page=3");
    fixture_check_note(f, PAGE_NOTE_LIMIT, "10 pages, 3 at most");
    fixture_follow(f, 1);
    fixture_read(f, fixture_items(2, 1, "\"total\":11"));
    CHECK_NOTHING(f);
}

static void number__that_leaves_the_range__is_told(void **state)
{
    struct job_pages pages = by_total;
    struct fixture *f = *state;

    pages.has_first = true;
    pages.first = UINT64_MAX;
    fixture_begin(f, pages, LIST);
    fixture_read(f, fixture_items(0, 1, "\"total\":2"));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_BAD_NEXT, "too large");
}

static void size__that_nobody_has__is_bounded(void **state)
{
    struct job_pages pages = by_total;
    struct fixture *f = *state;

    pages.kind = JOB_PAGES_OFFSET;
    pages.size = UINT64_MAX;
    fixture_begin(f, pages, LIST);
    fixture_read(f, fixture_items(0, 2, "\"total\":5"));
    CHECK_FOUND(f, LIST "?page=2", LIST "?page=4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGES_TEST(total__as_digits_in_a_string__counts),
        PAGES_TEST(total__that_is_none__is_told_and_the_pages_asked_one_by_one),
        PAGES_TEST(total__smaller_than_what_came__is_not_believed),
        PAGES_TEST(total__smaller_than_what_came__is_found_out_on_the_last_page),
        PAGES_TEST(total__of_pages__that_is_nought_is_not_believed),
        PAGES_TEST(total__with_no_record__is_told),
        PAGES_TEST(total__that_changes__is_told_and_what_was_added_is_asked),
        PAGES_TEST(total__that_grows_by_much__is_followed_by_the_last_page),
        PAGES_TEST(total__that_shrinks__is_told),
        PAGES_TEST(total__in_a_header_that_is_not_there__is_told),
        PAGES_TEST(total__of_everything_there_is__is_cut_at_the_limit),
        PAGES_TEST(number__that_leaves_the_range__is_told),
        PAGES_TEST(size__that_nobody_has__is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
