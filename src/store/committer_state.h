/**
 * The committer's insides, shared by its own two files: committer.c is the loop's side, committer_thread.c
 * the thread's.
 *
 * Ownership:
 *
 *   loop only       async, pending_*, closed, told
 *   shared          everything in `struct shared`, under `mutex`; `wake` is for the thread
 *   thread only     ledger, segment, line, batch, ... (the loop's too before start and after join)
 *
 * A settlement is in exactly one list: shared.queue, batch, shared.back. The thread takes the whole
 * queue at once, holds the mutex for a few pointers, and never while it touches the disk.
 */
#ifndef SCRAPETOP_STORE_COMMITTER_STATE_H
#define SCRAPETOP_STORE_COMMITTER_STATE_H

#include "store/archive.h"
#include "store/committer.h"
#include "store/event_log.h"

#define NS_PER_US UINT64_C(1000)

struct settlement_list {
    struct settlement *first, **end;
    size_t count, bytes;
};

/* Requests that were found, on their way to the loop. */
struct discovered_list {
    struct request *first, **end;
    size_t count;
};

struct shared {
    struct settlement_list queue, back;
    struct committer_question question;
    bool asked, answered;
    struct discovered_list found;
    uint64_t failed_asked; /* an id; 0: none */
    struct failed_answer {
        bool is_there; /* to be delivered */
        uint64_t id;
        bool has_row;
        struct failed_row row; /* views into `texts` */
        struct buf texts;
    } failed;
    struct {
        archive_use_fn *use; /* NULL: nobody borrows the archive */
        void *context;
        bool is_done, is_over; /* it is given back; it is lent no more */
        enum result result;
        struct err err;
    } lent;
    struct {
        bool is_there; /* to be delivered */
        bool is_trouble;
        char text[TENDER_TEXT_MAX];
    } tended;
    uint64_t since_ns; /* when the oldest work in here came */
    bool flush, stop, clean, running, finished;
    uint64_t planned;
    bool planned_is_new;
    uint64_t outbox_done;           /* not dropped yet; 0: none */
    struct buf notes[LEDGER_NOTES]; /* the newest of each; empty: no newer one */
    struct buf events;
    uint64_t events_dropped;
    enum result trouble; /* the present state: OK, FULL, or why it is over */
    struct err trouble_err;
};

struct committer {
    struct committer_options options;
    uv_async_t async;
    uv_thread_t thread;
    bool started;
    size_t pending_count, pending_bytes;
    enum result told; /* the last that on_trouble heard */
    void (*closed)(void *context);

    uv_mutex_t mutex;
    uv_cond_t wake;
    uv_cond_t returned; /* the archive was lent, and is back */
    struct shared shared;

    struct tender *tender; /* or NULL */
    struct archive archive;
    struct event_log event_log;
    struct buf events; /* taken from shared, being written */
    struct settlement_list batch;
    uint64_t planned;               /* to be written with the next commit; 0: nothing */
    struct buf notes[LEDGER_NOTES]; /* likewise; empty: nothing */
    uint64_t outbox_done;           /* likewise */
    bool with_ballast, ballast_held;
    bool paused; /* the disk is full; probed at probe_at_ns */
    bool waits;  /* for another program to let go of the ledger; told */
    bool failed; /* for good: nothing more is written */
    bool folded; /* the ledger's log holds nothing */
    uint64_t probe_at_ns;
    struct err err;
};

/** What one costs until it is back, about. */
size_t settlement_bytes(const struct settlement *settlement);

void settlement_list_init(struct settlement_list *list);
void settlement_list_append(struct settlement_list *list, struct settlement *settlement);

/** All of `from` after `to`. */
void settlement_list_move(struct settlement_list *to, struct settlement_list *from);

/** Mutex held: there is something for the thread to do; and so much that it need not wait for more. */
bool committer_has_work(const struct shared *shared);
bool committer_has_batch(const struct settlement_list *queue);

/** Whether the thread waits on for another program to let go of the ledger (ledger_set_patience). */
bool committer_waits(void *committer, unsigned waited_ms);

/** The thread, to its end. */
void committer_thread(void *committer);

/** What the thread does at its end: on the loop when it was never started. */
void committer_finish(struct committer *committer, bool clean);

#endif
