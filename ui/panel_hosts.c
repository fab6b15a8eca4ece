/* What each host bears: cap, rate, the quota it told, and whether it is held. */

#include "ui/panel.h"

#include "base/units.h"
#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { HOST, FLYING, RATE, THROTTLED, STATE };

static const struct panel_column columns[] = {
    [HOST] = { "HOST", 15, 0, false },        [FLYING] = { "IN/CAP", 6, 0, true },
    [RATE] = { "REQ/S", 5, 0, true },         [THROTTLED] = { "REFUSED", 7, 54, true },
    [STATE] = { "HOLD, QUOTA", 0, 0, false },
};

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->host_count;
}

static uint64_t id(const void *context, size_t row)
{
    return list_id_of_text(((const struct snapshot *)context)->hosts[row].host);
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    const struct snapshot_host *h = &((const struct snapshot *)context)->hosts[row];
    char why[DUE_TEXT_MAX];

    due_format_hold(&h->due, why);
    snprintf(text, size, "%s %s", h->host, why);
}

static void state_cell(const struct snapshot_host *h, char text[PANEL_CELL_MAX], enum role *role)
{
    char time[UNITS_TEXT_MAX], why[DUE_TEXT_MAX];

    due_format_hold(&h->due, why);
    if (h->hold_in_us == UINT64_MAX) {
        snprintf(text, PANEL_CELL_MAX, "HELD %s", why);
        *role = ROLE_NOTICE;
    } else if (h->hold_in_us) {
        units_format_countdown(h->hold_in_us, time);
        snprintf(text, PANEL_CELL_MAX, "HELD %s %s", time, why);
        *role = ROLE_WARN;
    } else if (h->quota_left >= 0) {
        units_format_countdown(h->quota_reset_in_us, time);
        snprintf(text, PANEL_CELL_MAX, "%lld/%lld %s", (long long)h->quota_left,
                 (long long)h->quota_limit, time);
    } else if (h->proxy[0]) {
        snprintf(text, PANEL_CELL_MAX, "by %s", h->proxy);
        *role = ROLE_DIM;
    } else if (h->queued) {
        snprintf(text, PANEL_CELL_MAX, "%llu queued", (unsigned long long)h->queued);
        *role = ROLE_DIM;
    }
}

static void cell(const struct snapshot *s, size_t row, size_t column, struct panel_cell *out)
{
    const struct snapshot_host *h = &s->hosts[row];

    switch (column) {
    case HOST:
        snprintf(out->text, PANEL_CELL_MAX, "%s", h->host);
        break;
    case FLYING:
        if (h->cap) {
            snprintf(out->text, PANEL_CELL_MAX, "%u/%u", h->in_flight, h->cap);
        } else {
            snprintf(out->text, PANEL_CELL_MAX, "%u/-", h->in_flight);
        }
        break;
    case RATE:
        format_rate(h->requests_per_s, out->text);
        break;
    case THROTTLED:
        format_percent(h->throttled, h->requests, out->text);
        out->role = h->throttled ? ROLE_WARN : ROLE_DIM;
        break;
    default:
        state_cell(h, out->text, &out->role);
        break;
    }
}

static int rows_wanted(const struct snapshot *s)
{
    return panel_rows(s->host_count, 6);
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
    const struct snapshot_host *x = &((const struct snapshot *)context)->hosts[a];
    const struct snapshot_host *y = &((const struct snapshot *)context)->hosts[b];

    switch (column) {
    case FLYING:
        return LIST_COMPARE(y->in_flight, x->in_flight);
    case RATE:
        return LIST_COMPARE(y->requests_per_s, x->requests_per_s);
    case THROTTLED:
        return LIST_COMPARE(y->throttled, x->throttled);
    case STATE:
        return LIST_COMPARE(y->hold_in_us, x->hold_in_us);
    default:
        return strcmp(x->host, y->host);
    }
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .compare = compare
};

static const struct panel_table table = {
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .cell = cell,
    .nothing = "no host asked yet",
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_host *h = &s->hosts[i];
    char why[DUE_TEXT_MAX];

    due_format_hold(&h->due, why);
    export_text(r, "host", h->host);
    export_known(r, "cap", h->cap > 0, h->cap);
    export_count(r, "in_flight", h->in_flight);
    export_count(r, "queued", h->queued);
    export_count(r, "requests", h->requests);
    export_count(r, "refused", h->throttled);
    export_number(r, "req_per_s", h->requests_per_s);
    export_seconds(r, "hold_in_s", h->hold_in_us);
    export_text(r, "hold_reason", why);
    export_text(r, "proxy", h->proxy);
    export_known(r, "quota_left", h->quota_left >= 0, (double)h->quota_left);
    export_known(r, "quota_limit", h->quota_limit >= 0, (double)h->quota_limit);
    export_seconds(r, "quota_reset_in_s", h->quota_reset_in_us);
}

static const char *host_of(const struct snapshot *s, size_t row)
{
    return s->hosts[row].host;
}

const struct panel panel_hosts = {
    .name = "Hosts",
    .need = { .column = { 0, 1, 1 }, .order = 70, .need = 6, .rows_min = 3, .rows_wanted = 3 },
    .rows_wanted = rows_wanted,
    .exists = panel_is_live,
    .source = &source,
    .table = &table,
    .export = { "hosts", export_fields },
    .host = host_of,
};
