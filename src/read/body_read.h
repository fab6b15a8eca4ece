/**
 * Body read: a body of any format that is read (base/body_format.h), as JSON.
 *
 * In this order: a packed file is unpacked (read/unpack.h), its letters become UTF-8 (base/body_text.h), what a rule
 * names is taken away, and what is left is read as JSON, JSON Lines, CSV or XML. With BODY_AUTO the content type
 * decides, or where that says nothing of use, the bytes: JSON first, XML when it begins so, CSV only where there
 * are two rows at least, all of as many cells, two or more, and the first row looks like names. An XML document
 * whose root is called an error is none that BODY_AUTO reads.
 *
 * An archive of several files gives one array of what they hold.
 *
 * Memory     the unpacked body and what is made of it; both have ceilings.
 * Ownership  the caller's buf.
 * Errors     RESULT_INVALID: not what it should be, perhaps cut off. RESULT_DENIED: it would be unsafe to read, or
 *            cannot be, and will not become so. RESULT_LIMIT: too large, unpacked or as JSON. `why` says what; it is
 *            empty where there is nothing to say but that it is no JSON. RESULT_NOMEM.
 * Threads    no state.
 */
#ifndef SCRAPETOP_READ_BODY_READ_H
#define SCRAPETOP_READ_BODY_READ_H

#include "base/body_format.h"
#include "base/body_text.h"
#include "read/csv_json.h"

#define BODY_WHY_MAX 200

struct body_found {
    unsigned was;       /* enum body_was */
    struct csv_odd odd; /* of CSV */
    char why[BODY_WHY_MAX];
    bool is_unpacking; /* `why` is of what it is packed in */
};

/** Appends to `out`, which is empty and has a ceiling. `unpacked_max` bytes may come out of a packed file. */
MUST_CHECK enum result body_read(struct str body, struct str content_type,
                                 const struct body_reading *how, uint64_t unpacked_max,
                                 struct buf *out, struct body_found *found);

/** The head of a text of which nobody says what it is looks like CSV (it is UTF-8, or begins so). */
bool body_head_is_csv(struct str head, bool is_cut, char *delimiter);

#define BODY_STRIP_MAX 48

/** What "strip" would have to be, so that a body that is no JSON were some: a guard such as )]}', or a call around it.
 *  False when nothing so simple helps. */
bool body_strip_that_helps(struct str body, char strip[BODY_STRIP_MAX]);

/** JSON is what the reading expects first, so that a body that is JSON already needs no more. */
bool body_read_wants_json(struct str content_type, const struct body_reading *how);

#endif
