/*
 *   LEARNING --all workers back--> SETTLING --> WRITING --all back--> COMMITTING --> ENDED
 *     ^ |                           | |            |                      ^
 *     | +------- cancel, error -----|-+------------+----------------------+
 *     +- a split document is bad ---+
 *
 * A pass is one pool job for each worker; it takes chunks until the source has ended. SETTLING and
 * COMMITTING are one job each, run while no worker is: they have all of the build to themselves.
 * Workers share `source`, `notes` and the first error under `lock`, the tree of columns read-only, and
 * counters by atomics; all else is their own.
 */
#include "engine/table_build.h"

#include "base/json_scan.h"
#include "base/utf8.h"
#include "engine/chunk.h"
#include "engine/row_turns.h"
#include "engine/split_source.h"
#include "normalise/columns.h"
#include "normalise/csv.h"
#include "normalise/flatten.h"
#include "output/output_file.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPILL_BYTES ((size_t)4 << 20) /* a chunk's rows that are held before they wait for a turn */

/* What pass 1 leaves about a chunk for pass 2. */
struct chunk_note {
    uint64_t rows;
    struct chunk_lines lines;
    bool recheck;   /* a record was skipped: look again which */
    bool ambiguous; /* the pointer met a name twice: look for the last one */
    /* Matches in parts of split documents: up to the first rest in this chunk, and behind the last. */
    bool rest;
    uint64_t matches_before, matches_after;
};

/* A skipped record, until all are known and the first can be named. */
struct skip_place {
    uint64_t chunk, index, line;
    const char *path;
    bool continued; /* lines of earlier chunks are to be added */
    char text[TABLE_SKIP_TEXT];
};

struct worker {
    struct work_item item; /* first: we are handed this */
    struct table_build *build;
    struct chunk chunk;
    struct chunk_reader reader;
    struct columns *columns; /* learnt in pass 1 */
    struct flatten *flatten;
    struct buf rows; /* encoded, of this chunk */
    struct flatten_counts counts;
    uint64_t lone_surrogates, empty, records, bytes;
    struct chunk_note note; /* of this chunk */
    uint64_t index;         /* of the document in the chunk */
    bool recheck;           /* pass 2: some records of this chunk are to be skipped again */
    bool skipped;           /* a record of this chunk */
    uint64_t skip_count[TABLE_SKIP_COUNT];
    struct skip_place skips[TABLE_SKIP_COUNT][TABLE_SKIP_NAMED];
    uint64_t cpu_us;
    struct err err;
};

struct table_build {
    struct work_item item; /* of SETTLING and COMMITTING; first, as in struct worker */
    struct work *work;
    char *output, *records; /* copies for options; records may be NULL */
    struct json_pointer pointer;
    struct record_source *source; /* a split_source */
    table_done_fn *done;
    void *context;
    uint64_t started_ns;
    enum table_phase phase; /* loop thread */
    bool cancelled;         /* loop thread */
    unsigned away;          /* pool jobs that have not come back */

    pthread_mutex_t lock;
    uint64_t next_chunk;
    bool source_ended;
    struct chunk_note *notes; /* by chunk */
    size_t note_count, note_cap;
    enum result failure; /* the first */
    struct err err;

    atomic_bool stop;
    atomic_bool split_failed; /* pass 1: a document must be looked at whole */
    bool start_over;          /* SETTLING found so */
    atomic_uint busy;
    atomic_uint_fast64_t records_done, bytes_done, rows_done;
    atomic_uint_fast64_t records_total, bytes_total; /* the source's, which may learn them late */

    struct columns *columns;
    struct output_file *file;
    struct row_turns *turns;
    struct table_report report;
    unsigned worker_count;
    struct worker *workers;
};

const char *table_skip_name(enum table_skip reason)
{
    static const char *const names[TABLE_SKIP_COUNT] = {
        [TABLE_SKIP_INVALID] = "invalid JSON",
        [TABLE_SKIP_OTHER] = "body is not JSON",
        [TABLE_SKIP_NO_MATCH] = "nothing at the records pointer",
        [TABLE_SKIP_DAMAGED] = "damaged raw line",
    };

    return names[reason];
}

/* Any thread. The first failure is the one that is told; being stopped by it is none. */
static void fail(struct table_build *b, enum result result, const struct err *err)
{
    pthread_mutex_lock(&b->lock);
    if (b->failure == RESULT_OK) {
        b->failure = result;
        b->err = *err;
    }
    pthread_mutex_unlock(&b->lock);
    atomic_store(&b->stop, true);
    if (b->turns) {
        row_turns_stop(b->turns);
    }
}

static uint64_t thread_cpu_us(void)
{
    struct timespec t;

    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0
               ? (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U
               : 0;
}

/* Notes a record that gives no row; `words` say why, where the reason's name does not. */
static void skip_record(struct worker *w, enum table_skip reason, const struct document *document,
                        const char *words)
{
    uint64_t n = w->skip_count[reason]++;
    struct skip_place *place = n < TABLE_SKIP_NAMED ? &w->skips[reason][n] : NULL;

    w->skipped = true;
    if (!place) { /* a worker's chunks ascend, so its first ones are the first */
        return;
    }
    *place = (struct skip_place){ .chunk = w->chunk.number,
                                  .index = w->index,
                                  .line = document->line,
                                  .path = document->path,
                                  .continued = document->continued };
    if (document->key.data) {
        snprintf(place->text, sizeof place->text, "%.*s: %s",
                 (int)(document->key.len < 120 ? document->key.len : 120), document->key.data,
                 words);
    } else if (document->line) {
        snprintf(place->text, sizeof place->text, "%s", words); /* path:line comes in front */
    } else {
        snprintf(place->text, sizeof place->text, "%s: %s", document->path, words);
    }
}

/* Pass 2: a row of this chunk. */
static enum result on_row(void *context, const struct row *row)
{
    struct worker *w = context;
    enum result result = csv_row(&w->rows, row, &w->lone_surrogates);

    if (result != RESULT_OK) {
        return err_nomem(&w->err, "writing rows");
    }
    if (w->rows.len >= SPILL_BYTES) {
        result = row_turns_spill(w->build->turns, w->chunk.number, &w->rows, &w->err);
    }
    return result;
}

static enum result take_json(struct worker *w, const struct document *document)
{
    uint64_t matches = w->counts.matches;
    struct json_error error;
    enum result result;

    if (w->recheck && !json_check(document->text, JSON_DEPTH_MAX, &error)) {
        skip_record(w, TABLE_SKIP_INVALID, document, error.text);
        return RESULT_OK;
    }
    result = flatten_document(w->flatten, document->text, on_row, w, &w->counts, &w->err);
    if (result == RESULT_INVALID) { /* pass 1: say where and why */
        bool valid = json_check(document->text, JSON_DEPTH_MAX, &error);

        assert(!valid); /* the walk and the check are held against each other by tests */
        (void)valid;
        skip_record(w, TABLE_SKIP_INVALID, document, error.text);
        return RESULT_OK;
    }
    if (result == RESULT_OK && w->counts.matches == matches) {
        skip_record(w, TABLE_SKIP_NO_MATCH, document, table_skip_name(TABLE_SKIP_NO_MATCH));
    } else if (result != RESULT_OK && result != RESULT_CANCELLED) {
        err_prefix(&w->err, "%s", document->path);
    }
    return result;
}

/* Behind a split document, in pass 1; false when nothing of it matched, as far as this chunk knows. */
static bool end_split(struct worker *w)
{
    uint64_t matches = w->note.matches_after;

    w->note.matches_after = 0;
    if (w->note.rest) {
        return matches > 0;
    }
    w->note.rest = true; /* the document may have begun in an earlier chunk */
    w->note.matches_before = matches;
    return true;
}

/* In pass 1 only the verdict counts: words are found once the document is whole again. */
static enum result take_part(struct worker *w, const struct document *document)
{
    uint64_t ambiguous = w->counts.ambiguous, matches = w->counts.matches;
    enum result result;

    if (document->kind == DOCUMENT_PART) {
        result = flatten_part(w->flatten, document->text, document->step, document->named, on_row,
                              w, &w->counts, &w->err);
    } else if (w->build->phase == TABLE_LEARNING) {
        result = flatten_document(w->flatten, document->text, NULL, NULL, &w->counts, &w->err);
    } else {
        return RESULT_OK; /* the rest holds no record */
    }
    w->note.matches_after += w->counts.matches - matches;
    if (result == RESULT_OK && document->kind == DOCUMENT_REST && !end_split(w)) {
        result = RESULT_INVALID;
    }
    if (result == RESULT_INVALID || w->counts.ambiguous > ambiguous) {
        atomic_store(&w->build->split_failed, true);
        result = RESULT_OK;
    } else if (result != RESULT_OK && result != RESULT_CANCELLED) {
        err_prefix(&w->err, "%s", document->path);
    }
    return result;
}

static enum result on_document(void *context, const struct document *document)
{
    struct worker *w = context;
    enum result result = RESULT_OK;

    if (atomic_load_explicit(&w->build->stop, memory_order_relaxed)) {
        return RESULT_CANCELLED;
    }
    switch (document->kind) {
    case DOCUMENT_JSON:
        result = take_json(w, document);
        break;
    case DOCUMENT_PART:
        return take_part(w, document); /* no record yet: that is the rest */
    case DOCUMENT_REST:
        result = take_part(w, document);
        break;
    case DOCUMENT_EMPTY:
        w->empty++;
        break;
    case DOCUMENT_OTHER:
        skip_record(w, TABLE_SKIP_OTHER, document, table_skip_name(TABLE_SKIP_OTHER));
        break;
    case DOCUMENT_DAMAGED:
        skip_record(w, TABLE_SKIP_DAMAGED, document, table_skip_name(TABLE_SKIP_DAMAGED));
        break;
    }
    w->index++;
    w->records++;
    atomic_fetch_add_explicit(&w->build->records_done, 1, memory_order_relaxed);
    return result;
}

/* With the lock held: a note for the chunk that was just taken. */
static bool add_note(struct table_build *b)
{
    if (b->note_count == b->note_cap) {
        size_t cap = b->note_cap ? b->note_cap * 2 : 64;
        struct chunk_note *notes = realloc(b->notes, cap * sizeof *notes);

        if (!notes) {
            return false;
        }
        b->notes = notes;
        b->note_cap = cap;
    }
    b->notes[b->note_count++] = (struct chunk_note){ 0 };
    return true;
}

/* With the lock held: numbers the chunk that was just gathered. */
static enum result number_chunk(struct table_build *b, struct worker *w)
{
    w->chunk.number = b->next_chunk++;
    if (b->phase == TABLE_LEARNING) {
        return add_note(b) ? RESULT_OK : err_nomem(&w->err, "gathering records");
    }
    return w->chunk.number < b->note_count ? RESULT_OK
                                           : err_set(&w->err, RESULT_CORRUPT, "E-TAB2",
                                                     "the input grew while it was being read");
}

/* The next chunk of the source; `*more` is false when there is none. */
static enum result take_chunk(struct worker *w, bool *more)
{
    struct table_build *b = w->build;
    enum result result = RESULT_OK;

    pthread_mutex_lock(&b->lock);
    if (!b->source_ended) {
        result = chunk_gather(&w->chunk, b->source, &w->err);
        b->source_ended = result == RESULT_OK && w->chunk.count == 0;
    }
    *more = !b->source_ended;
    atomic_store(&b->records_total, b->source->records);
    atomic_store(&b->bytes_total, b->source->bytes);
    if (result == RESULT_OK && *more) {
        result = number_chunk(b, w);
    }
    pthread_mutex_unlock(&b->lock);
    return result;
}

static void begin_chunk(struct worker *w)
{
    w->note = (struct chunk_note){ 0 };
    w->index = 0;
    w->skipped = false;
    w->bytes += w->chunk.bytes;
}

static enum result learn_chunk(struct worker *w)
{
    struct table_build *b = w->build;
    uint64_t rows = w->counts.rows, ambiguous = w->counts.ambiguous;
    struct chunk_lines lines;
    enum result result;

    begin_chunk(w);
    flatten_enter_chunk(w->flatten, w->chunk.number);
    result = chunk_read(&w->reader, &w->chunk, on_document, w, &lines, &w->err);
    if (result == RESULT_OK) {
        w->note.rows = w->counts.rows - rows;
        w->note.lines = lines;
        w->note.recheck = w->skipped;
        w->note.ambiguous = w->counts.ambiguous > ambiguous;
        pthread_mutex_lock(&b->lock);
        b->notes[w->chunk.number] = w->note;
        pthread_mutex_unlock(&b->lock);
        atomic_fetch_add(&b->rows_done, w->counts.rows - rows);
    }
    return result;
}

static enum result write_chunk(struct worker *w)
{
    struct table_build *b = w->build;
    const struct chunk_note *note = &b->notes[w->chunk.number]; /* nobody writes them in pass 2 */
    uint64_t rows = w->counts.rows;
    struct chunk_lines lines;
    enum result result = row_turns_enter(b->turns, w->chunk.number);

    if (result != RESULT_OK) {
        return result;
    }
    begin_chunk(w);
    w->recheck = note->recheck;
    flatten_trust_pointer(w->flatten, !note->ambiguous);
    buf_reset(&w->rows);
    result = chunk_read(&w->reader, &w->chunk, on_document, w, &lines, &w->err);
    if (result == RESULT_OK && w->counts.rows - rows != note->rows) {
        result = err_set(&w->err, RESULT_CORRUPT, "E-TAB2", "%s changed while it was being read",
                         w->chunk.pieces[0].path);
    }
    if (result == RESULT_OK) {
        atomic_fetch_add(&b->rows_done, note->rows);
        result = row_turns_finish(b->turns, w->chunk.number, &w->rows, &w->err);
    }
    return result;
}

static void run_pass(struct worker *w, enum result (*take)(struct worker *))
{
    struct table_build *b = w->build;
    uint64_t cpu_us = thread_cpu_us();
    enum result result = RESULT_OK;
    bool more = true;

    atomic_fetch_add(&b->busy, 1);
    while (result == RESULT_OK && more && !atomic_load(&b->stop) &&
           !atomic_load(&b->split_failed)) {
        result = take_chunk(w, &more);
        if (result == RESULT_OK && more) {
            result = take(w);
            atomic_fetch_add(&b->bytes_done, w->chunk.bytes);
        }
    }
    atomic_fetch_sub(&b->busy, 1);
    w->cpu_us += thread_cpu_us() - cpu_us;
    if (result != RESULT_OK && result != RESULT_CANCELLED) {
        fail(b, result, &w->err);
    }
}

static void learn_run(struct work_item *item)
{
    run_pass((struct worker *)item, learn_chunk);
}

static void write_run(struct work_item *item)
{
    run_pass((struct worker *)item, write_chunk);
}

/* Pass 1 is done: columns, then everything that pass 2 needs. */
static enum result settle(struct table_build *b, struct err *err)
{
    enum result result = RESULT_OK;
    struct buf header = { 0 };

    b->columns = columns_new();
    if (!b->columns) {
        return err_nomem(err, "merging columns");
    }
    for (unsigned i = 0; result == RESULT_OK && i < b->worker_count; i++) {
        struct worker *w = &b->workers[i];

        result = columns_merge(b->columns, w->columns, err);
        flatten_free(w->flatten);
        columns_free(w->columns);
        w->flatten = NULL;
        w->columns = NULL;
    }
    result = result == RESULT_OK ? columns_settle(b->columns, err) : result;
    result = result == RESULT_OK ? b->source->rewind(b->source, err) : result;
    result = result == RESULT_OK ? output_open(&b->file, b->output, err) : result;
    if (result == RESULT_OK && columns_count(b->columns)) {
        result = csv_header(&header, b->columns);
        result = result == RESULT_OK ? output_write(b->file, header.data, header.len, err)
                                     : err_nomem(err, "writing the header");
    }
    buf_release(&header);
    if (result != RESULT_OK) {
        return result;
    }
    b->turns = row_turns_new(b->file, 2 * b->worker_count + 2);
    for (unsigned i = 0; b->turns && i < b->worker_count; i++) {
        struct worker *w = &b->workers[i];

        w->flatten = flatten_new(b->records ? &b->pointer : NULL, b->columns, FLATTEN_FILL);
        if (!w->flatten) {
            return err_nomem(err, "starting pass 2");
        }
        flatten_heed(w->flatten, &b->stop);
    }
    return b->turns ? RESULT_OK : err_nomem(err, "starting pass 2");
}

/* Pass 1 found nothing at all where the records should be. */
static enum result check_found(const struct table_build *b, struct err *err)
{
    uint64_t missed = 0, found = 0;

    for (unsigned i = 0; i < b->worker_count; i++) {
        missed += b->workers[i].skip_count[TABLE_SKIP_NO_MATCH];
        found += b->workers[i].counts.matches;
    }
    if (missed && !found) {
        return err_set(err, RESULT_NOT_FOUND, "E-TAB1",
                       "--records %s finds nothing in any of the %llu records", b->records,
                       (unsigned long long)missed);
    }
    return RESULT_OK;
}

static int by_place(const void *left, const void *right)
{
    const struct skip_place *a = left, *b = right;

    if (a->chunk != b->chunk) {
        return a->chunk < b->chunk ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

/* "path:line: words": the line is known once the chunks before have counted theirs. */
static void name_place(const struct table_build *b, const struct skip_place *place,
                       char text[TABLE_SKIP_TEXT])
{
    uint64_t line = place->line;
    bool continued = place->continued;

    if (!line) {
        memcpy(text, place->text, TABLE_SKIP_TEXT);
        return;
    }
    for (uint64_t i = place->chunk; continued && i-- > 0;) {
        line += b->notes[i].lines.count;
        continued = b->notes[i].lines.continued;
    }
    snprintf(text, TABLE_SKIP_TEXT, "%.100s:%llu: %.110s", place->path, (unsigned long long)line,
             place->text);
}

static void report_skips(struct table_build *b, enum table_skip reason)
{
    struct skip_place all[TABLE_WORKERS_MAX * TABLE_SKIP_NAMED];
    struct table_skips *skips = &b->report.skipped[reason];
    size_t count = 0;

    *skips = (struct table_skips){ 0 };
    for (unsigned i = 0; i < b->worker_count; i++) {
        const struct worker *w = &b->workers[i];

        for (uint64_t n = 0; n < w->skip_count[reason] && n < TABLE_SKIP_NAMED; n++) {
            all[count++] = w->skips[reason][n];
        }
        skips->count += w->skip_count[reason];
    }
    qsort(all, count, sizeof all[0], by_place);
    for (size_t i = 0; i < count && i < TABLE_SKIP_NAMED; i++) {
        name_place(b, &all[i], skips->first[skips->named++]);
    }
}

/* What the workers have counted in the pass that ended; they start the next one at nought. */
static void collect_counts(struct table_build *b)
{
    struct table_report *r = &b->report;

    for (int reason = 0; reason < TABLE_SKIP_COUNT; reason++) {
        report_skips(b, (enum table_skip)reason);
    }
    r->records = r->rows = r->duplicate_keys = r->lone_surrogates = r->empty = r->bytes_in = 0;
    for (unsigned i = 0; i < b->worker_count; i++) {
        struct worker *w = &b->workers[i];

        r->records += w->records;
        r->rows += w->counts.rows;
        r->duplicate_keys += w->counts.duplicate_keys;
        r->lone_surrogates += w->lone_surrogates;
        r->empty += w->empty;
        r->bytes_in += w->bytes;
        r->cpu_us += w->cpu_us;
        w->records = w->lone_surrogates = w->empty = w->bytes = w->cpu_us = 0;
        w->counts = (struct flatten_counts){ 0 };
        memset(w->skip_count, 0, sizeof w->skip_count);
    }
    atomic_store(&b->records_total, r->records); /* known from now on: the report is the pool's */
}

/* A worker that knows nothing yet. */
static enum result start_learning(struct worker *w, struct err *err)
{
    struct table_build *b = w->build;

    flatten_free(w->flatten);
    columns_free(w->columns);
    w->flatten = NULL;
    w->columns = columns_new();
    if (w->columns) {
        w->flatten = flatten_new(b->records ? &b->pointer : NULL, w->columns, FLATTEN_LEARN);
    }
    if (!w->flatten) {
        return err_nomem(err, "starting a table");
    }
    flatten_heed(w->flatten, &b->stop);
    return RESULT_OK;
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

/* All that pass 1 has found is thrown away; the next one splits nothing. */
static enum result start_over(struct table_build *b, struct err *err)
{
    enum result result;

    b->start_over = true;
    b->note_count = 0;
    atomic_store(&b->split_failed, false);
    split_source_disable(b->source);
    result = b->source->rewind(b->source, err);
    for (unsigned i = 0; result == RESULT_OK && i < b->worker_count; i++) {
        result = start_learning(&b->workers[i], err);
    }
    return result;
}

static void settle_run(struct work_item *item)
{
    struct table_build *b = (struct table_build *)item;
    struct err err = { 0 };
    enum result result = RESULT_OK;

    if (atomic_load(&b->split_failed) || split_without_match(b)) {
        collect_counts(b);
        result = start_over(b, &err);
    } else {
        result = check_found(b, &err);
        collect_counts(b);
        result = result == RESULT_OK ? settle(b, &err) : result;
    }
    if (result != RESULT_OK) {
        fail(b, result, &err);
    }
}

/* The end of it all, well or not: the file is either committed or gone. */
static void commit_run(struct work_item *item)
{
    struct table_build *b = (struct table_build *)item;
    struct err err = { 0 };
    enum result result;

    if (b->file && b->failure == RESULT_OK && !atomic_load(&b->stop)) {
        collect_counts(b);
        b->report.columns = columns_count(b->columns);
        b->report.columns_renamed = columns_renamed(b->columns);
        b->report.bytes_out = output_bytes(b->file);
        result = output_commit(b->file, &err);
        if (result != RESULT_OK) {
            fail(b, result, &err);
        }
    } else {
        output_abandon(b->file);
    }
    b->file = NULL;
}

static void enter(struct table_build *b, enum table_phase next);

/* A job that came back unrun (work_cancel) leaves the table incomplete. */
static void came_back(struct table_build *b, bool cancelled)
{
    b->away--;
    if (cancelled) {
        b->cancelled = true;
        atomic_store(&b->stop, true);
    }
}

static void on_worker_done(struct work_item *item, bool cancelled)
{
    struct table_build *b = ((struct worker *)item)->build;

    came_back(b, cancelled);
    if (b->away == 0) {
        enter(b, b->phase == TABLE_LEARNING && !atomic_load(&b->stop) ? TABLE_SETTLING
                                                                      : TABLE_COMMITTING);
    }
}

static void on_step_done(struct work_item *item, bool cancelled)
{
    struct table_build *b = (struct table_build *)item;

    came_back(b, cancelled);
    if (b->phase == TABLE_COMMITTING) {
        if (cancelled) {
            commit_run(item); /* only removes the file */
        }
        enter(b, TABLE_ENDED);
    } else if (b->start_over && !atomic_load(&b->stop)) {
        b->start_over = false;
        enter(b, TABLE_LEARNING);
    } else {
        enter(b, atomic_load(&b->stop) ? TABLE_COMMITTING : TABLE_WRITING);
    }
}

static void submit_step(struct table_build *b, void (*run)(struct work_item *))
{
    b->item.run = run;
    b->item.done = on_step_done;
    b->away++;
    work_submit(b->work, &b->item);
}

static void submit_pass(struct table_build *b, void (*run)(struct work_item *))
{
    b->next_chunk = 0;
    b->source_ended = false;
    atomic_store(&b->records_done, 0);
    atomic_store(&b->bytes_done, 0);
    atomic_store(&b->rows_done, 0);
    b->away += b->worker_count;
    for (unsigned i = 0; i < b->worker_count; i++) {
        b->workers[i].item.run = run;
        b->workers[i].item.done = on_worker_done;
        work_submit(b->work, &b->workers[i].item);
    }
}

static void end(struct table_build *b)
{
    struct table_report *r = &b->report;

    r->output = b->output;
    r->wall_us = (uv_hrtime() - b->started_ns) / 1000U;
    r->result = b->failure;
    r->err = b->err;
    if (r->result == RESULT_OK && atomic_load(&b->stop)) {
        r->result =
            err_set(&r->err, RESULT_CANCELLED, "E-TAB9", "cancelled; %s is as it was", b->output);
    }
    b->done(b->context, r); /* may free the build */
}

static void enter(struct table_build *b, enum table_phase next)
{
    assert(next > b->phase || next == TABLE_LEARNING);
    b->phase = next;
    switch (next) {
    case TABLE_LEARNING:
        submit_pass(b, learn_run);
        break;
    case TABLE_SETTLING:
        submit_step(b, settle_run);
        break;
    case TABLE_WRITING:
        submit_pass(b, write_run);
        break;
    case TABLE_COMMITTING:
        submit_step(b, commit_run);
        break;
    case TABLE_ENDED:
        end(b);
        break;
    }
}

static enum result init_workers(struct table_build *b, struct err *err)
{
    enum result result = RESULT_OK;

    b->workers = calloc(b->worker_count, sizeof *b->workers);
    if (!b->workers) {
        return err_nomem(err, "starting a table");
    }
    for (unsigned i = 0; i < b->worker_count; i++) {
        b->workers[i].build = b;
        chunk_reader_init(&b->workers[i].reader);
    }
    for (unsigned i = 0; result == RESULT_OK && i < b->worker_count; i++) {
        result = start_learning(&b->workers[i], err);
    }
    return result;
}

enum result table_build_start(struct table_build **build, struct work *work,
                              const struct table_options *options, struct record_source *source,
                              table_done_fn *done, void *context, struct err *err)
{
    struct table_build *b = calloc(1, sizeof *b);
    enum result result = RESULT_OK;

    *build = NULL;
    if (!b) {
        source->close(source);
        return err_nomem(err, "starting a table");
    }
    pthread_mutex_init(&b->lock, NULL);
    b->work = work;
    b->done = done;
    b->context = context;
    b->started_ns = uv_hrtime();
    b->worker_count =
        options->workers && options->workers < work->limit ? options->workers : work->limit;
    b->worker_count = b->worker_count < TABLE_WORKERS_MAX ? b->worker_count : TABLE_WORKERS_MAX;
    b->output = strdup(options->output);
    b->records = options->records ? strdup(options->records) : NULL;
    if (!b->output || (options->records && !b->records)) {
        result = err_nomem(err, "starting a table");
    } else if (b->records) {
        result = json_pointer_parse(&b->pointer, str_view(b->records), err);
    }
    b->source = split_source_open(source, b->records ? &b->pointer : NULL,
                                  options->split_bytes ? options->split_bytes : SPLIT_BYTES);
    if (result == RESULT_OK && !b->source) {
        result = err_nomem(err, "starting a table");
    }
    result = result == RESULT_OK ? init_workers(b, err) : result;
    if (result != RESULT_OK) {
        table_build_free(b);
        return result;
    }
    *build = b;
    enter(b, TABLE_LEARNING);
    return RESULT_OK;
}

void table_build_progress(const struct table_build *b, struct table_progress *progress)
{
    *progress = (struct table_progress){
        .phase = b->phase,
        .records = atomic_load(&b->records_done),
        .records_total = atomic_load(&b->records_total),
        .bytes = atomic_load(&b->bytes_done),
        .bytes_total = atomic_load(&b->bytes_total),
        .rows = atomic_load(&b->rows_done),
        .workers = b->worker_count,
        .busy = atomic_load(&b->busy),
        .cancelling = b->cancelled,
    };
}

void table_build_cancel(struct table_build *b)
{
    if (b->phase < TABLE_COMMITTING) {
        b->cancelled = true;
        atomic_store(&b->stop, true);
        /* While the phase is WRITING the turns are there and stay; before, nobody waits for one. */
        if (b->phase == TABLE_WRITING) {
            row_turns_stop(b->turns);
        }
    }
}

void table_build_free(struct table_build *b)
{
    if (!b) {
        return;
    }
    assert(b->away == 0);
    for (unsigned i = 0; b->workers && i < b->worker_count; i++) {
        struct worker *w = &b->workers[i];

        chunk_release(&w->chunk);
        chunk_reader_release(&w->reader);
        flatten_free(w->flatten);
        columns_free(w->columns);
        buf_release(&w->rows);
    }
    row_turns_free(b->turns);
    columns_free(b->columns);
    if (b->source) {
        b->source->close(b->source);
    }
    free(b->notes);
    free(b->workers);
    free(b->output);
    free(b->records);
    pthread_mutex_destroy(&b->lock);
    free(b);
}
