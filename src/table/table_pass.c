/*
 * A worker's pass over the source: chunk after chunk until there is none, as a job on the pool.
 *
 * Chunks are taken and numbered under the build's lock, so numbers follow the plan's order whichever worker
 * takes them, and a worker's own ascend. Pass 1 leaves a note about each; the later passes must meet
 * the same chunks with the same rows (else E-TAB2: the input has changed), and so know the number of
 * a chunk's first row beforehand. Rows and keys are handed in through the sequencer, in that order; also
 * in pass 1, while it writes rows.
 */
#include "base/grow.h"

#include "base/os.h"
#include "table/table_build_state.h"

#include <string.h>
#include <time.h>
#include <uv.h>

static uint64_t thread_cpu_us(void)
{
    struct timespec t;

    return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0
               ? (uint64_t)t.tv_sec * 1000000U + (uint64_t)t.tv_nsec / 1000U
               : 0;
}

/* With the lock held: a note for the chunk that was just taken. */
static bool add_note(struct table_build *b)
{
    struct chunk_note *notes = grow_by_one(b->notes, b->note_count, &b->note_cap, sizeof *notes);

    if (!notes) {
        return false;
    }
    b->notes = notes;
    b->notes[b->note_count++] = (struct chunk_note){ 0 };
    return true;
}

/* With the lock held: numbers the chunk that was just gathered. */
static enum result number_chunk(struct table_build *b, struct table_worker *w)
{
    w->chunk.number = b->next_chunk++;
    if (b->phase == TABLE_LEARNING) {
        return add_note(b) ? RESULT_OK : err_nomem(&w->err, "gathering records");
    }
    return w->chunk.number < b->note_count ? RESULT_OK
                                           : err_set(&w->err, RESULT_CORRUPT, "E-TAB2",
                                                     "the input grew while it was being read");
}

/* With the lock held: the next chunk, or none if the source has ended. */
static enum result gather_chunk(struct table_build *b, struct table_worker *w)
{
    enum result result = RESULT_OK;

    if (!b->source_ended) {
        result = chunk_gather(&w->chunk, b->source, b->chunk_bytes, &w->err);
        b->source_ended = result == RESULT_OK && w->chunk.count == 0;
    }
    return result == RESULT_OK && !b->source_ended ? number_chunk(b, w) : result;
}

/* Whether scouting takes the chunk, or leaves it out. Of a document that is cut up it takes the first few
 * only, and ends there: to get to the others, all must be read. */
static bool scout_chunk(struct table_build *b, const struct chunk *chunk)
{
    if (chunk->number < TABLE_SCOUT_CHUNKS) {
        return true;
    }
    b->scouted = true;
    b->source_ended |= chunk->pieces[0].form == RECORD_PART;
    return !b->source_ended && chunk->number % TABLE_SCOUT_STRIDE == 0;
}

/* The next chunk of the source that is of this pass; `*more` is false when there is none. */
static enum result take_chunk(struct table_worker *w, bool *more)
{
    struct table_build *b = w->build;
    enum result result;

    pthread_mutex_lock(&b->lock);
    do {
        result = gather_chunk(b, w);
        *more = !b->source_ended;
    } while (result == RESULT_OK && *more && b->scouting && !scout_chunk(b, &w->chunk));
    *more = !b->source_ended;
    atomic_store(&b->records_total, b->source->records);
    atomic_store(&b->bytes_total, b->source->bytes);
    pthread_mutex_unlock(&b->lock);
    return result;
}

static void begin_chunk(struct table_worker *w)
{
    w->note = (struct chunk_note){ 0 };
    w->index = 0;
    w->skipped = false;
    w->bytes += w->chunk.bytes;
}

static enum result learn_records(struct table_worker *w)
{
    struct table_build *b = w->build;
    uint64_t rows = w->counts.rows, ambiguous = w->counts.ambiguous, records = w->counts.records;
    struct chunk_lines lines;
    enum result result;

    begin_chunk(w);
    flatten_enter_chunk(w->flatten, w->chunk.number);
    result = chunk_read(&w->reader, &w->chunk, table_document_take, w, &lines, &w->err);
    if (result == RESULT_OK) {
        w->note.rows = w->counts.rows - rows;
        w->note.records = w->counts.records - records;
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

static enum result enter_sequencers(const struct table_worker *w)
{
    const struct table_build *b = w->build;
    enum result result = RESULT_OK;

    for (size_t i = 0; i < b->sequencer_count && result == RESULT_OK; i++) {
        result = sequencer_enter(b->sequencers[i], w->chunk.number);
    }
    return result;
}

/* The chunk's last blocks. */
static enum result hand_in_blocks(struct table_worker *w)
{
    const struct table_build *b = w->build;
    enum result result = RESULT_OK;

    for (size_t i = 0; i < b->output_count && result == RESULT_OK; i++) {
        const struct format_turn turn = { b->sequencers[i], w->chunk.number, false };
        struct buf *bytes;

        result = row_encoder_flush(w->encoders[i], &turn, &bytes, &w->err);
        result = result == RESULT_OK
                     ? sequencer_finish(b->sequencers[i], w->chunk.number, bytes, &w->err)
                     : result;
    }
    return result;
}

/* The rows that pass 1 has made of the chunk, if they are still of use. */
static enum result hand_in_rows(struct table_worker *w)
{
    struct table_build *b = w->build;
    enum result result = RESULT_OK;

    if (flatten_rows_spoilt(w->flatten)) {
        table_signal_wrong_guess(b);
    }
    if (!atomic_load(&b->guess_failed)) {
        result = hand_in_blocks(w);
    }
    if (result == RESULT_CORRUPT) {
        table_signal_wrong_guess(b);
    }
    return atomic_load(&b->guess_failed) ? RESULT_OK : result;
}

/* A turn for the chunk's rows; false when pass 1 writes none, or no more. */
static enum result enter_turn(struct table_worker *w, bool *rows)
{
    struct table_build *b = w->build;
    enum result result =
        b->guess && !atomic_load(&b->guess_failed) ? enter_sequencers(w) : RESULT_OK;

    *rows = b->guess && !atomic_load(&b->guess_failed);
    if (*rows || !b->guess) {
        return result;
    }
    return flatten_give_rows(w->flatten, NULL, &w->err);
}

static enum result learn_chunk(struct table_worker *w)
{
    bool rows;
    enum result result = enter_turn(w, &rows);

    result = result == RESULT_OK ? learn_records(w) : result;
    return result == RESULT_OK && rows ? hand_in_rows(w) : result;
}

/* Reads the chunk again, for keys or for rows. */
static enum result read_again(struct table_worker *w)
{
    struct table_build *b = w->build;
    const struct chunk_note *note = &b->notes[w->chunk.number]; /* nobody writes them any more */
    uint64_t rows = w->counts.rows;
    struct chunk_lines lines;
    enum result result = enter_sequencers(w);

    if (result != RESULT_OK) {
        return result;
    }
    begin_chunk(w);
    w->recheck = note->recheck;
    w->row = note->rows_before;
    flatten_trust_pointer(w->flatten, !note->ambiguous);
    result = chunk_read(&w->reader, &w->chunk, table_document_take, w, &lines, &w->err);
    if (result == RESULT_OK && w->counts.rows - rows != note->rows) {
        result = err_set(&w->err, RESULT_CORRUPT, "E-TAB2", "%s changed while it was being read",
                         w->chunk.pieces[0].path);
    }
    if (result == RESULT_OK) {
        atomic_fetch_add(&b->rows_done, note->rows);
    }
    return result;
}

static enum result key_chunk(struct table_worker *w)
{
    enum result result;

    buf_reset(&w->keys);
    result = read_again(w);
    return result == RESULT_OK
               ? sequencer_finish(w->build->sequencers[0], w->chunk.number, &w->keys, &w->err)
               : result;
}

static enum result write_chunk(struct table_worker *w)
{
    enum result result = read_again(w);

    return result == RESULT_OK ? hand_in_blocks(w) : result;
}

/* --- the background ---------------------------------------------------------------------------------- */

/* A pass, as one worker goes over it. */
struct pass {
    struct table_worker *worker;
    enum result (*take)(struct table_worker *);
    enum result result;
    bool more;
    uint64_t owed_us; /* by which the thread in the background was short of its share */
};

static bool is_over(const struct pass *p)
{
    const struct table_build *b = p->worker->build;

    return p->result != RESULT_OK || !p->more || atomic_load(&b->stop) ||
           atomic_load(&b->split_failed) || atomic_load(&b->judge_wanted);
}

static void go_on(struct pass *p)
{
    struct table_worker *w = p->worker;

    p->result = take_chunk(w, &p->more);
    if (p->result == RESULT_OK && p->more) {
        p->result = p->take(w);
        atomic_fetch_add(&w->build->bytes_done, w->chunk.bytes);
        /* Not one by one: workers share it. */
        atomic_fetch_add(&w->build->records_done, w->index);
    }
}

/*
 * What fetches should not feel a table that is made beside it. A higher nice value alone does not see to
 * that: with two cores both busy with fetching, two workers at nice 10 cost it a fifth of its rate, and
 * at nice 19 a seventh, as they may finish a slice of some ms although the loop has woken up. A thread
 * of SCHED_IDLE is put off its core at once by whoever else wants it: a tenth at most, and no more lag of the
 * loop than without a table.
 *
 * But then it has next to nothing of a machine whose cores are all busy, and a table that never ends is
 * no use either. So this thread looks whether it had its share of the time, and if not, ends: the one
 * that waits for it takes as much as it is owed at its own priority.
 *
 * It is a thread made for the purpose, as nobody but root can leave SCHED_IDLE again, and those of the
 * pool have bodies to judge, too.
 */
#define SHARE_LOOK_US 2000000U /* waits for a turn and for the disk are shorter */
#define SHARE_PART 50U         /* one part in so many of a core */

static void *run_quietly(void *context)
{
    struct pass *p = context;
    uint64_t began_us = uv_hrtime() / 1000U, cpu_us = 0;

    /* Where it is refused, the table only takes more of the machine. */
    os_set_thread_idle();
    p->owed_us = 0;
    while (!is_over(p) && p->owed_us == 0) {
        uint64_t share_us;

        go_on(p);
        share_us = (uv_hrtime() / 1000U - began_us) / SHARE_PART;
        cpu_us = thread_cpu_us();
        if (share_us > SHARE_LOOK_US / SHARE_PART && cpu_us < share_us) {
            p->owed_us = share_us - cpu_us;
        }
    }
    p->worker->cpu_us += cpu_us;
    return NULL;
}

/* Until the pass is over, or the thread cannot be made. */
static void run_in_background(struct pass *p)
{
    pthread_t thread;

    while (!is_over(p) && pthread_create(&thread, NULL, run_quietly, p) == 0) {
        uint64_t began_us;

        pthread_join(thread, NULL);
        began_us = uv_hrtime() / 1000U;
        while (!is_over(p) && uv_hrtime() / 1000U - began_us < p->owed_us) {
            go_on(p);
        }
    }
}

static void run_pass(struct table_worker *w, enum result (*take)(struct table_worker *))
{
    struct table_build *b = w->build;
    struct pass p = { .worker = w, .take = take, .more = true };
    uint64_t cpu_us = thread_cpu_us();

    atomic_fetch_add(&b->busy, 1);
    if (b->background) {
        run_in_background(&p);
    }
    while (!is_over(&p)) {
        go_on(&p);
    }
    atomic_fetch_sub(&b->busy, 1);
    w->cpu_us += thread_cpu_us() - cpu_us;
    if (p.result != RESULT_OK && p.result != RESULT_CANCELLED) {
        if (p.result == RESULT_LIMIT && strcmp(w->err.code, "E-COL1") == 0) {
            table_hint_at_keys(b, w->columns, flatten_in_array(w->flatten), &w->err);
        }
        table_signal_failure(b, p.result, &w->err);
    }
}

void table_pass_learn(struct work_item *item)
{
    run_pass((struct table_worker *)item, learn_chunk);
}

void table_pass_key(struct work_item *item)
{
    run_pass((struct table_worker *)item, key_chunk);
}

void table_pass_check(struct work_item *item)
{
    run_pass((struct table_worker *)item, key_chunk);
}

void table_pass_write(struct work_item *item)
{
    run_pass((struct table_worker *)item, write_chunk);
}
