/**
 * The fields of a snapshot as a table: the one list from which frames are written and read.
 *
 * A row names a member of struct snapshot (engine/snapshot.h) as C does, and says how JSON has it. A test
 * compares the rows with the header, so that no member is forgotten.
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_CONTROL_SNAPSHOT_FIELDS_H
#define SCRAPETOP_CONTROL_SNAPSHOT_FIELDS_H

#include "engine/snapshot.h"

#include <stddef.h>

enum field_kind {
    FIELD_BOOL,
    FIELD_UNSIGNED, /* of `size` bytes: 4 or 8 */
    FIELD_SIGNED,   /* likewise */
    FIELD_NEVER,    /* uint64_t; UINT64_MAX is null */
    FIELD_ID,       /* uint64_t, as a text: readers with doubles would round it */
    FIELD_DOUBLE,   /* NaN and infinities are null */
    FIELD_FLOAT,
    FIELD_TEXT,    /* terminated, in `size` bytes */
    FIELD_BYTES,   /* the first *count_offset of `size` bytes, as a text */
    FIELD_WORD,    /* an enum, by `word` */
    FIELD_FAILURE, /* struct failure, as `--class` takes it; null for none */
    FIELD_GROUP,   /* a struct, by `of` */
    FIELD_LIST,    /* `max` structs of `size` bytes; count_offset: how many there are */
    FIELD_NUMBERS, /* `max` uint64_t, all of them */
};

/** Every value below `count` has a word of its own. */
struct field_words {
    const char *(*word)(int value);
    int count;
};

struct field_group {
    const struct field *fields;
    size_t count;
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset, size; /* bytes */
    size_t count_offset; /* of a size_t, in the same struct */
    size_t max;
    const struct field_group *of;
    const struct field_words *words;
};

/** All of struct snapshot. */
extern const struct field_group snapshot_fields;

/** Only the figures that a line of progress needs. */
extern const struct field_group totals_fields;

#endif
