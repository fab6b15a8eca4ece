#include "plan/pages/pages.h"

#include "pages_fixture.h"
#include "plan/sort_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct job_pages by_offset = { .kind = JOB_PAGES_OFFSET,
                                            .param = TEXT("_start"),
                                            .size_param = TEXT("_limit"),
                                            .size = 50,
                                            .total = TEXT("header:X-Total-Count") };
static const struct job_pages by_meta_cursor = { .kind = JOB_PAGES_CURSOR,
                                                 .param = TEXT("after"),
                                                 .next = TEXT("/meta/next") };
static const struct job_pages by_paging_next = { .kind = JOB_PAGES_NEXT,
                                                 .next = TEXT("/paging/next") };

/* --- first requests ------------------------------------------------------------------------------- */

static void check_first(struct job_pages pages, const char *url, const char *body,
                        const char *want_url, const char *want_body, const char *want_key)
{
    struct job_endpoint endpoint = { .pages = pages };
    struct request_texts given = { .key = STR("toronto"),
                                   .url = str_view(url),
                                   .body = str_view(body) };
    struct pages_first made = { .url = { 0 } };
    struct err err = { .text = "" };

    if (pages_first(&endpoint, &given, &made, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(buf_cstr(&made.url), want_url);
    assert_string_equal(buf_cstr(&made.body), want_body);
    assert_string_equal(buf_cstr(&made.key), want_key);
    pages_first_release(&made);
}

static void first__sets_page_and_size_in_the_query(void **state)
{
    struct job_pages pages = by_total;

    (void)state;
    pages.size = 50;
    pages.size_param = TEXT("per_page");
    check_first(pages, LIST, NULL, LIST "?page=1&per_page=50", "", "toronto,page=1");
    check_first(pages, LIST "?per_page=7&x=1&page=9#top", NULL, LIST "?per_page=50&x=1&page=1", "",
                "toronto,page=1");
    pages.has_first = true;
    pages.param = TEXT("page[number]");
    check_first(pages, LIST "?page%5Bnumber%5D=4", NULL, LIST "?page%5Bnumber%5D=0&per_page=50", "",
                "toronto,page[number]=0");
    check_first(pages, LIST, NULL, LIST "?page%5Bnumber%5D=0&per_page=50", "",
                "toronto,page[number]=0");
    check_first(by_offset, LIST, NULL, LIST "?_start=0&_limit=50", "", "toronto,_start=0");
}

static void first__sets_page_and_size_in_the_body(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_OFFSET,
                               .param = TEXT("/variables/skip"),
                               .size_param = TEXT("/variables/page/size"),
                               .size = 20 };

    (void)state;
    check_first(pages, LIST, "{\"query\": \"q\"}", LIST,
                "{\"query\": \"q\",\"variables\":{\"skip\":0,\"page\":{\"size\":20}}}",
                "toronto,skip=0");
    check_first(pages, LIST, "{\"variables\":{\"skip\":99,\"page\":null}}", LIST,
                "{\"variables\":{\"skip\":0,\"page\":{\"size\":20}}}", "toronto,skip=0");
}

static void first__leaves_the_rest_to_the_server(void **state)
{
    (void)state;
    check_first(by_meta_cursor, LIST "?a=1", "{}", LIST "?a=1", "{}", "toronto,page=1");
    check_first((struct job_pages){ .kind = JOB_PAGES_NONE }, LIST, NULL, LIST, "", "toronto");
}

static void first__refuses__a_body_that_cannot_take_it(void **state)
{
    struct job_endpoint endpoint = { .pages = { .kind = JOB_PAGES_NUMBER, .param = TEXT("/a/b") } };
    static const char *const bodies[] = { "a=1", "{\"a\":5}", "[]" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct request_texts given = { .url = STR(LIST), .body = str_view(bodies[i]) };
        struct pages_first made = { .url = { 0 } };
        struct err err;

        assert_int_equal(pages_first(&endpoint, &given, &made, &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-PAG1");
        pages_first_release(&made);
    }
}

/* --- totals ----------------------------------------------------------------------------------------- */

static void number__names_all_others__when_the_total_is_known(void **state)
{
    struct fixture *f = *state;
    const struct discovered *last;

    fixture_begin(f, by_total, LIST "?page=1&q=a+b");
    fixture_read(f, fixture_items(0, 2, "\"total\":7"));
    CHECK_FOUND(f, LIST "?page=2&q=a+b", LIST "?page=3&q=a+b", LIST "?page=4&q=a+b");
    CHECK_NO_NOTE(f);
    assert_int_equal(f->out.page.records, 2);
    last = fixture_found(f, 2);
    assert_string_equal(last->texts.key.data, "k,page=4");
    assert_int_equal(last->page.chain, 7);
    assert_int_equal(last->page.number, 4);
    assert_int_equal(last->page.ordinal, 3);
    assert_int_equal(last->page.expected, 4);
    assert_int_equal(last->page.total, 7);
    fixture_follow(f, 2);
    fixture_read(f, fixture_items(6, 1, "\"total\":7"));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
}

static void number__has_places_in_the_order_of_pages(void **state)
{
    struct fixture *f = *state;
    struct sort_key first;

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 1, "\"total\":300"));
    assert_int_equal(f->out.count, 299);
    sort_key_of(f->request, &first);
    assert_true(sort_key_compare(sort_key_view(&first), fixture_found(f, 0)->texts.sort_key) < 0);
    for (const struct discovered *at = f->out.first; at->next; at = at->next) {
        assert_true(sort_key_compare(at->texts.sort_key, at->next->texts.sort_key) < 0);
    }
}

static void number__reads_total_pages(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_NUMBER,
                               .param = TEXT("p"),
                               .has_first = true,
                               .total_pages = TEXT("/meta/pages") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST);
    fixture_read(f, fixture_items(0, 2, "\"meta\":{\"pages\":3}"));
    CHECK_FOUND(f, LIST "?p=1", LIST "?p=2");
    fixture_read(f, fixture_items(0, 0, "\"meta\":{\"pages\":0}"));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
}

static void number__goes_on_in_blocks__when_there_are_many(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 1, "\"total\":2500"));
    assert_int_equal(f->out.count, PAGES_BLOCK);
    assert_string_equal(fixture_url(f, 0), LIST "?page=2");
    assert_string_equal(fixture_url(f, PAGES_BLOCK - 1), LIST "?page=1001");
    fixture_follow(f, 1);
    fixture_read(f, fixture_items(2, 1, "\"total\":2500"));
    CHECK_NOTHING(f);

    fixture_begin(f, by_total, LIST "?page=1");
    fixture_read(f, fixture_items(0, 1, "\"total\":2500"));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(1, 1, "\"total\":2500"));
    assert_int_equal(f->out.count, PAGES_BLOCK);
    assert_string_equal(fixture_url(f, 0), LIST "?page=1002");
    assert_string_equal(fixture_url(f, PAGES_BLOCK - 1), LIST "?page=2001");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(1001, 1, "\"total\":2500"));
    assert_int_equal(f->out.count, 499);
    assert_string_equal(fixture_url(f, 498), LIST "?page=2500");
    assert_int_equal(fixture_found(f, 498)->page.expected, 2500);
    CHECK_NO_NOTE(f);
}

static void offset__steps_by_the_size(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_offset, LIST "?_start=0&_limit=50");
    f->headers[0] = "x-total-count";
    f->headers[1] = "120";
    fixture_read(f, fixture_items(0, 50, ""));
    CHECK_FOUND(f, LIST "?_start=50&_limit=50", LIST "?_start=100&_limit=50");
    assert_string_equal(fixture_found(f, 1)->texts.key.data, "k,_start=100");
}

static void offset__steps_by_what_comes__when_the_server_has_a_smaller_page(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_offset, LIST "?_start=0&_limit=50");
    f->headers[0] = "x-total-count";
    f->headers[1] = "120";
    fixture_read(f, fixture_items(0, 40, ""));
    CHECK_FOUND(f, LIST "?_start=40&_limit=50", LIST "?_start=80&_limit=50");
}

static void number__goes_until_a_page_is_empty__without_a_total(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_NUMBER, .param = TEXT("page") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST "?page=1");
    fixture_read(f, fixture_items(0, 2, ""));
    CHECK_FOUND(f, LIST "?page=2");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 1, ""));
    CHECK_FOUND(f, LIST "?page=3");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(3, 0, ""));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
}

static void number__heeds_has_more(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_NUMBER,
                               .param = TEXT("page"),
                               .has_more = TEXT("/more") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST "?page=1");
    fixture_read(f, fixture_items(0, 0, "\"more\":true"));
    CHECK_FOUND(f, LIST "?page=2");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(0, 2, "\"more\":false"));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
}

/* --- cursors ---------------------------------------------------------------------------------------- */

static void check_cursor(const char *json, const char *encoded)
{
    struct fixture f = { 0 };
    char text[200], url[200];

    fixture_begin(&f, by_meta_cursor, LIST "?after=old&n=1");
    snprintf(text, sizeof text, "\"meta\":{\"next\":%s}", json);
    snprintf(url, sizeof url, LIST "?after=%s&n=1", encoded);
    fixture_read(&f, fixture_items(0, 1, text));
    CHECK_FOUND(&f, url);
    CHECK_NO_NOTE(&f);
    fixture_end(&f);
}

static void cursor__is_copied_byte_for_byte(void **state)
{
    (void)state;
    check_cursor("\"c/50+0a1b==\"", "c%2F50%2B0a1b%3D%3D");
    check_cursor("9223372036854775809", "9223372036854775809");
    check_cursor("123456789012345678901234567890", "123456789012345678901234567890");
    check_cursor("1.50e+3", "1.50e%2B3");
    check_cursor("\"a b&c=d#e%20\"", "a%20b%26c%3Dd%23e%2520");
    check_cursor("\"\\u00e9\xC3\xA9\\/\\\"\"", "%C3%A9%C3%A9%2F%22");
    check_cursor("\"\\ud83d\\ude00\"", "%F0%9F%98%80");
}

static void cursor__goes_into_the_body_as_it_came(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_CURSOR,
                               .param = TEXT("/variables/after"),
                               .next = TEXT("/data/items/pageInfo/endCursor"),
                               .has_more = TEXT("/data/items/pageInfo/hasNextPage") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST);
    f->endpoint.records = TEXT("/data/items/nodes");
    fixture_set_body(f, "{\"query\":\"{ items }\",\"variables\":{\"n\":1}}");
    fixture_read(f, "{\"data\":{\"items\":{\"nodes\":[1],\"pageInfo\":{\"hasNextPage\":true,"
                    "\"endCursor\":\"Y\\u00fc\\/+==\"}}}}");
    CHECK_FOUND(f, LIST);
    assert_string_equal(
        fixture_found(f, 0)->texts.body.data,
        "{\"query\":\"{ items }\",\"variables\":{\"n\":1,\"after\":\"Y\\u00fc\\/+==\"}}");
    fixture_follow(f, 0);
    fixture_read(f, "{\"data\":{\"items\":{\"nodes\":[2],\"pageInfo\":{\"hasNextPage\":true,"
                    "\"endCursor\":18446744073709551617}}}}");
    assert_string_equal(
        fixture_found(f, 0)->texts.body.data,
        "{\"query\":\"{ items }\",\"variables\":{\"n\":1,\"after\":18446744073709551617}}");
    fixture_follow(f, 0);
    fixture_read(f, "{\"data\":{\"items\":{\"nodes\":[3],\"pageInfo\":{\"hasNextPage\":false,"
                    "\"endCursor\":\"last\"}}}}");
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
}

static void cursor__may_be_of_the_last_record(void **state)
{
    struct job_pages pages = { .kind = JOB_PAGES_CURSOR,
                               .param = TEXT("since"),
                               .next = TEXT("/items/-/id") };
    struct fixture *f = *state;

    fixture_begin(f, pages, LIST);
    fixture_read(f, fixture_items(5, 4, ""));
    CHECK_FOUND(f, LIST "?since=8");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(0, 0, ""));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
}

static void cursor__ends__when_there_is_none(void **state)
{
    static const char *const ends[] = { "null", "\"\"", "false", "0", "\"0\"", "-1" };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char text[64];

        fixture_begin(f, by_meta_cursor, LIST);
        snprintf(text, sizeof text, "\"meta\":{\"next\":%s}", ends[i]);
        fixture_read(f, fixture_items(0, 3, text));
        CHECK_NOTHING(f);
        CHECK_NO_NOTE(f);
    }
}

/* --- next and Link ------------------------------------------------------------------------------------ */

static void check_next(const char *reference, const char *url)
{
    struct fixture f = { 0 };
    char text[300];

    fixture_begin(&f, by_paging_next, "https://api.example.org/v1/list?page=1");
    snprintf(text, sizeof text, "\"paging\":{\"next\":\"%s\"}", reference);
    fixture_read(&f, fixture_items(0, 1, text));
    CHECK_FOUND(&f, url);
    CHECK_NO_NOTE(&f);
    fixture_end(&f);
}

static void next__is_resolved(void **state)
{
    (void)state;
    check_next("https://api.example.org/v1/list?page=2", "https://api.example.org/v1/list?page=2");
    check_next("https:\\/\\/API.example.org:443\\/v1", "https://API.example.org:443/v1");
    check_next("/v1/list?page=2#x", "https://api.example.org/v1/list?page=2");
    check_next("list?page=2", "https://api.example.org/v1/list?page=2");
    check_next("?page=2", "https://api.example.org/v1/list?page=2");
    check_next("../v2/./list", "https://api.example.org/v2/list");
    check_next("//api.example.org/x", "https://api.example.org/x");
    check_next("/list?$filter=Name eq 'A B'",
               "https://api.example.org/list?$filter=Name%20eq%20'A%20B'");
    check_next(" /list?q=caf\xC3\xA9|{x}%20 ",
               "https://api.example.org/list?q=caf%C3%A9%7C%7Bx%7D%20");
}

static void link__follows_next(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_link, LIST);
    f->headers[0] = "link";
    f->headers[1] = "<" LIST "?c=abc>; rel=\"next\", <" LIST ">; rel=\"first\"";
    fixture_read(f, fixture_items(0, 1, ""));
    CHECK_FOUND(f, LIST "?c=abc");
    fixture_follow(f, 0);
    f->headers[1] = "<" LIST ">; rel=\"first\"";
    fixture_read(f, fixture_items(1, 1, ""));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
}

/* Sealed before it is written down (engine/seal.c), it is asked again as it was named. */
static void next__is_named_whole__though_the_server_repeats_a_secret(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_link, LIST);
    f->headers[0] = "link";
    f->headers[1] = "</list?api_key=k3y%2bof/mine%3D&after=5&token=k3y+of/mine=>; rel=next";
    fixture_read(f, fixture_items(0, 1, ""));
    CHECK_FOUND(f, LIST "?api_key=k3y%2bof/mine%3D&after=5&token=k3y+of/mine=");
}

static void link__names_all__when_last_can_be_counted_to(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_link, LIST "?n=5");
    f->headers[0] = "link";
    f->headers[1] = "</list?n=5&page=2>; rel=next, </list?n=5&page=4>; rel=last";
    fixture_read(f, fixture_items(0, 1, ""));
    CHECK_FOUND(f, LIST "?n=5&page=2", LIST "?n=5&page=3", LIST "?n=5&page=4");
    assert_int_equal(fixture_found(f, 0)->page.expected, 4);
    fixture_follow(f, 0);
    f->headers[1] = "</list?n=5&page=3>; rel=next, </list?n=5&page=4>; rel=last";
    fixture_read(f, fixture_items(1, 1, ""));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);

    fixture_begin(f, by_link, LIST);
    f->headers[0] = "link";
    f->headers[1] = "</list?offset=50>; rel=next, </list?offset=150>; rel=last";
    fixture_read(f, fixture_items(0, 1, ""));
    CHECK_FOUND(f, LIST "?offset=50", LIST "?offset=100", LIST "?offset=150");
    f->headers[1] = "</list?after=50>; rel=next, </list?after=150>; rel=last";
    fixture_read(f, fixture_items(0, 1, ""));
    CHECK_FOUND(f, LIST "?after=50");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGES_TEST(first__sets_page_and_size_in_the_query),
        PAGES_TEST(first__sets_page_and_size_in_the_body),
        PAGES_TEST(first__leaves_the_rest_to_the_server),
        PAGES_TEST(first__refuses__a_body_that_cannot_take_it),
        PAGES_TEST(number__names_all_others__when_the_total_is_known),
        PAGES_TEST(number__has_places_in_the_order_of_pages),
        PAGES_TEST(number__reads_total_pages),
        PAGES_TEST(number__goes_on_in_blocks__when_there_are_many),
        PAGES_TEST(offset__steps_by_the_size),
        PAGES_TEST(offset__steps_by_what_comes__when_the_server_has_a_smaller_page),
        PAGES_TEST(number__goes_until_a_page_is_empty__without_a_total),
        PAGES_TEST(number__heeds_has_more),
        PAGES_TEST(cursor__is_copied_byte_for_byte),
        PAGES_TEST(cursor__goes_into_the_body_as_it_came),
        PAGES_TEST(cursor__may_be_of_the_last_record),
        PAGES_TEST(cursor__ends__when_there_is_none),
        PAGES_TEST(next__is_resolved),
        PAGES_TEST(link__follows_next),
        PAGES_TEST(next__is_named_whole__though_the_server_repeats_a_secret),
        PAGES_TEST(link__names_all__when_last_can_be_counted_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
