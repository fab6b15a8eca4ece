#include "engine/table.h"

#include "base/units.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/table_orders.h"
#include "store/ledger_view.h"
#include "table/endpoint_table.h"
#include "table/format.h"
#include "table/run_source.h"
#include "table/run_tables.h"
#include "table/table_build.h"
#include "table/table_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file that was written: the first endpoint's of each format and packing. */
struct written {
    const struct table_format *format;
    const struct table_packing *packing;
    char *path;
    uint64_t made_of; /* requests settled well */
};

struct table_job {
    struct table_orders orders;
    struct ordered_table *current; /* the one that is being made, or was last */
    struct endpoint_table spec;    /* of the running one */
    struct ledger_view view;       /* likewise */
    uint64_t *endpoint_rows;       /* of the last table of each endpoint */
    struct table_build *build;
    bool running, failed;
    uint64_t started_us, elapsed_us;
    uint64_t records_at_start; /* settled well when the last table began */
    uint64_t rows, columns, skipped;
    bool have_table;
    struct written written[TABLE_OUTPUTS_MAX];
    size_t written_count;
    bool by_user;                /* one was asked for in mid-run: see table_order_due */
    struct table_schema *before; /* what the running table is compared with */
    char message[160];
    bool told_kept; /* that some endpoint has no table */
};

/* Records that were skipped, and cells that are odd or bad. */
static void tell_skips(struct engine *e, const struct table_report *report)
{
    for (int i = 0; i < TABLE_NAMED_COUNT; i++) {
        const struct table_skips *skips = &report->skipped[i];
        bool is_skip = i < TABLE_SKIP_COUNT;

        if (skips->count) {
            events_add(&e->events, EVENT_WARNING, is_skip ? "skipped" : "cells", "",
                       is_skip             ? "table: %llu skipped, %s"
                       : skips->count == 1 ? "table: %llu row has %s"
                                           : "table: %llu rows have %s",
                       (unsigned long long)skips->count, table_skip_name((enum table_skip)i));
        }
        for (unsigned n = 0; n < skips->named; n++) {
            events_add(&e->events, EVENT_NOTICE, is_skip ? "skipped" : "cells", "", "table: %s%s",
                       is_skip ? "skipped " : "", skips->first[n]);
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
               units_plural(job->columns), length, job->current->output.path);
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
static struct str name_of(const struct engine *e, const struct ordered_table *order)
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

/* That of the format, a new one if need be. NULL: there are too many. */
static struct written *written_as(struct table_job *job, const struct table_output *output)
{
    for (size_t i = 0; i < job->written_count; i++) {
        if (job->written[i].format == output->format &&
            job->written[i].packing == output->packing) {
            return &job->written[i];
        }
    }
    if (job->written_count == TABLE_OUTPUTS_MAX) {
        return NULL;
    }
    job->written[job->written_count] =
        (struct written){ .format = output->format, .packing = output->packing };
    return &job->written[job->written_count++];
}

/* The first endpoint's is the one that reports name. */
static void keep_path(struct table_job *job)
{
    struct written *kept = written_as(job, &job->current->output);

    if (kept && (!kept->path || job->current->endpoint == 0)) {
        free(kept->path);
        kept->path =
            str_dup(str_view(job->current->output.path)); /* without memory it goes unnamed */
        kept->made_of = job->records_at_start;
    }
}

static void forget_input(struct table_job *job)
{
    table_schema_free(job->before);
    job->before = NULL;
    endpoint_table_release(&job->spec);
    ledger_view_close(&job->view);
}

/* The place is away: the order is tried again later. False: it has failed. */
static bool put_back(struct engine *e, const struct table_report *report)
{
    struct table_job *job = e->tables.job;
    char pause[UNITS_TEXT_MAX];
    uint64_t pause_us;

    if ((e->phase != ENGINE_RUNNING && e->phase != ENGINE_TABLE) ||
        !table_orders_put_back(&job->orders, job->current, &report->err, engine_now_us(e),
                               &pause_us)) {
        return false;
    }
    job->current = NULL;
    units_format_time(pause_us, pause);
    snprintf(job->message, sizeof job->message, "waits: %s", report->err.text);
    events_add(&e->events, EVENT_WARNING, "table", "", "table waits, again in %s: %s", pause,
               report->err.text);
    return true;
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
    } else if (!put_back(e, report)) {
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

/* Told once a session: bodies that are kept as they are have no rows. */
static bool is_without_table(struct engine *e, uint32_t endpoint)
{
    const struct job_endpoint *of = &e->job->endpoints[endpoint];
    struct table_job *job = e->tables.job;

    if (!body_format_is_kept(of->reading.as)) {
        return false;
    }
    if (!job->told_kept) {
        job->told_kept = true;
        events_add(&e->events, EVENT_NOTICE, "table", "",
                   "%s: bodies are kept as %s, and no table is made of them; scrapetop raw --dir "
                   "DIR writes them to files",
                   of->name, body_format_name(of->reading.as));
    }
    return true;
}

/* A table of each endpoint that has rows, called by its name. */
static enum result order_all(struct engine *e, const char *ending, bool is_due, struct err *err)
{
    enum result result = RESULT_OK;

    for (uint32_t i = 0; i < e->job->endpoint_count && result == RESULT_OK; i++) {
        char *path;
        struct table_output output;

        if (is_without_table(e, i)) {
            continue;
        }
        path = endpoint_table_path(e->job, i, e->options.dir->path, ending);
        result =
            path ? table_output_init(&output, path, NULL, err) : err_nomem(err, "starting a table");
        result = result == RESULT_OK
                     ? table_orders_add(&e->tables.job->orders, i, &output, is_due, err)
                     : result;
        free(path);
    }
    return result;
}

/* What `n` makes. */
static enum result order_by_user(struct engine *e, struct err *err)
{
    struct table_output output;
    enum result result;

    e->tables.job->by_user = true;
    if (e->job->endpoint_count > 1) {
        return order_all(e, "csv", false, err);
    }
    if (is_without_table(e, 0)) {
        return RESULT_OK;
    }
    result = table_output_init(&output, e->options.table_path, NULL, err);
    return result == RESULT_OK ? table_orders_add(&e->tables.job->orders, 0, &output, false, err)
                               : result;
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
    if (result == RESULT_OK && !e->tables.job->orders.first) {
        return err_set(err, RESULT_INVALID, "E-TAB6",
                       "bodies are kept as they are (\"as\"): there is no table to make");
    }
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

/* A database has room for the tables of all endpoints, a file for the first's. */
static enum result order_output(struct engine *e, const struct table_output *output, bool is_due,
                                struct err *err)
{
    size_t count = output->format->has_place ? e->job->endpoint_count : 1;
    enum result result = RESULT_OK;

    for (uint32_t i = 0; i < count && result == RESULT_OK; i++) {
        result = is_without_table(e, i)
                     ? RESULT_OK
                     : table_orders_add(&e->tables.job->orders, i, output, is_due, err);
    }
    return result;
}

void table_order_due(struct engine *e)
{
    struct err err;
    enum result result = prepare(e, &err);

    if (result == RESULT_OK && is_left_behind(e)) {
        result = order_by_user(e, &err);
    }
    for (size_t i = 0; i < e->options.output_count && result == RESULT_OK; i++) {
        result = order_output(e, &e->options.outputs[i], true, &err);
    }
    for (size_t i = 0; i < e->job->output_count && result == RESULT_OK; i++) {
        result = order_all(e, e->job->outputs[i], true, &err);
    }
    if (result != RESULT_OK) {
        table_failed(e, &err);
    }
}

void table_order_round(struct engine *e)
{
    struct err err;
    enum result result = prepare(e, &err);

    for (size_t i = 0; i < e->options.output_count && result == RESULT_OK; i++) {
        const struct table_output *output = &e->options.outputs[i];

        if (output->format->has_place && !table_is_running(e)) {
            result = order_output(e, output, false, &err);
        }
    }
    if (result != RESULT_OK) {
        events_add(&e->events, EVENT_ERROR, "table", "", "%s", err.text);
    }
    (void)table_next(e);
}

void table_forget_orders(struct engine *e)
{
    if (e->tables.job) {
        table_orders_forget(&e->tables.job->orders, true);
    }
}

/* The one that `job->current` says. */
static enum result start(struct engine *e, struct err *err)
{
    struct table_job *job = e->tables.job;
    const struct ordered_table *order = job->current;
    struct table_options options = { .outputs = &order->output,
                                     .output_count = 1,
                                     .background = e->phase == ENGINE_RUNNING };
    struct record_source *source;
    enum result result = endpoint_table_init(&job->spec, e->job, order->endpoint, err);

    if (result == RESULT_OK) {
        job->view.dir = e->options.dir;
        result = run_source_new(&source, e->options.dir, order->endpoint, ledger_view_read,
                                &job->view, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    options.records = job->spec.records;
    options.spec = job->spec.spec;
    options.before = job->before = run_tables_read(e->options.dir, name_of(e, order));
    job->started_us = engine_now_us(e);
    job->records_at_start = e->metrics.ok + e->metrics.ok_before;
    return table_build_start(&job->build, &e->tables.pool, &options, source, on_done, e, err);
}

bool table_next(struct engine *e)
{
    struct table_job *job = e->tables.job;
    struct ordered_table *order;
    struct err err;

    while (job && !job->running && (order = table_orders_take(&job->orders, engine_now_us(e)))) {
        ordered_table_free(job->current);
        job->current = order;
        if (start(e, &err) == RESULT_OK) {
            job->running = true;
            job->failed = false;
            events_add(&e->events, EVENT_NOTICE, "normalise", "", "normalise: %llu %s to %s",
                       (unsigned long long)job->records_at_start,
                       job->records_at_start == 1 ? "body" : "bodies", job->current->output.path);
            break;
        }
        forget_input(job);
        snprintf(job->message, sizeof job->message, "%s", err.text);
        events_add(&e->events, EVENT_ERROR, "table", "", "%s", err.text);
        if (job->current->is_due) {
            table_failed(e, &err);
        }
    }
    return job && (job->running || job->orders.first);
}

void table_wait_no_more(struct engine *e)
{
    struct table_job *job = e->tables.job;
    struct ordered_table *order;

    if (!job) {
        return;
    }
    job->orders.wait_no_more = true;
    while ((order = table_orders_take_waiting(&job->orders))) {
        events_add(&e->events, EVENT_ERROR, "table", "", "table failed: %s", order->away.text);
        if (order->is_due) {
            table_failed(e, &order->away);
        }
        ordered_table_free(order);
    }
    engine_want_turn(e);
}

void table_cancel(struct engine *e)
{
    if (table_is_running(e)) {
        table_orders_forget(&e->tables.job->orders, false);
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
    out->state = e->phase == ENGINE_TABLE && job->orders.first ? NORMALISE_COLUMNS /* it waits */
                 : job->failed                                 ? NORMALISE_FAILED
                                                               : NORMALISE_IDLE;
    snprintf(out->output, sizeof out->output, "%s", job->current ? job->current->output.path : "");
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

const char *table_written(const struct engine *e, size_t index, const char **format)
{
    const struct written *written = e->tables.job ? &e->tables.job->written[index] : NULL;

    if (!written || index >= e->tables.job->written_count) {
        return NULL;
    }
    *format = written->format->name;
    return written->path ? written->path : "";
}

uint64_t table_made_of(const struct engine *e)
{
    return e->tables.job && e->tables.job->written_count ? e->tables.job->written[0].made_of : 0;
}

void table_release(struct engine *e)
{
    struct table_job *job = e->tables.job;

    if (job) {
        forget_input(job);
        table_orders_forget(&job->orders, true);
        ordered_table_free(job->current);
        free(job->endpoint_rows);
        for (size_t i = 0; i < job->written_count; i++) {
            free(job->written[i].path);
        }
    }
    free(job);
    e->tables.job = NULL;
}
