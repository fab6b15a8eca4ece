/**
 * Token note: what is kept of each of several tokens, by its name: what it was answered, and until when it is held. The
 * ledger has them as one text, a line each. A run that goes on asks nothing early of a token that was held when it was
 * killed, and `status` tells of them at rest.
 *
 * Ownership  values only. Units: microseconds; `held_until_us` by the wall clock.
 * Threads    any.
 */
#ifndef SCRAPETOP_STORE_TOKEN_NOTE_H
#define SCRAPETOP_STORE_TOKEN_NOTE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

#define TOKEN_NOTES_MAX 64
#define TOKEN_NOTE_NAME_SIZE 64

struct token_note {
    char name[TOKEN_NOTE_NAME_SIZE];
    uint64_t ok, refused;  /* answers */
    int aside_status;      /* refused for good, by that; 0: it is not */
    int held_by;           /* enum due_by; DUE_NONE: it is not held */
    int64_t held_until_us; /* and how long that is at most, however the clock is set meanwhile: */
    uint64_t held_us;
};

MUST_CHECK enum result token_note_append(struct buf *text, const struct token_note *note);

/** How many could be read, TOKEN_NOTES_MAX at most. Lines that are none are passed over. */
size_t token_notes_read(struct str text, struct token_note notes[TOKEN_NOTES_MAX]);

/** How long it is still held; 0: not. */
uint64_t token_note_left_us(const struct token_note *note, int64_t wall_us);

#endif
