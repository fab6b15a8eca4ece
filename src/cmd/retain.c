#include "cmd/retain.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/message.h"
#include "base/say.h"
#include "base/units.h"
#include "changes/retire.h"
#include "cmd/changes_spec.h"
#include "history/stored_job.h"
#include "table/endpoint_table.h"

#include <stdlib.h>

/* An endpoint, with what its table is like. */
struct wanted {
    struct endpoint_table table;
    struct changes_spec spec;
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

static void tell(const char *run, const struct retire_report *r)
{
    char bytes[UNITS_TEXT_MAX], journal[UNITS_TEXT_MAX];

    units_format_bytes(r->bytes, bytes);
    units_format_bytes(r->journal, journal);
    if (r->answers || r->changes || r->segments) {
        say(stderr,
            "scrapetop: %s: %llu answer%s retired, %llu change%s of theirs written down; %u "
            "segment%s of %s rewritten; the journal has %u round%s in %s",
            run, (unsigned long long)r->answers, units_plural(r->answers),
            (unsigned long long)r->changes, units_plural(r->changes), (unsigned)r->segments,
            units_plural(r->segments), bytes, (unsigned)r->rounds, units_plural(r->rounds),
            journal);
    } else {
        say(stderr, "scrapetop: %s: nothing to retire", run);
    }
    if (r->too_long) {
        say(stderr, "scrapetop: %s: %llu value%s too long for the journal, and left out", run,
            (unsigned long long)r->too_long, r->too_long == 1 ? " is" : "s are");
    }
}

static enum result retire(const struct run_dir *dir, const struct job *job, uint64_t age_us,
                          struct retire_report *report, struct err *err)
{
    struct clock clock = clock_system();
    struct wanted *list = calloc(job->endpoint_count, sizeof *list);
    struct retire_endpoint *endpoints = calloc(job->endpoint_count, sizeof *endpoints);
    struct retire_options options = { .dir = dir,
                                      .endpoints = endpoints,
                                      .wall_us = clock_wall_us(&clock),
                                      .sends_again = job->retry.repeats_posts,
                                      .memory_bytes = TABLE_MEMORY_DEFAULT / 2 };
    enum result result = list && endpoints ? RESULT_OK : err_nomem(err, "retiring old rounds");

    options.before_us = options.wall_us - (int64_t)age_us;
    while (result == RESULT_OK && options.count < job->endpoint_count) {
        struct wanted *w = &list[options.count];
        uint32_t at = (uint32_t)options.count;

        result = endpoint_table_init(&w->table, job, at, err);
        if (result == RESULT_OK) {
            result = changes_spec_init(&w->spec, job, at, w->table.records, &w->table.spec, err);
            endpoints[at] =
                (struct retire_endpoint){ job->endpoints[at].name, w->spec.query, w->spec.rows };
            options.count++;
        }
    }
    result = result == RESULT_OK ? retire_rounds(&options, report, err) : result;
    for (size_t i = 0; i < options.count; i++) {
        changes_spec_release(&list[i].spec);
        endpoint_table_release(&list[i].table);
    }
    free(list);
    free(endpoints);
    return result;
}

enum result retain_opened(const struct run_dir *dir, const struct job *job, uint64_t age_us,
                          struct err *err)
{
    struct retire_report report;
    enum result result = retire(dir, job, age_us, &report, err);

    if (result == RESULT_OK) {
        tell(dir->path, &report);
    }
    return result;
}

int retain_rounds(const char *run, uint64_t age_us)
{
    struct run_dir dir, look;
    struct job job;
    struct err err;
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
        result = result == RESULT_OK ? retain_opened(&dir, &job, age_us, &err) : result;
        job_release(&job);
    }
    run_dir_close(&dir);
    return result == RESULT_OK ? EXIT_WELL : message_fail(&err);
}
