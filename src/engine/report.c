#include "engine/report.h"

#include "base/units.h"
#include "engine/core.h"
#include "engine/cpu.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/feed.h"
#include "engine/fleet_link.h"
#include "engine/ladder.h"
#include "engine/limit_words.h"
#include "engine/poll.h"
#include "engine/report_endpoints.h"
#include "engine/report_retries.h"
#include "engine/report_on.h"
#include "engine/report_rules.h"
#include "engine/report_verdict.h"
#include "engine/session_end.h"
#include "engine/session_totals.h"
#include "engine/table.h"
#include "table/format.h"
#include "table/table_report.h"
#include "plan/host_hold.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint64_t report_latency_edges_us[REPORT_LATENCY_EDGES] = {
    5000,    10000,   25000,   50000,    100000,   250000,   500000,
    1000000, 2500000, 5000000, 10000000, 30000000, 60000000,
};

/* The credential is lost, or none was sent and nothing but 401 came back for want of one. */
static bool has_auth_failed(const struct engine *e, const struct report *r)
{
    return e->ending.exit == EXIT_AUTH ||
           (e->ending.exit == EXIT_WELL && r->ok == 0 && r->failed > 0 &&
            r->session_failed == r->failed && e->failures.kind_count == 1 &&
            failure_equal(e->failures.kinds[0].why, failure_of(OUTCOME_STATUS, 401)));
}

static enum exit_code exit_of(const struct engine *e, const struct report *r)
{
    /* Who aborts while another program holds the ledger has not met a failure. */
    if (e->storage.state != RESULT_OK &&
        (e->storage.state != RESULT_BUSY || e->ending.exit == EXIT_WELL)) {
        return EXIT_STORAGE;
    }
    if (has_auth_failed(e, r)) {
        return EXIT_AUTH;
    }
    if (e->ending.exit != EXIT_WELL) {
        return e->ending.exit;
    }
    if (e->session.limit != SESSION_LIMIT_NONE) {
        return EXIT_LIMIT;
    }
    if (r->pending > 0 || (e->ending.why[0] && (poll_is_unfinished(e) || fleet_link_goes_on(e))) ||
        r->list_is_cut) {
        return EXIT_DRAINED;
    }
    if (e->tables.result != RESULT_OK) {
        return (enum exit_code)table_exit_code(e->tables.result, e->storage.code);
    }
    if (r->failed == 0) {
        return r->pages_are_missing ? EXIT_INCOMPLETE : EXIT_WELL;
    }
    return session_has_failed(e, true) ? EXIT_LIMIT : EXIT_INCOMPLETE;
}

static void add_failures(const struct engine *e, struct report *r)
{
    while (r->failure_count < e->failures.kind_count && r->failure_count < REPORT_FAILURES_MAX) {
        const struct failure_kind *kind = &e->failures.kinds[r->failure_count];
        struct report_failure *out = &r->failures[r->failure_count++];

        out->count = kind->count;
        out->why = kind->why;
        snprintf(out->example, sizeof out->example, "%s", kind->example);
        snprintf(out->said, sizeof out->said, "%s", kind->said);
    }
}

/* Of the holds that stand at the end only what has passed was waited for. */
static void fill_holds(const struct engine *e, uint64_t end_us, struct report *r)
{
    uint64_t asked_us = e->held.asked_us, backed_off_us = e->held.backed_off_us;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *host = e->hosts.hosts[i];
        struct host_hold hold = host_hold(host, end_us);
        uint64_t *sum_us = hold.is_named ? &asked_us : &backed_off_us;
        uint64_t left_us = hold.due ? hold.until_us - end_us : 0;

        if (host->origin[0] && host->was_held && !host_origin(host)->down_until_us) {
            *sum_us -= left_us < *sum_us ? left_us : *sum_us;
        }
    }
    r->holds = e->held.holds;
    r->hosts_held = e->held.hosts;
    r->asked_s = (double)asked_us / 1e6;
    r->backed_off_s = (double)backed_off_us / 1e6;
}

/* What adds up over sessions; times, pace and holds are this one's. */
static void fill_totals(const struct engine *e, struct report *r)
{
    struct totals t;

    session_totals(e, &t);
    r->retried = t.retried;
    r->attempts = t.attempts;
    r->reused = t.reused;
    r->resent = t.resent;
    r->logins = t.logins;
    r->bytes = t.bytes;
    r->mean_us = (uint64_t)hist_mean_us(&t.latency);
    r->p50_us = hist_percentile_us(&t.latency, 50);
    r->p95_us = hist_percentile_us(&t.latency, 95);
    r->p99_us = hist_percentile_us(&t.latency, 99);
    for (size_t i = 0; i < REPORT_LATENCY_EDGES; i++) {
        r->latency_within[i] = hist_count_between(&t.latency, 0, report_latency_edges_us[i]);
    }
    r->latency_count = t.latency.count;
    r->latency_sum_us = t.latency.sum_us;
    memcpy(r->status, t.status, sizeof r->status);
}

static void add_tables(const struct engine *e, struct report *r)
{
    while (r->table_count < REPORT_TABLES_MAX) {
        struct report_table *table = &r->tables[r->table_count];
        const char *path = table_written(e, r->table_count, &table->format);

        if (!path) {
            break;
        }
        snprintf(table->path, sizeof table->path, "%s", path);
        r->table_count++;
    }
}

void engine_report(struct engine *e, struct report *r)
{
    const struct metrics *m = &e->metrics;
    const struct earlier_rounds *earlier = &e->recovery.earlier;
    uint64_t end_us = e->session.ended_us ? e->session.ended_us : engine_now_us(e);
    struct snapshot_normalise table = { .state = NORMALISE_IDLE };
    struct verdict_facts facts = { .is_polling = e->job->poll.every_us > 0,
                                   .is_auto = e->pace.auto_on,
                                   .cores = e->cpu.core_count };

    memset(r, 0, sizeof *r);
    r->total = frontier_total(e->frontier) + poll_left(e) - earlier->done;
    r->unchanged = m->unchanged + m->unchanged_before - earlier->unchanged;
    r->has_earlier = e->recovery.round_from > 0;
    r->all_ok = m->ok + m->ok_before;
    r->all_unchanged = m->unchanged + m->unchanged_before;
    r->rounds = e->poll.rounds.kept.begun;
    r->rounds_skipped = e->poll.rounds.kept.skipped;
    r->session_ok = m->ok;
    r->session_failed = m->failed;
    r->ok = r->all_ok - earlier->done;
    r->failed = m->failed + m->failed_before;
    r->pending = r->total > r->ok + r->failed ? r->total - r->ok - r->failed : 0;
    memcpy(r->retries, e->retries, sizeof r->retries);
    r->session_attempts = m->attempts;
    r->session_retried = m->retried;
    r->session_resent = m->resent;
    r->session_refused_streams = m->refused_streams;
    r->session_split = e->judging.split_up.count;
    r->session_bytes = m->bytes;
    r->session_429 = m->status[429];
    fill_totals(e, r);
    r->rows = table_rows(e);
    r->wall_s = (double)(end_us - m->started_us) / 1e6;
    r->cpu_s = e->session.ended_us ? e->session.cpu_s : cpu_process_s(&e->cpu);
    r->io_ratio = r->wall_s > 0 && r->cpu_s < r->wall_s ? 1 - r->cpu_s / r->wall_s : 0;
    r->requests_per_s = r->wall_s > 0 ? (double)(m->ok + m->failed) / r->wall_s : 0;
    r->cap = e->pace.cap;
    r->cap_max = m->cap_max;
    r->max_in_flight = m->max_in_flight;
    fill_holds(e, end_us, r);
    r->early_requests = e->held.early;
    r->peak_per_s = e->pace.starts_peak;
    table_snapshot(e, &table);
    r->table_part = r->wall_s > 0 ? (double)table.elapsed_us / 1e6 / r->wall_s : 0;
    r->loop_cpu_s = e->session.ended_us ? e->session.loop_cpu_s : cpu_thread_s(&e->cpu);
    r->threads = e->options.threads > 1 ? e->options.threads : 1;
    r->loop_cpu_percent = r->wall_s > 0 ? 100 * r->loop_cpu_s / r->wall_s : 0;
    for (int i = 0; i < LIMIT_COUNT; i++) {
        r->limited_s[i] = (double)e->limits.us[i] / 1e6;
    }
    r->silent_s = (double)e->limits.silent_us / 1e6;
    r->loop_lag_p99_ms = (double)hist_percentile_us(&e->cpu.lag, 99) / 1000;
    r->rung_count = ladder_list(&e->pace.ladder, r->rungs);
    snprintf(r->stopped_by, sizeof r->stopped_by, "%s", e->ending.why);
    memcpy(r->stopped_code, e->ending.code[0] ? e->ending.code : e->storage.code,
           sizeof r->stopped_code);
    r->stopped_in_error = e->ending.code[0] != '\0';
    report_fill_ideal(r, &facts);
    report_judge(r, &facts);
    add_failures(e, r);
    snprintf(r->run_dir, sizeof r->run_dir, "%s", e->options.dir->path);
    add_tables(e, r);
    r->made_of = table_made_of(e);
    r->stopped_as_wanted = e->ending.is_wanted;
    r->list_is_cut = feed_is_cut(e->feed);
    r->found_here = fleet_link_unpublished(e);
    r->store_is_gone = e->storage.state == RESULT_NOT_FOUND;
    report_add_endpoints(e, r);
    report_add_rules(e, r);
    report_add_on(e, r);
    r->exit = exit_of(e, r);
}

void report_fail(struct report *r, const struct err *trouble)
{
    if (trouble->result == RESULT_BUSY &&
        (r->exit == EXIT_INTERRUPTED || r->exit == EXIT_TERMINATED)) {
        return; /* as in exit_of */
    }
    r->exit = EXIT_STORAGE;
    r->stopped_as_wanted = false;
    r->store_is_gone |= trouble->result == RESULT_NOT_FOUND;
    snprintf(r->stopped_by, sizeof r->stopped_by, "%s", trouble->text);
    memcpy(r->stopped_code, trouble->code, sizeof r->stopped_code);
}

/* Three digits are what a rate of a few seconds is worth: "7.25", "14.2", "142", "14234". */
static int rate_decimals(double per_s)
{
    return per_s < 9.995 ? 2 : per_s < 99.95 ? 1 : 0;
}

enum result report_line(const struct report *r, struct buf *out)
{
    enum result result = buf_printf(out, "%llu/%llu ok, %llu failed, %llu retried in ",
                                    (unsigned long long)r->ok, (unsigned long long)r->total,
                                    (unsigned long long)r->failed, (unsigned long long)r->retried);

    if (result == RESULT_OK) {
        result = buf_printf(out, "%.1fs (%.*f req/s", r->wall_s, rate_decimals(r->requests_per_s),
                            r->requests_per_s);
    }
    if (result == RESULT_OK && r->ideal_percent > 0) {
        result = buf_printf(out, ", %.0f %% of the ideal for ",
                            r->ideal_percent > 100 ? 100 : r->ideal_percent);
        if (result == RESULT_OK) {
            result = r->rung_count > 1 ? buf_append_str(out, STR("the caps that it had"))
                                       : buf_printf(out, "cap %u", r->cap_max);
        }
    }
    if (result == RESULT_OK) {
        result = buf_append_char(out, ')');
    }
    if (result == RESULT_OK && r->has_earlier) {
        result = buf_printf(out, "; round %llu, %llu unchanged; in all rounds %llu ok",
                            (unsigned long long)r->rounds, (unsigned long long)r->unchanged,
                            (unsigned long long)r->all_ok);
    } else if (result == RESULT_OK && r->rounds) {
        result =
            buf_printf(out, "; %llu round%s, %llu skipped, %llu unchanged",
                       (unsigned long long)r->rounds, units_plural(r->rounds),
                       (unsigned long long)r->rounds_skipped, (unsigned long long)r->unchanged);
    }
    if (result == RESULT_OK && r->session_ok + r->session_failed < r->ok + r->failed) {
        result =
            buf_printf(out, "; in this session %llu ok, %llu failed",
                       (unsigned long long)r->session_ok, (unsigned long long)r->session_failed);
    }
    return result;
}

enum result report_politeness(const struct report *r, struct buf *out)
{
    char asked[UNITS_TEXT_MAX];
    enum result result = buf_printf(
        out,
        "at most %u in flight, %u/s at peak; %llu 429%s, %llu request%s before a named deadline",
        r->max_in_flight, r->peak_per_s, (unsigned long long)r->session_429,
        units_plural(r->session_429), (unsigned long long)r->early_requests,
        units_plural(r->early_requests));

    if (result == RESULT_OK && r->hosts_held) {
        units_format_time((uint64_t)(r->asked_s * 1e6), asked);
        result = buf_printf(out, ", %llu host%s held, %s waited because a server asked",
                            (unsigned long long)r->hosts_held, units_plural(r->hosts_held), asked);
    }
    return result;
}

static void add_statuses(cJSON *root, const struct report *r)
{
    cJSON *status = cJSON_AddObjectToObject(root, "status");
    char name[16];

    for (int i = 1; i < METRICS_STATUS_MAX; i++) {
        if (r->status[i]) {
            snprintf(name, sizeof name, "%d", i);
            cJSON_AddNumberToObject(status, name, (double)r->status[i]);
        }
    }
    if (r->status[0]) {
        cJSON_AddNumberToObject(status, "none", (double)r->status[0]);
    }
}

static void add_failure_list(cJSON *root, const struct report *r)
{
    cJSON *list = cJSON_AddArrayToObject(root, "failures");

    for (size_t i = 0; i < r->failure_count; i++) {
        cJSON *item = cJSON_CreateObject();
        char why[FAILURE_TEXT_MAX], class[FAILURE_TEXT_MAX];

        failure_format(r->failures[i].why, why);
        failure_format_word(r->failures[i].why, class);
        cJSON_AddStringToObject(item, "why", why);
        cJSON_AddStringToObject(item, "class", class);
        cJSON_AddNumberToObject(item, "count", (double)r->failures[i].count);
        cJSON_AddStringToObject(item, "example", r->failures[i].example);
        if (r->failures[i].said[0]) {
            cJSON_AddStringToObject(item, "said", r->failures[i].said);
        }
        cJSON_AddItemToArray(list, item);
    }
}

static double ms(uint64_t us)
{
    return (double)us / 1000;
}

static void add_figure(cJSON *object, const char *name, double value)
{
    cJSON_AddNumberToObject(object, name, units_figure(value));
}

/* Null when it says nothing: while it is not known, and when something else than the cap bound the run. */
static void add_known(cJSON *object, const char *name, double value)
{
    if (value > 0) {
        add_figure(object, name, value);
    } else {
        cJSON_AddNullToObject(object, name);
    }
}

const char *report_table_path(const struct report *r, const char *format)
{
    for (size_t i = 0; i < r->table_count; i++) {
        if (strcmp(r->tables[i].format, format) == 0) {
            return r->tables[i].path;
        }
    }
    return "";
}

static void add_path(cJSON *root, const char *name, const char *path)
{
    if (path[0]) {
        cJSON_AddStringToObject(root, name, path);
    } else {
        cJSON_AddNullToObject(root, name);
    }
}

static void add_limits(cJSON *root, const struct report *r)
{
    cJSON *limits = cJSON_AddObjectToObject(root, "limited_s");

    for (int i = LIMIT_CAP; i < LIMIT_COUNT; i++) {
        if (r->limited_s[i] > 0) {
            add_figure(limits, run_limit_word((enum run_limit)i), r->limited_s[i]);
        }
    }
}

static void add_ladder(cJSON *root, const struct report *r)
{
    cJSON *list = cJSON_AddArrayToObject(root, "ladder");

    for (size_t i = 0; i < r->rung_count; i++) {
        const struct snapshot_rung *rung = &r->rungs[i];
        cJSON *item = cJSON_CreateObject();

        cJSON_AddNumberToObject(item, "cap", rung->cap);
        add_figure(item, "time_s", (double)rung->time_us / 1e6);
        cJSON_AddNumberToObject(item, "requests", (double)rung->requests);
        add_figure(item, "req_per_s", rung->requests_per_s);
        add_figure(item, "ideal_per_s", rung->ideal_per_s);
        add_figure(item, "p50_ms", ms(rung->p50_us));
        add_figure(item, "p95_ms", ms(rung->p95_us));
        add_figure(item, "throttled", rung->throttled_part);
        cJSON_AddItemToArray(list, item);
    }
}

/* Of this session alone, what else adds up over all. */
static void add_session(cJSON *root, const struct report *r)
{
    cJSON *session = cJSON_AddObjectToObject(root, "session");

    cJSON_AddNumberToObject(session, "ok", (double)r->session_ok);
    cJSON_AddNumberToObject(session, "failed", (double)r->session_failed);
    cJSON_AddNumberToObject(session, "retried", (double)r->session_retried);
    cJSON_AddNumberToObject(session, "attempts", (double)r->session_attempts);
    cJSON_AddNumberToObject(session, "bytes", (double)r->session_bytes);
}

static void fill_object(cJSON *root, const struct report *r)
{
    cJSON *latency, *polite;

    cJSON_AddNumberToObject(root, "requests", (double)r->total);
    cJSON_AddNumberToObject(root, "ok", (double)r->ok);
    cJSON_AddNumberToObject(root, "failed", (double)r->failed);
    cJSON_AddNumberToObject(root, "pending", (double)r->pending);
    cJSON_AddNumberToObject(root, "retried", (double)r->retried);
    report_retries_json(r, root);
    cJSON_AddNumberToObject(root, "unchanged", (double)r->unchanged);
    if (r->rounds) {
        cJSON_AddNumberToObject(root, "rounds", (double)r->rounds);
        cJSON_AddNumberToObject(root, "rounds_skipped", (double)r->rounds_skipped);
        cJSON_AddNumberToObject(root, "all_rounds_ok", (double)r->all_ok);
        cJSON_AddNumberToObject(root, "all_rounds_unchanged", (double)r->all_unchanged);
    }
    cJSON_AddNumberToObject(root, "rows", (double)r->rows);
    add_figure(root, "wall_s", r->wall_s);
    add_figure(root, "cpu_s", r->cpu_s);
    add_figure(root, "io_ratio", r->io_ratio);
    add_figure(root, "req_per_s", r->requests_per_s);
    cJSON_AddNumberToObject(root, "bytes", (double)r->bytes);
    add_known(root, "ideal_s", r->ideal_s);
    add_known(root, "ideal_percent", r->ideal_percent);
    latency = cJSON_AddObjectToObject(root, "latency_ms");
    add_figure(latency, "p50", ms(r->p50_us));
    add_figure(latency, "p95", ms(r->p95_us));
    add_figure(latency, "p99", ms(r->p99_us));
    add_figure(latency, "mean", ms(r->mean_us));
    add_statuses(root, r);
    cJSON_AddNumberToObject(root, "cap", r->cap);
    cJSON_AddNumberToObject(root, "cap_max", r->cap_max);
    cJSON_AddNumberToObject(root, "max_in_flight", r->max_in_flight);
    cJSON_AddNumberToObject(root, "attempts", (double)r->attempts);
    cJSON_AddNumberToObject(root, "reused_connections", (double)r->reused);
    cJSON_AddNumberToObject(root, "logins", (double)r->logins);
    add_session(root, r);
    polite = cJSON_AddObjectToObject(root, "politeness");
    cJSON_AddNumberToObject(polite, "requests_before_a_deadline", (double)r->early_requests);
    cJSON_AddNumberToObject(polite, "holds", (double)r->holds);
    cJSON_AddNumberToObject(polite, "hosts_held", (double)r->hosts_held);
    add_figure(polite, "held_s", r->asked_s);
    add_figure(polite, "backed_off_s", r->backed_off_s);
    cJSON_AddNumberToObject(polite, "status_429", (double)r->session_429);
    cJSON_AddNumberToObject(polite, "max_in_flight", r->max_in_flight);
    cJSON_AddNumberToObject(polite, "peak_req_per_s", r->peak_per_s);
    add_figure(root, "loop_cpu_s", r->loop_cpu_s);
    add_figure(root, "threads", r->threads);
    add_figure(root, "worker_cpu_s", r->cpu_s > r->loop_cpu_s ? r->cpu_s - r->loop_cpu_s : 0);
    add_figure(root, "loop_lag_p99_ms", r->loop_lag_p99_ms);
    add_limits(root, r);
    add_ladder(root, r);
    cJSON_AddStringToObject(root, "verdict", r->verdict);
    add_failure_list(root, r);
    report_endpoints_json(r, root);
    report_rules_json(r, root);
    report_on_json(r, root);
    for (size_t i = 0; table_formats[i]; i++) {
        add_path(root, table_formats[i]->name, report_table_path(r, table_formats[i]->name));
    }
    if (r->table_count) {
        cJSON_AddNumberToObject(root, "made_of", (double)r->made_of);
    }
    cJSON_AddStringToObject(root, "run_dir", r->run_dir);
    if (r->stopped_by[0]) {
        cJSON_AddStringToObject(root, "stopped_by", r->stopped_by);
    }
    if (r->stopped_in_error) {
        cJSON_AddStringToObject(root, "stopped_code", r->stopped_code);
    }
    cJSON_AddNumberToObject(root, "exit", r->exit);
}

enum result report_json(const struct report *r, struct buf *out)
{
    cJSON *root = cJSON_CreateObject();
    char *text;
    enum result result = RESULT_NOMEM;

    if (!root) {
        return RESULT_NOMEM;
    }
    fill_object(root, r);
    text = cJSON_PrintUnformatted(root);
    if (text) {
        result = buf_append_str(out, str_view(text));
        if (result == RESULT_OK) {
            result = buf_append_char(out, '\n');
        }
    }
    cJSON_free(text);
    cJSON_Delete(root);
    return result;
}
