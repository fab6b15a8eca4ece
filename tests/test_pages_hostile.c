#include "plan/pages/pages.h"

#include "base/json_scan.h"
#include "pages_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- round in circles ----------------------------------------------------------------------------------- */

static void same_page__ends_the_listing(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_NUMBER, .param = TEXT("page") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST "?page=1");
    fixture_read(f, fixture_items(0, 2, ""));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(0, 2, ""));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_SAME_PAGE, "page 2 has the very records");
    assert_int_equal(f->out.page.records, 0);

    fixture_begin(f, by_total, LIST "?page=1"); /* a server to which `page` means nothing */
    fixture_read(f, fixture_items(0, 2, "\"total\":6"));
    fixture_follow(f, 1);
    fixture_read(f, fixture_items(0, 2, "\"total\":6"));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_SAME_PAGE, "page 3 has the very records");
}

static void next__to_itself__is_told(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_next, LIST "?page=2");
    fixture_read(f, fixture_items(0, 2, "\"next\":\"/list?page=2\""));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_BACK, "page 1 names itself");
    fixture_read(f, fixture_items(0, 0, "\"next\":\"/list?page=2\""));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f); /* a way to say that this is the end */

    fixture_begin(f, by_cursor, LIST "?after=c%2F1");
    fixture_read(f, fixture_items(0, 2, "\"next\":\"c/1\""));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_BACK, "page 1 names itself");
}

static void next__in_the_body__to_itself_is_told(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_CURSOR,
                               .param = TEXT("/after"),
                               .next = TEXT("/next") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST);
    fixture_set_body(f, "{\"after\":\"x\"}");
    fixture_read(f, fixture_items(0, 2, "\"next\":\"x\""));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_BACK, "page 1 names itself");
}

static void empty_pages__without_end_are_left(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_NUMBER,
                               .param = TEXT("page"),
                               .has_more = TEXT("/more") };
    struct fixture *f = *state;
    unsigned asked = 0;

    fixture_begin(f, pages, LIST "?page=1");
    for (; asked == 0 || f->out.count; asked++) {
        char text[64];

        if (asked) {
            fixture_follow(f, 0);
        }
        snprintf(text, sizeof text, "\"more\":true,\"n\":%u", asked);
        fixture_read(f, fixture_items(0, 0, text));
        assert_true(asked < 1000);
    }
    assert_int_equal(asked, PAGES_EMPTY_MAX + 1);
    fixture_check_note(f, PAGE_NOTE_ENDLESS, "101 pages without a record");
}

/* Reads pages of which every `full`th has a record, until none is named or there were `max`. */
static unsigned read_sparse(struct fixture *f, const struct job_pages *pages, unsigned full,
                            const char *extra, unsigned max)
{
    unsigned asked = 0;

    fixture_begin(f, *pages, LIST);
    while (asked < max) {
        char text[96];

        snprintf(text, sizeof text, "\"next\":\"c%u\"%s", asked, extra);
        fixture_read(f, fixture_items(asked, asked % full == 0, text));
        asked++;
        if (!f->out.first) {
            break;
        }
        fixture_follow(f, 0);
    }
    return asked;
}

static void empty_pages__between_full_ones_are_gone_on_over(void **state)
{
    struct job_pages told = { .kind = JOB_PAGES_CURSOR,
                              .param = TEXT("after"),
                              .next = TEXT("/next"),
                              .has_more = TEXT("/more") };
    struct job_pages counted = told;
    struct fixture *f = *state;

    counted.has_more = NULL;
    counted.total = TEXT("/total");
    assert_int_equal(read_sparse(f, &told, 50, ",\"more\":true", 300), 300);
    assert_int_equal(read_sparse(f, &counted, 10, ",\"total\":99", 300), 300);
    assert_int_equal(read_sparse(f, &by_cursor, 2, "", 300), 300);
}

/* Some APIs give a cursor with every page, the last one too. */
static void empty_pages__end_a_listing__when_only_a_cursor_says_more(void **state)
{
    struct job_pages counted = { .kind = JOB_PAGES_CURSOR,
                                 .param = TEXT("after"),
                                 .next = TEXT("/next"),
                                 .total = TEXT("/total") };
    struct fixture *f = *state;

    assert_int_equal(read_sparse(f, &by_cursor, 300, "", 300), 3);
    CHECK_NO_NOTE(f);
    assert_int_equal(f->out.page.end, PAGE_END_EMPTY);
    assert_int_equal(read_sparse(f, &counted, 300, ",\"total\":1", 300), 2);
    CHECK_NO_NOTE(f);
    assert_int_equal(f->out.page.end, PAGE_END_TOTAL);
    assert_int_equal(read_sparse(f, &counted, 300, ",\"total\":2", 300), PAGES_EMPTY_TOLD_MAX + 2);
    fixture_check_note(f, PAGE_NOTE_ENDLESS, "11 pages without a record");
    assert_int_equal(f->out.page.end, PAGE_END_ENDLESS);
}

static void pages__without_end_are_left_at_the_limit(void **state)
{
    struct job_pages pages = by_cursor;
    struct fixture *f = *state;

    pages.max = 3;
    fixture_begin(f, pages, LIST);
    fixture_read(f, fixture_items(0, 1, "\"next\":\"a\""));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(1, 1, "\"next\":\"b\""));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 1, "\"next\":\"c\""));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_LIMIT, "more than 3 pages");
}

/* --- next pages that may not be asked -------------------------------------------------------------------- */

static void check_bad_next(struct job_pages pages, const char *next, const char *why)
{
    struct fixture f = { 0 };
    size_t size = strlen(next) + 20;
    char *text = malloc(size);

    assert_non_null(text);
    snprintf(text, size, "\"next\":%s", next);
    fixture_begin(&f, pages, LIST "?page=1");
    fixture_read(&f, fixture_items(0, 1, text));
    CHECK_NOTHING(&f);
    fixture_check_note(&f, PAGE_NOTE_BAD_NEXT, why);
    fixture_end(&f);
    free(text);
}

static void next__that_leads_away__is_not_followed(void **state)
{
    (void)state;
    check_bad_next(by_next, "\"http://api.example.org/list?page=2\"", "http://api.example.org:80");
    check_bad_next(by_next, "\"https://evil.test/list\"", "https://evil.test:443");
    check_bad_next(by_next, "\"//evil.test/list\"", "https://evil.test:443");
    check_bad_next(by_next, "\"https://api.example.org:8443/\"", "https://api.example.org:8443");
    check_bad_next(by_next, "\"https://user:pw@api.example.org/\"", "credentials");
    check_bad_next(by_next, "\"https://api.example.org@evil.test/\"", "credentials");
    check_bad_next(by_next, "\"https://api.example.org.evil.test/\"", "evil.test:443");
    check_bad_next(by_next, "\"file:///etc/passwd\"", "not allowed");
    check_bad_next(by_next, "\"javascript:alert(1)\"", "not allowed");
    check_bad_next(by_next, "\"/list?page=2\\r\\nX-Evil: 1\"", "control character");
    check_bad_next(by_next, "\"http://a b/list\"", "space in URL");
    check_bad_next(by_next, "7", "is 7, no URL");
    check_bad_next(by_next, "{\"href\":\"/x\"}", "no URL");
    check_bad_next(by_next, "[\"/x\"]", "no URL");
    check_bad_next(by_next, "true", "no URL");
}

static void cursor__that_no_request_may_hold__is_refused(void **state)
{
    struct job_pages in_body = { .kind = JOB_PAGES_CURSOR,
                                 .param = TEXT("/after"),
                                 .next = TEXT("/next") };

    (void)state;
    check_bad_next(by_cursor, "\"a\\r\\nX-Evil: 1\"", "line break");
    check_bad_next(by_cursor, "\"a\\u0000b\"", "control character");
    check_bad_next(by_cursor, "\"a\\u007f\"", "control character");
    check_bad_next(by_cursor, "\"\\ud800\"", "half a character");
    check_bad_next(by_cursor, "{\"a\":1}", "neither text nor number");
    check_bad_next(by_cursor, "[1]", "neither text nor number");
    check_bad_next(by_cursor, "true", "neither text nor number");
    check_bad_next(in_body, "\"a\"", "no JSON"); /* there is no body to put it in */
}

static void cursor__too_long_for_a_url__is_refused(void **state)
{
    char *next = malloc(JOB_URL_MAX + 3);

    (void)state;
    assert_non_null(next);
    memset(next, 'x', JOB_URL_MAX + 2);
    next[0] = next[JOB_URL_MAX + 1] = '"';
    next[JOB_URL_MAX + 2] = '\0';
    check_bad_next(by_cursor, next, "too long");
    next[1] = '/';
    check_bad_next(by_next, next, "over 8000 bytes");
    free(next);
}

static void cursor__of_any_json__goes_into_a_body(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_CURSOR,
                               .param = TEXT("/search_after"),
                               .next = TEXT("/items/-/sort") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST);
    fixture_set_body(f, "{}");
    fixture_read(f, "{\"items\":[{\"sort\":[1]},{\"sort\":[1.10,\"x\"]}]}");
    CHECK_FOUND(f, LIST);
    assert_string_equal(fixture_found(f, 0)->texts.body.data, "{\"search_after\":[1.10,\"x\"]}");
}

static void has_more__without_a_cursor__is_told(void **state)
{
    struct job_pages pages = by_cursor;
    struct fixture *f = *state;

    pages.has_more = TEXT("/more");
    fixture_begin(f, pages, LIST);
    fixture_read(f, fixture_items(0, 1, "\"more\":true,\"next\":null"));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_BAD_NEXT, "/more says there is more, but /next finds nothing");
}

static void link__that_is_none__ends_the_listing(void **state)
{
    static const char *const links[] = {
        "",
        "<",
        "<>",
        "nonsense",
        "<" LIST "?p=2>",
        "<" LIST "?p=2>; rel=prev",
        "<" LIST "?p=2; rel=next",
        "<" LIST "?p=2>; rel=\"prev",
        "<x>; anchor=\"/y\"; rel=next",
        "<x>; title=\"a, rel=next\"",
        ",,,",
        ";;;",
        "<x>; rel",
        "<x>; rel=",
        "<x>; rel=\"\\",
    };
    struct fixture *f = *state;

    fixture_begin(f, by_link, LIST);
    f->headers[0] = "link";
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        f->headers[1] = links[i];
        fixture_read(f, fixture_items(0, 1, ""));
        if (f->out.count) {
            fail_msg("%s", links[i]);
        }
    }
}

static void link__is_found_in_any_header_and_word(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_link, LIST);
    f->headers[0] = "link";
    f->headers[1] = "<a>; rel=prev, <b,c;d>; rel=\"up\"";
    f->headers[2] = "link";
    f->headers[3] = " ,<?p=2>;title=\"x \\\" > ,\";REL=\"last Next\" ; rel=prev";
    fixture_read(f, fixture_items(0, 1, ""));
    CHECK_FOUND(f, LIST "?p=2");
    f->headers[1] = "<https://evil.test/>; rel=next";
    fixture_read(f, fixture_items(0, 1, ""));
    CHECK_NOTHING(f);
    fixture_check_note(f, PAGE_NOTE_BAD_NEXT, "evil.test");
}

static void link__that_counts_without_end__is_bounded(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_link, LIST);
    f->headers[0] = "link";
    f->headers[1] = "<?page=2>; rel=next, <?page=18446744073709551615>; rel=last";
    fixture_read(f, fixture_items(0, 1, ""));
    assert_int_equal(f->out.count, PAGES_BLOCK);
    assert_non_null(fixture_note(f, PAGE_NOTE_LIMIT));
    f->headers[1] = "<?page=9>; rel=next, <?page=3>; rel=last";
    fixture_read(f, fixture_items(0, 1, ""));
    CHECK_FOUND(f, LIST "?page=9");
    f->headers[1] = "<?page=2>; rel=next, <https://evil.test/?page=3>; rel=last";
    fixture_read(f, fixture_items(0, 1, ""));
    CHECK_FOUND(f, LIST "?page=2");
}

/* --- pointers that find nothing ---------------------------------------------------------------------------- */

static void pointer__that_finds_nothing__is_told_with_what_is_there(void **state)
{
    struct job_pages pages = by_total;
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST);
    fixture_read(f, "{\"data\":{\"rows\":[1,2,3],\"tags\":[]},\"meta\":{\"count\":3,\"of\":9}}");
    CHECK_NOTHING(f);
    assert_int_equal(f->out.page.records, 0);
    for (const struct page_note *note = f->out.notes; note; note = note->next) {
        assert_int_equal(note->kind, PAGE_NOTE_NO_MATCH);
        assert_string_equal(note->text,
                            note->text[1] == 'i'
                                ? "/items finds nothing; there are /data/rows [3], /data/tags [0]"
                                : "/total finds nothing; there are /meta/count, /meta/of");
    }
    fixture_read(f, "[1,2]");
    fixture_check_note(f, PAGE_NOTE_NO_MATCH, "the body is an array of 2");
}

static void pointer__that_finds_nothing_later__is_not_told(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_next, LIST);
    fixture_read(f, fixture_items(0, 1, "\"next\":\"?page=2\""));
    CHECK_NO_NOTE(f);
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(1, 1, ""));
    CHECK_NO_NOTE(f);
    CHECK_NOTHING(f);
}

static void body__that_is_none__ends_the_listing(void **state)
{
    static const struct job_pages *const kinds[] = { &by_total, &by_cursor, &by_next, &by_link };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        fixture_begin(f, *kinds[i], LIST);
        fixture_read_str(f, STR(""));
        CHECK_NOTHING(f);
        fixture_read(f, "null");
        CHECK_NOTHING(f);
        fixture_read(f, " \"text\" ");
        CHECK_NOTHING(f);
    }
}

static void body__of_great_depth_and_width__is_read(void **state)
{
    struct job_pages pages = by_total;
    struct fixture *f = *state;
    const size_t depth = JSON_DEPTH_MAX - 2;
    char *text = malloc(2 * depth + 64);

    assert_non_null(text);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    fixture_begin(f, pages, LIST);
    fixture_read(f, text);
    CHECK_NOTHING(f);
    free(text);
}

static void member__that_comes_twice__counts_once(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, "{\"total\":999,\"items\":[1,2,3],\"\\u0074otal\":4,\"items\":[1,2]}");
    CHECK_FOUND(f, LIST "?page=2");
    assert_int_equal(f->out.page.records, 2);
}

/* --- mutations ---------------------------------------------------------------------------------------------- */

/* xorshift64: the same bodies in every run. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static const char *const seeds[] = {
    "{\"items\":[{\"id\":1},{\"id\":2}],\"total\":100,\"next\":\"/list?page=2\",\"more\":true}",
    "{\"items\":[],\"total\":\"7\",\"next\":12345678901234567890,\"more\":false}",
    "{\"next\":\"https:\\/\\/api.example.org\\/list?page=2\",\"items\":[[1],[2,3]],\"total\":-1}",
    "[{\"next\":\"c\\u00fc/+=\"},null,1e9]",
};

/* Puts pieces of JSON over and between the bytes. */
static size_t mutate(uint64_t *random, const char *seed, char *text, size_t size)
{
    static const char *const pieces[] = { "null",       "0",     "-1",         "[",       "]",
                                          "{\"next\":", "}",     "\"",         "\\u0000", ",",
                                          ":",          "1e999", "\"total\":", "\xC3" };
    size_t len = strlen(seed);

    memcpy(text, seed, len);
    for (unsigned i = 0; i < 1 + draw(random) % 4; i++) {
        const char *piece = pieces[draw(random) % (sizeof pieces / sizeof pieces[0])];
        size_t at = draw(random) % (len + 1), with = strlen(piece), over = draw(random) % 3;

        over = over > len - at ? len - at : over;
        if (len + with < size) {
            memmove(text + at + with, text + at + over, len - at - over);
            memcpy(text + at, piece, with);
            len += with - over;
        }
    }
    return len;
}

/* Whatever comes, nothing leaves the origin, nothing is named in masses, and the sanitizers are content. */
static void any_body__is_survived(void **state)
{
    static const struct job_pages *const kinds[] = { &by_total, &by_cursor, &by_next, &by_link,
                                                     &automatic };
    struct fixture *f = *state;
    uint64_t random = 88172645463325252U;
    char text[1024], link[512];
    unsigned valid = 0;

    for (unsigned round = 0; round < 20000; round++) {
        size_t len = mutate(&random, seeds[round % 4], text, sizeof text);
        struct str body = { text, len };

        fixture_begin(f, *kinds[draw(&random) % 5], LIST "?page=1");
        link[mutate(&random, "<?page=2>; rel=\"next\", <?page=9>; rel=last", link,
                    sizeof link - 1)] = '\0';
        f->headers[0] = "link";
        f->headers[1] = link;
        if (json_check(body, JSON_DEPTH_MAX, NULL)) {
            valid++;
            fixture_read_str(f, body);
            assert_true(f->out.count <= 2 * PAGES_BLOCK);
            for (const struct discovered *at = f->out.first; at; at = at->next) {
                assert_true(str_starts(at->texts.url, STR("https://api.example.org")));
                assert_true(at->texts.url.len <= JOB_URL_MAX);
            }
        }
    }
    assert_true(valid > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGES_TEST(same_page__ends_the_listing),
        PAGES_TEST(next__to_itself__is_told),
        PAGES_TEST(next__in_the_body__to_itself_is_told),
        PAGES_TEST(empty_pages__without_end_are_left),
        PAGES_TEST(empty_pages__between_full_ones_are_gone_on_over),
        PAGES_TEST(empty_pages__end_a_listing__when_only_a_cursor_says_more),
        PAGES_TEST(pages__without_end_are_left_at_the_limit),
        PAGES_TEST(next__that_leads_away__is_not_followed),
        PAGES_TEST(cursor__that_no_request_may_hold__is_refused),
        PAGES_TEST(cursor__too_long_for_a_url__is_refused),
        PAGES_TEST(cursor__of_any_json__goes_into_a_body),
        PAGES_TEST(has_more__without_a_cursor__is_told),
        PAGES_TEST(link__that_is_none__ends_the_listing),
        PAGES_TEST(link__is_found_in_any_header_and_word),
        PAGES_TEST(link__that_counts_without_end__is_bounded),
        PAGES_TEST(pointer__that_finds_nothing__is_told_with_what_is_there),
        PAGES_TEST(pointer__that_finds_nothing_later__is_not_told),
        PAGES_TEST(body__that_is_none__ends_the_listing),
        PAGES_TEST(body__of_great_depth_and_width__is_read),
        PAGES_TEST(member__that_comes_twice__counts_once),
        PAGES_TEST(any_body__is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
