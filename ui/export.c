#include "ui/export.h"

#include "base/clock.h"
#include "base/json_text.h"
#include "base/units.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CELL_TEXT_MAX 1024

/* Fields are called as in the report of --json. One row in the making. Panels only say their fields, by name; what a field looks like is said here. */
struct row {
    struct buf *out;
    bool json, naming; /* naming: the line of names */
    bool begun;
    enum result result;
};

static void append(struct row *r, struct str text)
{
    if (r->result == RESULT_OK) {
        r->result = buf_append_str(r->out, text);
    }
}

/* In quotes where RFC 4180 wants them. */
static void append_cell(struct row *r, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        append(r, str_view(text));
        return;
    }
    append(r, STR("\""));
    for (; *text; text++) {
        append(r, *text == '"' ? STR("\"\"") : (struct str){ text, 1 });
    }
    append(r, STR("\""));
}

/* What stands before the value; false when the name is all that is wanted. */
static bool begin_field(struct row *r, const char *name)
{
    append(r, r->begun ? STR(",") : STR_NONE);
    r->begun = true;
    if (r->json) {
        append(r, STR("\""));
        append(r, str_view(name));
        append(r, STR("\":"));
    } else if (r->naming) {
        append(r, str_view(name));
    }
    return !r->naming;
}

static void put_text(struct row *r, const char *name, const char *text)
{
    char safe[CELL_TEXT_MAX];

    if (!begin_field(r, name)) {
        return;
    }
    if (r->json) {
        r->result = r->result == RESULT_OK ? json_text_append(r->out, str_view(text)) : r->result;
        return;
    }
    utf8_display(safe, sizeof safe, str_view(text), SIZE_MAX);
    append_cell(r, safe);
}

static void put_count(struct row *r, const char *name, uint64_t count)
{
    char text[32];

    if (begin_field(r, name)) {
        snprintf(text, sizeof text, "%" PRIu64, count);
        append(r, str_view(text));
    }
}

/* Empty, or null, when nobody knows it. */
static void put_known(struct row *r, const char *name, bool known, double value)
{
    char text[64];

    if (!begin_field(r, name)) {
        return;
    }
    if (!known || !isfinite(value)) {
        append(r, r->json ? STR("null") : STR_NONE);
        return;
    }
    snprintf(text, sizeof text, "%.15g", units_figure(value));
    append(r, str_view(text));
}

static void put_number(struct row *r, const char *name, double value)
{
    put_known(r, name, true, value);
}

static void put_seconds(struct row *r, const char *name, uint64_t us)
{
    put_known(r, name, us != TIME_NEVER, (double)us / 1e6);
}

static void put_ms(struct row *r, const char *name, uint64_t us)
{
    put_known(r, name, us > 0, (double)us / 1e3);
}

/* --- panels ---------------------------------------------------------------------------------------- */

static void flight_row(struct row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_flight *f = &s->flights[i];

    put_count(r, "id", f->id);
    put_text(r, "key", f->key);
    put_text(r, "host", f->host);
    put_text(r, "request", f->request);
    put_text(r, "state", flight_state_word(f->state));
    put_count(r, "attempt", f->attempt);
    put_seconds(r, "age_s", f->age_us);
    put_known(r, "first_byte_s", f->first_byte_us > 0, (double)f->first_byte_us / 1e6);
    put_known(r, "status", f->status > 0, f->status);
    put_count(r, "body_bytes", f->body_bytes);
}

static void wait_row(struct row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_wait *w = &s->waits[i];
    char why[FAILURE_TEXT_MAX], set_by[DUE_TEXT_MAX];

    failure_format_brief(w->why, why);
    snapshot_wait_set_by(w, set_by);
    put_count(r, "id", w->id);
    put_text(r, "key", w->key);
    put_text(r, "host", w->host);
    put_text(r, "request", w->request);
    put_text(r, "why", why);
    put_text(r, "reason", w->reason);
    put_count(r, "attempt", w->attempt);
    put_count(r, "attempts_max", w->attempts_max);
    put_seconds(r, "due_in_s", w->due_in_us);
    put_text(r, "set_by", set_by);
}

static void host_row(struct row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_host *h = &s->hosts[i];
    char why[DUE_TEXT_MAX];

    due_format_hold(&h->due, why);
    put_text(r, "host", h->host);
    put_known(r, "cap", h->cap > 0, h->cap);
    put_count(r, "in_flight", h->in_flight);
    put_count(r, "queued", h->queued);
    put_count(r, "requests", h->requests);
    put_count(r, "status_429", h->throttled);
    put_number(r, "req_per_s", h->requests_per_s);
    put_seconds(r, "hold_in_s", h->hold_in_us);
    put_text(r, "hold_reason", why);
    put_known(r, "quota_left", h->quota_left >= 0, (double)h->quota_left);
    put_known(r, "quota_limit", h->quota_limit >= 0, (double)h->quota_limit);
    put_seconds(r, "quota_reset_in_s", h->quota_reset_in_us);
}

static void failure_row(struct row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_failure *f = &s->failures[i];
    char why[FAILURE_TEXT_MAX], class[FAILURE_TEXT_MAX];

    failure_format(f->why, why);
    failure_format_word(f->why, class);
    put_text(r, "why", why);
    put_text(r, "class", class);
    put_count(r, "count", f->count);
    put_seconds(r, "last_ago_s", f->last_ago_us);
    put_text(r, "example", f->example);
    put_count(r, "example_id", f->example_id);
    put_text(r, "said", f->said);
}

static void endpoint_row(struct row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_endpoint *e = &s->endpoints[i];

    put_text(r, "name", e->name);
    put_count(r, "requests", e->planned);
    put_count(r, "ok", e->done);
    put_count(r, "failed", e->failed);
    put_count(r, "waiting", e->waiting);
    put_number(r, "req_per_s", e->requests_per_s);
    put_ms(r, "p50_ms", e->p50_us);
    put_ms(r, "p95_ms", e->p95_us);
    put_number(r, "throttled", e->throttled_part);
    put_number(r, "server_errors", e->server_error_part);
    put_known(r, "rows", e->rows > 0, (double)e->rows);
    put_known(r, "expected", e->pages_known, (double)e->pages_expected);
    put_known(r, "got", e->pages_known, (double)e->pages_got);
    put_known(r, "missing_count", e->pages_known, (double)e->pages_missing);
    put_text(r, "ended", e->listings ? page_end_name(e->pages_end) : "");
    put_known(r, "records", e->listings > 0, (double)e->records);
    put_known(r, "records_missing", e->listings > 0, (double)e->records_missing);
    put_text(r, "note", e->note);
}

static void rung_row(struct row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_rung *rung = &s->rungs[i];

    put_count(r, "cap", rung->cap);
    put_seconds(r, "time_s", rung->time_us);
    put_count(r, "requests", rung->requests);
    put_number(r, "req_per_s", rung->requests_per_s);
    put_number(r, "ideal_per_s", rung->ideal_per_s);
    put_ms(r, "p50_ms", rung->p50_us);
    put_ms(r, "p95_ms", rung->p95_us);
    put_number(r, "throttled", rung->throttled_part);
    put_text(r, "note", rung->note);
}

static void failed_row(struct row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_failed *f = &s->failed_ones[i];
    char why[FAILURE_TEXT_MAX];

    failure_format(f->why, why);
    put_count(r, "id", f->id);
    put_text(r, "why", why);
    put_text(r, "request", f->request);
    put_text(r, "said", f->said);
    put_known(r, "ago_s", !f->before, (double)f->ago_us / 1e6);
}

static void rule_row(struct row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_rule *rule = &s->rules[i];

    put_text(r, "name", rule->name);
    put_text(r, "rule", rule->text);
    put_text(r, "do", rule->action);
    put_count(r, "count", rule->count);
}

static void event_row(struct row *r, const struct snapshot *s, size_t i)
{
    /* The log shows the latest last, the snapshot has it first. */
    const struct snapshot_event *e = &s->events[s->event_count - 1 - i];
    static const char *const levels[] = { "info", "notice", "warning", "error" };
    char when[CLOCK_TEXT_SIZE];

    clock_format_utc(e->wall_us, when);
    put_text(r, "at", when);
    put_text(r, "level", levels[e->level]);
    put_count(r, "times", e->repeats);
    put_text(r, "text", e->text);
}

static const struct {
    const char *name;
    void (*row)(struct row *r, const struct snapshot *s, size_t i);
} exports[PANEL_COUNT] = {
    [PANEL_FLIGHTS] = { "in-flight", flight_row },
    [PANEL_WAITS] = { "waiting", wait_row },
    [PANEL_LOG] = { "log", event_row },
    [PANEL_HOSTS] = { "hosts", host_row },
    [PANEL_FAILED] = { "failed", failure_row },
    [PANEL_ENDPOINTS] = { "endpoints", endpoint_row },
    [PANEL_LADDER] = { "ladder", rung_row },
    [PANEL_ANSWERS] = { "answers", rule_row },
    [PANEL_EACH_FAILED] = { "failed-requests", failed_row },
};

const char *export_name(enum panel_id panel)
{
    return exports[panel].name;
}

enum result export_rows(enum panel_id panel, const struct snapshot *s, const struct list *list,
                        bool json, struct buf *out)
{
    struct row r = { .out = out, .json = json };

    if (!exports[panel].row || !list->count) {
        return RESULT_NOT_FOUND;
    }
    if (!json) {
        r.naming = true;
        exports[panel].row(&r, s, list->rows[0]);
        append(&r, STR("\n"));
        r.naming = false;
    }
    for (size_t i = 0; i < list->count; i++) {
        append(&r, !json ? STR_NONE : i ? STR(",\n{") : STR("[{"));
        r.begun = false;
        exports[panel].row(&r, s, list->rows[i]);
        append(&r, json ? STR("}") : STR("\n"));
    }
    append(&r, json ? STR("]\n") : STR_NONE);
    return r.result;
}
