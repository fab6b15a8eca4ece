/* What a run tells of its tables: against a server whose records change when the test says so. */
#include "engine_fixture.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define EVERY (30 * US_PER_S)
#define BODIES_MAX 4

/* Asked again and again for /1, it answers with one body a round. */
struct world {
    struct server *server;
    struct run run;
    char answers[BODIES_MAX][ANSWER_MAX];
    struct server_answer body[BODIES_MAX];
    _Atomic unsigned round; /* turned between requests */
};

static struct server_answer play_rounds(void *context, const struct server_asked *asked,
                                        unsigned number)
{
    const struct world *w = context;

    (void)asked;
    (void)number;
    return w->body[w->round];
}

static struct world *begin(const char *const bodies[], unsigned count)
{
    struct world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    for (unsigned i = 0; i < count; i++) {
        w->body[i] = compose(w->answers[i], "200 OK", bodies[i]);
    }
    w->server = server_start(play_rounds, w);
    run_begin(&w->run, server_url(w->server, "/1"));
    w->run.attended = true;
    w->run.job.poll = (struct job_poll){ .every_us = EVERY, .count = count + 1 };
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
        turn(&w->run);
    }
}

static void next_round(struct world *w)
{
    w->round++;
    pass(&w->run, EVERY);
    until_resting(w);
}

/* What `n` does. */
static void make_table(struct world *w)
{
    tell(&w->run, CONTROL_NORMALISE, 0);
    assert_true(look(&w->run)->normalise.state != NORMALISE_FAILED);
    while (look(&w->run)->normalise.state != NORMALISE_IDLE) {
        assert_true(look(&w->run)->normalise.state != NORMALISE_FAILED);
        turn(&w->run);
    }
}

static void stop(struct world *w)
{
    tell(&w->run, CONTROL_DRAIN, 0);
    run_until_done(&w->run);
    run_close(&w->run);
}

/* How many of the screen's events have this text. */
static unsigned count_shown(struct world *w, const char *text)
{
    const struct snapshot *s = look(&w->run);
    unsigned count = 0;

    for (size_t i = 0; i < s->event_count; i++) {
        count += strcmp(s->events[i].text, text) == 0;
    }
    return count;
}

static bool any_drift_shown(struct world *w)
{
    const struct snapshot *s = look(&w->run);

    for (size_t i = 0; i < s->event_count; i++) {
        if (strstr(s->events[i].text, "the last table")) {
            return true;
        }
    }
    return false;
}

#define NEW "table: new since the last table: "
#define TYPE "table: changed since the last table: "
#define GONE "table: gone since the last table: "

static void drift__is_shown_and_written_down__when_n_makes_a_second_table(void **state)
{
    static const char *const bodies[] = { "{\"id\":1,\"v\":1}", "{\"id\":1,\"v\":\"x\",\"w\":2}" };
    struct world *w = begin(bodies, 2);

    (void)state;
    run_start(&w->run);
    until_resting(w);
    make_table(w);
    make_table(w); /* of the same */
    assert_false(any_drift_shown(w));
    next_round(w);
    make_table(w);
    assert_int_equal(count_shown(w, NEW "w int64"), 1);
    assert_int_equal(count_shown(w, TYPE "v text, was int64"), 1);
    make_table(w);
    assert_int_equal(count_shown(w, NEW "w int64"), 1);
    stop(w);
    assert_told(&w->run, "\"event\":\"drift\",\"level\":\"warning\",\"text\":\"" NEW "w int64\"",
                true);
    assert_told(&w->run, TYPE "v text, was int64", true);
    end(w);
}

/* The table at the end goes to another file than the one of `n`. */
static void drift__is_told__when_the_table_of_the_end_is_the_second(void **state)
{
    static const char *const bodies[] = { "{\"v\":1}", "{\"w\":true}" };
    struct world *w = begin(bodies, 2);

    (void)state;
    w->run.csv = true;
    w->run.job.poll.count = 2;
    run_start(&w->run);
    until_resting(w);
    make_table(w);
    w->round++;
    pass(&w->run, EVERY);
    run_until_done(&w->run);
    assert_int_equal(count_shown(w, NEW "w boolean"), 1);
    run_close(&w->run);
    assert_string_equal(report_table_path(&w->run.report, "csv"), w->run.csv_path);
    assert_told(&w->run, NEW "w boolean", true);
    end(w);
}

/* A table of mid-run lacks what came later: the end makes it anew, that of a drain as well. */
static void table__is_made_anew_at_the_end__when_n_made_it_in_mid_run(void **state)
{
    static const char *const bodies[] = { "{\"v\":1}", "{\"v\":2}" };

    (void)state;
    for (int stopped = 0; stopped < 2; stopped++) {
        struct world *w = begin(bodies, 2);

        w->run.job.poll.count = 2 + (unsigned)stopped;
        run_start(&w->run);
        until_resting(w);
        make_table(w);
        assert_int_equal(look(&w->run)->normalise.rows, 1);
        w->round++;
        pass(&w->run, EVERY);
        if (stopped) {
            until_resting(w);
            stop(w);
        } else {
            run_until_done(&w->run);
            run_close(&w->run);
        }
        assert_int_equal(w->run.report.ok, 2);
        assert_int_equal(w->run.report.made_of, 2);
        assert_int_equal(w->run.report.rows, 2);
        end(w);
    }
}

static void drift__is_told__when_the_last_table_is_of_another_session(void **state)
{
    static const char *const bodies[] = { "{\"v\":1}", "{\"v\":2.5}" };
    struct world *w = begin(bodies, 2);

    (void)state;
    run_start(&w->run);
    until_resting(w);
    make_table(w);
    stop(w);
    run_start(&w->run);
    until_resting(w);
    next_round(w);
    make_table(w);
    assert_int_equal(count_shown(w, TYPE "v double, was int64"), 1);
    stop(w);
    end(w);
}

/* Bodies stay: a column goes only when a job is changed. Here, tables.json is of a run that had more. */
static void drift__names_what_is_gone__when_the_last_table_had_more(void **state)
{
    static const char *const bodies[] = { "{\"v\":1}" };
    struct world *w = begin(bodies, 1);
    char json[160];
    int len;

    (void)state;
    run_start(&w->run);
    until_resting(w);
    len = snprintf(json, sizeof json,
                   "{\"%s\":{\"rows\":1,\"columns\":{\"u\":\"text\",\"v\":\"int64\"}}}",
                   w->run.job.endpoints[0].name);
    assert_in_range(len, 1, sizeof json - 1);
    file_write(&w->run.dir, "tables.json", (struct str){ json, (size_t)len });
    make_table(w);
    assert_int_equal(count_shown(w, GONE "u"), 1);
    stop(w);
    end(w);
}

/* --- other remarks ------------------------------------------------------------------------------------ */

/* The first four have no "rows", and number 200 is not like the others. */
static struct server_answer play_oddities(void *context, const struct server_asked *asked,
                                          unsigned number)
{
    const struct world *w = context;
    unsigned n = asked_number(asked);

    (void)number;
    return w->body[n <= 4 ? 0 : n == 200 ? 2 : 1];
}

static void skips_and_columns__are_named__when_a_table_was_made(void **state)
{
    static const char *const bodies[] = { "{\"b\":1}", "{\"rows\":[{\"a\":1}]}",
                                          "{\"rows\":[{\"a\":\"x\",\"odd\":1}]}" };
    struct world w = { .round = 0 };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        w.body[i] = compose(w.answers[i], "200 OK", bodies[i]);
    }
    w.server = server_start(play_oddities, &w);
    run_begin(&w.run, server_url(w.server, "/[1-200]"));
    w.run.job.endpoints[0].records = str_dup(STR("/rows"));
    w.run.csv = true;
    run_to_its_end(&w.run);
    assert_told(&w.run, "\"table: 4 skipped, nothing at the records pointer\"", true);
    assert_told(&w.run, "\"table: skipped 1: ", true);
    assert_told(&w.run, "\"table: skipped 2: ", true);
    assert_told(&w.run, "\"table: skipped 3: ", true);
    assert_told(&w.run, "\"table: skipped 4: ", false); /* the first three of each reason */
    assert_told(&w.run, "\"table: a value in under 1 % of the rows: odd\"", true);
    assert_told(&w.run,
                "\"table: column a is text: 1 of 196 values is not a number, first: record 196, "
                "\\\"x\\\"\"",
                true);
    run_end(&w.run);
    server_stop(w.server);
}

struct held {
    atomic_bool is_asked, let;
};

/* Answers once the test lets it. */
static struct server_answer play_held(void *context, const struct server_asked *asked,
                                      unsigned number)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    struct held *held = context;

    (void)asked;
    (void)number;
    atomic_store(&held->is_asked, true);
    while (!atomic_load(&held->let)) {
        nanosleep(&pause, NULL);
    }
    return USUAL;
}

static void tables__are_made__when_a_stop_comes_before_the_last_answers(void **state)
{
    struct held held = { false, false };
    struct server *server = server_start(play_held, &held);
    struct run run;
    char text[16] = "";
    FILE *csv;

    (void)state;
    run_begin(&run, server_url(server, "/1"));
    run.csv = true;
    run_start(&run);
    while (!atomic_load(&held.is_asked)) {
        turn(&run);
    }
    tell(&run, CONTROL_DRAIN, 0);
    atomic_store(&held.let, true);
    run_until_done(&run);
    run_close(&run);
    assert_int_equal(run.report.exit, EXIT_WELL);
    csv = fopen(run.csv_path, "r");
    assert_non_null(csv);
    assert_int_equal(fread(text, 1, sizeof text - 1, csv), 4);
    fclose(csv);
    assert_string_equal(text, "a\n1\n");
    run_end(&run);
    server_stop(server);
}

static int group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drift__is_shown_and_written_down__when_n_makes_a_second_table),
        cmocka_unit_test(drift__is_told__when_the_table_of_the_end_is_the_second),
        cmocka_unit_test(table__is_made_anew_at_the_end__when_n_made_it_in_mid_run),
        cmocka_unit_test(drift__is_told__when_the_last_table_is_of_another_session),
        cmocka_unit_test(drift__names_what_is_gone__when_the_last_table_had_more),
        cmocka_unit_test(skips_and_columns__are_named__when_a_table_was_made),
        cmocka_unit_test(tables__are_made__when_a_stop_comes_before_the_last_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return test_main(group);
}
