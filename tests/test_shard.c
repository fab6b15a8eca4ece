#include "base/clock.h"
#include "plan/frontier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define T0 (UINT64_C(1000) * US_PER_S)
#define PLAN 97

static void shards__have_each_request_once__and_count_right(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 12; n++) {
        for (uint64_t total = 0; total < 40; total++) {
            uint64_t sum = 0;

            for (unsigned i = 1; i <= n; i++) {
                struct job_shard shard = { i, n };
                uint64_t size = job_shard_size(&shard, total);

                sum += size;
                for (uint64_t place = 1; place <= size; place++) {
                    uint64_t id = job_shard_id(&shard, place);

                    assert_in_range(id, 1, total);
                    assert_int_equal((id - 1) % n, i - 1);
                    assert_true(job_shard_has(&shard, id));
                    assert_int_equal(job_shard_place(&shard, id), place);
                }
            }
            assert_int_equal(sum, total);
        }
    }
}

static void no_shard__is_the_whole_plan(void **state)
{
    const struct job_shard whole = { 0 };
    char text[JOB_SHARD_TEXT_MAX];

    (void)state;
    assert_int_equal(job_shard_size(&whole, 5), 5);
    assert_int_equal(job_shard_id(&whole, 4), 4);
    assert_int_equal(job_shard_place(&whole, 4), 4);
    assert_true(job_shard_has(&whole, 1));
    assert_false(job_shard_has(&whole, 0));
    job_shard_format(&whole, text);
    assert_string_equal(text, "the whole plan");
}

static void parse__takes_i_of_n__and_nothing_else(void **state)
{
    static const char *const bad[] = { "",      "3",         "/",
                                       "3/",    "/3",        "0/3",
                                       "4/3",   "-1/3",      "1/0",
                                       "1/3/2", "1 / 3",     "1/3 ",
                                       "a/b",   "1/1000000", "99999999999999999999/3" };
    struct job_shard shard;
    struct err err;
    char text[JOB_SHARD_TEXT_MAX];

    (void)state;
    assert_int_equal(job_shard_parse(STR("3/8"), &shard, &err), RESULT_OK);
    job_shard_format(&shard, text);
    assert_string_equal(text, "3/8");
    assert_int_equal(job_shard_parse(STR("100000/100000"), &shard, &err), RESULT_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct job_shard kept = { 3, 8 };

        assert_int_equal(job_shard_parse(str_view(bad[i]), &kept, &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-SHARD1");
        assert_int_equal(kept.number, 3);
    }
    assert_int_equal(job_shard_parse(STR_NONE, &shard, &err), RESULT_INVALID);
}

/* --- the frontier of a shard ----------------------------------------------------------------------- */

struct plan {
    struct job job;
    struct host_table hosts;
    struct frontier *frontier;
};

static void plan_open(struct plan *p, unsigned number, unsigned count, const char *pattern)
{
    struct frontier_options options = { &p->job, &p->hosts, NULL, false };

    *p = (struct plan){ .frontier = NULL };
    job_init(&p->job);
    assert_non_null(job_add_endpoint(&p->job));
    p->job.shard = (struct job_shard){ number, count };
    assert_int_equal(
        job_add_source(&p->job.endpoints[0], JOB_SOURCE_PATTERN, str_view(pattern), NULL),
        RESULT_OK);
    host_table_init(&p->hosts, 0, (struct rate){ 0 });
    assert_int_equal(frontier_new(&p->frontier, &options, NULL), RESULT_OK);
}

static void plan_end(struct plan *p)
{
    frontier_free(p->frontier);
    host_table_release(&p->hosts);
    job_release(&p->job);
}

/* The id of the next one, which is asked and settled; 0 at the end. */
static uint64_t next(struct plan *p)
{
    struct request *request;
    uint64_t id;

    if (frontier_next(p->frontier, T0, &request, NULL) != FRONTIER_REQUEST) {
        return 0;
    }
    id = request->id;
    host_ended(&p->hosts, host_at(&p->hosts, request->host), request, HOST_END_WELL, T0);
    frontier_forget(p->frontier, request);
    return id;
}

static void next__makes_the_shard_alone__with_ids_and_texts_of_the_plan(void **state)
{
    struct plan p;
    struct request *request;

    (void)state;
    plan_open(&p, 3, 4, "http://a/[1-10]");
    assert_int_equal(frontier_total(p.frontier), 2);
    assert_int_equal(frontier_own(p.frontier), 2);
    assert_int_equal(frontier_planned(p.frontier, 0), 2);
    assert_int_equal(frontier_seeds(p.frontier), 10);
    assert_int_equal(frontier_last_id(p.frontier), 10);
    assert_int_equal(frontier_make(p.frontier, 7, &request, NULL), RESULT_OK);
    assert_string_equal(request->url.data, "http://a/7");
    frontier_forget(p.frontier, request);
    assert_int_equal(frontier_make(p.frontier, 8, &request, NULL), RESULT_NOT_FOUND);
    assert_int_equal(next(&p), 3);
    assert_int_equal(next(&p), 7);
    assert_int_equal(next(&p), 0);
    plan_end(&p);
}

/* Whatever rows there are, the shard's other requests follow, each once and in order. */
static void restore__leaves_the_shards_gaps(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= 5; count++) {
        for (unsigned mask = 0; mask < 64; mask++) {
            unsigned number = 1 + mask % count;
            struct job_shard shard = { number, count };
            struct plan p;
            uint64_t size = job_shard_size(&shard, PLAN);

            plan_open(&p, number, count, "http://a/[1-97]");
            for (uint64_t place = 1; place <= size; place++) {
                struct frontier_row row = { .id = job_shard_id(&shard, place) };

                if (mask >> place % 6 & 1) {
                    assert_int_equal(frontier_restore(p.frontier, &row, T0, NULL), RESULT_OK);
                }
            }
            for (uint64_t place = 1; place <= size; place++) {
                if (!(mask >> place % 6 & 1)) {
                    assert_int_equal(next(&p), job_shard_id(&shard, place));
                }
            }
            assert_int_equal(next(&p), 0);
            plan_end(&p);
        }
    }
}

static void restore__refuses_a_row_of_another_shard(void **state)
{
    struct plan p;
    struct err err;

    (void)state;
    plan_open(&p, 2, 3, "http://a/[1-9]");
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 5 }, T0, &err),
                     RESULT_OK);
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 7 }, T0, &err),
                     RESULT_CORRUPT);
    assert_string_equal(err.code, "E-LEDG3");
    plan_end(&p);
}

static void again__asks_settled_ones_of_the_shard__and_no_others(void **state)
{
    struct plan p;

    (void)state;
    plan_open(&p, 2, 3, "http://a/[1-12]");
    for (uint64_t id = 2; id <= 11; id += 3) {
        assert_int_equal(next(&p), id);
    }
    assert_int_equal(frontier_again(p.frontier, 5), RESULT_OK);
    assert_int_equal(frontier_again(p.frontier, 8), RESULT_OK);
    assert_int_equal(frontier_again(p.frontier, 6), RESULT_NOT_FOUND);
    assert_int_equal(next(&p), 5);
    assert_int_equal(next(&p), 8);
    assert_int_equal(next(&p), 0);
    plan_end(&p);
}

/* What is parked before a host that is down is set aside and made again, as the same requests. */
static void set_aside__keeps_the_shards_ids(void **state)
{
    static bool seen[60001];
    struct plan p;
    struct request *first;
    uint64_t made = 1;

    (void)state;
    memset(seen, 0, sizeof seen);
    plan_open(&p, 3, 3, "http://a/[1-60000]");
    assert_int_equal(frontier_next(p.frontier, T0, &first, NULL), FRONTIER_REQUEST);
    host_at(&p.hosts, first->host)->down_until_us = T0 + 60 * US_PER_S;
    for (int i = 0; i < 20; i++) {
        struct request *request;

        assert_int_not_equal(frontier_next(p.frontier, T0, &request, NULL), FRONTIER_REQUEST);
        assert_true(frontier_parked(p.frontier) <= FRONTIER_PARKED_MAX);
    }
    host_at(&p.hosts, first->host)->down_until_us = 0;
    for (uint64_t id; (id = next(&p)) != 0; made++) {
        assert_in_range(id, 6, 60000);
        assert_int_equal(id % 3, 0);
        assert_false(seen[id]);
        seen[id] = true;
    }
    assert_int_equal(made, 20000);
    frontier_forget(p.frontier, first);
    plan_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards__have_each_request_once__and_count_right),
        cmocka_unit_test(no_shard__is_the_whole_plan),
        cmocka_unit_test(parse__takes_i_of_n__and_nothing_else),
        cmocka_unit_test(next__makes_the_shard_alone__with_ids_and_texts_of_the_plan),
        cmocka_unit_test(restore__leaves_the_shards_gaps),
        cmocka_unit_test(restore__refuses_a_row_of_another_shard),
        cmocka_unit_test(again__asks_settled_ones_of_the_shard__and_no_others),
        cmocka_unit_test(set_aside__keeps_the_shards_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
