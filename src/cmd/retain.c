#include "cmd/retain.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/message.h"
#include "base/say.h"
#include "base/units.h"
#include "changes/retire.h"
#include "cmd/changes_spec.h"
#include "history/stored_job.h"
#include "session/line_copy.h"
#include "table/endpoint_table.h"

#include <stdio.h>
#include <stdlib.h>

#define PERIODS 24 /* in the age */
#define PERIOD_MAX_US (3600 * (uint64_t)US_PER_S)
#define PERIOD_MIN_US ((uint64_t)US_PER_S)

/* An endpoint, with what its table is like. */
struct wanted {
    struct endpoint_table table;
    struct changes_spec spec;
};

/* What all endpoints of a job want. */
struct wish {
    struct wanted *list;
    struct retire_endpoint *endpoints;
    size_t count;
    struct retire_options options;
};

struct retain_live {
    struct wish wish;
    uint64_t age_us;
    const char *run;
    struct tending tending;
    /* what was told, the tender's */
    uint32_t told_round, told_left;
};

enum result retain_check(const char *run, const struct job *job, struct err *err)
{
    if (!job->poll.every_us) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "--retain is for runs that poll (--every), and %s does not", run);
    }
    for (size_t i = 0; i < job->endpoint_count; i++) {
        if (!job->endpoints[i].table.unique_count) {
            return err_set(
                err, RESULT_INVALID, "E-ARG1",
                "--retain: the job of %s says nothing of \"unique\" in the table \"%s\": "
                "which columns tell one record from others? Without it what changed "
                "would be lost",
                run, job->endpoints[i].name);
        }
    }
    return RESULT_OK;
}

/* --- what is said ---------------------------------------------------------------------------------------------- */

static bool is_damaged(const struct retire_report *r)
{
    return r->damaged_in || r->left;
}

static bool has_done(const struct retire_report *r)
{
    return r->answers || r->changes || r->segments;
}

static void describe(const struct retire_report *r, char text[TENDER_TEXT_MAX])
{
    char bytes[UNITS_TEXT_MAX], journal[UNITS_TEXT_MAX];

    units_format_bytes(r->bytes, bytes);
    units_format_bytes(r->journal, journal);
    snprintf(text, TENDER_TEXT_MAX,
             "%llu answer%s retired, %llu change%s of theirs written down; %u segment%s of %s "
             "rewritten; the journal has %u round%s in %s",
             (unsigned long long)r->answers, units_plural(r->answers),
             (unsigned long long)r->changes, units_plural(r->changes), (unsigned)r->segments,
             units_plural(r->segments), bytes, (unsigned)r->rounds, units_plural(r->rounds),
             journal);
}

static void describe_damage(const struct retire_report *r, const char *run,
                            char text[TENDER_TEXT_MAX])
{
    if (r->damaged_in) {
        snprintf(text, TENDER_TEXT_MAX,
                 "an answer of \"%.64s\" in round %u is damaged: no round from there on is retired "
                 "until its file is put back from a copy; 'scrapetop verify %s' lists it",
                 r->damaged_in, (unsigned)r->damaged_round, run);
    } else {
        snprintf(text, TENDER_TEXT_MAX,
                 "%u segment%s a damaged line, and stay%s until put back from a copy "
                 "(raw/%08u.jsonl first); 'scrapetop verify %s' lists it",
                 (unsigned)r->left, r->left == 1 ? " has" : "s have", r->left == 1 ? "s" : "",
                 (unsigned)r->first_left, run);
    }
}

static void tell(const char *run, const struct retire_report *r)
{
    char text[TENDER_TEXT_MAX] = "nothing to retire";

    if (has_done(r)) {
        describe(r, text);
    }
    say(stderr, "scrapetop: %s: %s", run, text);
    if (r->too_long) {
        say(stderr, "scrapetop: %s: %llu value%s too long for the journal, and left out", run,
            (unsigned long long)r->too_long, r->too_long == 1 ? " is" : "s are");
    }
    if (is_damaged(r)) {
        describe_damage(r, run, text);
        say(stderr, "scrapetop: %s: %s", run, text);
    }
}

/* Damage once, and then when there is other one. */
static void tell_live(struct retain_live *live, struct tender *tender,
                      const struct retire_report *r)
{
    char text[TENDER_TEXT_MAX];

    if (is_damaged(r) && (r->damaged_round != live->told_round || r->left != live->told_left)) {
        describe_damage(r, live->run, text);
        tender_tell(tender, true, text);
    } else if (has_done(r)) {
        describe(r, text);
        tender_tell(tender, false, text);
    }
    live->told_round = r->damaged_round;
    live->told_left = r->left;
}

/* --- what is wanted -------------------------------------------------------------------------------------------- */

static void wish_release(struct wish *wish)
{
    for (size_t i = 0; i < wish->count; i++) {
        changes_spec_release(&wish->list[i].spec);
        endpoint_table_release(&wish->list[i].table);
    }
    free(wish->list);
    free(wish->endpoints);
}

static enum result wish_init(struct wish *wish, const struct run_dir *dir, const struct job *job,
                             struct err *err)
{
    enum result result;

    *wish = (struct wish){ .list = calloc(job->endpoint_count, sizeof *wish->list),
                           .endpoints = calloc(job->endpoint_count, sizeof *wish->endpoints) };
    result = wish->list && wish->endpoints ? RESULT_OK : err_nomem(err, "retiring old rounds");
    while (result == RESULT_OK && wish->count < job->endpoint_count) {
        struct wanted *w = &wish->list[wish->count];
        uint32_t at = (uint32_t)wish->count;

        result = endpoint_table_init(&w->table, job, at, err);
        if (result == RESULT_OK) {
            result = changes_spec_init(&w->spec, job, at, w->table.records, &w->table.spec, err);
            wish->endpoints[at] =
                (struct retire_endpoint){ job->endpoints[at].name, w->spec.query, w->spec.rows };
            wish->count++;
        }
    }
    wish->options = (struct retire_options){ .dir = dir,
                                             .endpoints = wish->endpoints,
                                             .count = wish->count,
                                             .sends_again = job->retry.repeats_posts,
                                             .memory_bytes = TABLE_MEMORY_DEFAULT / 2 };
    return result;
}

static enum result retire(struct wish *wish, uint64_t age_us, struct retire_report *report,
                          struct err *err)
{
    struct clock clock = clock_system();

    wish->options.wall_us = clock_wall_us(&clock);
    line_copy_look(wish->options.dir, &wish->options.copied);
    wish->options.before_us = wish->options.wall_us - (int64_t)age_us;
    return retire_rounds(&wish->options, report, err);
}

/* --- at rest --------------------------------------------------------------------------------------------------- */

static enum result retire_at_rest(const struct run_dir *dir, const struct job *job, uint64_t age_us,
                                  bool *damaged, struct err *err)
{
    struct retire_report report = { 0 };
    struct wish wish;
    enum result result = wish_init(&wish, dir, job, err);

    result = result == RESULT_OK ? retire(&wish, age_us, &report, err) : result;
    if (result == RESULT_OK) {
        tell(dir->path, &report);
    }
    *damaged = is_damaged(&report);
    wish_release(&wish);
    return result;
}

enum result retain_opened(const struct run_dir *dir, const struct job *job, struct err *err)
{
    bool damaged;

    return retire_at_rest(dir, job, job->retain_us, &damaged, err);
}

int retain_rounds(const char *run, uint64_t age_us)
{
    struct run_dir dir, look;
    struct job job;
    struct err err;
    bool damaged = false;
    enum result result = run_dir_open_readonly(&look, run, &err); /* so that none is made */

    if (result == RESULT_OK) {
        run_dir_close(&look);
        result = run_dir_open(&dir, run, &err);
    }
    if (result != RESULT_OK) {
        return message_fail(&err);
    }
    result = stored_job_read_without_secrets(&dir, &job, &err);
    if (result == RESULT_OK) {
        result = retain_check(run, &job, &err);
        result = result == RESULT_OK ? retire_at_rest(&dir, &job, age_us, &damaged, &err) : result;
        job_release(&job);
    }
    run_dir_close(&dir);
    if (result != RESULT_OK) {
        return message_fail(&err);
    }
    return damaged ? EXIT_STORAGE : EXIT_WELL;
}

/* --- while a run goes on --------------------------------------------------------------------------------------- */

static enum result take_turn(void *context, struct tender *tender, struct err *err)
{
    struct retain_live *live = context;
    struct retire_report report;
    enum result result;

    live->wish.options.tender = tender;
    result = retire(&live->wish, live->age_us, &report, err);
    if (result == RESULT_OK) {
        tell_live(live, tender, &report);
    }
    return result;
}

enum result retain_live_new(struct retain_live **live, const struct run_dir *dir,
                            const struct job *job, struct err *err)
{
    struct retain_live *l = calloc(1, sizeof *l);
    uint64_t period_us = job->retain_us / PERIODS;
    enum result result =
        l ? wish_init(&l->wish, dir, job, err) : err_nomem(err, "retiring old rounds");

    if (result != RESULT_OK) {
        retain_live_free(l);
        return result;
    }
    period_us = period_us > PERIOD_MAX_US ? PERIOD_MAX_US : period_us;
    period_us = period_us < PERIOD_MIN_US ? PERIOD_MIN_US : period_us;
    l->age_us = job->retain_us;
    l->run = dir->path;
    l->tending = (struct tending){ take_turn, l, period_us };
    *live = l;
    return RESULT_OK;
}

const struct tending *retain_live_tending(const struct retain_live *live)
{
    return live ? &live->tending : NULL;
}

void retain_live_free(struct retain_live *live)
{
    if (live) {
        wish_release(&live->wish);
        free(live);
    }
}
