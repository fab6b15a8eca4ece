/*
 * The steps between a build's passes and after the last: one job each on the pool, with all of the
 * build to itself as no worker runs.
 *
 * Settling looks at what pass 1 has found. If that has only scouted, the columns found are the guess
 * with which it begins anew, now writing rows, too. Nothing where the records should be: that is the end
 * (E-TAB1). A split document with which something is wrong: all is thrown away and learnt anew with
 * nothing split, for only the whole document can say what. An invalid document among those whose values
 * were looked at: likewise, each being verified before it is looked at. Else the workers' columns become
 * one tree and then the layout. If the rows have been written with the same, that is all; else the next
 * pass is made ready: keys first if rows are to be unique, or else rows.
 *
 * Keyed makes ready for the rows, or for a look at them when something is expected. Checked judges, and makes ready for
 * the rows. Committing puts the file in its place, or removes what there is of it.
 */
#include "table/table_build_state.h"

#include "base/clock.h"
#include "base/units.h"
#include "table/split_source.h"

#include <stdlib.h>

/* Of the array to explode, in the merged tree. */
static uint32_t explode_node(const struct table_build *b, const struct columns *columns)
{
    const struct json_pointer *pointer = b->shape.flatten.explode;
    uint32_t node = pointer ? COLUMNS_ROOT : COLUMNS_NONE;

    for (unsigned i = 0; node != COLUMNS_NONE && pointer && i < pointer->count; i++) {
        node = columns_find(
            columns, node,
            (struct str){ pointer->bytes + pointer->steps[i].at, pointer->steps[i].len });
    }
    return node;
}

/* What the workers have learnt, in one tree. */
static enum result merge_columns(struct table_build *b, struct columns **columns, struct err *err)
{
    const struct facts_wish wish = b->facts;
    bool in_array = false;
    enum result result;

    *columns = columns_new();
    if (!*columns) {
        return err_nomem(err, "merging columns");
    }
    result = columns_want_facts(*columns, &wish, err);
    for (unsigned i = 0; result == RESULT_OK && i < b->worker_count; i++) {
        struct table_worker *w = &b->workers[i];

        result = columns_merge(*columns, w->columns, err);
        in_array |= flatten_in_array(w->flatten);
        flatten_free(w->flatten);
        columns_free(w->columns);
        w->flatten = NULL;
        w->columns = NULL;
    }
    if (result == RESULT_LIMIT) {
        table_hint_at_keys(b, *columns, in_array, err);
    }
    return result == RESULT_OK
               ? columns_settle(*columns,
                                b->spec.separator ? str_view(b->spec.separator) : STR("."), err)
               : result;
}

static void free_sequencers(struct table_build *b)
{
    while (b->sequencer_count) {
        sequencer_free(b->sequencers[--b->sequencer_count]);
    }
}

static enum result add_sequencer(struct table_build *b, struct row_sink sink, struct err *err)
{
    struct sequencer *sequencer = sequencer_new(sink, 2 * b->worker_count + 2);

    if (!sequencer) {
        return err_nomem(err, "starting a pass");
    }
    b->sequencers[b->sequencer_count++] = sequencer;
    return RESULT_OK;
}

/* Each pass after the first begins with the source at its start. */
static enum result start_pass(struct table_build *b, struct err *err)
{
    enum result result = b->source->rewind(b->source, err);

    for (unsigned i = 0; result == RESULT_OK && i < b->worker_count; i++) {
        struct table_worker *w = &b->workers[i];

        flatten_free(w->flatten);
        w->flatten = flatten_new(b->records_at, b->columns, FLATTEN_FILL);
        if (!w->flatten) {
            return err_nomem(err, "starting a pass");
        }
        flatten_heed(w->flatten, &b->stop);
        result = flatten_set_shape(w->flatten, &b->shape.flatten, err);
    }
    return result;
}

static enum result start_keying(struct table_build *b, struct err *err)
{
    enum result result;

    free_sequencers(b);
    b->dedup = dedup_new(table_memory(&b->spec) / 2, b->spec.keep);
    if (!b->dedup) {
        return err_nomem(err, "comparing rows");
    }
    result = add_sequencer(b, (struct row_sink){ dedup_take, b->dedup }, err);
    return result == RESULT_OK ? start_pass(b, err) : result;
}

static enum result take_nothing(void *context, struct str keys, struct err *err)
{
    (void)context;
    (void)keys;
    (void)err;
    return RESULT_OK;
}

static enum result start_checking(struct table_build *b, struct err *err)
{
    struct row_sink sink = { take_nothing, NULL };
    enum result result;

    free_sequencers(b);
    b->row_layout = b->layout;
    if (contract_has_keys(b->contract)) {
        b->expected = dedup_new(table_memory(&b->spec) / 4, ROW_KEEP_FIRST);
        if (!b->expected) {
            return err_nomem(err, "judging the table");
        }
        sink = (struct row_sink){ dedup_take, b->expected };
    }
    result = add_sequencer(b, sink, err);
    return result == RESULT_OK ? start_pass(b, err) : result;
}

/* One of the files, and who writes its rows. */
static enum result open_writer(struct table_build *b, size_t output, const struct layout *layout,
                               struct err *err)
{
    enum result result = table_writer_open(&b->writers[output], &b->outputs[output], layout,
                                           b->report.verdict.count ? &b->aside : &b->spec,
                                           b->worker_count, &b->stop, err);

    for (unsigned i = 0; result == RESULT_OK && i < b->worker_count; i++) {
        b->workers[i].encoders[output] = row_encoder_new(b->writers[output]);
        if (!b->workers[i].encoders[output]) {
            result = err_nomem(err, "starting to write");
        }
    }
    return result == RESULT_OK ? add_sequencer(b, table_writer_sink(b->writers[output]), err)
                               : result;
}

static enum result open_writers(struct table_build *b, const struct layout *layout, struct err *err)
{
    enum result result = RESULT_OK;

    free_sequencers(b);
    b->row_layout = layout;
    for (size_t i = 0; i < b->output_count && result == RESULT_OK; i++) {
        result = open_writer(b, i, layout, err);
    }
    return result;
}

static void free_encoders(struct table_build *b)
{
    for (unsigned i = 0; i < b->worker_count; i++) {
        for (size_t n = 0; n < b->output_count; n++) {
            row_encoder_free(b->workers[i].encoders[n]);
            b->workers[i].encoders[n] = NULL;
        }
    }
}

static void abandon_writers(struct table_build *b)
{
    free_encoders(b);
    for (size_t i = 0; i < b->output_count; i++) {
        table_writer_abandon(b->writers[i]);
        b->writers[i] = NULL;
    }
}

/* What pass 1 has written is of no use, or it has written nothing. */
static void drop_guess(struct table_build *b)
{
    abandon_writers(b);
    layout_free(b->guess_layout);
    columns_free(b->guess);
    b->guess_layout = NULL;
    b->guess = NULL;
    atomic_store(&b->guess_failed, false);
}

static enum result start_writing(struct table_build *b, struct err *err)
{
    enum result result = open_writers(b, b->layout, err);

    return result == RESULT_OK ? start_pass(b, err) : result;
}

/* What comes after the keys, if there are any. */
static enum result go_on(struct table_build *b, struct err *err)
{
    return b->contract ? start_checking(b, err) : start_writing(b, err);
}

static enum result make_layout(const struct table_build *b, const struct columns *columns,
                               const struct flatten_counts *counts, struct layout **layout,
                               struct err *err)
{
    return layout_new(layout, &b->spec, columns, explode_node(b, columns), counts->rows,
                      counts->records, err);
}

/* Pass 1 is done: columns, then everything that the next pass needs, if there is to be one. */
static enum result settle(struct table_build *b, const struct flatten_counts *counts,
                          struct err *err)
{
    enum result result = merge_columns(b, &b->columns, err);
    uint64_t rows = 0;

    for (size_t i = 0; i < b->note_count; i++) {
        b->notes[i].rows_before = rows;
        rows += b->notes[i].rows;
    }
    result = result == RESULT_OK ? make_layout(b, b->columns, counts, &b->layout, err) : result;
    if (result != RESULT_OK) {
        return result;
    }
    b->report.passes++;
    b->written = b->guess && !atomic_load(&b->guess_failed) &&
                 layout_same(b->guess_layout, b->layout, b->typed);
    if (b->written) {
        return RESULT_OK;
    }
    drop_guess(b);
    result = contract_new(&b->contract, &b->spec, b->columns, err);
    if (result != RESULT_OK) {
        return result;
    }
    return b->layout->unique_count ? start_keying(b, err) : go_on(b, err);
}

/* Pass 1 found nothing at all where the records should be. */
/* "any of the 3 records", "the 1 record". */
static const char *any_of(uint64_t count)
{
    return count == 1 ? "the " : "any of the ";
}

static enum result no_records(const struct table_build *b, uint64_t missed, struct err *err)
{
    const struct table_worker *first = NULL;

    for (unsigned i = 0; i < b->worker_count; i++) {
        const struct table_worker *w = &b->workers[i];

        if (w->skip_count[TABLE_SKIP_NO_MATCH] && (!first || w->hint_chunk < first->hint_chunk)) {
            first = w;
        }
    }
    return err_set(err, RESULT_NOT_FOUND, "E-TAB1",
                   "--records %s finds nothing in %s%llu record%s; %s%s", b->records,
                   any_of(missed), (unsigned long long)missed, units_plural(missed),
                   first->hint[0] ? "there are: " : "they have ",
                   first->hint[0] ? first->hint : "neither arrays nor objects");
}

static enum result no_array(const struct table_build *b, uint64_t records, struct err *err)
{
    const struct table_worker *first = NULL;

    for (unsigned i = 0; i < b->worker_count; i++) {
        const struct table_worker *w = &b->workers[i];

        if (w->explode_hint[0] && (!first || w->explode_hint_chunk < first->explode_hint_chunk)) {
            first = w;
        }
    }
    return err_set(err, RESULT_NOT_FOUND, "E-TAB1",
                   "--explode %s finds no array in %s%llu record%s%s%s", b->spec.explode,
                   any_of(records), (unsigned long long)records, units_plural(records),
                   first ? "; there are: " : "", first ? first->explode_hint : "");
}

/* There were documents, and each was skipped for what it is, not for where its records are. */
static bool is_unreadable(const struct table_build *b)
{
    static const enum table_skip bad[] = { TABLE_SKIP_INVALID, TABLE_SKIP_OTHER,
                                           TABLE_SKIP_DAMAGED };
    uint64_t records = 0, skipped = 0;

    for (unsigned i = 0; i < b->worker_count; i++) {
        const struct table_worker *w = &b->workers[i];

        records += w->records - w->empty;
        for (size_t n = 0; n < sizeof bad / sizeof bad[0]; n++) {
            skipped += w->skip_count[bad[n]];
        }
    }
    return skipped && skipped == records;
}

static enum result check_found(const struct table_build *b, const struct flatten_counts *counts,
                               struct err *err)
{
    uint64_t missed = 0;

    for (unsigned i = 0; i < b->worker_count; i++) {
        missed += b->workers[i].skip_count[TABLE_SKIP_NO_MATCH];
    }
    if (b->must_read && is_unreadable(b)) {
        return err_set(
            err, RESULT_NOT_FOUND, "E-TAB7",
            "nothing of the input can be read as JSON or JSON Lines, so there is no table");
    }
    if (missed && !counts->matches) {
        return no_records(b, missed, err);
    }
    return b->spec.explode && counts->rows && !counts->exploded ? no_array(b, counts->records, err)
                                                                : RESULT_OK;
}

enum result table_step_begin_learning(struct table_worker *w, struct err *err)
{
    struct table_build *b = w->build;
    const struct facts_wish wish = b->facts;
    enum result result;

    flatten_free(w->flatten);
    columns_free(w->columns);
    w->flatten = NULL;
    w->columns = columns_new();
    if (w->columns && columns_want_facts(w->columns, &wish, err) == RESULT_OK &&
        (!b->guess || columns_seed(w->columns, b->guess, err) == RESULT_OK)) {
        w->flatten = flatten_new(b->records_at, w->columns, FLATTEN_LEARN);
    }
    if (!w->flatten) {
        return err_nomem(err, "starting a table");
    }
    flatten_heed(w->flatten, &b->stop);
    flatten_judge_first(w->flatten, b->judging);
    result = flatten_set_shape(w->flatten, &b->shape.flatten, err);
    return result == RESULT_OK && b->guess ? flatten_give_rows(w->flatten, b->guess, err) : result;
}

/* A split document in which the pointer led to nothing. */
static bool split_without_match(const struct table_build *b)
{
    uint64_t matches = 0;

    for (size_t i = 0; i < b->note_count; i++) {
        const struct chunk_note *note = &b->notes[i];

        if (note->rest && matches + note->matches_before == 0) {
            return true;
        }
        matches = note->rest ? note->matches_after : matches + note->matches_after;
    }
    return false;
}

/* All that pass 1 has found is thrown away, but for the guess. */
static enum result learn_anew(struct table_build *b, struct err *err)
{
    enum result result = b->source->rewind(b->source, err);

    table_tally_collect(b);
    b->start_over = true;
    b->scouting = b->scouted = false;
    b->note_count = 0;
    for (unsigned i = 0; result == RESULT_OK && i < b->worker_count; i++) {
        result = table_step_begin_learning(&b->workers[i], err);
    }
    return result;
}

/* A document was at fault: the next pass 1 judges each first, and splits none if that was it. */
static enum result start_over(struct table_build *b, bool split, struct err *err)
{
    drop_guess(b);
    b->judging = true;
    atomic_store(&b->split_failed, false);
    atomic_store(&b->judge_wanted, false);
    if (!split) {
        split_source_disable(b->source);
    }
    return learn_anew(b, err);
}

/* Some chunks have been seen: what columns they have is the guess. Where even what they have is not
 * enough, pass 1 is the usual one. */
static enum result guess(struct table_build *b, const struct flatten_counts *counts,
                         struct err *err)
{
    enum result result = check_found(b, counts, err);

    result = result == RESULT_OK ? merge_columns(b, &b->guess, err) : result;
    result = result == RESULT_OK ? make_layout(b, b->guess, counts, &b->guess_layout, err) : result;
    if (result == RESULT_NOT_FOUND) {
        *err = (struct err){ 0 };
        drop_guess(b);
        return learn_anew(b, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    if (b->by_column && b->guess_layout->count > CHUNK_WIDE_COLUMNS &&
        b->chunk_bytes == CHUNK_BYTES) {
        b->chunk_bytes = CHUNK_BYTES_WIDE;
    }
    result = open_writers(b, b->guess_layout, err);
    return result == RESULT_OK ? learn_anew(b, err) : result;
}

void table_step_settle(struct work_item *item)
{
    struct table_build *b = (struct table_build *)item;
    struct flatten_counts counts = { 0 };
    struct err err = { 0 };
    enum result result = RESULT_OK;
    bool bad_split;

    for (unsigned i = 0; i < b->worker_count; i++) {
        const struct flatten_counts *of = &b->workers[i].counts;

        counts.rows += of->rows;
        counts.records += of->records;
        counts.exploded += of->exploded;
        counts.matches += of->matches;
    }
    /* A pass that was broken off, or left chunks out, has not seen all matches. */
    bad_split = atomic_load(&b->split_failed) ||
                (!atomic_load(&b->judge_wanted) && !b->scouted && split_without_match(b));
    if (bad_split || atomic_load(&b->judge_wanted)) {
        result = start_over(b, !bad_split, &err);
    } else if (b->scouted) {
        result = guess(b, &counts, &err);
    } else {
        result = check_found(b, &counts, &err);
        table_tally_collect(b);
        result = result == RESULT_OK ? settle(b, &counts, &err) : result;
    }
    if (result != RESULT_OK) {
        table_signal_failure(b, result, &err);
    }
}

void table_step_keyed(struct work_item *item)
{
    struct table_build *b = (struct table_build *)item;
    struct err err = { 0 };
    enum result result;

    table_tally_collect(b);
    result = dedup_end(b->dedup, &err);
    result = result == RESULT_OK ? go_on(b, &err) : result;
    if (result != RESULT_OK) {
        table_signal_failure(b, result, &err);
    }
}

static int64_t wall_us(const struct table_build *b)
{
    const struct clock clock = clock_system();

    return b->wall_us ? b->wall_us : clock_wall_us(&clock);
}

/* Whether the rows are what was expected. */
static enum result judge(struct table_build *b, struct err *err)
{
    const struct table_skips *nulls = &b->report.skipped[TABLE_NULL_CELLS];
    struct contract_tally *tallies = calloc(b->worker_count, sizeof *tallies);
    struct table_schema *now = NULL;
    enum result result = tallies ? RESULT_OK : err_nomem(err, "judging the table");

    if (result == RESULT_OK && b->layout->has_facts &&
        table_schema_new(&now, b->layout, b->report.rows) != RESULT_OK) {
        result = err_nomem(err, "judging the table");
    }
    for (unsigned i = 0; tallies && i < b->worker_count; i++) {
        tallies[i] = b->workers[i].tally;
    }
    if (result == RESULT_OK) {
        const struct contract_facts facts = { .tallies = tallies,
                                              .tally_count = b->worker_count,
                                              .keys = b->expected,
                                              .before = b->report.before,
                                              .now = now,
                                              .first_null = nulls->named ? nulls->first[0] : NULL,
                                              .wall_us = wall_us(b) };

        contract_judge(b->contract, &facts, &b->report.verdict);
    }
    table_schema_free(now);
    free(tallies);
    return result;
}

void table_step_checked(struct work_item *item)
{
    struct table_build *b = (struct table_build *)item;
    struct err err = { 0 };
    enum result result;

    table_tally_collect(b);
    result = b->expected ? dedup_end(b->expected, &err) : RESULT_OK;
    result = result == RESULT_OK ? judge(b, &err) : result;
    if (result == RESULT_OK && b->report.verdict.count) {
        result = table_aside_begin(b, &err);
    }
    if (result == RESULT_OK && !b->written) {
        result = start_writing(b, &err);
    }
    if (result != RESULT_OK) {
        table_signal_failure(b, result, &err);
    }
}

/* The records that a column's odd values stand in, counted over all chunks. */
static void number_odd(const struct table_build *b, struct table_schema *schema)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        struct schema_odd *odd = schema->columns[i].odd;

        if (odd && odd->is_placed) {
            odd->record = odd->first.record;
            for (uint64_t chunk = 0; chunk < odd->first.chunk; chunk++) {
                odd->record += b->notes[chunk].records;
            }
        }
    }
}

/* In the order that they were asked for; the first that fails is the last. */
static enum result commit_files(struct table_build *b, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < b->output_count && result == RESULT_OK; i++) {
        struct table_writer *writer = b->writers[i];

        b->writers[i] = NULL;
        result = table_writer_commit(writer, &b->report.made_bytes[i], err);
        b->report.bytes_out += b->report.made_bytes[i];
        b->report.made_count += result == RESULT_OK;
    }
    return result;
}

static enum result commit(struct table_build *b, struct err *err)
{
    if (!b->written) { /* else that was done when pass 1 had ended */
        table_tally_collect(b);
    }
    b->report.columns = b->layout->count;
    b->report.columns_renamed = columns_renamed(b->columns);
    if (b->layout->has_facts &&
        table_schema_new(&b->report.schema, b->layout, b->report.rows) != RESULT_OK) {
        return err_nomem(err, "describing the table");
    }
    if (b->report.schema) {
        number_odd(b, b->report.schema);
    }
    free_encoders(b);
    return commit_files(b, err);
}

/* The end of it all, well or not: each file is either committed or gone. */
void table_step_commit(struct work_item *item)
{
    struct table_build *b = (struct table_build *)item;
    struct err err = { 0 };
    enum result result;

    if (b->writers[0] && b->failure == RESULT_OK && !atomic_load(&b->stop)) {
        result = commit(b, &err);
        if (result != RESULT_OK) {
            table_signal_failure(b, result, &err);
        }
    }
    abandon_writers(b);
}
