/**
 * Differ: what changed in an endpoint's records from round to round, as changes in the order of rounds.
 *
 * Walks through all answers that the ledger knows (store/ledger_answers.h). After each round the records are those of
 * the last answer to each request; where several have a record of one key, the last in the table's order counts. What
 * a partial or thinned round does not show is as it was; what failed is as it was; an answer that is the last one again
 * changes nothing, and is not read.
 *
 * Ownership  a change is a view, for the call only. All that the options point to is borrowed for the call.
 * Errors     those of the store and of changes/state.h; RESULT_NOT_FOUND (E-TAB5) when no record has a column of the
 *            key, (E-TAB1) when none is where `records` points.
 * Threads    one.
 */
#ifndef SCRAPETOP_CHANGES_DIFFER_H
#define SCRAPETOP_CHANGES_DIFFER_H

#include "changes/record_rows.h"
#include "store/ledger_answers.h"
#include "store/segment_reader.h"

#include <stdatomic.h>

#define CHANGES_NAMED 3
#define CHANGES_TEXT 96

enum change_kind {
    CHANGE_ADDED,   /* `now` is the record */
    CHANGE_CHANGED, /* of one column: `before` and `now` are its values */
    CHANGE_GONE,    /* `before` is the record */
};

/** "added" ... */
const char *change_kind_name(enum change_kind kind);

struct change {
    enum change_kind kind;
    uint32_t round;  /* from 1 */
    struct str time; /* RFC 3339: when the answer came that shows it */
    struct str key;  /* the key's columns with their values: members of a JSON object */
    /* CHANGE_CHANGED: the column, and values as text; STR_NONE: null. Else STR_NONE, and JSON of the record. */
    struct str field, before, now;
};

/* Counted, and the first few named by their keys, which may hold bytes from outside. */
struct change_oddity {
    uint64_t count;
    unsigned named;
    char first[CHANGES_NAMED][CHANGES_TEXT];
};

struct changes_report {
    uint64_t rounds, answers;      /* rounds with an answer; answers that were read */
    uint64_t added, changed, gone; /* records; one that changed counts once a round */
    uint64_t values;               /* that changed */
    uint64_t partial;              /* rounds of a seed of which something is missing */
    uint64_t thinned;              /* likewise, of which details that did not change are dropped */
    uint64_t no_key;               /* records without a value in a column of the key */
    uint64_t damaged;              /* answers whose line is not as it was written */
    uint32_t damaged_round;        /* the first that has such a one, from 1; 0: none */
    uint64_t unmatched;            /* answers without anything where the records should be */
    uint64_t clock_back;           /* rounds that came before the one before them, by the clock */
    uint64_t too_long;             /* values that are left out */
    struct change_oddity doubled;  /* keys of which a round has several records that differ */
    struct change_oddity retyped;  /* values that are other by their type alone, or a key's type */
};

struct differ_options {
    struct ledger *ledger; /* held */
    struct segment_reader *segments;
    struct ledger_answers_query query; /* its callback is the differ's */
    struct record_rows_spec rows;
    uint64_t memory_bytes;
    uint32_t from_round;     /* changes up to this round are not told; 0: all are */
    uint32_t until_round;    /* the last one that is looked at; 0: all are */
    const atomic_bool *stop; /* once true: RESULT_CANCELLED; NULL: never */
    /* The lines that the records stand in after the last round, and those that answers of later rounds stand for; NULL:
     * nobody asks. */
    enum result (*needs)(void *context, uint64_t id, struct err *err);
    enum result (*take)(void *context, const struct change *change, struct err *err);
    void *context;
};

/** `report` is filled in, also on failure. */
MUST_CHECK enum result differ_run(const struct differ_options *options,
                                  struct changes_report *report, struct err *err);

#endif
