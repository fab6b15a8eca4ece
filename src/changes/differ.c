#include "changes/differ.h"

#include "base/json_text.h"
#include "base/timestamp.h"
#include "changes/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX ((size_t)384 << 10) /* of a value in a change; longer ones are left out */

struct differ {
    const struct differ_options *options;
    struct changes_report *report;
    struct state *state;
    struct record_rows *rows;
    struct buf line;
    /* where the walk is */
    bool has_begun;
    uint32_t round;
    char seed[16];
    size_t seed_len;
    bool is_partial;   /* the seed's round */
    bool is_thinned;   /* likewise */
    char time[64];     /* of the last answer with a body */
    int64_t time_us;   /* likewise */
    int64_t round_us;  /* the latest of this round */
    int64_t before_us; /* the latest of the rounds before */
    /* of the answer in hand */
    const struct record_row *list;
    size_t count;
    uint8_t *seen; /* by row of the list: it is as it was */
    size_t seen_room;
    struct buf gone;             /* keys of the slot that the answer lacks, each with its length */
    struct buf key, before, now; /* of a change */
};

const char *change_kind_name(enum change_kind kind)
{
    static const char *const names[] = {
        [CHANGE_ADDED] = "added", [CHANGE_CHANGED] = "changed", [CHANGE_GONE] = "gone"
    };

    return names[kind];
}

/* --- a record that is another now ---------------------------------------------------------------------------- */

/* A value as JSON. */
static enum result put_value(struct buf *out, const struct record_cell *cell)
{
    return cell->kind == ROW_STRING ? json_text_append(out, cell->text)
                                    : buf_append_str(out, cell->text);
}

static enum result put_member(struct differ *d, struct buf *out, const struct record_cell *cell)
{
    enum result result =
        out->len && out->data[out->len - 1] != '{' ? buf_append_char(out, ',') : RESULT_OK;

    result = result == RESULT_OK ? json_text_append(out, record_rows_name(d->rows, cell->column))
                                 : result;
    result = result == RESULT_OK ? buf_append_char(out, ':') : result;
    return result == RESULT_OK ? put_value(out, cell) : result;
}

static bool is_of_key(const struct differ *d, uint32_t column)
{
    for (size_t i = 0; i < d->options->rows.unique_count; i++) {
        if (record_rows_key_column(d->rows, i) == column) {
            return true;
        }
    }
    return false;
}

/* The key's members, in its order. */
static enum result put_key(struct differ *d, struct str cells)
{
    enum result result = RESULT_OK;

    buf_reset(&d->key);
    for (size_t i = 0; i < d->options->rows.unique_count && result == RESULT_OK; i++) {
        uint32_t column = record_rows_key_column(d->rows, i);
        struct str rest = cells;
        struct record_cell cell;

        while (result == RESULT_OK && record_cell_next(&rest, &cell)) {
            result = cell.column == column ? put_member(d, &d->key, &cell) : result;
        }
    }
    return result;
}

static enum result put_record(struct differ *d, struct buf *out, struct str cells)
{
    struct record_cell cell;
    enum result result;

    buf_reset(out);
    result = buf_append_char(out, '{');
    while (result == RESULT_OK && record_cell_next(&cells, &cell)) {
        result = put_member(d, out, &cell);
    }
    return result == RESULT_OK ? buf_append_char(out, '}') : result;
}

static void name_oddity(struct differ *d, struct change_oddity *oddity, const char *what)
{
    struct str key = buf_view(&d->key);

    oddity->count++;
    if (oddity->named < CHANGES_NAMED) {
        snprintf(oddity->first[oddity->named++], CHANGES_TEXT, "%.*s%s",
                 (int)(key.len < 48 ? key.len : 48), key.data ? key.data : "", what);
    }
}

static struct str limit(struct differ *d, struct str text)
{
    if (text.len <= VALUE_MAX) {
        return text;
    }
    d->report->too_long++;
    return STR_NONE;
}

static enum result tell(struct differ *d, struct change *change, struct err *err)
{
    change->round = d->round + 1;
    change->key = buf_view(&d->key);
    change->before = limit(d, change->before);
    change->now = limit(d, change->now);
    return d->options->take(d->options->context, change, err);
}

static enum result tell_record(struct differ *d, const struct state_change *from, struct err *err)
{
    bool is_added = from->now.data;
    struct change change = { .kind = is_added ? CHANGE_ADDED : CHANGE_GONE, .time = from->time };
    struct str cells = is_added ? from->now : from->before;

    if (put_key(d, cells) != RESULT_OK || put_record(d, &d->now, cells) != RESULT_OK) {
        return err_nomem(err, "comparing rounds");
    }
    d->report->added += is_added;
    d->report->gone += !is_added;
    *(is_added ? &change.now : &change.before) = buf_view(&d->now);
    return tell(d, &change, err);
}

/* One column of a record that changed; either cell may be missing. */
static enum result tell_value(struct differ *d, const struct state_change *from,
                              const struct record_cell *before, const struct record_cell *now,
                              bool *counts, struct err *err)
{
    uint32_t column = before ? before->column : now->column;
    struct change change = { .kind = CHANGE_CHANGED,
                             .time = from->time,
                             .field = record_rows_name(d->rows, column),
                             .before = before ? before->text : STR_NONE,
                             .now = now ? now->text : STR_NONE };

    if (before && now && str_equal(before->text, now->text)) {
        char what[64];

        if (before->kind == now->kind) {
            return RESULT_OK;
        }
        snprintf(what, sizeof what, " (%.*s)", (int)(change.field.len < 40 ? change.field.len : 40),
                 change.field.data);
        name_oddity(d, &d->report->retyped, what);
        if (is_of_key(d, column)) {
            return RESULT_OK;
        }
    }
    *counts = true;
    d->report->values++;
    return tell(d, &change, err);
}

/* Both lists of cells are in the order of their columns. */
static enum result tell_values(struct differ *d, const struct state_change *from, struct err *err)
{
    struct str rest[2] = { from->before, from->now };
    struct record_cell cells[2];
    bool has[2], counts = false;
    enum result result = RESULT_OK;

    if (put_key(d, from->now) != RESULT_OK) {
        return err_nomem(err, "comparing rounds");
    }
    has[0] = record_cell_next(&rest[0], &cells[0]);
    has[1] = record_cell_next(&rest[1], &cells[1]);
    while (result == RESULT_OK && (has[0] || has[1])) {
        bool takes_before = has[0] && (!has[1] || cells[0].column <= cells[1].column);
        bool takes_now = has[1] && (!has[0] || cells[1].column <= cells[0].column);

        result = tell_value(d, from, takes_before ? &cells[0] : NULL, takes_now ? &cells[1] : NULL,
                            &counts, err);
        has[0] = takes_before ? record_cell_next(&rest[0], &cells[0]) : has[0];
        has[1] = takes_now ? record_cell_next(&rest[1], &cells[1]) : has[1];
    }
    d->report->changed += counts;
    return result;
}

static enum result take_change(void *context, const struct state_change *change, struct err *err)
{
    struct differ *d = context;

    if (d->round < d->options->from_round) {
        return RESULT_OK;
    }
    if (change->is_doubled) {
        if (put_key(d, change->now) != RESULT_OK) {
            return err_nomem(err, "comparing rounds");
        }
        name_oddity(d, &d->report->doubled, "");
    }
    if (change->before.data && change->now.data) {
        return tell_values(d, change, err);
    }
    return change->before.data || change->now.data ? tell_record(d, change, err) : RESULT_OK;
}

/* --- an answer ------------------------------------------------------------------------------------------------ */

/* A row of the slot that the answer takes the place in: still there as it was, changed, or gone. */
static enum result look_at_row(void *context, struct str key, struct str cells, struct err *err)
{
    struct differ *d = context;
    size_t at = record_rows_find(d->rows, key);
    uint32_t len = (uint32_t)key.len;

    if (at < d->count) {
        d->seen[at] = str_equal(d->list[at].cells, cells);
        return RESULT_OK;
    }
    return buf_append(&d->gone, &len, sizeof len) == RESULT_OK &&
                   buf_append_str(&d->gone, key) == RESULT_OK
               ? RESULT_OK
               : err_nomem(err, "comparing rounds");
}

static enum result take_gone(struct differ *d, int64_t slot, struct err *err)
{
    struct str time = str_view(d->time), seed = { d->seed, d->seed_len };
    enum result result = RESULT_OK;

    for (size_t at = 0; result == RESULT_OK && at < d->gone.len;) {
        struct str key;
        uint32_t len;

        memcpy(&len, d->gone.data + at, sizeof len);
        key = (struct str){ d->gone.data + at + sizeof len, len };
        at += sizeof len + len;
        result = d->is_partial ? state_keep(d->state, slot, key, seed, time, err)
                               : state_put(d->state, slot, key, STR_NONE, time, err);
    }
    return result;
}

static void note_odd_rows(struct differ *d)
{
    for (size_t i = 0; i < d->count; i++) {
        d->report->no_key += !d->list[i].key.len;
        if (d->list[i].is_doubled && put_key(d, d->list[i].cells) == RESULT_OK) {
            name_oddity(d, &d->report->doubled, "");
        }
    }
}

static enum result put_rows(struct differ *d, int64_t slot, struct err *err)
{
    enum result result;

    if (d->count > d->seen_room) {
        free(d->seen);
        d->seen = malloc(d->count);
        d->seen_room = d->seen ? d->count : 0;
    }
    if (d->count && !d->seen) {
        return err_nomem(err, "comparing rounds");
    }
    if (d->count) {
        memset(d->seen, 0, d->count);
    }
    buf_reset(&d->gone);
    result = state_each_row(d->state, slot, look_at_row, d, err);
    for (size_t i = 0; result == RESULT_OK && i < d->count; i++) {
        const struct record_row *row = &d->list[i];

        if (!d->seen[i] && row->key.len && !row->is_doubled) {
            result = state_put(d->state, slot, row->key, row->cells, str_view(d->time), err);
        }
    }
    return result == RESULT_OK ? take_gone(d, slot, err) : result;
}

/* The answer's records. Of one that cannot be read, or has none, those of before stay. A line that stands for an answer
 * of now came earlier: its time says nothing. */
static enum result read_answer(struct differ *d, const struct record *record, bool is_new,
                               bool *is_good, struct err *err)
{
    struct line_view view;
    struct err damage = { .result = RESULT_OK };
    enum result result = segment_read_line(d->options->segments, record, &d->line, &view, &damage);

    *is_good = false;
    if (result == RESULT_CORRUPT) {
        d->report->damaged_round = d->report->damaged++ ? d->report->damaged_round : d->round + 1;
        return RESULT_OK;
    }
    if (result != RESULT_OK) {
        *err = damage;
        return result;
    }
    result = record_rows_read(d->rows, view.body, view.vars, &d->list, &d->count, err);
    if (result == RESULT_NOT_FOUND || result == RESULT_INVALID) {
        d->report->unmatched++;
        return RESULT_OK;
    }
    d->report->answers++;
    *is_good = true;
    if (is_new && view.fetched_at.len < sizeof d->time &&
        timestamp_parse(view.fetched_at, &d->time_us)) {
        snprintf(d->time, sizeof d->time, "%.*s", STR_ARG(view.fetched_at));
        d->round_us = d->time_us > d->round_us ? d->time_us : d->round_us;
    }
    return result;
}

/* --- seeds and rounds -------------------------------------------------------------------------------------- */

static enum result end_seed(struct differ *d, struct err *err)
{
    struct str seed = { d->seed, d->seed_len };

    d->report->partial += d->is_partial;
    d->report->thinned += d->is_thinned;
    if (d->is_thinned) {
        return state_park(d->state, seed, d->round + 1, str_view(d->time), err);
    }
    return state_leave(d->state, seed, d->round + 1, d->is_partial, str_view(d->time), err);
}

static enum result end_round(struct differ *d, struct err *err)
{
    d->report->rounds++;
    d->report->clock_back += d->round_us && d->round_us < d->before_us;
    d->before_us = d->round_us ? d->round_us : d->before_us;
    d->round_us = 0;
    return state_end_round(d->state, d->round + 1, take_change, d, err);
}

/* What the answer is of: ends the seed and the round before. */
static enum result move_on(struct differ *d, const struct ledger_answer *answer, struct err *err)
{
    struct str seed = { d->seed, d->seed_len };
    bool new_round = !d->has_begun || answer->round != d->round;
    bool new_seed = new_round || !str_equal(answer->seed, seed);
    enum result result = RESULT_OK;

    if (d->has_begun && new_seed) {
        result = end_seed(d, err);
    }
    if (d->has_begun && new_round && result == RESULT_OK) {
        result = end_round(d, err);
    }
    d->has_begun = true;
    d->round = answer->round;
    if (new_seed) {
        d->seed_len = answer->seed.len < sizeof d->seed ? answer->seed.len : sizeof d->seed;
        memcpy(d->seed, answer->seed.data, d->seed_len);
        d->is_partial = d->is_thinned = false;
    }
    d->is_partial |= answer->is_partial;
    d->is_thinned |= answer->is_thinned;
    return result;
}

/* The line that an unchanged answer stands for, when its slot has gone meanwhile. */
static enum result find_line(struct differ *d, const struct ledger_answer *answer,
                             struct record *record, bool *has, struct err *err)
{
    uint64_t id = 0;
    enum result result = state_has(d->state, answer->what, has, err);

    if (result != RESULT_OK || *has) {
        *has = false;
        return result;
    }
    result = state_line(d->state, answer->what, &id, err);
    if (result == RESULT_OK && id) {
        result = ledger_read_record(d->options->ledger, id, record, err);
        *has = result == RESULT_OK;
        result = result == RESULT_NOT_FOUND ? RESULT_OK : result;
    }
    return result;
}

/* With a body, or without one: what is there now. `record` NULL: it is empty. */
static enum result take_body(struct differ *d, const struct ledger_answer *answer,
                             const struct record *record, struct err *err)
{
    bool is_good = true, is_new = answer->kind == LEDGER_ANSWER_NEW;
    int64_t slot;
    enum result result;

    d->count = 0;
    result = record ? read_answer(d, record, is_new, &is_good, err) : RESULT_OK;
    if (result == RESULT_OK && is_good) {
        note_odd_rows(d);
    }
    result = result == RESULT_OK ? state_enter(d->state, answer->what, answer->seed, answer->seat,
                                               d->round + 1, &slot, &is_new, err)
                                 : result;
    if (result == RESULT_OK) { /* rows that go elsewhere or stay are of the line before */
        result = is_good ? put_rows(d, slot, err) : state_pin(d->state, slot, err);
    }
    return result == RESULT_OK ? state_put_line(d->state, answer->what,
                                                record ? record->id : answer->record.id, err)
                               : result;
}

/* Of a later round: what came unchanged stands for a line of before, also when its slot has gone meanwhile. */
static enum result need_line(struct differ *d, const struct ledger_answer *answer, struct err *err)
{
    uint64_t id = 0;
    enum result result = answer->kind == LEDGER_ANSWER_SAME
                             ? state_line(d->state, answer->what, &id, err)
                             : RESULT_OK;

    return result == RESULT_OK && id ? d->options->needs(d->options->context, id, err) : result;
}

static bool is_stopped(const struct differ *d)
{
    return d->options->stop && atomic_load(d->options->stop);
}

static enum result on_answer(void *context, const struct ledger_answer *answer, struct err *err)
{
    struct differ *d = context;
    struct record record = answer->record;
    int64_t slot;
    bool has = answer->kind == LEDGER_ANSWER_NEW, is_there = false, is_new;
    enum result result;

    if (is_stopped(d)) {
        return RESULT_CANCELLED;
    }
    if (d->options->until_round && answer->round >= d->options->until_round) {
        return d->options->needs ? need_line(d, answer, err) : RESULT_CANCELLED;
    }
    result = move_on(d, answer, err);
    if (result == RESULT_OK && answer->kind == LEDGER_ANSWER_SAME) {
        result = find_line(d, answer, &record, &has, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    if (has || answer->kind == LEDGER_ANSWER_EMPTY) {
        return take_body(d, answer, has ? &record : NULL, err);
    }
    /* As it was, if it was anything. */
    result = state_has(d->state, answer->what, &is_there, err);
    return result == RESULT_OK && is_there
               ? state_enter(d->state, answer->what, answer->seed, answer->seat, d->round + 1,
                             &slot, &is_new, err)
               : result;
}

/* A column of the key that nothing has had: a wrong name, most likely. */
static enum result check_key(struct differ *d, struct err *err)
{
    const struct record_rows_spec *spec = &d->options->rows;

    for (size_t i = 0; i < spec->unique_count && d->report->no_key; i++) {
        if (record_rows_key_column(d->rows, i) == UINT32_MAX) {
            return err_set(err, RESULT_NOT_FOUND, "E-TAB5",
                           "--unique %.*s: no record has such a column", STR_ARG(spec->unique[i]));
        }
    }
    if (d->report->unmatched && !d->report->answers) {
        return err_set(err, RESULT_NOT_FOUND, "E-TAB1",
                       "--records %s finds nothing in any of the %llu answers",
                       spec->records ? spec->records : "\"\"",
                       (unsigned long long)d->report->unmatched);
    }
    return RESULT_OK;
}

static enum result walk(struct differ *d, struct err *err)
{
    struct ledger_answers_query query = d->options->query;
    enum result result;

    query.visit = on_answer;
    query.context = d;
    result = ledger_each_answer(d->options->ledger, &query, err);
    result = result == RESULT_CANCELLED && !is_stopped(d) ? RESULT_OK : result;
    if (result == RESULT_OK && d->has_begun) {
        result = end_seed(d, err);
        result = result == RESULT_OK ? end_round(d, err) : result;
    }
    if (result == RESULT_OK && d->options->needs) {
        result = state_each_line(d->state, d->options->needs, d->options->context, err);
    }
    return result == RESULT_OK ? check_key(d, err) : result;
}

enum result differ_run(const struct differ_options *options, struct changes_report *report,
                       struct err *err)
{
    struct differ d = { .options = options, .report = report };
    enum result result;

    *report = (struct changes_report){ 0 };
    result = record_rows_new(&d.rows, &options->rows, err);
    result = result == RESULT_OK ? state_new(&d.state, options->memory_bytes, err) : result;
    result = result == RESULT_OK ? walk(&d, err) : result;
    record_rows_free(d.rows);
    state_free(d.state);
    free(d.seen);
    buf_release(&d.line);
    buf_release(&d.gone);
    buf_release(&d.key);
    buf_release(&d.before);
    buf_release(&d.now);
    return result;
}
