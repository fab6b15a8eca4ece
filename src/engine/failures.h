/**
 * Failures: what has failed for good, counted by what went wrong, with an example of each; and the ids of all, so that
 * they can be asked again by their class.
 *
 * They stay failed in the ledger until the new attempt has ended.
 *
 * Errors   none: beyond FAILURES_KINDS_MAX classes, or without memory, a failure is only counted.
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_FAILURES_H
#define SCRAPETOP_ENGINE_FAILURES_H

#include "base/err.h"
#include "engine/failed_recent.h"
#include "engine/snapshot.h"
#include "plan/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct ledger_row;
struct request;

#define FAILURES_KINDS_MAX SNAPSHOT_FAILURES_MAX

/** Those of one class. */
struct failure_kind {
    uint32_t serial; /* names it while the others come and go */
    struct failure why;
    uint64_t count, last_us;
    char example[SNAPSHOT_REQUEST_TEXT];
    char said[SNAPSHOT_SAID_TEXT]; /* with the example, in a line, without secrets; may be empty */
    uint64_t example_id;
};

/** One of them, to be asked again by its class. */
struct failed_request {
    uint64_t id;
    uint32_t kind;       /* failure_kind.serial; 0: its class found no room */
    uint32_t refused_by; /* index + 1 of the host that may have refused everything then; 0: none */
    uint32_t row;        /* and in which of its rows (plan/ban.h) */
    uint16_t endpoint;
    bool before; /* in an earlier session */
    bool chosen; /* by the options' follow-up */
};

struct failures {
    struct failure_kind kinds[FAILURES_KINDS_MAX]; /* most frequent first */
    size_t kind_count;
    uint32_t serial; /* the last that was given */
    struct failed_recent recent;
    struct failed_request *ids;
    size_t id_count, id_allocated;
};

/** A request has failed for good, in this session or (by what its row says) in an earlier one. `said`: what
 *  the server said then, in a line. */
void failures_note(struct engine *engine, const struct request *request, const char *said);
void failures_restore(struct engine *engine, const struct ledger_row *row);
void failures_release(struct engine *engine);

/** Which of them. Zeroed: all. */
struct failures_asked {
    struct failure_choice choice;
    bool chosen_only;    /* by the options' follow-up */
    uint32_t refused_by; /* failed_request.refused_by; 0: any */
    uint32_t row;
};

/** Asks them again by `ask`, and forgets those for which that is RESULT_OK. How many. */
unsigned long long failures_ask(struct engine *engine, const struct failures_asked *asked,
                                enum result (*ask)(struct engine *engine, uint64_t id));
bool failures_are_any(const struct engine *engine, const struct failure_choice *choice);

#endif
