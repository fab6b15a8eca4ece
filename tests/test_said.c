/* What a failed answer said: bounded, without secrets, and in one line. */
#include "engine/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct secrets secrets;
    struct response *response;
    struct buf headers, body;
};

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){ .response = response_new() };
    assert_int_equal(secrets_add(&w.secrets, STR("sesame-42"), "test", NULL), RESULT_OK);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    secrets_release(&w->secrets);
    response_free(w->response);
    buf_release(&w->headers);
    buf_release(&w->body);
    return 0;
}

static void keep(struct world *w, const char *headers, size_t headers_len, struct str body)
{
    buf_reset(&w->headers);
    buf_reset(&w->body);
    buf_reset(&w->response->headers);
    buf_reset(&w->response->body);
    assert_int_equal(buf_append(&w->response->headers, headers, headers_len), RESULT_OK);
    assert_int_equal(buf_append_str(&w->response->body, body), RESULT_OK);
    assert_int_equal(said_keep(&w->secrets, w->response, &w->headers, &w->body), RESULT_OK);
}

static void keep__hides__secrets_wherever_they_stand(void **state)
{
    static const char headers[] = "content-type\0application/json\0set-cookie\0id=1\0"
                                  "x-echo\0you sent sesame-42\0"
                                  "location\0/next?token=abcdef&page=2\0";
    struct world *w = *state;

    keep(w, headers, sizeof headers - 1, STR("{\"error\":\"bad key sesame-42\"}"));
    assert_string_equal(buf_cstr(&w->headers), "content-type: application/json\n"
                                               "set-cookie: ***\n"
                                               "x-echo: you sent ***\n"
                                               "location: /next?token=***&page=2\n");
    assert_string_equal(buf_cstr(&w->body), "{\"error\":\"bad key ***\"}");
}

/* A body of any length: the head, and no beginning of a secret that the cut has made unknown. */
static void keep__is_bounded__at_every_cut(void **state)
{
    struct world *w = *state;
    char body[2 * SAID_BODY_MAX];

    for (size_t at = SAID_BODY_MAX - 12; at < SAID_BODY_MAX + 2; at++) {
        memset(body, 'x', sizeof body);
        memcpy(body + at, "sesame-42", 9);
        keep(w, "", 0, (struct str){ body, sizeof body });
        assert_true(w->body.len <= SAID_BODY_MAX);
        assert_null(memmem(w->body.data, w->body.len, "sesam", 5));
    }
}

static void keep__leaves_out__headers_that_find_no_room(void **state)
{
    struct world *w = *state;
    char headers[3 * SAID_HEADERS_MAX];
    size_t len = 0;

    for (int i = 0; i < 40; i++) {
        len +=
            (size_t)snprintf(headers + len, sizeof headers - len, "x-%02d%c%0100d", i, '\0', i) + 1;
    }
    keep(w, headers, len, STR(""));
    assert_true(w->headers.len <= SAID_HEADERS_MAX && w->headers.len > SAID_HEADERS_MAX - 200);
    assert_int_equal(w->headers.data[w->headers.len - 1], '\n');
}

static void line__is_one_line__of_what_was_said(void **state)
{
    static const struct {
        const char *body, *line;
    } rows[] = {
        { "{\"detail\":\"limit must be \xE2\x89\xA4 500\"}",
          "{\"detail\":\"limit must be \xE2\x89\xA4 500\"}" },
        { "  {\n  \"error\": {\n    \"code\": 7\n  }\n}\n", "{ \"error\": { \"code\": 7 } }" },
        { "", "" },
        { " \r\n\t ", "" },
        { "<!DOCTYPE html>\n<html><head><TITLE lang=en>\n 502 Bad\nGateway </TITLE></head>",
          "502 Bad Gateway" },
        { "<html><body>no title</body></html>", "<html><body>no title</body></html>" },
        { "<error><code>7</code></error>", "<error><code>7</code></error>" },
        { "upstream connect error", "upstream connect error" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[SAID_LINE_MAX];

        said_line(str_view(rows[i].body), line);
        assert_string_equal(line, rows[i].line);
    }
}

/* Whatever is cut, what is left ends with a whole character. */
static void line__is_cut__between_characters(void **state)
{
    char body[400], line[SAID_LINE_MAX];

    (void)state;
    for (size_t lead = 0; lead < 4; lead++) {
        memset(body, 'a', lead);
        for (size_t at = lead; at + 4 < sizeof body; at += 4) {
            memcpy(body + at, "\xF0\x9F\x92\xA9", 4);
        }
        said_line((struct str){ body, sizeof body - 4 }, line);
        assert_true(strlen(line) > SAID_LINE_MAX - 6);
        assert_int_equal((strlen(line) - lead) % 4, 0);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keep__hides__secrets_wherever_they_stand),
        TEST(keep__is_bounded__at_every_cut),
        TEST(keep__leaves_out__headers_that_find_no_room),
        TEST(line__is_one_line__of_what_was_said),
        TEST(line__is_cut__between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
