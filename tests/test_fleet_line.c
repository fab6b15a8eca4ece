/* engine/fleet_line: a found request travels whole, and a line that is none is refused. */
#include "engine/fleet_line.h"

#include "job/job.h"
#include "plan/sort_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ENDPOINTS 3
#define ID UINT64_C(5000000000000000001)

static struct request *make(struct str body, struct str vars)
{
    struct sort_key place = { .bytes = { 0 }, .len = 16 };
    struct request *r;

    place.bytes[11] = 7;
    place.bytes[15] = 255;
    r = request_make(ID, 2,
                     &(struct request_texts){ .key = STR("k \"1\""),
                                              .url = STR("http://h.test/x?y=\xC3\xA4"),
                                              .body = body,
                                              .vars = vars,
                                              .sort_key = sort_key_view(&place) });
    assert_non_null(r);
    r->page = (struct page_at){ .chain = ID + 1,
                                .number = UINT64_MAX,
                                .total = PAGE_TOTAL_UNKNOWN,
                                .ordinal = 3,
                                .expected = 4,
                                .size = 5,
                                .empty = 6,
                                .kind = 1,
                                .named_by_crc32c = UINT32_MAX,
                                .came = 8,
                                .previous = 9,
                                .most = 10,
                                .records_type = 5,
                                .records_at = 12,
                                .basis = PAGE_TRIED,
                                .repeats = 14 };
    return r;
}

static void check_same(const struct request *a, const struct request *b)
{
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->endpoint, b->endpoint);
    assert_true(str_equal(a->key, b->key) && str_equal(a->url, b->url));
    assert_true(str_equal(a->sort_key, b->sort_key));
    assert_int_equal(a->body.data != NULL, b->body.data != NULL);
    assert_true(str_equal(a->body, b->body) && str_equal(a->vars, b->vars));
    assert_memory_equal(&a->page, &b->page, sizeof a->page);
}

static void fleet_line__comes_back_as_it_was(void **state)
{
    const struct str bodies[] = { STR_NONE, STR(""), STR("{\"a\":\"\\n\"}") };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf line = { .max = 0 };
        struct request *r = make(bodies[i], i ? STR("{\"sku\":\"A\"}") : STR_NONE), *back;

        assert_int_equal(fleet_line_write(r, &line), RESULT_OK);
        assert_null(memchr(line.data, '\n', line.len));
        back = fleet_line_read(buf_view(&line), ENDPOINTS);
        assert_non_null(back);
        check_same(r, back);
        assert_null(fleet_line_read(buf_view(&line), 2)); /* an endpoint that the job has not */
        request_free(r);
        request_free(back);
        buf_release(&line);
    }
}

/* Of a body that is as long as any may be, each byte takes six in a line. */
static void fleet_line__of_the_longest_request__comes_back(void **state)
{
    struct buf line = { .max = 0 };
    char *body = malloc(JOB_BODY_MAX);
    struct request *r, *back;

    (void)state;
    assert_non_null(body);
    memset(body, 1, JOB_BODY_MAX);
    r = make((struct str){ body, JOB_BODY_MAX }, STR("{}"));
    assert_int_equal(fleet_line_write(r, &line), RESULT_OK);
    assert_in_range(line.len, 6 * JOB_BODY_MAX, FLEET_LINE_MAX);
    back = fleet_line_read(buf_view(&line), ENDPOINTS);
    assert_non_null(back);
    check_same(r, back);
    request_free(r);
    request_free(back);
    free(body);
    buf_release(&line);
}

#define HEAD "[5000000000000000001,1,\"k\",\"http://h/\",null,null,"
#define PLACE "\"00000000000000000000000700000001\","
#define PAGE "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]"

static void fleet_line__that_is_none__is_refused(void **state)
{
    static const char *const none[] = {
        "",
        "{}",
        "[]",
        "nonsense",
        HEAD PLACE PAGE "x",
        "[0,1,\"k\",\"http://h/\",null,null," PLACE PAGE,
        "[9300000000000000000,1,\"k\",\"http://h/\",null,null," PLACE PAGE,
        "[7,1,\"\",\"http://h/\",null,null," PLACE PAGE,
        "[7,1,\"k\",\"\",null,null," PLACE PAGE,
        "[7,1,\"k\\u0000\",\"http://h/\",null,null," PLACE PAGE,
        "[7,1,\"k\",\"http://h/\",null,\"[1]\"," PLACE PAGE,
        "[7,1,\"k\",\"http://h/\",null,\"{\"," PLACE PAGE,
        "[7,1,\"k\",null,null,null," PLACE PAGE,
        HEAD "\"000000000000000000000007\"," PAGE, /* the plan's own place */
        HEAD "\"0000000000000000000000070000000\"," PAGE,
        HEAD "\"0000000000000000000000070000000G\"," PAGE,
        HEAD PLACE "0,0,0,0,0,0,0,999,0,0,0,0,0,0,0,0]", /* a way of paging that there is not */
        HEAD PLACE "0,0,4294967296,0,0,0,0,0,0,0,0,0,0,0,0,0]",
        HEAD PLACE "0,0,0,0,0,0,0,0,0,0,0,0,0,0,4,0]",
        HEAD PLACE "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
        HEAD PLACE "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
        HEAD PLACE "-1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
    };
    struct request *fine = fleet_line_read(str_view(HEAD PLACE PAGE), ENDPOINTS);

    (void)state;
    assert_non_null(fine);
    request_free(fine);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct request *r = fleet_line_read(str_view(none[i]), ENDPOINTS);

        if (r) {
            fail_msg("taken: %s", none[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fleet_line__comes_back_as_it_was),
        cmocka_unit_test(fleet_line__of_the_longest_request__comes_back),
        cmocka_unit_test(fleet_line__that_is_none__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
