#include "plan/frontier.h"
#include "plan/host_hold.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define T0 (UINT64_C(1000) * US_PER_S)
#define LISTS_MAX 4

/* A plan under test: what frontier_new borrows, too. */
struct plan {
    struct job job;
    struct host_table hosts;
    struct frontier *frontier;
    int list_fds[LISTS_MAX];
    int list_count;
};

static void plan_begin(struct plan *p, unsigned cap_per_host)
{
    *p = (struct plan){ .list_count = 0 };
    job_init(&p->job);
    assert_non_null(job_add_endpoint(&p->job));
    host_table_init(&p->hosts, cap_per_host, (struct rate){ 0 });
}

static void plan_pattern(struct plan *p, const char *pattern)
{
    assert_int_equal(
        job_add_source(&p->job.endpoints[0], JOB_SOURCE_PATTERN, str_view(pattern), NULL),
        RESULT_OK);
}

static void plan_list(struct plan *p, const char *text)
{
    char path[] = "/tmp/test_frontier.XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(job_add_source(&p->job.endpoints[0], JOB_SOURCE_LIST, STR("list"), NULL),
                     RESULT_OK);
    p->list_fds[p->list_count++] = fd;
}

static void plan_open(struct plan *p)
{
    struct frontier_options options = { &p->job, &p->hosts, p->list_fds };
    struct err err;

    if (frontier_new(&p->frontier, &options, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

static void plan_end(struct plan *p)
{
    frontier_free(p->frontier);
    host_table_release(&p->hosts);
    job_release(&p->job);
    for (int i = 0; i < p->list_count; i++) {
        close(p->list_fds[i]);
    }
}

static struct request *next(struct plan *p, uint64_t now_us)
{
    struct request *request;
    struct err err;
    enum frontier_answer answer = frontier_next(p->frontier, now_us, &request, &err);

    if (answer != FRONTIER_REQUEST) {
        fail_msg("frontier_next: %d", answer);
    }
    request->attempt++;
    return request;
}

static enum frontier_answer answer_of(struct plan *p, uint64_t now_us)
{
    struct request *request;
    struct err err;
    enum frontier_answer answer = frontier_next(p->frontier, now_us, &request, &err);

    assert_int_not_equal(answer, FRONTIER_REQUEST);
    assert_null(request);
    return answer;
}

static struct host *host_of(struct plan *p, const struct request *request)
{
    return host_at(&p->hosts, request->host);
}

/* As the engine does when it is settled. */
static void settle(struct plan *p, struct request *request)
{
    host_ended(&p->hosts, host_of(p, request), request, HOST_END_WELL, T0);
    frontier_forget(p->frontier, request);
}

static void wait_until(struct plan *p, struct request *request, uint64_t due_us)
{
    host_ended(&p->hosts, host_of(p, request), request, HOST_END_WELL, T0);
    assert_int_equal(frontier_wait(p->frontier, request, due_us), RESULT_OK);
}

static void assert_next(struct plan *p, uint64_t id, const char *key, const char *url)
{
    struct request *request = next(p, T0);

    assert_int_equal(request->id, id);
    assert_string_equal(request->key.data, key);
    assert_string_equal(request->url.data, url);
    settle(p, request);
}

static void next__follows_the_plans_order__when_sources_are_several(void **state)
{
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-2]");
    plan_list(&p, "http://b/x\n\n# none\n{\"name\":\"second\",\"url\":\"http://b/y?q=1\"}\n");
    plan_pattern(&p, "http://c/only");
    plan_list(&p, "http://d/1\nhttp://d/2\n");
    plan_open(&p);
    assert_int_equal(frontier_total(p.frontier), 7);
    assert_next(&p, 1, "1", "http://a/1");
    assert_next(&p, 2, "2", "http://a/2");
    assert_next(&p, 3, "x", "http://b/x");
    assert_next(&p, 4, "second", "http://b/y?q=1");
    assert_next(&p, 5, "only", "http://c/only");
    assert_next(&p, 6, "1", "http://d/1");
    assert_next(&p, 7, "2", "http://d/2");
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    assert_true(frontier_wake_us(p.frontier, T0) == TIME_NEVER);
    plan_end(&p);
}

static void next__encodes_bytes_beyond_ascii(void **state)
{
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/caf\xc3\xa9?q=\xe2\x82\xac\n");
    plan_open(&p);
    assert_next(&p, 1, "caf\xc3\xa9?q=\xe2\x82\xac", "http://a/caf%C3%A9?q=%E2%82%AC");
    plan_end(&p);
}

static void plan__costs_nothing__when_it_has_a_million_million_urls(void **state)
{
    struct plan p;
    struct request *request;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-1000000]/[1-1000000]");
    plan_open(&p);
    assert_true(frontier_total(p.frontier) == UINT64_C(1000000000000));
    assert_next(&p, 1, "1,1", "http://a/1/1");
    assert_next(&p, 2, "1,2", "http://a/1/2");
    assert_int_equal(frontier_make(p.frontier, UINT64_C(999999999999), &request, NULL), RESULT_OK);
    assert_string_equal(request->url.data, "http://a/1000000/999999");
    frontier_forget(p.frontier, request);
    assert_int_equal(frontier_make(p.frontier, UINT64_C(1000000000001), &request, NULL),
                     RESULT_NOT_FOUND);
    assert_int_equal(frontier_make(p.frontier, 0, &request, NULL), RESULT_NOT_FOUND);
    plan_end(&p);
}

static void next__goes_on_after_the_ledger__when_the_plan_is_enormous(void **state)
{
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-1000000]/[1-1000000]");
    plan_open(&p);
    assert_int_equal(frontier_restore(p.frontier,
                                      &(struct frontier_row){ .id = UINT64_C(999999999998) }, T0,
                                      NULL),
                     RESULT_OK);
    assert_next(&p, 1, "1,1", "http://a/1/1"); /* the gap before it comes first */
    plan_end(&p);
}

static void wait__comes_back_in_order_of_deadline(void **state)
{
    static const uint64_t order[] = { 5, 2, 9, 1, 7, 3, 8, 4, 10, 6 };
    struct plan p;
    struct request *list[10];

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-10]");
    plan_open(&p);
    for (int i = 0; i < 10; i++) {
        list[i] = next(&p, T0);
    }
    for (int i = 0; i < 10; i++) {
        wait_until(&p, list[i], T0 + order[i] * US_PER_S);
    }
    assert_int_equal(frontier_waiting(p.frontier), 10);
    assert_int_equal(answer_of(&p, T0), FRONTIER_WAITING);
    for (uint64_t i = 1; i <= 10; i++) {
        struct request *request;
        uint64_t due_us = T0 + i * US_PER_S;

        assert_int_equal(frontier_wake_us(p.frontier, T0), due_us);
        assert_int_equal(answer_of(&p, due_us - 1), FRONTIER_WAITING);
        request = next(&p, due_us);
        assert_int_equal(request->due_us, due_us);
        assert_int_equal(order[request->id - 1], i);
        assert_int_equal(request->attempt, 2);
        settle(&p, request);
    }
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    plan_end(&p);
}

/* Many fall due at once, as after a stop: the one that has waited longest goes first, and first tries
 * take turns with them, so that neither waits for all of the other. */
static void wait__keeps_the_order_and_takes_turns_with_first_tries__when_all_are_due(void **state)
{
    struct plan p;
    struct request *list[20];
    uint64_t last_us = 0, last_id = 20;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-60]");
    plan_open(&p);
    for (int i = 0; i < 20; i++) {
        list[i] = next(&p, T0);
    }
    for (uint64_t i = 0; i < 20; i++) {
        wait_until(&p, list[i], T0 + (i * 7 % 20) * 1000 + 1);
    }
    for (int i = 0; i < 40; i++) {
        struct request *request = next(&p, T0 + US_PER_S);

        if (i % 2 == 0) {
            assert_int_equal(request->attempt, 2);
            assert_true(request->due_us > last_us);
            last_us = request->due_us;
        } else {
            assert_int_equal(request->id, ++last_id);
        }
        settle(&p, request);
    }
    assert_next(&p, 41, "41", "http://a/41");
    plan_end(&p);
}

/* Turns are taken with first tries that are parked, too, and nothing is lost when one side ends. */
static void next__gives_all_of_both__when_retries_outnumber_first_tries(void **state)
{
    struct plan p;
    struct request *list[30];
    unsigned fresh = 0, retries = 0;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-40]");
    plan_open(&p);
    for (int i = 0; i < 30; i++) {
        list[i] = next(&p, T0);
    }
    for (int i = 0; i < 30; i++) {
        wait_until(&p, list[i], T0 + 1);
    }
    for (int i = 0; i < 40; i++) {
        struct request *request = next(&p, T0 + 1);

        fresh += request->attempt == 1;
        retries += request->attempt == 2;
        if (i < 20) {
            assert_in_range(fresh + 1, retries, retries + 1);
        }
        settle(&p, request);
    }
    assert_int_equal(fresh, 10);
    assert_int_equal(retries, 30);
    assert_int_equal(answer_of(&p, T0 + 1), FRONTIER_EMPTY);
    plan_end(&p);
}

static void next__passes_by_a_held_host__when_another_is_open(void **state)
{
    struct plan p;
    struct request *first, *other;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://b/1\nhttp://a/3\nhttp://b/2\n");
    plan_open(&p);
    first = next(&p, T0);
    host_hold_named(host_of(&p, first), first, T0 + 30 * US_PER_S, T0,
                    &(struct due){ .by = DUE_RETRY_AFTER, .status = 429 });
    other = next(&p, T0);
    assert_string_equal(other->url.data, "http://b/1");
    settle(&p, other);
    other = next(&p, T0);
    assert_string_equal(other->url.data, "http://b/2");
    settle(&p, other);
    assert_int_equal(answer_of(&p, T0), FRONTIER_HELD);
    assert_int_equal(frontier_parked(p.frontier), 2);
    assert_int_equal(frontier_wake_us(p.frontier, T0), T0 + 30 * US_PER_S);
    assert_true(frontier_wake_is_named(p.frontier, T0));
    assert_int_equal(answer_of(&p, T0 + 30 * US_PER_S - 1), FRONTIER_HELD);
    settle(&p, first);
    other = next(&p, T0 + 30 * US_PER_S);
    assert_string_equal(other->url.data, "http://a/2");
    settle(&p, other);
    other =
        next(&p, T0 + 30 * US_PER_S); /* what comes after a hold is a matter of what it taught */
    assert_string_equal(other->url.data, "http://a/3");
    settle(&p, other);
    assert_int_equal(answer_of(&p, T0 + 30 * US_PER_S), FRONTIER_EMPTY);
    plan_end(&p);
}

static const struct due throttled = { .by = DUE_HOST_HOLD, .status = 429 };

static void refuse(struct plan *p, struct request *request, uint64_t now_us)
{
    struct host *host = host_of(p, request);
    struct learned_answer answer = host_answer_of(request, now_us);

    host_ended(&p->hosts, host, request, HOST_END_REFUSED, now_us);
    bucket_refused(host_bucket(host, request), &answer, 0, &throttled, 0, now_us);
}

/* The bucket of what was refused keeps its requests back, not those of another host. */
static void next__says_learned__when_a_refusal_taught_a_rate(void **state)
{
    struct plan p;
    struct request *refused, *request;
    uint64_t now_us = T0;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://a/3\nhttp://b/1\n");
    plan_open(&p);
    refused = next(&p, T0);
    refuse(&p, refused, T0 + US_PER_MS);
    assert_int_equal(frontier_wait(p.frontier, refused, T0 + US_PER_S), RESULT_OK);
    request = next(&p, T0 + US_PER_MS);
    assert_string_equal(request->url.data, "http://b/1");
    settle(&p, request);
    assert_int_equal(answer_of(&p, T0 + US_PER_MS), FRONTIER_HELD);
    assert_false(frontier_wake_is_named(p.frontier, T0 + US_PER_MS));
    now_us = frontier_wake_us(p.frontier, T0 + US_PER_MS);
    assert_in_range(now_us, T0 + LEARNED_HOLD_US / 2, T0 + 2 * LEARNED_HOLD_US);
    request = next(&p, now_us);
    assert_string_equal(request->url.data, "http://a/2");
    assert_int_equal(answer_of(&p, now_us), FRONTIER_LEARNED);
    assert_in_range(frontier_wake_us(p.frontier, now_us), now_us + 1, now_us + 2 * US_PER_S);
    settle(&p, request);
    plan_end(&p);
}

/* Five different URLs of /broken/ fail: few of it at once, and /well/ goes on as before. */
static void next__goes_on_with_the_other_lane__when_one_is_in_trouble(void **state)
{
    struct plan p;
    struct request *list[20];
    unsigned broken = 0, well = 0;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/broken/[1-100]");
    plan_pattern(&p, "http://a/well/[1-100]");
    plan_open(&p);
    for (int i = 0; i < LANE_TROUBLE_FAILURES; i++) {
        struct request *request = next(&p, T0);

        assert_int_equal(host_ended(&p.hosts, host_of(&p, request), request, HOST_END_BROKEN, T0),
                         i + 1 == LANE_TROUBLE_FAILURES ? HOST_NEWS_TROUBLE : HOST_NEWS_NONE);
        assert_int_equal(frontier_wait(p.frontier, request, T0 + 60 * US_PER_S), RESULT_OK);
    }
    for (int i = 0; i < 20; i++) {
        list[i] = next(&p, T0);
        broken += strstr(list[i]->url.data, "broken") != NULL;
        well += strstr(list[i]->url.data, "well") != NULL;
    }
    assert_in_range(broken, 1, LANE_TROUBLE_WINDOW); /* the first of them are spaced */
    assert_int_equal(well, 20 - broken);
    for (int i = 0; i < 20; i++) {
        settle(&p, list[i]);
    }
    plan_end(&p);
}

static void next__says_trouble__when_nothing_else_is_left(void **state)
{
    struct plan p;
    struct request *request;
    uint64_t wake_us;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-100]");
    plan_open(&p);
    for (int i = 0; i < LANE_TROUBLE_FAILURES; i++) {
        request = next(&p, T0);
        host_ended(&p.hosts, host_of(&p, request), request, HOST_END_BROKEN, T0);
        assert_int_equal(frontier_wait(p.frontier, request, T0 + 60 * US_PER_S), RESULT_OK);
    }
    request = next(&p, T0); /* a fresh one tells whether it is over */
    assert_int_equal(request->attempt, 1);
    assert_int_equal(answer_of(&p, T0), FRONTIER_TROUBLE);
    wake_us = frontier_wake_us(p.frontier, T0);
    assert_int_equal(wake_us, T0 + LANE_TROUBLE_SPACE_US);
    assert_false(frontier_wake_is_named(p.frontier, T0));
    settle(&p, request);
    settle(&p, next(&p, wake_us));
    plan_end(&p);
}

static void next__takes_turns__when_several_hosts_are_full(void **state)
{
    struct plan p;
    struct request *a, *b;

    (void)state;
    plan_begin(&p, 1);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://a/3\nhttp://b/1\nhttp://b/2\n");
    plan_open(&p);
    a = next(&p, T0);
    b = next(&p, T0);
    assert_string_equal(b->url.data, "http://b/1");
    assert_int_equal(answer_of(&p, T0), FRONTIER_HOST_FULL);
    settle(&p, a);
    settle(&p, b);
    a = next(&p, T0);
    b = next(&p, T0);
    assert_int_not_equal(a->host, b->host);
    settle(&p, a);
    settle(&p, b);
    assert_next(&p, 3, "3", "http://a/3");
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    plan_end(&p);
}

static void parked__are_bounded__when_the_only_host_is_held(void **state)
{
    struct plan p;
    struct request *first;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-1000000]");
    plan_open(&p);
    first = next(&p, T0);
    host_hold_named(host_of(&p, first), first, T0 + US_PER_S, T0,
                    &(struct due){ .by = DUE_RETRY_AFTER, .status = 429 });
    for (int i = 0; i < 3; i++) {
        assert_int_equal(answer_of(&p, T0), FRONTIER_HELD);
        assert_int_equal(frontier_parked(p.frontier), FRONTIER_PARKED_MAX);
    }
    settle(&p, first);
    for (uint64_t id = 2; id < 2 * FRONTIER_PARKED_MAX; id++) { /* and none is lost by it */
        struct request *request = next(&p, T0 + US_PER_S);

        assert_int_equal(request->id, id);
        settle(&p, request);
    }
    plan_end(&p);
}

static void waiting__are_bounded__when_everything_fails(void **state)
{
    struct plan p;
    uint64_t count = 0;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-1000000]");
    plan_open(&p);
    for (;;) {
        struct request *request;
        struct err err;

        if (frontier_next(p.frontier, T0, &request, &err) != FRONTIER_REQUEST) {
            break;
        }
        request->attempt++;
        wait_until(&p, request, T0 + US_PER_S);
        count++;
    }
    assert_int_equal(count, FRONTIER_WAITING_MAX);
    assert_int_equal(answer_of(&p, T0), FRONTIER_WAITING);
    plan_end(&p);
}

/* Every subset of ten ids as settled, the rest as it comes: each exactly once, in order. */
static void restore__leaves_the_gaps__in_any_pattern(void **state)
{
    (void)state;
    for (unsigned settled = 0; settled < 1U << 10; settled++) {
        struct plan p;
        uint64_t want = 1;

        plan_begin(&p, 0);
        plan_pattern(&p, "http://a/[1-4]");
        plan_list(&p, "http://b/5\nhttp://b/6\nhttp://b/7\n");
        plan_pattern(&p, "http://c/[8-10]");
        plan_open(&p);
        for (uint64_t id = 1; id <= 10; id++) {
            if (settled >> (id - 1) & 1) {
                assert_int_equal(
                    frontier_restore(p.frontier, &(struct frontier_row){ .id = id }, T0, NULL),
                    RESULT_OK);
            }
        }
        for (; want <= 10; want++) {
            char key[8];
            struct request *request;

            if (settled >> (want - 1) & 1) {
                continue;
            }
            request = next(&p, T0);
            snprintf(key, sizeof key, "%u", (unsigned)want);
            assert_int_equal(request->id, want);
            assert_string_equal(request->key.data, key);
            settle(&p, request);
        }
        assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
        plan_end(&p);
    }
}

static void restore__keeps_tries_reason_and_deadline__when_a_row_waits(void **state)
{
    struct plan p;
    struct request *request;
    const struct request *list[4];
    struct frontier_row row = {
        .id = 2,
        .waits_until_us = T0 + 5 * US_PER_S,
        .attempt = 3,
        .last = { .outcome = OUTCOME_STATUS, .status = 500, .failure = { FAILURE_STATUS, 500 } },
        .due = { .by = DUE_BACKOFF, .wait_us = 2 * US_PER_S },
        .reason = STR("HTTP 500")
    };

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://a/3\n");
    plan_open(&p);
    assert_int_equal(frontier_restore(p.frontier, &row, T0, NULL), RESULT_OK);
    assert_int_equal(frontier_waits(p.frontier, list, 4), 1);
    assert_string_equal(list[0]->reason, "HTTP 500");
    assert_int_equal(list[0]->last.status, 500);
    assert_int_equal(list[0]->last.failure.class, FAILURE_STATUS);
    assert_int_equal(list[0]->due.by, DUE_BACKOFF);
    assert_int_equal(list[0]->due.wait_us, 2 * US_PER_S);
    assert_next(&p, 1, "1", "http://a/1"); /* our own backoff holds no host */
    assert_next(&p, 3, "3", "http://a/3");
    assert_int_equal(answer_of(&p, T0 + 5 * US_PER_S - 1), FRONTIER_WAITING);
    assert_false(frontier_wake_is_named(p.frontier, T0));
    request = next(&p, T0 + 5 * US_PER_S);
    assert_int_equal(request->attempt, 4);
    assert_int_equal(request->id, 2);
    settle(&p, request);
    plan_end(&p);
}

/* Restarting is no way around a server's word. */
static void restore__holds_the_host__when_its_server_named_the_deadline(void **state)
{
    struct plan p;
    struct frontier_row row = { .id = 1,
                                .waits_until_us = T0 + 5 * US_PER_S,
                                .attempt = 1,
                                .due = { .by = DUE_RETRY_AFTER, .said = "60" } };

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-3]");
    plan_open(&p);
    assert_int_equal(frontier_restore(p.frontier, &row, T0, NULL), RESULT_OK);
    assert_int_equal(answer_of(&p, T0 + 5 * US_PER_S - 1), FRONTIER_HELD);
    assert_true(frontier_wake_is_named(p.frontier, T0));
    settle(&p, next(&p, T0 + 5 * US_PER_S));
    plan_end(&p);
}

static void restore__refuses__when_the_ledger_is_of_another_plan(void **state)
{
    struct plan p;
    struct err err;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-3]");
    plan_open(&p);
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 4 }, T0, &err),
                     RESULT_CORRUPT);
    assert_string_equal(err.code, "E-LEDG3");
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 2 }, T0, &err),
                     RESULT_OK);
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 2 }, T0, &err),
                     RESULT_CORRUPT);
    assert_int_equal(frontier_restore(p.frontier, &(struct frontier_row){ .id = 0 }, T0, &err),
                     RESULT_CORRUPT);
    plan_end(&p);
}

static void put_back__asks_the_redirects_host__before_all_others(void **state)
{
    struct plan p;
    struct request *request;
    uint32_t planned;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-3]");
    plan_open(&p);
    request = next(&p, T0);
    planned = request->host;
    host_ended(&p.hosts, host_of(&p, request), request, HOST_END_WELL, T0);
    request->redirect_url = str_dup(STR("https://other.example/x"));
    request->hops = 1;
    assert_int_equal(frontier_put_back(p.frontier, request, NULL), RESULT_OK);
    assert_int_equal(frontier_parked(p.frontier), 1);
    assert_ptr_equal(next(&p, T0), request);
    assert_int_not_equal(request->host, planned);
    assert_string_equal(host_of(&p, request)->origin, "https://other.example:443");
    assert_int_equal(host_at(&p.hosts, planned)->refs, 0);

    /* Its next try begins at the planned URL again. */
    host_ended(&p.hosts, host_of(&p, request), request, HOST_END_WELL, T0);
    free(request->redirect_url);
    request->redirect_url = NULL;
    assert_int_equal(frontier_wait(p.frontier, request, T0 + 1), RESULT_OK);
    assert_int_equal(request->host, planned);
    plan_end(&p);
}

static void each_wait__visits_what_waiting_counts(void **state)
{
    struct plan p;
    struct request *untried, *tried, *first;
    const struct request *list[8];

    (void)state;
    plan_begin(&p, 1);
    plan_pattern(&p, "http://a/[1-5]");
    plan_open(&p);
    first = next(&p, T0);
    assert_int_equal(answer_of(&p, T0), FRONTIER_HOST_FULL);
    host_ended(&p.hosts, host_of(&p, first), first, HOST_END_WELL, T0);
    tried = next(&p, T0);
    host_ended(&p.hosts, host_of(&p, tried), tried, HOST_END_WELL, T0);
    untried = next(&p, T0);
    untried->attempt = 0; /* our own shortage cost it no try */
    assert_int_equal(frontier_put_back(p.frontier, tried, NULL), RESULT_OK);
    host_ended(&p.hosts, host_of(&p, untried), untried, HOST_END_OURS, T0);
    assert_int_equal(frontier_put_back(p.frontier, untried, NULL), RESULT_OK);
    assert_int_equal(frontier_wait(p.frontier, first, T0 + US_PER_S), RESULT_OK);
    assert_int_equal(frontier_waiting(p.frontier), 2);
    assert_int_equal(frontier_waits(p.frontier, list, 8), 2);
    assert_int_equal(frontier_waits(p.frontier, list, 1), 1);
    assert_int_equal(frontier_waits(p.frontier, list, 0), 0);
    plan_end(&p);
}

static void urge__asks_before_all_others__though_the_host_is_held(void **state)
{
    struct request *request;
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-9]");
    plan_open(&p);
    for (uint64_t id = 1; id <= 3; id++) {
        request = next(&p, T0);
        assert_int_equal(request->id, id);
        wait_until(&p, request, T0 + id * US_PER_S);
    }
    host_hold_named(host_of(&p, request), request, T0 + 60 * US_PER_S, T0,
                    &(struct due){ .by = DUE_RETRY_AFTER, .status = 429 });
    assert_int_equal(frontier_find_wait(p.frontier, 2)->id, 2);
    assert_null(frontier_find_wait(p.frontier, 4));
    assert_null(frontier_take(p.frontier, 4));
    request = frontier_take(p.frontier, 2);
    assert_int_equal(request->id, 2);
    assert_null(frontier_take(p.frontier, 2));
    assert_int_equal(frontier_waiting(p.frontier), 2);
    frontier_urge(p.frontier, request);
    assert_int_equal(frontier_waiting(p.frontier), 3);
    assert_int_equal(frontier_find_wait(p.frontier, 2)->id, 2);
    request = next(&p, T0);
    assert_int_equal(request->id, 2);
    settle(&p, request);
    assert_int_equal(answer_of(&p, T0), FRONTIER_HELD);
    plan_end(&p);
}

/* Due, but kept back by its host: it stands in the host's queue, no longer in the heap. */
static void take__finds_a_parked_request(void **state)
{
    struct request *request;
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-5]");
    plan_open(&p);
    request = next(&p, T0);
    wait_until(&p, request, T0 + US_PER_S);
    host_hold_user(host_at(&p.hosts, 0), true, T0);
    assert_int_equal(answer_of(&p, T0 + 2 * US_PER_S), FRONTIER_HELD);
    assert_int_equal(frontier_parked(p.frontier), 5);
    for (uint64_t id = 5; id >= 1; id--) {
        request = frontier_take(p.frontier, id);
        assert_int_equal(request->id, id);
        frontier_forget(p.frontier, request);
    }
    assert_int_equal(frontier_parked(p.frontier), 0);
    assert_int_equal(frontier_waiting(p.frontier), 0);
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    plan_end(&p);
}

static bool is_odd(void *context, const struct request *request)
{
    unsigned *looks = context;

    (*looks)++;
    return request->id % 2 == 1;
}

/* In the heap, and in the queue of a host that is held; those that were not tried yet wait for nothing. */
static void urge_all__looks_at_each_once__wherever_it_waits(void **state)
{
    struct request *request;
    unsigned looks = 0;
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_pattern(&p, "http://a/[1-9]");
    plan_open(&p);
    for (uint64_t id = 1; id <= 6; id++) { /* three of them are soon due */
        request = next(&p, T0);
        wait_until(&p, request, T0 + (id <= 3 ? 1 : 100) * US_PER_S);
    }
    host_hold_user(host_at(&p.hosts, 0), true, T0);
    assert_int_equal(answer_of(&p, T0 + 2 * US_PER_S), FRONTIER_HELD);
    assert_int_equal(frontier_parked(p.frontier), 6);
    assert_int_equal(frontier_waiting(p.frontier), 6);
    assert_int_equal(frontier_urge_all(p.frontier, is_odd, &looks), 3);
    assert_int_equal(looks, 6);
    assert_int_equal(frontier_waiting(p.frontier), 6);
    assert_int_equal(frontier_urge_all(p.frontier, is_odd, &looks), 0);
    for (int i = 0; i < 3; i++) {
        request = next(&p, T0 + 2 * US_PER_S);
        assert_int_equal(request->id % 2, 1);
        settle(&p, request);
    }
    assert_int_equal(answer_of(&p, T0 + 2 * US_PER_S), FRONTIER_HELD);
    host_hold_user(host_at(&p.hosts, 0), false, T0);
    for (int i = 0; i < 6; i++) {
        settle(&p, next(&p, T0 + 200 * US_PER_S));
    }
    assert_int_equal(answer_of(&p, T0 + 200 * US_PER_S), FRONTIER_EMPTY);
    plan_end(&p);
}

static void again__asks_settled_requests_once_more__in_a_list_too(void **state)
{
    struct request *request;
    struct plan p;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\nhttp://a/3\nhttp://a/4\n");
    plan_open(&p);
    for (int i = 0; i < 4; i++) {
        settle(&p, next(&p, T0));
    }
    assert_int_equal(frontier_again(p.frontier, 5), RESULT_NOT_FOUND);
    assert_int_equal(frontier_again(p.frontier, 0), RESULT_NOT_FOUND);
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(frontier_again(p.frontier, 2), RESULT_OK);
        assert_int_equal(frontier_again(p.frontier, 3), RESULT_OK);
        request = next(&p, T0);
        assert_string_equal(request->url.data, "http://a/2");
        assert_int_equal(request->attempt, 1);
        settle(&p, request);
        settle(&p, next(&p, T0));
        assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    }
    plan_end(&p);
}

static void new__tells_the_line__when_a_list_is_bad(void **state)
{
    struct plan p;
    struct frontier_options options;
    struct err err;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nftp://a/2\n");
    options = (struct frontier_options){ &p.job, &p.hosts, p.list_fds };
    assert_int_equal(frontier_new(&p.frontier, &options, &err), RESULT_INVALID);
    assert_non_null(strstr(err.text, "2"));
    p.frontier = NULL;
    plan_end(&p);
}

static void next__says_error__when_a_list_became_shorter(void **state)
{
    struct plan p;
    struct request *request;
    struct err err;

    (void)state;
    plan_begin(&p, 0);
    plan_list(&p, "http://a/1\nhttp://a/2\n");
    plan_open(&p);
    assert_int_equal(ftruncate(p.list_fds[0], 0), 0);
    assert_int_equal(frontier_next(p.frontier, T0, &request, &err), FRONTIER_ERROR);
    assert_null(request);
    plan_end(&p);
}

/* Ten thousand URLs of a host that is down, then twenty of another: these are asked before the down host is up, and
 * of the others none is lost and none comes twice. */
static void parked__of_a_host_that_is_down__do_not_keep_the_plan_from_going_on(void **state)
{
    static bool seen[10021];
    struct plan p;
    struct request *first;
    struct host *down;
    unsigned made = 0;

    (void)state;
    memset(seen, 0, sizeof seen);
    plan_begin(&p, 0);
    plan_pattern(&p, "http://down/[1-10000]");
    plan_pattern(&p, "http://up/[1-20]");
    plan_open(&p);
    first = next(&p, T0);
    down = host_at(&p.hosts, first->host);
    down->down_until_us = T0 + 60 * US_PER_S;
    down->down_due = (struct due){ .by = DUE_BREAKER };
    for (unsigned turns = 0; made < 20; turns++) {
        struct request *request;

        assert_true(turns < 40); /* each makes no more than there is room for */
        if (frontier_next(p.frontier, T0, &request, NULL) == FRONTIER_REQUEST) {
            assert_in_range(request->id, 10001, 10020);
            seen[request->id] = true;
            frontier_forget(p.frontier, request);
            made++;
        }
        assert_true(frontier_parked(p.frontier) <= FRONTIER_PARKED_MAX);
    }
    while (answer_of(&p, T0) != FRONTIER_HELD) {
    }
    down->down_until_us = 0;
    seen[1] = true;
    for (made = 1; made < 10000; made++) {
        struct request *request = next(&p, T0);

        assert_in_range(request->id, 2, 10000);
        assert_false(seen[request->id]);
        seen[request->id] = true;
        frontier_forget(p.frontier, request);
    }
    assert_int_equal(answer_of(&p, T0), FRONTIER_EMPTY);
    frontier_forget(p.frontier, first);
    plan_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next__follows_the_plans_order__when_sources_are_several),
        cmocka_unit_test(next__encodes_bytes_beyond_ascii),
        cmocka_unit_test(plan__costs_nothing__when_it_has_a_million_million_urls),
        cmocka_unit_test(next__goes_on_after_the_ledger__when_the_plan_is_enormous),
        cmocka_unit_test(wait__comes_back_in_order_of_deadline),
        cmocka_unit_test(wait__keeps_the_order_and_takes_turns_with_first_tries__when_all_are_due),
        cmocka_unit_test(next__gives_all_of_both__when_retries_outnumber_first_tries),
        cmocka_unit_test(next__passes_by_a_held_host__when_another_is_open),
        cmocka_unit_test(next__says_learned__when_a_refusal_taught_a_rate),
        cmocka_unit_test(next__goes_on_with_the_other_lane__when_one_is_in_trouble),
        cmocka_unit_test(next__says_trouble__when_nothing_else_is_left),
        cmocka_unit_test(next__takes_turns__when_several_hosts_are_full),
        cmocka_unit_test(parked__are_bounded__when_the_only_host_is_held),
        cmocka_unit_test(parked__of_a_host_that_is_down__do_not_keep_the_plan_from_going_on),
        cmocka_unit_test(waiting__are_bounded__when_everything_fails),
        cmocka_unit_test(restore__leaves_the_gaps__in_any_pattern),
        cmocka_unit_test(restore__keeps_tries_reason_and_deadline__when_a_row_waits),
        cmocka_unit_test(restore__holds_the_host__when_its_server_named_the_deadline),
        cmocka_unit_test(restore__refuses__when_the_ledger_is_of_another_plan),
        cmocka_unit_test(put_back__asks_the_redirects_host__before_all_others),
        cmocka_unit_test(each_wait__visits_what_waiting_counts),
        cmocka_unit_test(urge__asks_before_all_others__though_the_host_is_held),
        cmocka_unit_test(take__finds_a_parked_request),
        cmocka_unit_test(urge_all__looks_at_each_once__wherever_it_waits),
        cmocka_unit_test(again__asks_settled_requests_once_more__in_a_list_too),
        cmocka_unit_test(new__tells_the_line__when_a_list_is_bad),
        cmocka_unit_test(next__says_error__when_a_list_became_shorter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
