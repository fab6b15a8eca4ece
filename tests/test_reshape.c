/* Tables that are no arrays of objects, made into such. */
#include "normalise/reshape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *text, const char *records, enum record_shape shape, const char *want,
                  uint64_t matches, uint64_t nulls)
{
    size_t len = strlen(text);
    char *copy = malloc(len + 1); /* so that a byte too far is seen */
    struct reshape_counts counts;
    struct json_pointer pointer;
    struct buf out = { 0 };

    assert_non_null(copy);
    memcpy(copy, text, len);
    assert_int_equal(json_pointer_parse(&pointer, str_view(records), NULL), RESULT_OK);
    assert_int_equal(reshape_append((struct str){ copy, len }, records[0] ? &pointer : NULL, shape,
                                    &out, &counts),
                     RESULT_OK);
    assert_string_equal(buf_cstr(&out), want);
    assert_true(json_check(buf_view(&out), JSON_DEPTH_MAX, NULL));
    assert_int_equal(counts.matches, matches);
    assert_int_equal(counts.nulls, nulls);
    buf_release(&out);
    free(copy);
}

#define HEADER RECORD_SHAPE_HEADER
#define PARALLEL RECORD_SHAPE_PARALLEL

static void header__names_the_elements(void **state)
{
    (void)state;
    check("[[\"a\",\"b\"],[1.50,\"x\"],[null,{\"c\":[2]}]]", "", HEADER,
          "[{\"a\":1.50,\"b\":\"x\"},{\"a\":null,\"b\":{\"c\":[2]}}]", 1, 0);
    check("{\"d\":[ [\"a\"] , [ 1 ] ]}", "/d", HEADER, "[{\"a\":1}]", 1, 0);
    check("[[\"a\",\"a\",\"\",7],[1,2,3,4,5,6],[1]]", "", HEADER,
          "[{\"a\":1,\"a_2\":2,\"column_3\":3,\"7\":4,\"_more\":[5,6]},{\"a\":1}]", 1, 0);
    check("[[\"a\\u00fc\\\"\"],[1]]", "", HEADER, "[{\"a\xC3\xBC\\\"\":1}]", 1, 0);
    check("[[\"a\"],null,7,[]]", "", HEADER, "[7,{}]", 1, 1);
    check("[]", "", HEADER, "[]", 1, 0);
    check("[[]]", "", HEADER, "[]", 1, 0);
    check("[{\"a\":1}]", "", HEADER, "[[{\"a\":1}]]", 1, 0);
    check("{\"x\":[[\"a\"],[1]],\"y\":[[\"a\"],[2]]}", "/*", HEADER, "[{\"a\":1},{\"a\":2}]", 2, 0);
    check("{\"x\":1}", "/d", HEADER, "[]", 0, 0);
}

static void parallel__is_a_column_each(void **state)
{
    (void)state;
    check("{\"t\":[\"x\",\"y\"],\"v\":[1.0,null]}", "", PARALLEL,
          "[{\"t\":\"x\",\"v\":1.0},{\"t\":\"y\",\"v\":null}]", 1, 0);
    check("{\"h\":{\"t\":[1,2],\"v\":[3],\"u\":\"C\"}}", "/h", PARALLEL,
          "[{\"t\":1,\"v\":3,\"u\":\"C\"},{\"t\":2,\"u\":\"C\"}]", 1, 0);
    check("{\"u\":\"C\"}", "", PARALLEL, "[]", 1, 0);
    check("{}", "", PARALLEL, "[]", 1, 0);
    check("null", "", PARALLEL, "[]", 1, 1);
    check("[{\"t\":[1]}]", "/0", PARALLEL, "[{\"t\":1}]", 1, 0);
    check("{\"a\\n\":[1]}", "", PARALLEL, "[{\"a\\n\":1}]", 1, 0);
}

static void guess__knows_both(void **state)
{
    static const struct {
        const char *text;
        enum record_shape shape;
    } examples[] = {
        { "[[\"a\",\"b\"],[1,2]]", HEADER },
        { "[[\"a\",\"b\"],[1,2],[1]]", RECORD_SHAPE_OBJECTS },
        { "[[\"a\",\"a\"],[1,2]]", RECORD_SHAPE_OBJECTS },
        { "[[\"a\",1],[1,2]]", RECORD_SHAPE_OBJECTS },
        { "[[\"a\",\"b\"]]", RECORD_SHAPE_OBJECTS },
        { "[[1,2],[3,4]]", RECORD_SHAPE_OBJECTS },
        { "[{\"a\":1}]", RECORD_SHAPE_OBJECTS },
        { "{\"a\":[1,2],\"b\":[3,4]}", PARALLEL },
        { "{\"a\":[1,2],\"b\":[3]}", RECORD_SHAPE_OBJECTS },
        { "{\"a\":[1,2]}", RECORD_SHAPE_OBJECTS },
        { "{\"a\":[{}],\"b\":[{}]}", RECORD_SHAPE_OBJECTS },
        { "7", RECORD_SHAPE_OBJECTS },
    };

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        assert_int_equal(reshape_guess(str_view(examples[i].text)), examples[i].shape);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header__names_the_elements),
        cmocka_unit_test(parallel__is_a_column_each),
        cmocka_unit_test(guess__knows_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
