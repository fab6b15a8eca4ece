#include "engine/table.h"

#include "base/units.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "table/endpoint_table.h"
#include "table/run_source.h"
#include "table/run_tables.h"
#include "table/table_build.h"
#include "table/table_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A table that is to be made. */
struct table_order {
    struct table_order *next;
    uint32_t endpoint;
    bool parquet;
    bool is_due; /* the run is not over before it is made, and has failed without it */
    char *path;
};

struct table_job {
    struct table_order *orders,
        *current;               /* those to come; the one that is being made, or was last */
    struct endpoint_table spec; /* of the running one */
    uint64_t *endpoint_rows;    /* of the last table of each endpoint */
    struct table_build *build;
    bool running, failed;
    uint64_t started_us, elapsed_us;
    uint64_t records_at_start; /* settled well when the last table began */
    uint64_t rows, columns, skipped;
    bool have_table;
    char *csv, *parquet;         /* paths of the first ones that were written, or NULL */
    uint64_t csv_of, parquet_of; /* requests settled well that these were made of */
    bool by_user;                /* one was asked for in mid-run: see table_order_due */
    struct table_schema *before; /* what the running table is compared with */
    char message[160];
};

static enum result read_index(void *committer, uint32_t endpoint, struct record_position *position,
                              struct placed_record *records, size_t max, size_t *count,
                              struct err *err)
{
    return committer_read_endpoint(committer, endpoint, position, records, max, count, err);
}

static void tell_skips(struct engine *e, const struct table_report *report)
{
    for (int i = 0; i < TABLE_SKIP_COUNT; i++) {
        const struct table_skips *skips = &report->skipped[i];

        if (skips->count) {
            events_add(&e->events, EVENT_WARNING, "skipped", "", "table: %llu skipped, %s",
                       (unsigned long long)skips->count, table_skip_name((enum table_skip)i));
        }
        for (unsigned n = 0; n < skips->named; n++) {
            events_add(&e->events, EVENT_NOTICE, "skipped", "", "table: skipped %s",
                       skips->first[n]);
        }
    }
}

static void tell_nulls(struct engine *e, const struct table_report *report)
{
    if (report->nulls) {
        events_add(&e->events, EVENT_NOTICE, "nulls", "",
                   "table: %llu null%s where a record should be: no row",
                   (unsigned long long)report->nulls, units_plural(report->nulls));
    }
}

static void tell_table(struct engine *e, const struct table_job *job)
{
    char length[UNITS_TEXT_MAX], fields[96];

    units_format_time(job->elapsed_us, length);
    snprintf(fields, sizeof fields, ",\"rows\":%llu,\"columns\":%llu",
             (unsigned long long)job->rows, (unsigned long long)job->columns);
    events_add(&e->events, EVENT_INFO, "table", fields,
               "table: %llu row%s x %llu column%s in %s: %s", (unsigned long long)job->rows,
               units_plural(job->rows), (unsigned long long)job->columns,
               units_plural(job->columns), length, job->current->path);
}

static void table_failed(struct engine *e, const struct err *err)
{
    e->tables.result = err->result;
    snprintf(e->ending.why, sizeof e->ending.why, "%s", err->text);
    memcpy(e->storage.code, err->code, sizeof e->storage.code);
}

/* One event each, so that a long list hides no other. */
static void tell_columns(struct engine *e, const struct table_report *report)
{
    for (int i = 0; i < TABLE_REMARK_COUNT; i++) {
        bool is_drift = i >= TABLE_REMARK_NEW;
        struct buf text = { 0 };

        if (table_report_remark(report, (enum table_remark)i, &text) == RESULT_OK && text.len) {
            events_add(&e->events, is_drift ? EVENT_WARNING : EVENT_NOTICE,
                       is_drift ? "drift" : "types", "", "table: %.*s", STR_ARG(buf_view(&text)));
        }
        buf_release(&text);
    }
}

/* The name that an order's table is known by from one to the next. */
static struct str name_of(const struct engine *e, const struct table_order *order)
{
    return str_view(e->job->endpoints[order->endpoint].name);
}

static void keep_schema(struct engine *e, const struct table_report *report)
{
    struct err err;

    if (report->schema && run_tables_write(e->options.dir, name_of(e, e->tables.job->current),
                                           report->schema, &err) != RESULT_OK) {
        events_add(&e->events, EVENT_WARNING, "table", "", "%s", err.text);
    }
}

/* The first endpoint's is the one that reports name. */
static void keep_path(struct table_job *job)
{
    char **kept = job->current->parquet ? &job->parquet : &job->csv;

    if (!*kept || job->current->endpoint == 0) {
        free(*kept);
        *kept = str_dup(str_view(job->current->path)); /* without memory it goes unnamed */
        *(job->current->parquet ? &job->parquet_of : &job->csv_of) = job->records_at_start;
    }
}

static void forget_input(struct table_job *job)
{
    table_schema_free(job->before);
    job->before = NULL;
    endpoint_table_release(&job->spec);
}

static void on_done(void *context, const struct table_report *report)
{
    struct engine *e = context;
    struct table_job *job = e->tables.job;

    job->running = false;
    job->failed = report->result != RESULT_OK;
    job->elapsed_us = engine_now_us(e) - job->started_us;
    if (report->result == RESULT_OK) {
        job->rows = report->rows;
        job->columns = report->columns;
        job->skipped = table_report_skipped(report);
        job->have_table = true;
        job->endpoint_rows[job->current->endpoint] = report->rows;
        keep_path(job);
        job->message[0] = '\0';
        tell_table(e, job);
        tell_skips(e, report);
        tell_nulls(e, report);
        tell_columns(e, report);
        keep_schema(e, report);
    } else if (report->result == RESULT_CANCELLED || table_reader_is_gone(&report->err)) {
        job->failed = false;
        snprintf(job->message, sizeof job->message, "cancelled");
        events_add(&e->events, EVENT_NOTICE, "table", "", "table cancelled");
    } else {
        snprintf(job->message, sizeof job->message, "%s", report->err.text);
        events_add(&e->events, EVENT_ERROR, "table", "", "table failed: %s", report->err.text);
        if (job->current->is_due) {
            table_failed(e, &report->err);
        }
    }
    table_build_free(job->build);
    job->build = NULL;
    forget_input(job);
    if (e->phase != ENGINE_CLOSING) {
        table_next(e);
    }
    engine_want_turn(e);
}

/* --- what is to be made ---------------------------------------------------------------------------- */

static void free_order(struct table_order *order)
{
    if (order) {
        free(order->path);
        free(order);
    }
}

static void forget_orders(struct table_job *job, bool due_too)
{
    struct table_order **at = &job->orders;

    while (*at) {
        struct table_order *order = *at;

        if (order->is_due && !due_too) {
            at = &order->next;
        } else {
            *at = order->next;
            free_order(order);
        }
    }
}

static enum result prepare(struct engine *e, struct err *err)
{
    if (!e->tables.job) {
        e->tables.job = calloc(1, sizeof *e->tables.job);
    }
    if (e->tables.job && !e->tables.job->endpoint_rows) {
        e->tables.job->endpoint_rows =
            calloc(e->job->endpoint_count + 1, sizeof *e->tables.job->endpoint_rows);
    }
    return e->tables.job && e->tables.job->endpoint_rows ? RESULT_OK
                                                         : err_nomem(err, "starting a table");
}

/* Takes the path; NULL: there was no memory for it. */
static enum result add_order(struct engine *e, uint32_t endpoint, char *path, bool parquet,
                             bool is_due, struct err *err)
{
    struct table_order *order = calloc(1, sizeof *order);
    struct table_order **at = &e->tables.job->orders;

    for (; path && *at; at = &(*at)->next) { /* one file is made once; what is due stays so */
        if (str_equal(str_view((*at)->path), str_view(path))) {
            (*at)->is_due |= is_due;
            free(order);
            free(path);
            return RESULT_OK;
        }
    }
    if (!order || !path) {
        free(order);
        free(path);
        return err_nomem(err, "starting a table");
    }
    *order = (struct table_order){
        .endpoint = endpoint, .path = path, .parquet = parquet, .is_due = is_due
    };
    *at = order;
    return RESULT_OK;
}

static enum result order_all(struct engine *e, const char *ending, bool is_due, struct err *err)
{
    enum result result = RESULT_OK;

    for (uint32_t i = 0; i < e->job->endpoint_count && result == RESULT_OK; i++) {
        char *path = endpoint_table_path(e->job, i, e->options.dir->path, ending);

        result = add_order(e, i, path, path && table_is_parquet(path), is_due, err);
    }
    return result;
}

static enum result order_one(struct engine *e, const char *path, bool parquet, bool is_due,
                             struct err *err)
{
    return path ? add_order(e, 0, str_dup(str_view(path)), parquet, is_due, err) : RESULT_OK;
}

/* What `n` makes. */
static enum result order_by_user(struct engine *e, struct err *err)
{
    e->tables.job->by_user = true;
    return e->job->endpoint_count > 1
               ? order_all(e, "csv", false, err)
               : order_one(e, e->options.table_path, table_is_parquet(e->options.table_path), false,
                           err);
}

enum result table_order(struct engine *e, struct err *err)
{
    enum result result = prepare(e, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (e->tables.job->running) {
        return err_set(err, RESULT_BUSY, "E-TAB4", "a table is being written already");
    }
    result = order_by_user(e, err);
    if (result == RESULT_OK && !table_next(e)) {
        result = err_set(err, RESULT_IO, "E-TAB6", "%s", e->tables.job->message);
    }
    return result;
}

/* A table of which more has come since is made anew, unless an order that is due makes the same file. */
static bool is_left_behind(const struct engine *e)
{
    const struct table_job *job = e->tables.job;

    return job->by_user && job->have_table &&
           job->records_at_start < e->metrics.ok + e->metrics.ok_before;
}

void table_order_due(struct engine *e)
{
    struct err err;
    enum result result = prepare(e, &err);

    if (result == RESULT_OK && is_left_behind(e)) {
        result = order_by_user(e, &err);
    }
    if (result == RESULT_OK) {
        result = order_one(e, e->options.csv, false, true, &err);
    }
    if (result == RESULT_OK) {
        result = order_one(e, e->options.parquet, true, true, &err);
    }
    if (result == RESULT_OK && e->job->outputs & JOB_OUTPUT_CSV) {
        result = order_all(e, "csv", true, &err);
    }
    if (result == RESULT_OK && e->job->outputs & JOB_OUTPUT_PARQUET) {
        result = order_all(e, "parquet", true, &err);
    }
    if (result != RESULT_OK) {
        table_failed(e, &err);
    }
}

void table_forget_orders(struct engine *e)
{
    if (e->tables.job) {
        forget_orders(e->tables.job, true);
    }
}

/* The one that `job->current` says. */
static enum result start(struct engine *e, struct err *err)
{
    struct table_job *job = e->tables.job;
    const struct table_order *order = job->current;
    struct table_options options = { .output = order->path,
                                     .background = e->phase == ENGINE_RUNNING };
    struct record_source *source;
    enum result result = endpoint_table_init(&job->spec, e->job, order->endpoint, err);

    if (result == RESULT_OK) {
        result =
            run_source_new(&source, e->options.dir, order->endpoint, read_index, e->committer, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    options.records = job->spec.records;
    options.spec = job->spec.spec;
    options.spec.parquet = order->parquet;
    options.before = job->before = run_tables_read(e->options.dir, name_of(e, order));
    job->started_us = engine_now_us(e);
    job->records_at_start = e->metrics.ok + e->metrics.ok_before;
    return table_build_start(&job->build, &e->tables.pool, &options, source, on_done, e, err);
}

bool table_next(struct engine *e)
{
    struct table_job *job = e->tables.job;
    struct err err;

    while (job && !job->running && job->orders) {
        free_order(job->current);
        job->current = job->orders;
        job->orders = job->current->next;
        if (start(e, &err) == RESULT_OK) {
            job->running = true;
            job->failed = false;
            events_add(&e->events, EVENT_NOTICE, "normalise", "", "normalise: %llu %s to %s",
                       (unsigned long long)job->records_at_start,
                       job->records_at_start == 1 ? "body" : "bodies", job->current->path);
            break;
        }
        forget_input(job);
        snprintf(job->message, sizeof job->message, "%s", err.text);
        events_add(&e->events, EVENT_ERROR, "table", "", "%s", err.text);
        if (job->current->is_due) {
            table_failed(e, &err);
        }
    }
    return job && job->running;
}

void table_cancel(struct engine *e)
{
    if (table_is_running(e)) {
        forget_orders(e->tables.job, false);
        table_build_cancel(e->tables.job->build);
    }
}

bool table_is_running(const struct engine *e)
{
    return e->tables.job && e->tables.job->running;
}

void table_snapshot(const struct engine *e, struct snapshot_normalise *out)
{
    const struct table_job *job = e->tables.job;
    uint64_t settled_well = e->metrics.ok + e->metrics.ok_before;
    struct table_progress progress;
    bool rows;

    memset(out, 0, sizeof *out);
    out->new_records = settled_well;
    out->workers = e->tables.pool.limit;
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
    snprintf(out->output, sizeof out->output, "%s", job->current ? job->current->path : "");
    snprintf(out->message, sizeof out->message, "%s", job->message);
    if (!job->running) {
        return;
    }
    table_build_progress(job->build, &progress);
    rows = progress.at_once || progress.phase > TABLE_SETTLING;
    out->state = progress.cancelling ? NORMALISE_CANCELLING
                 : rows              ? NORMALISE_ROWS
                                     : NORMALISE_COLUMNS;
    out->records_total = (progress.at_once ? 1 : 2) * progress.records_total;
    out->records_done =
        progress.records + (progress.phase > TABLE_SETTLING ? progress.records_total : 0);
    out->rows = progress.rows;
    out->elapsed_us = engine_now_us(e) - job->started_us;
    out->workers = progress.workers;
    out->workers_busy = progress.busy;
}

uint64_t table_rows(const struct engine *e)
{
    uint64_t rows = 0;

    for (uint32_t i = 0; i < e->job->endpoint_count; i++) {
        rows += table_rows_of(e, i);
    }
    return rows;
}

uint64_t table_rows_of(const struct engine *e, uint32_t endpoint)
{
    return e->tables.job && e->tables.job->endpoint_rows ? e->tables.job->endpoint_rows[endpoint]
                                                         : 0;
}

const char *table_path(const struct engine *e)
{
    return e->tables.job && e->tables.job->csv ? e->tables.job->csv : "";
}

const char *table_parquet_path(const struct engine *e)
{
    return e->tables.job && e->tables.job->parquet ? e->tables.job->parquet : "";
}

uint64_t table_made_of(const struct engine *e)
{
    return !e->tables.job       ? 0
           : e->tables.job->csv ? e->tables.job->csv_of
                                : e->tables.job->parquet_of;
}

void table_release(struct engine *e)
{
    struct table_job *job = e->tables.job;

    if (job) {
        forget_input(job);
        forget_orders(job, true);
        free_order(job->current);
        free(job->endpoint_rows);
        free(job->csv);
        free(job->parquet);
    }
    free(job);
    e->tables.job = NULL;
}
