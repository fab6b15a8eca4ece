/* Errors that are told with status 200: what they look like, and that no page is taken for its listing's
 * end because of one. */
#include "base/json_scan.h"
#include "plan/error_object.h"

#include "pages_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* --- error objects -------------------------------------------------------------------------------- */

static void error_object__is_found(void **state)
{
    static const struct {
        const char *body, *at, *words;
        bool is_sure;
    } bodies[] = {
        { "{\"error\":{\"code\":504,\"message\":\"timed out\"}}", "/error", "timed out", true },
        { "{\"error\":\"quota\"}", "/error", "quota", true },
        { "{\"items\":[],\"error\":\"quota\"}", "/error", "quota", true },
        { "{\"data\":null,\"errors\":[{\"message\":\"limit\"},{}]}", "/errors", "limit", true },
        { "{\"Error Message\":\"Invalid call\"}", "/Error Message", "Invalid call", true },
        { "{\"status\":{\"error_code\":1008,\"error_message\":\"x\"}}", "/status/error_message",
          "x", true },
        { "{\"success\":false,\"items\":null}", "/success", "false", true },
        { "{\"Response\":\"False\"}", "/Response", "False", true },
        { "{\"stat\":\"fail\",\"code\":1,\"list\":[]}", "/stat", "fail", true },
        { "{\"code\":429,\"text\":\"later\"}", "/code", "429", false },
        { "{\"message\":\"Too many requests\"}", "/message", "Too many requests", false },
        { "{\"type\":\"about:blank\",\"status\":503,\"title\":\"busy\"}", "/status", "503", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct error_object found;
        struct str words;

        if (!error_object_find(str_view(bodies[i].body), &found)) {
            fail_msg("%s: no error", bodies[i].body);
        }
        assert_string_equal(found.at, bodies[i].at);
        words = error_object_words(&found);
        if (!str_equal(words, str_view(bodies[i].words))) {
            fail_msg("%s: \"%.*s\"", bodies[i].body, STR_ARG(words));
        }
        assert_int_equal(found.is_sure, bodies[i].is_sure);
    }
}

static void error_object__is_none__in_a_body_that_is_well(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "[{\"error\":\"x\"}]",
        "{}",
        "{\"items\":[],\"error\":null,\"errors\":[]}",
        "{\"items\":[],\"error\":\"\",\"errors\":{}}",
        "{\"items\":[],\"error\":false,\"error_code\":0,\"errorMessage\":\"none\"}",
        "{\"success\":true,\"ok\":true,\"status\":\"ok\",\"code\":200,\"items\":[]}",
        "{\"message\":\"all of it\",\"items\":[]}",
        "{\"total\":0,\"page\":4}",
        "{\"meta\":{\"code\":404,\"message\":\"x\"},\"items\":[]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct error_object found;

        if (error_object_find(str_view(bodies[i]), &found)) {
            fail_msg("%s: %s", bodies[i], found.at);
        }
    }
}

/* --- pages ---------------------------------------------------------------------------------------- */

static const struct job_pages by_cursor_and_more = { .kind = JOB_PAGES_CURSOR,
                                                     .param = TEXT("after"),
                                                     .next = TEXT("/next"),
                                                     .has_more = TEXT("/more") };
static const struct job_pages by_sized_total = { .kind = JOB_PAGES_NUMBER,
                                                 .param = TEXT("page"),
                                                 .first = 1,
                                                 .has_first = true,
                                                 .size = 2,
                                                 .total = TEXT("/total") };

struct style {
    const char *name;
    const struct job_pages *pages;
    const char *first; /* what the first page says beside its records */
};

static const struct style styles[] = {
    { "cursor", &by_cursor_and_more, "\"next\":\"a\"" },
    { "number", &by_number, "" },
    { "total", &by_sized_total, "\"total\":6" },
    { "next", &by_next, "\"next\":\"" LIST "?p=2\"" },
    { "link", &by_link, "" },
    { "auto", &automatic, "\"next\":\"" LIST "?p=2\"" },
};

/* The reply to the second page of a listing whose first page had records. */
static void read_second(struct fixture *f, const struct style *style, const char *body)
{
    fixture_begin(f, *style->pages, LIST);
    if (style->pages->kind == JOB_PAGES_LINK) {
        f->headers[0] = "link";
        f->headers[1] = "<" LIST "?p=2>; rel=next";
    }
    fixture_read(f, fixture_items(0, 2, style->first));
    assert_false(f->out.is_no_page);
    fixture_follow(f, 0);
    f->headers[0] = NULL;
    assert_true(!body[0] || json_check(str_view(body), JSON_DEPTH_MAX, NULL));
    fixture_read_str(f, str_view(body));
}

static void page__has_failed__without_records_after_pages_with_some(void **state)
{
    static const char *const bodies[] = {
        "{\"error\":{\"code\":504,\"message\":\"timed out\"}}",
        "{\"data\":null,\"errors\":[{\"message\":\"limit\"}]}",
        "{\"items\":[],\"error\":\"limit\"}",
        "{\"items\":null,\"errors\":[\"limit\"]}",
        "{\"rows\":[{}]}",
        "{}",
        "[]",
        "null",
        "{\"items\":\"limit\"}",
        "{\"error\":\"limit\",\"total\":0}",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++) {
        for (size_t k = 0; k < sizeof bodies / sizeof bodies[0]; k++) {
            read_second(f, &styles[i], bodies[k]);
            if (!f->out.is_no_page || f->out.first || !f->out.why[0]) {
                fail_msg("%s, %s: taken for a page", styles[i].name, bodies[k]);
            }
        }
    }
}

static void page__without_records__may_be_the_last(void **state)
{
    static const char *const bodies[] = { "{\"items\":[]}", "{\"items\":null}",
                                          "{\"items\":[],\"error\":null}" };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++) {
        for (size_t k = 0; k < sizeof bodies / sizeof bodies[0]; k++) {
            read_second(f, &styles[i], bodies[k]);
            if (f->out.is_no_page) {
                fail_msg("%s, %s: %s", styles[i].name, bodies[k], f->out.why);
            }
        }
    }
    read_second(f, &styles[0], "{\"more\":false}"); /* it says that this is the end */
    assert_false(f->out.is_no_page);
    read_second(f, &styles[0], ""); /* 204 */
    assert_false(f->out.is_no_page);
}

static void page__has_failed__as_the_first__with_an_error_only(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, by_cursor_and_more, LIST);
    fixture_read(f, "{\"error\":{\"message\":\"limit\"}}");
    assert_true(f->out.is_no_page);
    assert_string_equal(f->out.why, "no records: /items is absent, /error says");
    assert_int_equal(f->out.said.len, strlen("limit"));
    fixture_read(f, "{\"rows\":[]}");
    assert_false(f->out.is_no_page);
    assert_non_null(fixture_note(f, PAGE_NOTE_NO_MATCH));
}

static void page__tells__what_there_is_instead(void **state)
{
    struct fixture *f = *state;

    read_second(f, &styles[0], "{\"rows\":[1,2]}");
    assert_string_equal(f->out.why, "no records: /items is absent; there are /rows [2]");
}

static void single__has_failed__when_records_are_absent_beside_an_error(void **state)
{
    static char records[] = "/items";
    struct job_endpoint endpoint = { .records = records };
    struct discoveries out = { .first = NULL };

    (void)state;
    pages_check_single(&endpoint, STR("{\"items\":[]}"), &out);
    assert_false(out.is_no_page);
    pages_check_single(&endpoint, STR("{\"rows\":[]}"), &out);
    assert_false(out.is_no_page);
    pages_check_single(&endpoint, STR("{\"error\":\"limit\"}"), &out);
    assert_true(out.is_no_page);
    out.is_no_page = false;
    endpoint.records = NULL; /* the body is the record */
    pages_check_single(&endpoint, STR("{\"error\":\"limit\"}"), &out);
    assert_false(out.is_no_page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGES_TEST(error_object__is_found),
        PAGES_TEST(error_object__is_none__in_a_body_that_is_well),
        PAGES_TEST(page__has_failed__without_records_after_pages_with_some),
        PAGES_TEST(page__without_records__may_be_the_last),
        PAGES_TEST(page__has_failed__as_the_first__with_an_error_only),
        PAGES_TEST(page__tells__what_there_is_instead),
        PAGES_TEST(single__has_failed__when_records_are_absent_beside_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
