/* Runs that ask their seeds again and again, against a server whose answers change when the test says so. */
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS_MAX 1000
#define VERSIONS_MAX 8
#define EVERY (30 * US_PER_S)

/* GET /N */
struct world {
    struct server *server;
    struct run run;
    bool with_etags;
    /* Turned while the server may look. */
    _Atomic unsigned version; /* of all bodies */
    _Atomic unsigned hang_at; /* this one is not answered */
    _Atomic unsigned fail_at; /* this one answers 404 */
    unsigned asked[SEEDS_MAX + 1];
    unsigned not_modified;
    char answers[SEEDS_MAX + 1][VERSIONS_MAX][120];
};

static bool knows(const struct world *w, const char *head)
{
    char line[64];

    snprintf(line, sizeof line, "If-None-Match: \"v%u\"\r\n", w->version);
    return strstr(head, line) != NULL;
}

/* On the server's thread. */
static struct server_answer play_polls(void *context, const struct server_asked *asked,
                                       unsigned number)
{
    struct world *w = context;
    unsigned n = asked_number(asked);
    char *answer = w->answers[n][w->version], etag[32] = "", body[32];
    int len = snprintf(body, sizeof body, "{\"n\":%u,\"v\":%u}\n", n, w->version);

    (void)number;
    w->asked[n]++;
    if (n == w->hang_at) {
        return SERVER_ANSWER("", SERVER_HANG);
    }
    if (n == w->fail_at) {
        return EMPTY_ANSWER("404 Not Found");
    }
    if (w->with_etags && knows(w, asked->head)) {
        w->not_modified++;
        return SERVER_ANSWER("HTTP/1.1 304 Not Modified\r\n\r\n", SERVER_KEEP);
    }
    if (w->with_etags) {
        snprintf(etag, sizeof etag, "ETag: \"v%u\"\r\n", w->version);
    }
    if (!answer[0]) {
        snprintf(answer, sizeof w->answers[n][0],
                 "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", etag, len, body);
    }
    return (struct server_answer){ answer, strlen(answer), 0, SERVER_KEEP };
}

static struct world *begin(unsigned seeds, uint64_t count)
{
    struct world *w = calloc(1, sizeof *w);
    char path[32];

    assert_non_null(w);
    w->server = server_start(play_polls, w);
    snprintf(path, sizeof path, "/[1-%u]", seeds);
    run_begin(&w->run, server_url(w->server, path));
    w->run.job.retry.attempts = 1;
    w->run.job.poll = (struct job_poll){ .every_us = EVERY, .count = count };
    return w;
}

static void end(struct world *w)
{
    run_end(&w->run);
    server_stop(w->server);
    free(w);
}

static void until_resting(struct world *w)
{
    while (look(&w->run)->state != RUN_RESTING) {
        assert_false(w->run.done);
        uv_run(&w->run.loop, UV_RUN_ONCE);
    }
}

static void assert_stored(const struct world *w, const char *wanted)
{
    size_t count;
    char *text = stored(&w->run, &count);

    assert_string_equal(text, wanted);
    free(text);
}

static void run__asks_all_seeds_again__in_each_round(void **state)
{
    struct world *w = begin(2, 3);

    (void)state;
    run_start(&w->run);
    for (w->version = 0; w->version < 2;) {
        until_resting(w);
        w->version++;
        pass(&w->run, EVERY);
    }
    run_until_done(&w->run);
    run_close(&w->run);
    assert_int_equal(w->asked[1], 3);
    assert_int_equal(w->asked[2], 3);
    assert_int_equal(w->run.report.exit, EXIT_WELL);
    assert_int_equal(w->run.report.ok, 6);
    assert_int_equal(w->run.report.total, 6);
    assert_int_equal(w->run.report.unchanged, 0);
    assert_int_equal(w->run.report.rounds, 3);
    assert_stored(w, "1 1 {\"n\":1,\"v\":0} \n2 2 {\"n\":2,\"v\":0} \n3 1 {\"n\":1,\"v\":1} \n"
                     "4 2 {\"n\":2,\"v\":1} \n5 1 {\"n\":1,\"v\":2} \n6 2 {\"n\":2,\"v\":2} \n");
    end(w);
}

static void poll_without_change(bool with_etags)
{
    struct world *w = begin(2, 4);

    w->with_etags = with_etags;
    run_start(&w->run);
    until_resting(w);
    pass(&w->run, EVERY);
    until_resting(w);
    assert_int_equal(w->not_modified, with_etags ? 2 : 0);
    assert_int_equal(look(&w->run)->ok, 4);
    assert_int_equal(look(&w->run)->unchanged, 2);
    w->version = 1;
    pass(&w->run, EVERY);
    until_resting(w);
    run_close(&w->run); /* what the last body was is known to the next session, too */
    assert_int_equal(w->run.report.unchanged, 2);
    run_start(&w->run);
    until_resting(w);
    assert_int_equal(look(&w->run)->unchanged, 2);
    pass(&w->run, EVERY);
    run_until_done(&w->run);
    run_close(&w->run);
    assert_int_equal(w->run.report.ok, 8);
    assert_int_equal(w->run.report.failed, 0);
    assert_int_equal(w->run.report.unchanged, 4);
    assert_int_equal(w->run.report.exit, EXIT_WELL);
    assert_int_equal(w->not_modified, with_etags ? 4 : 0);
    assert_stored(w, "1 1 {\"n\":1,\"v\":0} \n2 2 {\"n\":2,\"v\":0} \n5 1 {\"n\":1,\"v\":1} \n"
                     "6 2 {\"n\":2,\"v\":1} \n");
    end(w);
}

static void run__stores_nothing__when_an_etag_says_unchanged(void **state)
{
    (void)state;
    poll_without_change(true);
}

static void run__stores_nothing__when_the_body_is_the_same(void **state)
{
    (void)state;
    poll_without_change(false);
}

static void run__takes_a_304__only_when_it_asked_whether(void **state)
{
    struct script script = { .usual =
                                 SERVER_ANSWER("HTTP/1.1 304 Not Modified\r\n\r\n", SERVER_KEEP) };
    struct server *server = server_start(play, &script);
    struct run r;

    (void)state;
    run_begin(&r, server_url(server, "/1"));
    r.job.poll = (struct job_poll){ .every_us = EVERY, .count = 1 };
    run_to_its_end(&r);
    assert_int_equal(r.report.failed, 1);
    assert_int_equal(r.report.unchanged, 0);
    assert_int_equal(r.report.exit, EXIT_INCOMPLETE);
    run_end(&r);
    server_stop(server);
}

/* An ETag goes into a header of the next request: what is none stays out. */
static void run__sends_no_etag_back__that_is_none(void **state)
{
    static const char *const bad[] = {
        "HTTP/1.1 200 OK\r\nETag: unquoted\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nETag: \"a b\"\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nETag: \"\r\nContent-Length: 2\r\n\r\n{}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct script script = { .usual = { bad[i], strlen(bad[i]), 0, SERVER_KEEP } };
        struct server *server = server_start(play, &script);
        struct world w = { .server = server };

        run_begin(&w.run, server_url(server, "/1"));
        w.run.job.poll = (struct job_poll){ .every_us = EVERY, .count = 2 };
        run_start(&w.run);
        until_resting(&w);
        pass(&w.run, EVERY);
        run_until_done(&w.run);
        run_close(&w.run);
        assert_int_equal(server_count(server), 2);
        assert_null(strstr(server_asked_at(server, 1).head, "If-None-Match"));
        assert_int_equal(w.run.report.unchanged, 1); /* by the body */
        run_end(&w.run);
        server_stop(server);
    }
}

static void run__rests_between_rounds__and_says_until_when(void **state)
{
    struct world *w = begin(2, 0);
    const struct snapshot *s;

    (void)state;
    run_start(&w->run);
    until_resting(w);
    pass(&w->run, 10 * US_PER_S);
    s = look(&w->run);
    assert_int_equal(s->state, RUN_RESTING);
    assert_int_equal(s->limit.kind, LIMIT_ROUND);
    assert_true(s->next_due_in_us > 10 * US_PER_S && s->next_due_in_us <= 20 * US_PER_S);
    assert_true(s->limit.in_us > 0 && s->limit.in_us < 60 * US_PER_S);
    assert_int_equal(s->limit.every_us, w->run.job.poll.every_us);
    assert_int_equal(s->rounds, 1);
    assert_int_equal(server_count(w->server), 2);
    tell(&w->run, CONTROL_DRAIN, 0);
    run_until_done(&w->run);
    run_close(&w->run);
    assert_int_equal(w->run.report.exit, EXIT_WELL); /* until stopped: it was */
    assert_int_equal(server_count(w->server), 2);
    end(w);
}

static void drain__between_rounds__writes_the_table(void **state)
{
    struct world *w = begin(2, 0);
    char line[160] = "";
    FILE *csv;

    (void)state;
    w->run.csv = true;
    run_start(&w->run);
    until_resting(w);
    w->version = 1;
    pass(&w->run, EVERY);
    while (look(&w->run)->ok < 4) {
        uv_run(&w->run.loop, UV_RUN_ONCE);
    }
    until_resting(w);
    tell(&w->run, CONTROL_DRAIN, 0);
    run_until_done(&w->run);
    run_close(&w->run);
    assert_int_equal(w->run.report.rows, 4);
    csv = fopen(w->run.csv_path, "r");
    assert_non_null(csv);
    assert_non_null(fgets(line, sizeof line, csv));
    assert_non_null(strstr(line, "_fetched_at"));
    fclose(csv);
    end(w);
}

static void drain__is_resumable__when_rounds_are_to_come(void **state)
{
    struct world *w = begin(2, 2);

    (void)state;
    run_start(&w->run);
    until_resting(w);
    tell(&w->run, CONTROL_DRAIN, 0);
    run_until_done(&w->run);
    run_close(&w->run);
    assert_int_equal(w->run.report.exit, EXIT_DRAINED);
    run_start(&w->run);
    until_resting(w);
    assert_int_equal(server_count(w->server), 2); /* the next one begins at its time */
    pass(&w->run, EVERY);
    run_until_done(&w->run);
    run_close(&w->run);
    assert_int_equal(w->run.report.exit, EXIT_WELL);
    assert_int_equal(w->asked[1], 2);
    assert_int_equal(w->asked[2], 2);
    end(w);
}

static void round__is_skipped_and_counted__while_the_last_is_under_way(void **state)
{
    struct world *w = begin(2, 2);

    (void)state;
    w->hang_at = 2;
    run_start(&w->run);
    while (look(&w->run)->ok < 1 || look(&w->run)->in_flight != 1) {
        uv_run(&w->run.loop, UV_RUN_ONCE);
    }
    pass(&w->run, EVERY);
    assert_int_equal(look(&w->run)->rounds, 1);
    assert_int_equal(look(&w->run)->rounds_skipped, 1);
    assert_non_null(strstr(look(&w->run)->events[0].text, "skipped"));
    w->hang_at = 0;
    tell(&w->run, CONTROL_DROP, 2);
    until_resting(w);
    pass(&w->run, EVERY);
    run_until_done(&w->run);
    run_close(&w->run);
    assert_int_equal(w->asked[1], 2);
    assert_int_equal(w->asked[2], 2);
    assert_int_equal(w->run.report.rounds, 2);
    assert_int_equal(w->run.report.rounds_skipped, 1);
    assert_int_equal(w->run.report.failed, 1);
    assert_int_equal(w->run.report.exit, EXIT_INCOMPLETE);
    end(w);
}

/* A round is put into the ledger piece by piece; nothing of it is asked twice, nothing is lost. */
static void round__of_many_seeds__goes_on_where_it_was_cut_off(void **state)
{
    struct world *w = begin(SEEDS_MAX, 2);
    unsigned again = 0;

    (void)state;
    run_start(&w->run);
    until_resting(w);
    w->version = 1;
    pass(&w->run, EVERY);
    until_asked(&w->run, w->server, SEEDS_MAX + 100);
    run_close(&w->run);
    assert_true(w->run.report.pending > 0);
    assert_int_equal(w->run.report.total, 2 * SEEDS_MAX);
    run_to_its_end(&w->run);
    assert_int_equal(w->run.report.total, 2 * SEEDS_MAX);
    assert_int_equal(w->run.report.ok, 2 * SEEDS_MAX);
    assert_int_equal(w->run.report.exit, EXIT_WELL);
    for (unsigned n = 1; n <= SEEDS_MAX; n++) {
        assert_true(w->asked[n] >= 2);
        again += w->asked[n] - 2;
    }
    assert_true(again <= 104); /* what was in flight, or not yet committed */
    assert_int_equal(stored_count(&w->run), 2 * SEEDS_MAX);
    end(w);
}

static void retry_failed__works_between_rounds(void **state)
{
    struct world *w = begin(2, 2);

    (void)state;
    w->fail_at = 2;
    run_start(&w->run);
    until_resting(w);
    pass(&w->run, EVERY);
    run_until_done(&w->run);
    w->fail_at = 0;
    w->run.done = false;
    assert_int_equal(look(&w->run)->failed, 2); /* one of the plan's own, one of a round */
    tell(&w->run, CONTROL_RETRY_FAILED, 0);
    run_until_done(&w->run);
    run_close(&w->run);
    assert_int_equal(w->run.report.ok, 4);
    assert_int_equal(w->run.report.failed, 0);
    assert_int_equal(w->asked[2], 4);
    end(w);
}

static void follow_up__begins_no_round(void **state)
{
    struct world *w = begin(2, 9);

    (void)state;
    w->fail_at = 2;
    run_start(&w->run);
    until_resting(w);
    pass(&w->run, EVERY);
    while (look(&w->run)->failed < 2) {
        uv_run(&w->run.loop, UV_RUN_ONCE);
    }
    until_resting(w);
    run_close(&w->run);
    w->fail_at = 0;
    w->run.follow_up.kind = FOLLOW_UP_FAILED;
    w->run.skew_us += 10 * EVERY;
    run_to_its_end(&w->run);
    assert_int_equal(w->run.report.ok, 4);
    assert_int_equal(w->run.report.exit, EXIT_WELL);
    assert_int_equal(w->asked[1], 2);
    assert_int_equal(w->asked[2], 4);
    end(w);
}

/* The round that was cut off is missing; the next one is not. */
static void only_missing__puts_the_rest_of_a_round__and_begins_no_other(void **state)
{
    struct world *w = begin(SEEDS_MAX, 9);

    (void)state;
    run_start(&w->run);
    until_resting(w);
    pass(&w->run, EVERY);
    until_asked(&w->run, w->server, SEEDS_MAX + 100);
    run_close(&w->run);
    assert_true(w->run.report.pending > 0);
    w->run.follow_up.kind = FOLLOW_UP_FAILED; /* nothing has failed */
    run_to_its_end(&w->run);
    assert_true(w->run.report.pending > 0);
    assert_int_equal(w->run.report.exit, EXIT_DRAINED);
    w->run.follow_up.kind = FOLLOW_UP_MISSING;
    w->run.skew_us += 3 * EVERY;
    run_to_its_end(&w->run);
    assert_int_equal(w->run.report.pending, 0);
    assert_int_equal(w->run.report.ok, 2 * SEEDS_MAX);
    assert_int_equal(w->run.report.rounds, 2);
    assert_int_equal(w->run.report.exit, EXIT_WELL);
    end(w);
}

static void run__ends_at_once__when_until_is_before_the_next_round(void **state)
{
    struct world *w = begin(2, 0);
    struct clock clock = clock_system();

    (void)state;
    w->run.job.poll.until_us = clock_wall_us(&clock) + (int64_t)EVERY / 2;
    run_to_its_end(&w->run);
    assert_int_equal(w->run.report.exit, EXIT_WELL);
    assert_int_equal(w->run.report.rounds, 1);
    assert_int_equal(server_count(w->server), 2);
    end(w);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__asks_all_seeds_again__in_each_round),
        cmocka_unit_test(run__stores_nothing__when_an_etag_says_unchanged),
        cmocka_unit_test(run__stores_nothing__when_the_body_is_the_same),
        cmocka_unit_test(run__takes_a_304__only_when_it_asked_whether),
        cmocka_unit_test(run__sends_no_etag_back__that_is_none),
        cmocka_unit_test(run__rests_between_rounds__and_says_until_when),
        cmocka_unit_test(drain__between_rounds__writes_the_table),
        cmocka_unit_test(drain__is_resumable__when_rounds_are_to_come),
        cmocka_unit_test(round__is_skipped_and_counted__while_the_last_is_under_way),
        cmocka_unit_test(round__of_many_seeds__goes_on_where_it_was_cut_off),
        cmocka_unit_test(retry_failed__works_between_rounds),
        cmocka_unit_test(follow_up__begins_no_round),
        cmocka_unit_test(only_missing__puts_the_rest_of_a_round__and_begins_no_other),
        cmocka_unit_test(run__ends_at_once__when_until_is_before_the_next_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
