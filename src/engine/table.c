/*
 * The second stage within a run: the table that `n` or --csv asks for, over all bodies committed so
 * far, while fetching goes on.
 */
#include "engine/engine_state.h"
#include "engine/run_source.h"
#include "engine/table_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table_job {
    struct table_build *build;
    bool running, failed;
    uint64_t started_us, elapsed_us;
    uint64_t records_at_start; /* settled well when the last table began */
    uint64_t rows, columns, skipped;
    bool have_table;
    const char *path;    /* of the running or the last one; the options' */
    const char *written; /* of the last one that was written, or NULL */
    char message[160];
};

static enum result read_index(void *committer, uint64_t after_id, struct record *records,
                              size_t max, size_t *count, struct err *err)
{
    return committer_read_index(committer, after_id, records, max, count, err);
}

static uint64_t count_skipped(const struct table_report *report)
{
    uint64_t count = 0;

    for (int i = 0; i < TABLE_SKIP_COUNT; i++) {
        count += report->skipped[i].count;
    }
    return count;
}

static void tell_skips(struct engine *e, const struct table_report *report)
{
    for (int i = 0; i < TABLE_SKIP_COUNT; i++) {
        const struct table_skips *skips = &report->skipped[i];

        if (skips->count) {
            events_add(&e->events, EVENT_WARNING, "skipped", "", "table: %llu skipped, %s: %s",
                       (unsigned long long)skips->count, table_skip_name((enum table_skip)i),
                       skips->named ? skips->first[0] : "");
        }
    }
}

static void tell_table(struct engine *e, const struct table_job *job)
{
    char length[UNITS_TEXT_MAX], fields[96];

    units_format_time(job->elapsed_us, length);
    snprintf(fields, sizeof fields, ",\"rows\":%llu,\"columns\":%llu",
             (unsigned long long)job->rows, (unsigned long long)job->columns);
    events_add(&e->events, EVENT_INFO, "table", fields, "table: %llu rows x %llu columns in %s: %s",
               (unsigned long long)job->rows, (unsigned long long)job->columns, length, job->path);
}

void table_failed(struct engine *e, const struct err *err)
{
    e->table_result = err->result;
    snprintf(e->stopped_by, sizeof e->stopped_by, "%s", err->text);
    memcpy(e->trouble_code, err->code, sizeof e->trouble_code);
}

static void on_done(void *context, const struct table_report *report)
{
    struct engine *e = context;
    struct table_job *job = e->table;

    job->running = false;
    job->failed = report->result != RESULT_OK;
    job->elapsed_us = engine_now_us(e) - job->started_us;
    if (report->result == RESULT_OK) {
        job->rows = report->rows;
        job->columns = report->columns;
        job->skipped = count_skipped(report);
        job->have_table = true;
        job->written = job->path;
        job->message[0] = '\0';
        tell_table(e, job);
        tell_skips(e, report);
    } else if (report->result == RESULT_CANCELLED) {
        job->failed = false;
        snprintf(job->message, sizeof job->message, "cancelled");
        events_add(&e->events, EVENT_NOTICE, "table", "", "table cancelled");
    } else {
        snprintf(job->message, sizeof job->message, "%s", report->err.text);
        events_add(&e->events, EVENT_ERROR, "table", "", "table failed: %s", report->err.text);
        if (job->path == e->options.csv) {
            table_failed(e, &report->err);
        }
    }
    table_build_free(job->build);
    job->build = NULL;
    engine_table_ended(e);
}

enum result table_start(struct engine *e, const char *path, struct err *err)
{
    struct table_job *job = e->table;
    struct table_options options = { .records = e->job->endpoints[0].records };
    struct record_source *source;
    enum result result;

    if (!job) {
        job = e->table = calloc(1, sizeof *job);
        if (!job) {
            return err_nomem(err, "starting a table");
        }
    }
    if (job->running) {
        return err_set(err, RESULT_BUSY, "E-TAB4", "a table is being written already");
    }
    result = run_source_new(&source, e->options.dir, read_index, e->committer, err);
    if (result != RESULT_OK) {
        return result;
    }
    options.output = job->path = path;
    job->started_us = engine_now_us(e);
    job->records_at_start = e->metrics.ok + e->metrics.ok_before;
    result = table_build_start(&job->build, &e->work, &options, source, on_done, e, err);
    if (result == RESULT_OK) {
        job->running = true;
        job->failed = false;
        events_add(&e->events, EVENT_NOTICE, "normalise", "", "normalise: %llu bodies to %s",
                   (unsigned long long)job->records_at_start, path);
    }
    return result;
}

void table_cancel(struct engine *e)
{
    if (table_is_running(e)) {
        table_build_cancel(e->table->build);
    }
}

bool table_is_running(const struct engine *e)
{
    return e->table && e->table->running;
}

void table_snapshot(const struct engine *e, struct snapshot_normalise *out)
{
    const struct table_job *job = e->table;
    uint64_t settled_well = e->metrics.ok + e->metrics.ok_before;
    struct table_progress progress;

    memset(out, 0, sizeof *out);
    out->new_records = settled_well;
    out->workers = e->work.limit;
    if (!job) {
        return;
    }
    out->new_records = settled_well - job->records_at_start;
    out->rows = job->rows;
    out->columns = job->columns;
    out->skipped = job->skipped;
    out->elapsed_us = job->elapsed_us;
    out->have_table = job->have_table;
    out->state = job->failed ? NORMALISE_FAILED : NORMALISE_IDLE;
    snprintf(out->output, sizeof out->output, "%s", job->path ? job->path : "");
    snprintf(out->message, sizeof out->message, "%s", job->message);
    if (!job->running) {
        return;
    }
    table_build_progress(job->build, &progress);
    out->state = progress.cancelling                ? NORMALISE_CANCELLING
                 : progress.phase <= TABLE_SETTLING ? NORMALISE_COLUMNS
                                                    : NORMALISE_ROWS;
    out->records_total = 2 * progress.records_total;
    out->records_done =
        progress.records + (progress.phase > TABLE_SETTLING ? progress.records_total : 0);
    out->rows = progress.rows;
    out->elapsed_us = engine_now_us(e) - job->started_us;
    out->workers = progress.workers;
    out->workers_busy = progress.busy;
}

uint64_t table_rows(const struct engine *e)
{
    return e->table && e->table->have_table ? e->table->rows : 0;
}

const char *table_path(const struct engine *e)
{
    return e->table && e->table->written ? e->table->written : "";
}

void table_release(struct engine *e)
{
    free(e->table);
}
