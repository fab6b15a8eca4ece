/**
 * Types: what a column's values are, found by looking at every one of them.
 *
 * types_note files a value under one of the kinds below and counts it; the counts of several
 * workers are added up in any order, and types_decide reads the column's type off the sum. So the
 * type never depends on a sample, on the number of workers, or on which of them saw what.
 *
 * A type is taken only if it keeps every value: a whole number that int64 does not hold, or a
 * fraction whose digits a double does not give back, makes its column text, and so does a column that holds
 * several families of values (a conflict, which is for the report). As text, a value is what CSV
 * writes. A day alone is no moment: read as midnight UTC it would be the day before in New York. So days
 * among moments are of two families. Nor is a time without an offset one: a column of these is of local timestamps,
 * which no reader moves to its own zone, and among times with an offset they are of another family, unless it is
 * said that they are UTC (`assume_utc`).
 *
 * With `coerce` (--types) numbers within strings count as numbers, if they are written as JSON writes
 * numbers ("007" stays text), and a column of whole numbers whose name speaks of time, and whose
 * values all lie between 2001 and 2100, is a timestamp: seconds or milliseconds since 1970.
 *
 * Units    timestamps in microseconds since 1970-01-01 UTC, dates in days since 1970-01-01.
 * Threads  no state but the caller's.
 */
#ifndef SCRAPETOP_NORMALISE_TYPES_H
#define SCRAPETOP_NORMALISE_TYPES_H

#include "base/str.h"
#include "normalise/rows.h"

#include <stdbool.h>
#include <stdint.h>

enum type {
    TYPE_TEXT,
    TYPE_INT64,
    TYPE_DOUBLE,
    TYPE_BOOLEAN,
    TYPE_TIMESTAMP,
    TYPE_LOCAL_TIMESTAMP,
    TYPE_DATE,
    TYPE_COUNT,
};

/** "text", "int64" ... */
const char *type_name(enum type type);

enum type_kind {
    KIND_INT,    /* int64, and the same as a double */
    KIND_WIDE,   /* int64, but a double would round it */
    KIND_DOUBLE, /* a fraction, or too large for int64; a double keeps it */
    KIND_NUMBER, /* any other number: only text keeps it */
    KIND_BOOLEAN,
    KIND_TIME,     /* a string that is a timestamp with a time of day */
    KIND_LOCAL,    /* likewise, without an offset: of a clock that nobody names */
    KIND_DATE,     /* a string that is a day alone */
    KIND_TEXT_INT, /* a string that is a number, as above; only filed so with `coerce` */
    KIND_TEXT_WIDE,
    KIND_TEXT_DOUBLE,
    KIND_TEXT, /* any other string */
    KIND_JSON, /* an array, or what lies deeper than the table goes */
    KIND_COUNT,
};

/** "whole numbers", "timestamps" ... : what a report calls so many of the values. */
const char *type_kind_name(enum type_kind kind, uint64_t count);

/* A zeroed struct has seen nothing. Two lines of the processor's cache where there are thousands of them: numbers look at
 * the first alone, texts at the second. */
struct type_facts {
    int64_t low, high; /* of KIND_INT and KIND_TEXT_INT */
    uint64_t seen[KIND_COUNT];
    uint64_t unused;
};

/* What a value is: of KIND_INT and KIND_WIDE the whole number, of KIND_DOUBLE the fraction, of KIND_TIME and
 * KIND_LOCAL the microseconds (of the latter as if it were UTC), of KIND_DATE the days. */
union type_value {
    int64_t whole;
    double fraction;
};

/* What a cell of a row is. */
struct row_value {
    enum type_kind kind;
    union type_value value;
};

/** A value that is not null; says where it was filed, and sets `*value` where that is one of those. */
enum type_kind types_note(struct type_facts *facts, enum cell_kind kind, struct str text,
                          bool coerce, union type_value *value);
void types_merge(struct type_facts *into, const struct type_facts *from);

/** How many values there were. */
uint64_t types_present(const struct type_facts *facts);

struct type_decision {
    enum type type;
    int64_t epoch_unit_us; /* of a timestamp made of numbers: microseconds in one; else 0 */
    bool coerced;          /* only so because of `coerce` */
    bool conflict;         /* text because its values are of several kinds */
};

/** `name` is the column's, for `coerce`. */
struct type_decision types_decide(const struct type_facts *facts, struct str name, bool coerce,
                                  bool assume_utc);

/* Which values of a column in conflict keep it from the type that most of them have. */
struct type_odd {
    uint64_t count;
    uint32_t kinds;            /* a bit for each of theirs */
    bool is_not;               /* they are not ... */
    const char *name, *plural; /* ... "number", "numbers"; or they are */
};

struct type_odd types_odd(const struct type_facts *facts);

/* Values: false when the text does not say one, or not without loss. */

bool types_int64(struct str text, int64_t *value);
bool types_double(struct str text, double *value);
bool types_date(struct str text, int64_t *days);

/** `text` is a number in JSON's grammar. */
bool types_is_number(struct str text);

#endif
