/* store/ledger_failed: what the last failure of a request said, bounded for a whole run. */
#include "store/ledger.h"

#include "ledger_fixture.h"
#include "old_ledger.h"
#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct failures {
    size_t count;
    uint64_t id;
    enum failure_class class;
    char key[32], url[64], headers[64], body[64];
    int64_t at_us;
    uint64_t body_bytes;
};

static enum result keep_failed(void *context, const struct failed_row *row, struct err *err)
{
    struct failures *f = context;

    (void)err;
    f->count++;
    f->id = row->id;
    f->class = row->last.failure.class;
    f->at_us = row->said.at_us;
    f->body_bytes = row->said.body_bytes;
    snprintf(f->key, sizeof f->key, "%.*s", STR_ARG(row->key));
    snprintf(f->url, sizeof f->url, "%.*s", STR_ARG(row->url));
    snprintf(f->headers, sizeof f->headers, "%.*s", STR_ARG(row->said.headers));
    snprintf(f->body, sizeof f->body, "%.*s", STR_ARG(row->said.body));
    return RESULT_OK;
}

static struct failures one_failed(struct world *w, uint64_t id)
{
    struct failures f = { 0 };
    struct ledger_failed_query query = { keep_failed, &f };

    assert_int_equal(ledger_read_failed(w->ledger, id, &query, NULL), RESULT_OK);
    return f;
}

static struct failures all_failed(struct world *w)
{
    struct failures f = { 0 };
    struct ledger_failed_query query = { keep_failed, &f };

    assert_int_equal(ledger_each_failed(w->ledger, &query, NULL), RESULT_OK);
    return f;
}

static struct settlement *says(struct settlement *s, const char *body)
{
    s->said = (struct said){
        .headers = STR("a: b\n"), .body = str_view(body), .body_bytes = 9000, .at_us = 5
    };
    return s;
}

static void said__is_of_the_last_failure__until_it_succeeds(void **state)
{
    struct world *w = *state;
    struct failures f;

    put(w, says(waiting(7, 1, 1), "first"));
    assert_string_equal(one_failed(w, 7).body, "first");
    assert_int_equal(all_failed(w).count, 0); /* it waits */
    put(w, says(failed(7, "HTTP 404"), "second"));
    f = all_failed(w);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.class, FAILURE_STATUS);
    assert_string_equal(f.key, "7");
    assert_string_equal(f.url, "http://h.test/items/7");
    assert_string_equal(f.body, "second");
    assert_string_equal(f.headers, "a: b\n");
    assert_int_equal(f.body_bytes, 9000);
    put(w, failed(7, "Connection refused")); /* nobody said anything this time */
    assert_int_equal(one_failed(w, 7).at_us, 0);
    put(w, says(failed(7, "HTTP 404"), "third"));
    put(w, done(7, SETTLE_BODY_JSON, 0));
    assert_int_equal(one_failed(w, 7).count, 0);
    put(w, says(failed(7, "HTTP 404"), "late")); /* a done row stays, and nothing is kept of this */
    assert_int_equal(one_failed(w, 7).count, 0);
}

/* A run in which everything fails keeps so much and no more; what is freed is used again. */
static void said__is_bounded__for_a_whole_run(void **state)
{
    struct world *w = *state;
    bool duplicate;

    for (int round = 0; round < 2; round++) {
        assert_int_equal(ledger_begin(w->ledger, NULL), RESULT_OK);
        for (uint64_t id = 1; id <= LEDGER_SAID_MAX + LEDGER_SAID_MAX / 5; id++) {
            struct settlement *s = says(failed(id, "HTTP 404"), "x");

            assert_int_equal(ledger_put(w->ledger, s, &duplicate, NULL), RESULT_OK);
            settlement_free(s);
        }
        assert_int_equal(ledger_commit(w->ledger, NULL), RESULT_OK);
        assert_int_equal(one_failed(w, 1).at_us, 5);
        assert_int_equal(one_failed(w, LEDGER_SAID_MAX + 1).at_us, 0);
        assert_int_equal(all_failed(w).count, LEDGER_SAID_MAX + LEDGER_SAID_MAX / 5);
    }
}

static void ledger_each_failed__reads__one_of_version_2(void **state)
{
    struct world *w = *state;
    struct failures f;

    close_ledger(w);
    ledger_make(&w->dir, OLD_LEDGER_1 OLD_LEDGER_2
                "INSERT INTO request(id,state,endpoint,attempt,status,body,key,reason,set_by)"
                " VALUES(2,2,0,6,0,0,'two','Could not resolve host: x','');" OLD_LEDGER_HEADER
                "2;");
    assert_int_equal(ledger_open_readonly(&w->ledger, &w->dir, NULL), RESULT_OK);
    f = all_failed(w);
    assert_int_equal(f.count, 1);
    assert_int_equal(f.class, FAILURE_DNS);
    assert_string_equal(f.key, "two");
    assert_string_equal(f.url, "");
    assert_int_equal(f.at_us, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(said__is_of_the_last_failure__until_it_succeeds),
        TEST(said__is_bounded__for_a_whole_run),
        TEST(ledger_each_failed__reads__one_of_version_2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
