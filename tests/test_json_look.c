/* Looking several pointers up, and setting what one leads to. */
#include "base/json_look.h"
#include "base/json_put.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct json_pointer parse(const char *text)
{
    struct json_pointer pointer;

    assert_int_equal(json_pointer_parse(&pointer, str_view(text), NULL), RESULT_OK);
    return pointer;
}

/* Pointer, what it finds (NULL: nothing), pointer, ... */
static void check_looks(const char *text, const char *const *pairs, size_t count)
{
    struct json_pointer pointers[16];
    struct str values[16];

    for (size_t i = 0; i < count; i++) {
        pointers[i] = parse(pairs[2 * i]);
        values[i] = STR("left over");
    }
    json_look(str_view(text), pointers, count, values);
    for (size_t i = 0; i < count; i++) {
        const char *want = pairs[2 * i + 1];

        if (want ? !str_equal(values[i], str_view(want)) : values[i].data != NULL) {
            fail_msg("%s in %s: \"%.*s\"", pairs[2 * i], text, STR_ARG(values[i]));
        }
    }
}
#define CHECK_LOOKS(text, ...)                                                                     \
    check_looks((text), (const char *const[]){ __VA_ARGS__ },                                      \
                sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *) / 2)

static void look__finds_all(void **state)
{
    (void)state;
    CHECK_LOOKS(" {\"a\":{\"b\":[10,{\"c\":20}],\"~/\":1},\"d\":null, \"e\" : \"x\" } ", "/a/b/0",
                "10", "/a/b/1/c", "20", "/a/~0~1", "1", "/d", "null", "/e", "\"x\"", "/a/b/2", NULL,
                "/x", NULL, "/e/x", NULL, "/a/b", "[10,{\"c\":20}]", "/a/b/01", NULL, "/a/b/-1",
                NULL);
    CHECK_LOOKS(" [1] ", "", "[1]", "/0", "1", "/1", NULL);
    CHECK_LOOKS("5", "", "5", "/0", NULL);
    CHECK_LOOKS("", "/a", NULL);
    CHECK_LOOKS("{\"a\":1}", "/a", "1", "/a", "1"); /* the same twice */
}

static void look__takes_the_last__of_equal_names(void **state)
{
    (void)state;
    CHECK_LOOKS("{\"a\":{\"x\":1,\"y\":2},\"a\":{\"x\":3}}", "/a/x", "3", "/a/y", NULL);
    CHECK_LOOKS("{\"a\":{\"x\":1},\"\\u0061\":5}", "/a/x", NULL, "/a", "5");
}

static void look__knows_the_last_element(void **state)
{
    (void)state;
    CHECK_LOOKS("[{\"id\":1},{\"id\":2,\"n\":[3,4]}]", "/-/id", "2", "/-/n/-", "4", "/0/id", "1",
                "/1/id", "2");
    CHECK_LOOKS("[]", "/-", NULL, "/-/id", NULL);
    CHECK_LOOKS("{\"-\":7}", "/-", "7");
    CHECK_LOOKS("[{\"id\":1},{}]", "/-/id", NULL);
}

static void look__takes_as_many_as_it_says(void **state)
{
    static struct json_pointer pointers[JSON_LOOKS_MAX];
    struct str values[JSON_LOOKS_MAX];

    (void)state;
    for (size_t i = 0; i < JSON_LOOKS_MAX; i++) {
        pointers[i] = parse(i % 2 ? "/a" : "/b");
    }
    json_look(STR("{\"a\":1}"), pointers, JSON_LOOKS_MAX, values);
    for (size_t i = 0; i < JSON_LOOKS_MAX; i++) {
        assert_int_equal(values[i].len, i % 2);
    }
    json_look(STR("{\"a\":1}"), pointers, 0, values);
}

static void check_put(const char *text, const char *pointer, const char *want)
{
    struct json_pointer p = parse(pointer);
    struct buf out = { 0 };

    assert_int_equal(json_put(&out, str_view(text), &p, STR("\"v\"")), RESULT_OK);
    assert_string_equal(buf_cstr(&out), want);
    assert_true(json_check(buf_view(&out), JSON_DEPTH_MAX, NULL));
    buf_release(&out);
}

static void put__replaces_and_adds(void **state)
{
    (void)state;
    check_put("{\"a\": 1 , \"b\":2}", "/a", "{\"a\": \"v\" , \"b\":2}");
    check_put(" { } ", "/a", " { \"a\":\"v\"} ");
    check_put("{\"b\":2}\n", "/a", "{\"b\":2,\"a\":\"v\"}\n");
    check_put("{}", "/a/b~1/c", "{\"a\":{\"b/\":{\"c\":\"v\"}}}");
    check_put("{\"a\":{\"b\":[1,{}]}}", "/a/b/1/\"", "{\"a\":{\"b\":[1,{\"\\\"\":\"v\"}]}}");
    check_put("{\"a\":null}", "/a/b", "{\"a\":{\"b\":\"v\"}}");
    check_put("{\"a\":null}", "/a", "{\"a\":\"v\"}");
    check_put("{\"a\":1,\"a\":2}", "/a", "{\"a\":1,\"a\":\"v\"}");
    check_put("[1,2]", "/1", "[1,\"v\"]");
    check_put(" 5 ", "", " \"v\" ");
}

static void put__refuses__what_has_no_place(void **state)
{
    static const char *const cases[][2] = {
        { "5", "/a" },
        { "[1]", "/1" },
        { "[1]", "/x" },
        { "{\"a\":\"t\"}", "/a/b" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_pointer p = parse(cases[i][1]);
        struct buf out = { 0 };

        assert_int_equal(json_put(&out, str_view(cases[i][0]), &p, STR("1")), RESULT_NOT_FOUND);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(look__finds_all),
        cmocka_unit_test(look__takes_the_last__of_equal_names),
        cmocka_unit_test(look__knows_the_last_element),
        cmocka_unit_test(look__takes_as_many_as_it_says),
        cmocka_unit_test(put__replaces_and_adds),
        cmocka_unit_test(put__refuses__what_has_no_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
