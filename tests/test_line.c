#include "store/line.h"

#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The whole line of a settlement, which is freed. */
static void make(struct buf *text, struct settlement *s)
{
    struct line line;

    line_init(&line);
    assert_int_equal(line_make(&line, s), RESULT_OK);
    assert_int_equal(buf_append_str(text, buf_view(&line.head)), RESULT_OK);
    assert_int_equal(buf_append_str(text, line.value), RESULT_OK);
    assert_int_equal(buf_append_str(text, LINE_TAIL), RESULT_OK);
    assert_int_equal(line.length, text->len);
    line_release(&line);
    settlement_free(s);
}

static void line_make__writes_the_documented_form(void **state)
{
    struct settlement *s =
        settlement_make(17, SETTLE_DONE, SETTLE_BODY_JSON, STR("{\"n\": 1e400}"));
    struct buf text = { .max = 0 };

    (void)state;
    assert_int_equal(buf_append(&s->response->headers, "content-type\0application/json\0", 30),
                     RESULT_OK);
    make(&text, s);
    assert_non_null(buf_cstr(&text));
    /* The CRC was worked out apart from this program, by the rule in store/line.h. */
    assert_string_equal(
        text.data, "{\"id\":17,\"key\":\"17\",\"url\":\"http://h.test/items/17\",\"status\":200,"
                   "\"fetched_at\":\"2023-11-14T22:13:20.123Z\",\"attempt\":1,\"elapsed_ms\":213,"
                   "\"content_type\":\"application/json\",\"crc32c\":\"6c214109\","
                   "\"body\":{\"n\": 1e400}}\n");
    buf_release(&text);
}

static void line_make__tells_the_variables__on_one_line(void **state)
{
    static const char *const vars =
        "{\"shop.id\":9007199254740993,\n\"name\":\"}\\\"{\",\"in\":{}}";
    struct settlement *s = settlement_make(17, SETTLE_DONE, SETTLE_BODY_JSON, STR("{}"));
    struct buf text = { .max = 0 };
    struct line_view view;

    (void)state;
    request_free(s->response->request);
    s->response->request = request_make(17, 0,
                                        &(struct request_texts){ .key = STR("17"),
                                                                 .url = STR("http://h.test/17"),
                                                                 .vars = str_view(vars) });
    make(&text, s);
    assert_int_equal(line_parse(buf_view(&text), &view), RESULT_OK);
    assert_int_equal(line_crc32c(&view), view.crc32c);
    assert_ptr_equal(memchr(text.data, '\n', text.len), text.data + text.len - 1);
    assert_int_equal(view.vars.len, strlen(vars));
    assert_true(str_starts(view.vars, STR("{\"shop.id\":9007199254740993, \"name\"")));
    assert_true(str_equal(view.body, STR("{}")));
    buf_release(&text);
}

static void check_body(enum settle_body kind, struct str body, struct str stored_as,
                       struct str comes_back)
{
    struct buf text = { .max = 0 }, back = { .max = 0 };
    struct line_view view;

    make(&text, settlement_make(5, SETTLE_DONE, kind, body));
    assert_true(text.len > stored_as.len);
    assert_memory_equal(text.data + text.len - stored_as.len, stored_as.data, stored_as.len);
    assert_ptr_equal(memchr(text.data, '\n', text.len), text.data + text.len - 1);
    assert_int_equal(line_parse(buf_view(&text), &view), RESULT_OK);
    assert_int_equal(line_crc32c(&view), view.crc32c);
    assert_int_equal(line_append_body(&view, &back), RESULT_OK);
    assert_int_equal(back.len, comes_back.len);
    if (back.len) {
        assert_memory_equal(back.data, comes_back.data, back.len);
    }
    buf_release(&text);
    buf_release(&back);
}

static void line_make__keeps_bodies__of_every_kind(void **state)
{
    (void)state;
    check_body(SETTLE_BODY_JSON, STR(" [9007199254740993]"),
               STR(",\"body\": [9007199254740993]}\n"), STR(" [9007199254740993]"));
    check_body(SETTLE_BODY_JSON, STR("{\r\n \"a\":\n1}\n"), STR(",\"body\":{   \"a\": 1} }\n"),
               STR("{   \"a\": 1} "));
    check_body(SETTLE_BODY_EMPTY, STR(""), STR(",\"body\":null}\n"), STR("null"));
    check_body(SETTLE_BODY_FOREIGN, STR("<p>\n\"x\"</p>"),
               STR(",\"text\":\"<p>\\n\\\"x\\\"</p>\"}\n"), STR("<p>\n\"x\"</p>"));
    check_body(SETTLE_BODY_FOREIGN, STR(""), STR(",\"text\":\"\"}\n"), STR(""));
    check_body(SETTLE_BODY_FOREIGN, STR("\xFF\xFE\0"), STR(",\"base64\":\"//4A\"}\n"),
               STR("\xFF\xFE\0"));
}

/* A body that was read as JSON is that, for whoever reads the line, and beside it what was sent. */
static void line_make__keeps_what_was_sent__beside_what_it_says(void **state)
{
    static const struct str sent = STR_INIT("\xFF\xFE[\0"
                                            "1\0]\0");
    struct settlement *s = settlement_make(5, SETTLE_DONE, SETTLE_BODY_JSON, STR("[1]"));
    struct buf text = { .max = 0 }, back = { .max = 0 };
    struct line_view view;

    (void)state;
    assert_int_equal(buf_append_str(&s->response->sent_as, sent), RESULT_OK);
    make(&text, s);
    assert_non_null(buf_cstr(&text));
    assert_non_null(strstr(text.data, "\"sent\":\"//5bADEAXQA=\",\"crc32c\":\""));
    assert_int_equal(line_parse(buf_view(&text), &view), RESULT_OK);
    assert_int_equal(line_crc32c(&view), view.crc32c);
    assert_int_equal(view.body_kind, LINE_BODY);
    assert_true(str_equal(view.body, STR("[1]")));
    assert_int_equal(line_append_body(&view, &back), RESULT_OK);
    assert_true(str_equal(buf_view(&back), sent));
    /* What stands there in base64 is looked at, as all is. */
    *strstr(text.data, "//5b") = '"';
    assert_int_equal(line_parse(buf_view(&text), &view), RESULT_CORRUPT);
    buf_release(&text);
    buf_release(&back);
}

static void line_make__escapes__what_comes_from_outside(void **state)
{
    struct settlement *s = settlement_make(1, SETTLE_DONE, SETTLE_BODY_JSON, STR("1"));
    struct buf text = { .max = 0 };
    struct line_view view;

    (void)state;
    request_free(s->response->request);
    s->response->request =
        request_new(1, 0, STR("a\",\"crc32c\":\"00000000\",\"body\":2}\n"), STR("http://h/\x1b"));
    s->url = STR("http://h/?token=***");
    assert_int_equal(buf_append(&s->response->headers, "content-type\0a\xFF\0", 16), RESULT_OK);
    make(&text, s);
    assert_ptr_equal(memchr(text.data, '\n', text.len), text.data + text.len - 1);
    assert_int_equal(line_parse(buf_view(&text), &view), RESULT_OK);
    assert_int_equal(line_crc32c(&view), view.crc32c);
    assert_true(str_equal(view.url, STR("http://h/?token=***")));
    assert_true(str_equal(view.content_type, STR("a\\ufffd")));
    assert_true(str_equal(view.body, STR("1")));
    buf_release(&text);
}

/* Whatever bit is flipped, the line is no longer taken for what it was. */
static void line_parse__or_crc_tells__when_a_bit_flips(void **state)
{
    struct buf text = { .max = 0 };
    struct line_view view;

    (void)state;
    make(&text, settlement_make(12, SETTLE_DONE, SETTLE_BODY_JSON, STR("{\"a\":[1,2]}")));
    for (size_t at = 0; at < text.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            text.data[at] = (char)(text.data[at] ^ (1 << bit));
            if (line_parse(buf_view(&text), &view) == RESULT_OK) {
                assert_int_not_equal(line_crc32c(&view), view.crc32c);
            }
            text.data[at] = (char)(text.data[at] ^ (1 << bit));
        }
    }
    buf_release(&text);
}

static void line_parse__refuses__when_cut_anywhere(void **state)
{
    struct buf text = { .max = 0 };
    struct line_view view;

    (void)state;
    make(&text, settlement_make(12, SETTLE_DONE, SETTLE_BODY_FOREIGN, STR("no json")));
    for (size_t len = 0; len < text.len; len++) {
        char *exact = malloc(len + !len); /* so that reading after it is seen */

        assert_non_null(exact);
        memcpy(exact, text.data, len);
        assert_int_equal(line_parse((struct str){ exact, len }, &view), RESULT_CORRUPT);
        free(exact);
    }
    buf_release(&text);
}

static void line_parse_key__asks_for_more__when_cut_within_the_key(void **state)
{
    struct buf text = { .max = 0 };
    struct line_view view;
    size_t enough = strlen("{\"id\":12,\"key\":\"12\"");

    (void)state;
    make(&text, settlement_make(12, SETTLE_DONE, SETTLE_BODY_JSON, STR("1")));
    for (size_t len = 0; len <= text.len; len++) {
        enum result wanted = len < enough ? RESULT_LIMIT : RESULT_OK;

        assert_int_equal(line_parse_key((struct str){ text.data, len }, &view), wanted);
    }
    assert_int_equal(view.id, 12);
    assert_true(str_equal(view.key, STR("12")));
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_make__writes_the_documented_form),
        cmocka_unit_test(line_make__tells_the_variables__on_one_line),
        cmocka_unit_test(line_make__keeps_bodies__of_every_kind),
        cmocka_unit_test(line_make__keeps_what_was_sent__beside_what_it_says),
        cmocka_unit_test(line_make__escapes__what_comes_from_outside),
        cmocka_unit_test(line_parse__or_crc_tells__when_a_bit_flips),
        cmocka_unit_test(line_parse__refuses__when_cut_anywhere),
        cmocka_unit_test(line_parse_key__asks_for_more__when_cut_within_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
