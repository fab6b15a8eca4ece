/**
 * The inside of flatten, for its four files only. From the ground up: flatten_hints.c keeps what is known of nodes, flatten_walk.c
 * goes through a record's members, flatten_explode.c does what a struct flatten_shape asks for, flatten.c finds the records.
 */
#ifndef SCRAPETOP_NORMALISE_FLATTEN_WALK_H
#define SCRAPETOP_NORMALISE_FLATTEN_WALK_H

#include "base/buf.h"
#include "base/json_step.h"
#include "normalise/filled.h"
#include "normalise/flatten.h"

#include <assert.h>

#define HINT_TOKEN_MAX 32 /* a multiple of every JSON_SIMD_WIDTH */

/* What is known of a node; one line of the processor's cache. */
struct hint {
    char token[HINT_TOKEN_MAX]; /* its name as the text has it, with both quotes */
    uint64_t seen;              /* visit at which this member was last met */
    uint32_t parent;
    uint32_t next;       /* the member that came after this one last time */
    uint32_t first;      /* the member that an object here began with last time */
    uint32_t column;     /* of `table`; COLUMNS_NONE when it is none */
    uint32_t token_bits; /* as many as it is long */
    uint8_t token_len;   /* 0: too long, or a name that has to be escaped */
    bool marked;         /* FLATTEN_LEARN: known to be a column */
};

static_assert(sizeof(struct hint) == 64, "so that aligned ones lie in a line each");

struct level {
    uint32_t node; /* the object that we are in */
    uint32_t last; /* its member that was read last, COLUMNS_NONE before the first */
};

/* Where no two records have the same members a guess is never right, and costs two looks at memory that is far:
 * after so many wrong ones in a row it is made for one key in so many only. */
#define GUESSES_WRONG 64
#define GUESSES_PART 16

struct flatten {
    const struct json_pointer *records;
    struct columns *columns;
    const struct json_kernel *kernel;
    const atomic_bool *stop; /* or NULL */
    enum flatten_pass pass;
    bool trust_pointer;
    bool judge_first;
    bool judged; /* FLATTEN_LEARN: the text is known to be valid */
    uint64_t chunk;
    uint32_t order;
    uint64_t record;    /* in the chunk; the first is 1 */
    struct hint *hints; /* by node */
    uint32_t hint_count, hint_cap;
    const struct columns *table; /* whose columns rows have; NULL: there are no rows */
    struct row_cell *cells;      /* by column of `table` */
    struct row_value *values;    /* of these, as far as facts are noted; NULL: they are not */
    struct filled filled;        /* of the row that is handed out */
    bool spoilt;                 /* flatten_rows_spoilt */
    uint64_t row;
    uint64_t visit_base; /* visits of this row have this number and above */
    uint32_t *visits;    /* the row's members as they were met, by node */
    size_t visit_count, visit_cap;
    uint32_t *fresh; /* nodes that this document was the first to mark, FLATTEN_LEARN */
    size_t fresh_count, fresh_cap;
    struct buf name; /* a key that had to be unescaped */
    struct level levels[JSON_DEPTH_MAX];
    const struct flatten_shape *shape; /* NULL: none asked for */
    uint32_t depth_max;
    uint32_t explode_node;   /* COLUMNS_NONE: none */
    struct str exploded;     /* of this record: its array, once met */
    unsigned exploded_depth; /* containers around its elements */
    bool exploded_judged;    /* it is known to be valid; else only where it ends, if it is */
    bool facts;
    const struct flatten_meta *meta;
    size_t meta_count;
    /* One document: */
    row_fn *sink;
    void *sink_context;
    struct flatten_counts *counts;
    struct err *err;
    const char *text_end;
    uint32_t wrong; /* guesses since the last that was right */
    bool stars;     /* the pointer has some */
    bool ambiguous; /* a name of the pointer stands twice */
    bool in_array;  /* the record is an element */
    bool ended;     /* the one match is behind us */
    /* By step of the pointer: name of the member that this `*` stands for, NONE for an element. */
    struct str star_names[JSON_POINTER_STEPS_MAX];
    enum result result;
};

/** What to answer where the text is not as it should be: RESULT_INVALID, or that it has changed. */
enum result flatten_bad_text(struct flatten *f);

/** Hints for all nodes that there are. */
bool flatten_know_nodes(struct flatten *f);

/** After columns_take_back: only `nodes` are left. */
void flatten_forget(struct flatten *f, uint32_t nodes);

/** A cell of a column below `root` that is not a path in the JSON. */
MUST_CHECK enum result flatten_put_beside(struct flatten *f, uint32_t root, struct str name,
                                          enum cell_kind kind, struct str text);

/** The same for a whole value that is known to be valid. */
MUST_CHECK enum result flatten_put_whole(struct flatten *f, uint32_t root, struct str name,
                                         struct str value);

/** All members of an object, whose node is `top`, and of those in it; `*p` from its brace to after its
 *  partner. */
MUST_CHECK enum result flatten_object(struct flatten *f, uint32_t top, const char **p,
                                      const char *end, unsigned depth);

/** An element of the array that is exploded; `*p` from its first byte to after it. */
MUST_CHECK enum result flatten_element(struct flatten *f, const char **p, const char *end,
                                       unsigned depth);

/** Over a value that gives nothing; `*p` likewise. */
MUST_CHECK enum result flatten_pass_over(struct flatten *f, const char **p, const char *end,
                                         unsigned depth);

/** After the opening bracket or brace of `*p`: `*more` says whether there is a member or element, and
 *  `*p` is at it or after the container. */
static inline void flatten_step_into(const char **p, const char *end, char close, bool *more)
{
    *p = json_step_space(*p + 1, end);
    *more = *p == end || **p != close; /* at the end, the search for the member fails */
    *p += !*more;
}

/** The same after a member or element. */
static inline enum result flatten_step_behind(struct flatten *f, const char **p, const char *end,
                                              char close, bool *more)
{
    const char *at = json_step_space(*p, end);

    if (at == end || (*at != ',' && *at != close)) {
        return flatten_bad_text(f);
    }
    *more = *at == ',';
    *p = *more ? json_step_space(at + 1, end) : at + 1;
    return RESULT_OK;
}

/** The cell of the node is empty again. */
void flatten_empty_cell(struct flatten *f, uint32_t node);

/** Forgets which members were met from the visit `mark` on, and empties their cells. */
void flatten_forget_visits(struct flatten *f, size_t mark);

/** Hands out the row as it stands, or counts it. */
MUST_CHECK enum result flatten_emit(struct flatten *f);

/** The record's rows, once its own cells are in place; `value` is the record, known to be valid but for the
 *  array to explode. */
MUST_CHECK enum result flatten_rows(struct flatten *f, struct str value);

#endif
