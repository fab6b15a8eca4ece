/* Requests that are being transferred, the oldest first: where time goes right now. */

#include "ui/panel.h"

#include "ui/export_row.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

enum { AGE, TRY, STATE, BYTES, FIRST_BYTE, CODE, HOST, REQUEST };

static const struct panel_column columns[] = {
    [AGE] = { "AGE", 5, 0, true },          [TRY] = { "TRY", 4, 0, true },
    [STATE] = { "STATE", 5, 0, false },     [BYTES] = { "BYTES", 5, 40, true },
    [FIRST_BYTE] = { "TTFB", 5, 90, true }, [CODE] = { "CODE", 4, 90, true },
    [HOST] = { "HOST", 15, 56, false },     [REQUEST] = { "REQUEST", 0, 0, false },
};

static size_t count(const void *context)
{
    return ((const struct snapshot *)context)->flight_count;
}

static uint64_t id(const void *context, size_t row)
{
    return ((const struct snapshot *)context)->flights[row].id;
}

static void text_of(const void *context, size_t row, char *text, size_t size)
{
    const struct snapshot_flight *f = &((const struct snapshot *)context)->flights[row];

    snprintf(text, size, "%s %s %s", flight_state_word(f->state), f->host, f->request);
}

static void cell(const struct snapshot *s, size_t row, size_t column, struct panel_cell *out)
{
    const struct snapshot_flight *f = &s->flights[row];

    switch (column) {
    case AGE:
        format_age(f->age_us, out->text);
        out->role = s->p99_us && f->age_us > s->p99_us ? ROLE_WARN : ROLE_TEXT;
        break;
    case TRY:
        snprintf(out->text, PANEL_CELL_MAX, "%u/%u", f->attempt, f->attempts_max);
        out->role = f->attempt > 1 ? ROLE_STRONG : ROLE_DIM;
        break;
    case STATE:
        snprintf(out->text, PANEL_CELL_MAX, "%s", flight_state_word(f->state));
        out->role = f->state == FLIGHT_RECEIVE ? ROLE_GOOD : ROLE_TEXT;
        break;
    case BYTES:
        format_size(f->body_bytes, out->text);
        out->role = f->body_bytes ? ROLE_TEXT : ROLE_DIM;
        break;
    case FIRST_BYTE:
        format_ms(f->first_byte_us, out->text);
        break;
    case CODE:
        snprintf(out->text, PANEL_CELL_MAX, f->status ? "%d" : "-", f->status);
        break;
    case HOST:
        snprintf(out->text, PANEL_CELL_MAX, "%s", f->host);
        out->role = ROLE_DIM;
        break;
    default:
        panel_cell_request(out, f->request, f->key);
        break;
    }
}

/* One host is told once, in its own panel. */
static bool is_idle(const struct snapshot *s, size_t column)
{
    return column == HOST && s->host_count == 1;
}

static void title(const struct snapshot *s, int rows, char title_text[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX])
{
    (void)rows;
    snprintf(title_text, PANEL_TITLE_MAX, "In flight %llu/%u", (unsigned long long)s->in_flight,
             s->cap);
    (void)note;
}

static int compare(const void *context, size_t a, size_t b, size_t column)
{
    const struct snapshot_flight *x = &((const struct snapshot *)context)->flights[a];
    const struct snapshot_flight *y = &((const struct snapshot *)context)->flights[b];

    switch (column) {
    case AGE:
        return LIST_COMPARE(y->age_us, x->age_us);
    case TRY:
        return LIST_COMPARE(y->attempt, x->attempt);
    case STATE:
        return LIST_COMPARE(x->state, y->state);
    case BYTES:
        return LIST_COMPARE(y->body_bytes, x->body_bytes);
    case FIRST_BYTE:
        return LIST_COMPARE(y->first_byte_us, x->first_byte_us);
    case CODE:
        return LIST_COMPARE(y->status, x->status);
    case HOST:
        return strcmp(x->host, y->host);
    default:
        return strcmp(x->request, y->request);
    }
}

static const struct list_source source = {
    .count = count, .id = id, .text = text_of, .compare = compare
};

static const struct panel_table table = {
    .columns = columns,
    .column_count = sizeof columns / sizeof columns[0],
    .cell = cell,
    .is_idle = is_idle,
    .nothing = "nothing in flight",
    .order = "oldest first",
};

static void export_fields(struct export_row *r, const struct snapshot *s, size_t i)
{
    const struct snapshot_flight *f = &s->flights[i];

    export_count(r, "id", f->id);
    export_text(r, "key", f->key);
    export_text(r, "host", f->host);
    export_text(r, "request", f->request);
    export_text(r, "state", flight_state_word(f->state));
    export_count(r, "attempt", f->attempt);
    export_seconds(r, "age_s", f->age_us);
    export_known(r, "first_byte_s", f->first_byte_us > 0, (double)f->first_byte_us / 1e6);
    export_known(r, "status", f->status > 0, f->status);
    export_count(r, "body_bytes", f->body_bytes);
}

static uint64_t request_id(const struct snapshot *s, size_t row)
{
    return s->flights[row].id;
}

static const char *host_of(const struct snapshot *s, size_t row)
{
    return s->flights[row].host;
}

const struct panel panel_flights = {
    .name = "In flight",
    .need = { .column = { 0, 0, 0 },
              .order = 10,
              .need = 0,
              .rows_min = 3,
              .rows_wanted = 8,
              .essential = true,
              .elastic = true },
    .exists = panel_is_live,
    .source = &source,
    .table = &table,
    .title = title,
    .export = { "in-flight", export_fields },
    .request_id = request_id,
    .host = host_of,
};
