/* Why listings end, and what is asked to be sure of it. */
#include "plan/page_end.h"

#include "pages_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct job_pages from_1_by_total = { .kind = JOB_PAGES_NUMBER,
                                                  .param = TEXT("page"),
                                                  .first = 1,
                                                  .has_first = true,
                                                  .total = TEXT("/total") };

static void check_end(const struct fixture *f, enum page_end end)
{
    if (f->out.page.end != end) {
        fail_msg("\"%s\" instead of \"%s\"", page_end_words(f->out.page.end), page_end_words(end));
    }
}

/* --- reasons ---------------------------------------------------------------------------------------- */

/* The only page of a listing, and why it ends. */
static const struct {
    const struct job_pages *pages;
    unsigned records;
    const char *extra;
    enum page_end end;
} singles[] = {
    { &by_cursor, 2, "", PAGE_END_NO_CURSOR },
    { &by_cursor, 2, "\"next\":null", PAGE_END_NO_CURSOR },
    { &by_next, 2, "\"next\":\"\"", PAGE_END_NO_NEXT },
    { &by_next, 2, "\"next\":[{\"rel\":\"self\",\"href\":\"/list\"}]", PAGE_END_NO_NEXT },
    { &by_number, 0, "", PAGE_END_EMPTY },
    { &from_1_by_total, 2, "\"total\":2", PAGE_END_TOTAL },
    { &from_1_by_total, 0, "\"total\":0", PAGE_END_TOTAL },
    { &by_number, 2, "\"has_more\":false", PAGE_END_NO_MORE },
    { &by_next, 2, "\"next\":\"/b\",\"end_of_stream\":true", PAGE_END_NO_MORE },
    { &by_next, 2, "\"next\":\"/b\",\"isLast\":true", PAGE_END_NO_MORE },
    { &by_cursor, 2, "\"next\":\"b\",\"last_page\":true", PAGE_END_NO_MORE },
    { &by_next, 2, "\"next\":\"/list\",\"done\":true", PAGE_END_NO_MORE }, /* itself */
    { &by_next, 2, "\"next\":\"/list\"", PAGE_END_BACK },
    { &by_next, 2, "\"hasMore\":true", PAGE_END_UNKNOWN },
    { &by_next, 2, "\"next\":\"https://elsewhere.test/\"", PAGE_END_BAD_NEXT },
};

static void listing__ends_for_one_reason(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++) {
        fixture_begin(f, *singles[i].pages, LIST);
        fixture_read(f, fixture_items(0, singles[i].records, singles[i].extra));
        CHECK_NOTHING(f);
        assert_true(f->out.page.is_page);
        check_end(f, singles[i].end);
        assert_true(!page_end_is_loss(singles[i].end) || f->out.notes);
    }
}

static void listing__has_no_reason__while_it_goes_on(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_next, LIST); /* a word that may mean something else does not end it */
    fixture_read(f, fixture_items(0, 2, "\"next\":\"/b\",\"done\":true,\"complete\":true"));
    CHECK_FOUND(f, "https://api.example.org/b");
    check_end(f, PAGE_END_NONE);
    fixture_read(f, "{\"items\":[1],\"next\":\"/b\",\"other\":{\"has_more\":false}}");
    CHECK_FOUND(f, "https://api.example.org/b"); /* nor does another list's */
}

static void is_last__ends_a_listing(void **state)
{
    struct job_pages pages = by_number;
    struct fixture *f = *state;

    pages.is_last = TEXT("/page/last");
    fixture_begin(f, pages, LIST "?page=1");
    fixture_read(f, fixture_items(0, 2, "\"page\":{\"last\":false}"));
    CHECK_FOUND(f, LIST "?page=2");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 2, "\"page\":{\"last\":true}"));
    CHECK_NOTHING(f);
    check_end(f, PAGE_END_NO_MORE);
}

/* --- what is asked to be sure ------------------------------------------------------------------------- */

static void total__is_proved__by_the_page_after_a_full_last_one(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, from_1_by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 2, "\"total\":4"));
    CHECK_FOUND(f, LIST "?page=2");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 2, "\"total\":4"));
    CHECK_FOUND(f, LIST "?page=3");
    assert_int_equal(fixture_found(f, 0)->page.basis, PAGE_PROOF);
    check_end(f, PAGE_END_NONE);
    fixture_follow(f, 0);
    fixture_read(
        f, fixture_items(2, 2, "\"total\":4")); /* the last page again: some servers give it */
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
    check_end(f, PAGE_END_TOTAL);
    assert_true(f->out.page.is_repeat);
    fixture_read(f, "{\"error\":\"no such page\"}");
    assert_false(f->out.is_no_page);
    check_end(f, PAGE_END_TOTAL);
    fixture_read(f, fixture_items(4, 2, "\"total\":4")); /* it was too small */
    CHECK_FOUND(f, LIST "?page=4");
    assert_non_null(fixture_note(f, PAGE_NOTE_BAD_TOTAL));
}

static void total__is_believed__when_something_else_agrees(void **state)
{
    static const char *const extras[] = { "\"total\":4,\"total_pages\":2",
                                          "\"total\":4,\"last\":true",
                                          "\"total\":4,\"has_more\":false" };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++) {
        fixture_begin(f, from_1_by_total, LIST "?page=1");
        fixture_read(f, fixture_items(0, 2, "\"total\":4"));
        fixture_follow(f, 0);
        fixture_read(f, fixture_items(2, 2, extras[i]));
        CHECK_NOTHING(f);
        check_end(f, PAGE_END_TOTAL);
    }
    fixture_begin(f, from_1_by_total,
                  LIST "?page=1"); /* one page, of which nobody knows how much it holds */
    fixture_read(f, fixture_items(0, 2, "\"total\":2"));
    CHECK_NOTHING(f);
}

static void empty_page__is_doubted__after_full_ones(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_number, LIST "?page=1");
    fixture_read(f, fixture_items(0, 2, ""));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 0, ""));
    CHECK_NOTHING(f); /* one page alone may be all there is */
    fixture_read(f, fixture_items(2, 2, ""));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(4, 0, ""));
    CHECK_FOUND(f, LIST "?page=4");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(6, 2, ""));
    assert_string_equal(fixture_note(f, PAGE_NOTE_GAP),
                        "page 3 came empty, and page 4 has records");
    check_end(f, PAGE_END_GAP);
}

/* Whatever came before, and on the first page, too: what says that there is more is no end. Once more says it all. */
static void empty_page__is_doubted__when_it_says_that_there_is_more(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_number, LIST "?page=1");
    fixture_read(f, fixture_items(0, 0, "\"has_more\":true"));
    CHECK_FOUND(f, LIST "?page=2");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(0, 2, "\"has_more\":true"));
    CHECK_FOUND(f, LIST "?page=3");
    assert_string_equal(fixture_note(f, PAGE_NOTE_GAP),
                        "page 1 came empty, and page 2 has records");
    fixture_begin(f, by_number, LIST "?page=1");
    fixture_read(f, fixture_items(0, 2, "\"has_more\":true"));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 0, "\"has_more\":true"));
    CHECK_FOUND(f, LIST "?page=3");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 0, "\"has_more\":true"));
    CHECK_NOTHING(f);
    check_end(f, PAGE_END_EMPTY);
}

static void short_page__in_the_middle_is_told(void **state)
{
    struct job_pages sized = by_number;
    struct fixture *f = *state;

    sized.size = 3;
    for (unsigned i = 0; i < 2; i++) {
        fixture_begin(f, i ? sized : by_number, LIST "?page=1");
        fixture_read(f, fixture_items(0, 3, ""));
        fixture_follow(f, 0);
        fixture_read(f, fixture_items(3, 2, ""));
        fixture_follow(f, 0);
        fixture_read(f, fixture_items(6, 3, ""));
        assert_non_null(fixture_note(f, i ? PAGE_NOTE_GAP : PAGE_NOTE_SHORT));
        check_end(f, i ? PAGE_END_GAP : PAGE_END_NONE);
    }
}

static void cursor__that_stays_the_same__is_followed_while_records_change(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_cursor, LIST);
    for (unsigned i = 0; i < 4; i++) {
        fixture_read(f, fixture_items(2 * i, 2, "\"next\":\"s\""));
        CHECK_FOUND(f, LIST "?after=s");
        assert_int_equal(fixture_found(f, 0)->page.repeats, i ? i : 0);
        fixture_follow(f, 0);
    }
    fixture_read(f, fixture_items(0, 0, "\"next\":\"s\""));
    CHECK_NOTHING(f);
    check_end(f, PAGE_END_EMPTY);
    fixture_read(f, fixture_items(6, 2, "\"next\":\"s\"")); /* it does not move */
    CHECK_NOTHING(f);
    check_end(f, PAGE_END_SAME_PAGE);
    assert_true(f->out.page.is_repeat);
    fixture_read(f, fixture_items(6, 2, "\"next\":\"t\"")); /* it was stuck once */
    CHECK_FOUND(f, LIST "?after=t");
    assert_true(f->out.page.is_repeat);
    assert_int_equal(f->out.page.records, 0);
}

/* --- further ways to name a page ------------------------------------------------------------------------ */

static void next__is_found__in_an_array_of_links(void **state)
{
    static const char *const links[] = {
        "[{\"rel\":\"self\",\"href\":\"/x\"},{\"rel\":\"next\",\"href\":\"/b\"}]",
        "[{\"relation\":\"next\",\"url\":\"/b\"}]",
        "[{\"@rel\":\"next\",\"@href\":\"/b\"}]",
        "[{\"href\":\"/b\",\"rel\":[\"alternate\",\"Next\"]}]",
    };
    struct fixture *f = *state;
    char text[128];

    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        fixture_begin(f, by_next, LIST);
        snprintf(text, sizeof text, "\"next\":%s", links[i]);
        fixture_read(f, fixture_items(0, 2, text));
        CHECK_FOUND(f, "https://api.example.org/b");
    }
}

static void members__are_parameters__of_the_next_request_alone(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_CURSOR,
                               .param = TEXT("*"),
                               .next = TEXT("/continue") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST "?action=query&continue=");
    fixture_read(
        f, fixture_items(0, 2, "\"continue\":{\"apfrom\":\"B c\",\"continue\":\"-||\",\"n\":5}"));
    CHECK_FOUND(f, LIST "?action=query&continue=-%7C%7C&apfrom=B%20c&n=5");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 2, "\"continue\":{\"imfrom\":\"x\",\"continue\":\"y\"}"));
    CHECK_FOUND(f, LIST "?action=query&continue=y&imfrom=x");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(4, 2, "\"continue\":{\"/a\":\"x\"}"));
    CHECK_NOTHING(f);
    check_end(f, PAGE_END_BAD_NEXT);
    fixture_read(f, fixture_items(4, 2, "\"continue\":\"x\""));
    CHECK_NOTHING(f);
    check_end(f, PAGE_END_BAD_NEXT);
    fixture_read(f, fixture_items(4, 2, ""));
    CHECK_NOTHING(f);
    check_end(f, PAGE_END_NO_CURSOR);
}

/* --- pages that are refused ------------------------------------------------------------------------------- */

static void refuse(struct fixture *f, int status)
{
    discoveries_release(&f->out);
    assert_int_equal(pages_read_refused(&f->job, f->request, status, &f->out), RESULT_OK);
}

/* The page after `full` full ones and, when `tail`, one with a single record. */
static void begin_refused(struct fixture *f, const struct job_pages *pages, unsigned full,
                          bool tail)
{
    fixture_begin(f, *pages, LIST "?page=1");
    for (unsigned i = 0; i < full + tail; i++) {
        fixture_read(f, fixture_items(10 * i, i < full ? 10 : 1, ""));
        fixture_follow(f, 0);
    }
}

static void refused_page__is_the_end__by_number(void **state)
{
    static const struct {
        int status;
        bool tail; /* the page before was not full */
        bool is_end;
    } cases[] = {
        { 404, true, true }, { 410, true, true },   { 416, true, true },   { 400, true, true },
        { 422, true, true }, { 403, true, false },  { 401, true, false },  { 500, true, false },
        { 0, true, false },  { 422, false, false }, { 403, false, false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin_refused(f, &by_number, 2, cases[i].tail);
        refuse(f, cases[i].status);
        if (f->out.page.is_page != cases[i].is_end) {
            fail_msg("%d, %s", cases[i].status,
                     cases[i].tail ? "a short page before" : "full ones");
        }
        CHECK_NOTHING(f);
        check_end(f, cases[i].is_end ? PAGE_END_STATUS : PAGE_END_NONE);
    }
}

static void refused_page__after_full_ones__is_followed_by_one_more(void **state)
{
    struct fixture *f = *state;

    begin_refused(f, &by_number, 2, false);
    refuse(f, 404);
    CHECK_FOUND(f, LIST "?page=4");
    assert_true(f->out.page.is_page);
    check_end(f, PAGE_END_NONE);
    fixture_follow(f, 0);
    refuse(f, 404);
    CHECK_NOTHING(f);
    check_end(f, PAGE_END_STATUS);
    begin_refused(f, &by_number, 100, false); /* 1000 records: a window of a search engine */
    refuse(f, 400);
    assert_false(f->out.page.is_page);
}

static void refused_page__that_was_told_of__has_failed(void **state)
{
    struct job_pages pages = by_number;
    struct fixture *f = *state;

    fixture_begin(f, by_cursor, LIST);
    fixture_read(f, fixture_items(0, 2, "\"next\":\"b\""));
    fixture_follow(f, 0);
    refuse(f, 404);
    assert_false(f->out.page.is_page);
    pages.has_more = TEXT("/more");
    fixture_begin(f, pages, LIST "?page=1");
    refuse(f, 404); /* the first page */
    assert_false(f->out.page.is_page);
    fixture_read(f, fixture_items(0, 2, "\"more\":true"));
    fixture_follow(f, 0);
    refuse(f, 404);
    assert_false(f->out.page.is_page);
}

static void ends__have_words_and_names_of_their_own(void **state)
{
    (void)state;
    for (int a = 0; a <= PAGE_END_FAILED; a++) {
        const char *name = page_end_name((enum page_end)a);

        assert_true(page_end_words((enum page_end)a)[0] && name[0]);
        assert_null(strchr(name, ' '));
        for (int b = 0; b < a; b++) {
            if (strcmp(name, "other") != 0) {
                assert_string_not_equal(name, page_end_name((enum page_end)b));
            }
        }
    }
    assert_true(page_end_is_loss((enum page_end)99)); /* of a later version */
    assert_false(page_end_is_loss(PAGE_END_RULE));
    assert_true(page_end_is_loss(PAGE_END_GAP));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGES_TEST(listing__ends_for_one_reason),
        PAGES_TEST(listing__has_no_reason__while_it_goes_on),
        PAGES_TEST(is_last__ends_a_listing),
        PAGES_TEST(total__is_proved__by_the_page_after_a_full_last_one),
        PAGES_TEST(total__is_believed__when_something_else_agrees),
        PAGES_TEST(empty_page__is_doubted__after_full_ones),
        PAGES_TEST(empty_page__is_doubted__when_it_says_that_there_is_more),
        PAGES_TEST(short_page__in_the_middle_is_told),
        PAGES_TEST(cursor__that_stays_the_same__is_followed_while_records_change),
        PAGES_TEST(next__is_found__in_an_array_of_links),
        PAGES_TEST(members__are_parameters__of_the_next_request_alone),
        PAGES_TEST(refused_page__is_the_end__by_number),
        PAGES_TEST(refused_page__after_full_ones__is_followed_by_one_more),
        PAGES_TEST(refused_page__that_was_told_of__has_failed),
        PAGES_TEST(ends__have_words_and_names_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
