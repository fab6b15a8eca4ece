/**
 * The inside of flatten, for its two files: flatten.c finds the records, flatten_walk.c goes through
 * their members. Nobody else includes this.
 */
#ifndef SCRAPETOP_NORMALISE_FLATTEN_WALK_H
#define SCRAPETOP_NORMALISE_FLATTEN_WALK_H

#include "base/buf.h"
#include "normalise/flatten.h"

#define HINT_TOKEN_MAX 32 /* a multiple of every JSON_SIMD_WIDTH */

/* What is known of a node; one line of the processor's cache. */
struct hint {
    char token[HINT_TOKEN_MAX]; /* its name as the text has it, with both quotes */
    uint64_t seen;              /* visit at which this member was last met */
    uint32_t parent;
    uint32_t next;     /* the member that came behind this one last time */
    uint32_t first;    /* the member that an object here began with last time */
    uint32_t column;   /* FLATTEN_FILL; COLUMNS_NONE when it is none */
    uint8_t token_len; /* 0: too long, or a name that has to be escaped */
    bool marked;       /* FLATTEN_LEARN: known to be a column */
};

struct level {
    uint32_t node; /* the object that we are in */
    uint32_t last; /* its member that was read last, COLUMNS_NONE before the first */
};

struct flatten {
    const struct json_pointer *records;
    struct columns *columns;
    const struct json_kernel *kernel;
    const atomic_bool *stop; /* or NULL */
    enum flatten_pass pass;
    bool trust_pointer;
    uint64_t chunk;
    uint32_t order;
    struct hint *hints; /* by node */
    uint32_t hint_count, hint_cap;
    struct cell *cells; /* by column, FLATTEN_FILL */
    uint64_t row;
    uint64_t visit_base; /* visits of this row have this number and above */
    uint32_t *visits;    /* the row's members as they were met, by node */
    size_t visit_count, visit_cap;
    uint32_t *fresh; /* nodes that this document was the first to mark, FLATTEN_LEARN */
    size_t fresh_count, fresh_cap;
    struct buf name; /* a key that had to be unescaped */
    struct level levels[JSON_DEPTH_MAX];
    /* One document: */
    row_fn *sink;
    void *sink_context;
    struct flatten_counts *counts;
    struct err *err;
    const char *text_end;
    bool stars;     /* the pointer has some */
    bool ambiguous; /* a name of the pointer stands twice */
    bool ended;     /* the one match is behind us */
    enum result result;
};

/** What to answer where the text is not as it should be: RESULT_INVALID, or that it has changed. */
enum result flatten_bad_text(struct flatten *f);

/** Hints for all nodes that there are. */
bool flatten_know_nodes(struct flatten *f);

/** After columns_take_back: only `nodes` are left. */
void flatten_forget(struct flatten *f, uint32_t nodes);

/** A cell of a column that is not in the JSON. */
MUST_CHECK enum result flatten_put_meta(struct flatten *f, struct str name, enum cell_kind kind,
                                        struct str text);

/** All members of an object and of those in it; `*p` from its brace to behind its partner. */
MUST_CHECK enum result flatten_object(struct flatten *f, const char **p, const char *end,
                                      unsigned depth);

#endif
