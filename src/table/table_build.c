/*
 *   LEARNING --all workers back--> SETTLING ----------------> WRITING --all back--> COMMITTING --> ENDED
 *     ^ |                           | | | `-> KEYING -> KEYED -^ |                      ^
 *     | |                           | | +- rows are written -----|----------------------+
 *     | +------- cancel, error -----|-+--------------------------+----------------------+
 *     +- some document is bad, or   |
 *        only scouting until now ---+
 *
 * The life of a build: how it is made, which phase comes after which, and how it is unmade.
 *
 * Most tables need one pass: what columns there are is known from some of the chunks (scouting), so
 * pass 1 writes rows while it learns. Where it meets a column that they had not (the guess fails), it goes
 * on learning only, and what was written gives way to a second pass. That takes up to half as long again
 * as to learn first, which is what the good guesses cost: they save a third.
 *
 * A pass is one pool job for each worker (table_pass.c); it takes chunks until the source has ended.
 * KEYING is a pass that only --unique needs, CHECKING one that only --expect needs: it looks at the rows before
 * any is written, so that a table that is not as expected goes to files of other names. SETTLING, KEYED, CHECKED and
 * COMMITTING are one job each
 * (table_step.c), run while no worker is. Who may touch what: table_build_state.h.
 */
#include "table/table_build_state.h"

#include "table/split_source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void enter(struct table_build *b, enum table_phase next);

/* On the loop thread: nobody goes on, nor waits. */
static void stop(struct table_build *b)
{
    b->cancelled = true;
    atomic_store(&b->stop, true);
    /* In these phases the sequencers are there and stay; in others, nobody waits in one. */
    if (b->phase == TABLE_KEYING || b->phase == TABLE_CHECKING || b->phase == TABLE_WRITING ||
        (b->phase == TABLE_LEARNING && b->guess)) {
        table_signal_stop(b);
    }
}

/* A job that came back unrun (work_cancel) leaves the table incomplete. */
static void came_back(struct table_build *b, bool cancelled)
{
    b->away--;
    if (cancelled) {
        stop(b);
    }
}

static void on_worker_done(struct work_item *item, bool cancelled)
{
    struct table_build *b = ((struct table_worker *)item)->build;

    came_back(b, cancelled);
    if (b->away == 0) {
        enter(b, atomic_load(&b->stop)        ? TABLE_COMMITTING
                 : b->phase == TABLE_LEARNING ? TABLE_SETTLING
                 : b->phase == TABLE_KEYING   ? TABLE_KEYED
                 : b->phase == TABLE_CHECKING ? TABLE_CHECKED
                                              : TABLE_COMMITTING);
    }
}

static void on_step_done(struct work_item *item, bool cancelled)
{
    struct table_build *b = (struct table_build *)item;

    came_back(b, cancelled);
    if (b->phase == TABLE_COMMITTING) {
        if (cancelled) {
            table_step_commit(item); /* only removes the file */
        }
        enter(b, TABLE_ENDED);
    } else if (b->start_over && !atomic_load(&b->stop)) {
        b->start_over = false;
        enter(b, TABLE_LEARNING);
    } else {
        enter(b, atomic_load(&b->stop) || b->written        ? TABLE_COMMITTING
                 : b->phase == TABLE_SETTLING && b->dedup   ? TABLE_KEYING
                 : b->phase < TABLE_CHECKING && b->contract ? TABLE_CHECKING
                                                            : TABLE_WRITING);
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
    b->report.passes += b->phase > TABLE_LEARNING; /* that one counts once it was not in vain */
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
    char names[TABLE_OUTPUTS_TEXT];

    r->wall_us = (uv_hrtime() - b->started_ns) / 1000U;
    r->result = b->failure;
    r->err = b->err;
    if (r->result == RESULT_OK && atomic_load(&b->stop) &&
        (b->cancelled || r->made_count < b->output_count)) {
        r->result = err_set(&r->err, RESULT_CANCELLED, "E-TAB9", "cancelled; %s is as it was",
                            table_outputs_text(b->outputs, b->output_count, names));
    }
    if (r->result == RESULT_OK && r->verdict.count) {
        r->result = table_aside_tell(b, &r->err);
    }
    b->done(b->context, r); /* may free the build */
}

static void enter(struct table_build *b, enum table_phase next)
{
    assert(next > b->phase || next == TABLE_LEARNING);
    b->phase = next;
    b->at_once = next == TABLE_LEARNING
                     ? b->guess != NULL
                     : next == TABLE_SETTLING && b->at_once && !atomic_load(&b->guess_failed);
    switch (next) {
    case TABLE_LEARNING:
        submit_pass(b, table_pass_learn);
        break;
    case TABLE_SETTLING:
        submit_step(b, table_step_settle);
        break;
    case TABLE_KEYING:
        submit_pass(b, table_pass_key);
        break;
    case TABLE_KEYED:
        submit_step(b, table_step_keyed);
        break;
    case TABLE_CHECKING:
        submit_pass(b, table_pass_check);
        break;
    case TABLE_CHECKED:
        submit_step(b, table_step_checked);
        break;
    case TABLE_WRITING:
        submit_pass(b, table_pass_write);
        break;
    case TABLE_COMMITTING:
        submit_step(b, table_step_commit);
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
        chunk_reader_init(&b->workers[i].reader, table_memory(&b->spec));
    }
    for (unsigned i = 0; result == RESULT_OK && i < b->worker_count; i++) {
        result = table_step_begin_learning(&b->workers[i], err);
    }
    return result;
}

/* What is to be unique or expected takes a pass of its own between learning and writing, and what has gone to standard
 * output cannot be taken back. */
static bool may_guess(const struct table_build *b)
{
    bool may = !b->spec.unique_count && !table_expect_any(&b->spec.expect);

    for (size_t i = 0; i < b->output_count; i++) {
        may &= strcmp(b->outputs[i].path, "-") != 0;
    }
    return may;
}

/* As many as are allowed, and as the memory does for. */
static unsigned count_workers(const struct table_options *options, const struct work *work)
{
    uint64_t most = table_memory(&options->spec) / TABLE_WORKER_BYTES;

    most = options->workers && options->workers < most ? options->workers : most;
    most = work->limit < most ? work->limit : most;
    most = most < TABLE_WORKERS_MAX ? most : TABLE_WORKERS_MAX;
    return most ? (unsigned)most : 1;
}

static enum result copy_outputs(struct table_build *b, const struct table_options *options)
{
    assert(options->output_count && options->output_count <= TABLE_OUTPUTS_MAX);
    b->report.outputs = b->outputs;
    for (size_t i = 0; i < options->output_count; i++) {
        char *path = strdup(options->outputs[i].path);

        if (!path) {
            return RESULT_NOMEM;
        }
        b->outputs[b->output_count] = options->outputs[i];
        b->outputs[b->output_count++].path = path;
        b->typed |= options->outputs[i].format->typed;
        b->by_column |= options->outputs[i].format->held != NULL;
        b->report.output_count = b->output_count;
    }
    return RESULT_OK;
}

static enum result copy_options(struct table_build *b, const struct table_options *options,
                                struct err *err)
{
    b->spec = options->spec;
    b->worker_count = count_workers(options, b->work);
    b->background = options->background;
    b->wall_us = options->wall_us;
    b->must_read = options->must_read;
    b->chunk_bytes = options->chunk_bytes ? options->chunk_bytes : CHUNK_BYTES;
    b->report.before = options->before;
    b->report.keep = options->spec.keep;
    b->records = options->records ? strdup(options->records) : NULL;
    if (copy_outputs(b, options) != RESULT_OK || (options->records && !b->records)) {
        return err_nomem(err, "starting a table");
    }
    b->facts = (struct facts_wish){ .types = b->spec.types || b->spec.coerce || b->typed ||
                                             b->spec.expect.types_frozen,
                                    .coerce = b->spec.coerce };
    b->records_at = b->records && b->spec.shape == RECORD_SHAPE_OBJECTS ? &b->pointer : NULL;
    return b->records ? json_pointer_parse(&b->pointer, str_view(b->records), err) : RESULT_OK;
}

enum result table_build_start(struct table_build **build, struct work *work,
                              const struct table_options *options, struct record_source *source,
                              table_done_fn *done, void *context, struct err *err)
{
    struct table_build *b = calloc(1, sizeof *b);
    enum result result;

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
    result = copy_options(b, options, err);
    b->source = split_source_open(source, b->records ? &b->pointer : NULL,
                                  options->split_bytes ? options->split_bytes : SPLIT_BYTES);
    if (b->source && options->spec.shape != RECORD_SHAPE_OBJECTS) {
        split_source_disable(b->source);
    }
    if (result == RESULT_OK && !b->source) {
        result = err_nomem(err, "starting a table");
    }
    result =
        result == RESULT_OK ? table_shape_init(&b->shape, &b->spec, b->facts.types, err) : result;
    result = result == RESULT_OK ? init_workers(b, err) : result;
    if (result != RESULT_OK) {
        table_build_free(b);
        return result;
    }
    *build = b;
    b->scouting = may_guess(b);
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
        .at_once = b->at_once && (b->phase != TABLE_LEARNING || !atomic_load(&b->guess_failed)),
        .cancelling = b->cancelled,
    };
}

void table_build_cancel(struct table_build *b)
{
    if (b->phase < TABLE_COMMITTING) {
        stop(b);
    } else if (b->phase == TABLE_COMMITTING) {
        atomic_store(&b->stop, true); /* a store or a server is not waited for; a file is made */
    }
}

struct table_schema *table_build_take_schema(struct table_build *b)
{
    struct table_schema *schema = b->report.schema;

    b->report.schema = NULL;
    return schema;
}

void table_build_free(struct table_build *b)
{
    if (!b) {
        return;
    }
    assert(b->away == 0);
    for (unsigned i = 0; b->workers && i < b->worker_count; i++) {
        struct table_worker *w = &b->workers[i];

        chunk_release(&w->chunk);
        chunk_reader_release(&w->reader);
        flatten_free(w->flatten);
        columns_free(w->columns);
        for (size_t n = 0; n < b->output_count; n++) {
            row_encoder_free(w->encoders[n]);
        }
        buf_release(&w->keys);
        contract_tally_release(&w->tally);
        buf_release(&w->path);
        buf_release(&w->decoded);
        buf_release(&w->reshaped);
        free(w->wished.cells);
    }
    for (size_t i = 0; i < b->sequencer_count; i++) {
        sequencer_free(b->sequencers[i]);
    }
    dedup_free(b->dedup);
    dedup_free(b->expected);
    contract_free(b->contract);
    buf_release(&b->aside_table);
    layout_free(b->layout);
    columns_free(b->columns);
    layout_free(b->guess_layout);
    columns_free(b->guess);
    table_shape_release(&b->shape);
    table_schema_free(b->report.schema);
    if (b->source) {
        b->source->close(b->source);
    }
    free(b->notes);
    free(b->workers);
    for (size_t i = 0; i < b->output_count; i++) {
        free((char *)(uintptr_t)b->outputs[i].path);
    }
    free(b->records);
    pthread_mutex_destroy(&b->lock);
    free(b);
}
