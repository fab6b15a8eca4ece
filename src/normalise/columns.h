/**
 * Columns: every path that holds a value somewhere, found by looking at all records.
 *
 * A tree of names, for a column is its path: {"a.b":1} and {"a":{"b":1}} are two columns. Each worker
 * learns a tree of its own while it goes through its chunks; columns_merge joins them, and
 * columns_settle puts the columns in the order in which the plan first shows them (by chunk, then
 * by place in the chunk), so the result does not depend on which worker saw what. A settled tree
 * is read-only and shared.
 *
 * Names are the path's keys joined by `.` (or another separator), as pandas.json_normalize joins
 * them. When two paths give one name, both stay and the later is called `name_2`. A value that was
 * picked by a pointer comes after all others, so that its name never displaces one of theirs.
 *
 * Ownership  columns_free releases everything; names live as long.
 * Errors     RESULT_NOMEM; RESULT_LIMIT past the ceilings below (E-COL1), which a document keyed
 *            by ids reaches.
 * Threads    one thread while learning, any number once settled.
 */
#ifndef SCRAPETOP_NORMALISE_COLUMNS_H
#define SCRAPETOP_NORMALISE_COLUMNS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "normalise/firsts.h"
#include "normalise/rows.h"
#include "normalise/types.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COLUMNS_MAX 65536
#define COLUMNS_NODES_MAX (2 * COLUMNS_MAX)
#define COLUMNS_NAMES_MAX ((size_t)64 << 20) /* bytes of keys */

#define COLUMNS_NONE UINT32_MAX
#define COLUMNS_ROOT 0 /* the record itself */
#define COLUMNS_META 1 /* above the columns that no record has: `_key`, `value` */
#define COLUMNS_PICK 2 /* above the values that the user asked for by a pointer */
#define COLUMNS_ROOTS 3

/* What is wanted to be known of a column's values. */
struct facts_wish {
    bool types;  /* any facts at all */
    bool coerce; /* see normalise/types.h */
};

struct columns;

struct columns *columns_new(void);
void columns_free(struct columns *columns);

/** The node of that name below `parent`, COLUMNS_NONE when there is none. */
uint32_t columns_find(const struct columns *columns, uint32_t parent, struct str name);

/** The node that most likely is that one, by its name's hash alone; COLUMNS_NONE when there is none. For who knows
 *  names and parents as well, and has them nearer than they are here. */
uint32_t columns_likely(const struct columns *columns, uint32_t parent, struct str name);

/** Finds or adds. */
MUST_CHECK enum result columns_add(struct columns *columns, uint32_t parent, struct str name,
                                   uint32_t *node, struct err *err);

/** A value stands at `node`: it is a column. The first call in plan order counts. */
MUST_CHECK enum result columns_mark(struct columns *columns, uint32_t node, uint64_t chunk,
                                    uint32_t order, struct err *err);

bool columns_marked(const struct columns *columns, uint32_t node);

/** Bytes of the node's name, unescaped; views die when a node is added. */
struct str columns_node_name(const struct columns *columns, uint32_t node);
uint32_t columns_parent(const struct columns *columns, uint32_t node);
uint32_t columns_node_count(const struct columns *columns);

/** Takes back what a record taught that turned out to be invalid: the nodes that were added since there
 *  were `count`, and the marks of some others. Not once merged or settled. */
void columns_take_back(struct columns *columns, uint32_t count, const uint32_t *unmark,
                       size_t unmark_count);

/** From now on facts are kept for each node, as wished. Before anything is added. */
MUST_CHECK enum result columns_want_facts(struct columns *columns, const struct facts_wish *wish,
                                          struct err *err);

/** The values that are noted from now on stand in that record of the chunk, counted from 1. */
void columns_enter_record(struct columns *columns, uint64_t chunk, uint64_t record);

/** The values that are noted from now on are strings by what they were read from, so that numbers are looked for in
 *  them whatever the wish was. */
void columns_take_texts(struct columns *columns, bool are_texts);

/** A value that is not null stands at `node`; says what it is. Only after columns_want_facts. */
void columns_note(struct columns *columns, uint32_t node, enum cell_kind kind, struct str text,
                  struct row_value *value);

/** The first value there of one of the kinds, a bit for each; false when there is none. After columns_want_facts. */
bool columns_first(const struct columns *columns, uint32_t node, uint32_t kinds,
                   struct record_place *place, char text[FIRSTS_TEXT_MAX + 8]);

/** NULL without columns_want_facts. */
const struct type_facts *columns_facts(const struct columns *columns, uint32_t node);

/** The tree, which is empty as yet, gets the nodes of `from`, with the same numbers; none of them is a column
 *  for that. */
MUST_CHECK enum result columns_seed(struct columns *columns, const struct columns *from,
                                    struct err *err);

/** Adds to `into` what `from` has learnt; both want the same facts. */
MUST_CHECK enum result columns_merge(struct columns *into, const struct columns *from,
                                     struct err *err);

/** Appends the pointer (RFC 6901) from the record to the object in which the most names have been met, and says how
 *  many: where there are too many columns, it is probably keyed by an id. */
MUST_CHECK enum result columns_append_widest(const struct columns *columns, struct buf *pointer,
                                             uint32_t *names);

/** Orders and names the columns, `separator` between the keys; nothing may be added after. */
MUST_CHECK enum result columns_settle(struct columns *columns, struct str separator,
                                      struct err *err);

/** Below: of a settled tree. */
uint32_t columns_count(const struct columns *columns);
struct str columns_name(const struct columns *columns, uint32_t column);
uint32_t columns_of_node(const struct columns *columns, uint32_t node); /* or COLUMNS_NONE */
uint32_t columns_node(const struct columns *columns, uint32_t column);

/** Columns that had to be called otherwise, because their name was taken. */
uint32_t columns_renamed(const struct columns *columns);

#endif
