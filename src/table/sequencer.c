/*
 * The protocol. `next` is the chunk whose bytes the file takes now. Only two may write: the worker
 * that owns chunk `next` (spilling), or the one that set `writing` and takes ready blocks from `next`
 * on. They exclude each other, since a chunk that is still spilling has no ready block. Writing
 * happens without the lock; `next` moves under it.
 *
 * `passing` is the first chunk that has not passed. It is never less than `next`, as what is written has passed, and
 * never further ahead than chunks may be entered.
 */
#include "table/sequencer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define BLOCK_KEPT ((size_t)8 << 20) /* more goes back to the system once written */

struct block {
    bool ready, passed;
    struct buf bytes;
};

struct sequencer {
    struct row_sink sink;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t next, passing;
    bool writing, stopped;
    unsigned ahead_max;
    struct block *blocks; /* ring by chunk number */
};

struct sequencer *sequencer_new(struct row_sink sink, unsigned ahead_max)
{
    struct sequencer *t = calloc(1, sizeof *t);

    if (!t) {
        return NULL;
    }
    t->blocks = calloc(ahead_max, sizeof *t->blocks);
    if (!t->blocks) {
        free(t);
        return NULL;
    }
    t->sink = sink;
    t->ahead_max = ahead_max;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->moved, NULL);
    return t;
}

void sequencer_free(struct sequencer *t)
{
    if (t) {
        for (unsigned i = 0; i < t->ahead_max; i++) {
            buf_release(&t->blocks[i].bytes);
        }
        free(t->blocks);
        pthread_cond_destroy(&t->moved);
        pthread_mutex_destroy(&t->lock);
        free(t);
    }
}

void sequencer_stop(struct sequencer *t)
{
    pthread_mutex_lock(&t->lock);
    t->stopped = true;
    pthread_cond_broadcast(&t->moved);
    pthread_mutex_unlock(&t->lock);
}

enum result sequencer_enter(struct sequencer *t, uint64_t chunk)
{
    enum result result;

    pthread_mutex_lock(&t->lock);
    while (!t->stopped && chunk >= t->next + t->ahead_max) {
        pthread_cond_wait(&t->moved, &t->lock);
    }
    result = t->stopped ? RESULT_CANCELLED : RESULT_OK;
    pthread_mutex_unlock(&t->lock);
    return result;
}

enum result sequencer_await(struct sequencer *t, uint64_t chunk)
{
    enum result result;

    pthread_mutex_lock(&t->lock);
    while (!t->stopped && t->passing != chunk) {
        pthread_cond_wait(&t->moved, &t->lock);
    }
    result = t->stopped ? RESULT_CANCELLED : RESULT_OK;
    pthread_mutex_unlock(&t->lock);
    return result;
}

/* With the lock held. */
static void pass(struct sequencer *t, uint64_t chunk)
{
    uint64_t before = t->passing;

    if (chunk >= t->passing) {
        t->blocks[chunk % t->ahead_max].passed = true;
    }
    while (t->blocks[t->passing % t->ahead_max].passed) {
        t->blocks[t->passing % t->ahead_max].passed = false;
        t->passing++;
    }
    if (t->passing != before) {
        pthread_cond_broadcast(&t->moved);
    }
}

void sequencer_pass(struct sequencer *t, uint64_t chunk)
{
    pthread_mutex_lock(&t->lock);
    pass(t, chunk);
    pthread_mutex_unlock(&t->lock);
}

enum result sequencer_spill(struct sequencer *t, uint64_t chunk, struct buf *bytes, struct err *err)
{
    enum result result;

    pthread_mutex_lock(&t->lock);
    while (!t->stopped && (t->next != chunk || t->writing)) {
        pthread_cond_wait(&t->moved, &t->lock);
    }
    result = t->stopped ? RESULT_CANCELLED : RESULT_OK;
    pthread_mutex_unlock(&t->lock);
    if (result == RESULT_OK) {
        result = t->sink.take(t->sink.context, buf_view(bytes), err);
        buf_reset(bytes);
        if (result != RESULT_OK) {
            sequencer_stop(t);
        }
    }
    return result;
}

/* Called and left with the lock held, by the one who set `writing`. */
static enum result write_ready(struct sequencer *t, struct err *err)
{
    enum result result = RESULT_OK;
    struct block *block = &t->blocks[t->next % t->ahead_max];

    while (result == RESULT_OK && !t->stopped && block->ready) {
        pthread_mutex_unlock(&t->lock);
        result = t->sink.take(t->sink.context, buf_view(&block->bytes), err);
        buf_reset(&block->bytes);
        if (block->bytes.cap > BLOCK_KEPT) {
            buf_release(&block->bytes);
        }
        pthread_mutex_lock(&t->lock);
        block->ready = false;
        t->next++;
        t->stopped |= result != RESULT_OK;
        pthread_cond_broadcast(&t->moved);
        block = &t->blocks[t->next % t->ahead_max];
    }
    return result;
}

enum result sequencer_finish(struct sequencer *t, uint64_t chunk, struct buf *bytes,
                             struct err *err)
{
    enum result result = RESULT_OK;
    struct block *block = &t->blocks[chunk % t->ahead_max];
    struct buf empty;

    pthread_mutex_lock(&t->lock);
    empty = block->bytes;
    block->bytes = *bytes;
    *bytes = empty;
    block->ready = true;
    pass(t, chunk);
    if (t->stopped) {
        result = RESULT_CANCELLED;
    } else if (!t->writing) {
        t->writing = true;
        result = write_ready(t, err);
        t->writing = false;
        pthread_cond_broadcast(&t->moved);
    }
    pthread_mutex_unlock(&t->lock);
    return result;
}
