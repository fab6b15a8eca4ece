/**
 * Tokens: a run that has several for one server, each of which is a host of its own to the plan (plan/twin.h).
 *
 * A request that one of them is refused (401, 403, or a limit) is asked again with another, at no cost, as long as
 * there is one that has not been tried. So one token's end is told from a URL that none of them may see:
 *
 *   refused --asked with the next--> answered well: the token that was refused is put aside, by its name
 *      |                      `----> refused by all: it is the URL, or all have ended (plan/credential.h)
 *      `--TOKEN_ROW different ones in a row, while others go well but must wait--> put aside
 *
 * A 403 may be of one URL: it puts a token aside only that has never gone well, or TOKEN_FORBIDDEN_ROW in a row. The
 * last one is never put aside: the run stops with E-AUTH2 as with a single credential.
 *
 * Ownership  the names and tokens are the job's, borrowed.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_TOKENS_H
#define SCRAPETOP_ENGINE_TOKENS_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_ROW 5
#define TOKEN_FORBIDDEN_ROW 3

struct engine;
struct fetch_extra;
struct host;
struct request;
struct response;
struct deadline;

struct token_state {
    struct buf header, query; /* what carries it */
    uint64_t well;
    uint64_t well_us;      /* the last one's end */
    unsigned row;          /* refused in a row, by different requests, which not all refuse */
    uint64_t row_since_us; /* the first of them */
    uint64_t refused;      /* answers that refused it, or its quota */
    int aside_status;      /* what put it aside; 0: nothing */
    uint64_t ok_before, refused_before; /* in earlier sessions */
    uint64_t noted_until_us;            /* the hold that the ledger knows */
};

struct tokens {
    struct token_state *list;                     /* by host.twin - 1 */
    size_t count;                                 /* 0: there is one credential, or none */
    uint64_t answers, noted_answers, note_due_us; /* engine/token_notes.h */
};

/** After the login: the hosts for them. */
MUST_CHECK enum result tokens_init(struct engine *engine, struct err *err);
void tokens_release(struct engine *engine);

/** What a request to that host carries in place of the login's. */
void tokens_carry(struct engine *engine, const struct request *request, struct fetch_extra *extra);

/** Its name; NULL: its host is asked with no token of several. */
const char *token_name(const struct engine *engine, const struct host *host);

/** A request went well. */
void tokens_note_well(struct engine *engine, struct request *request);

/** True when the answer refuses the token, and the request is asked again with another one: the response has been
 *  seen to. Else a wait that the server named ends when the first of all tokens is free. */
bool tokens_take(struct engine *engine, struct response *response, struct deadline *deadline);

#endif
