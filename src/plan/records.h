/**
 * The records of a body, by number: what a paginator counts and a list's details are asked for.
 *
 * Which values are records is what the tables say (normalise/flatten.h): without a pointer the elements of
 * a top-level array, or else the body itself; with one what it leads to, and the elements of an array that
 * it leads to; null is none.
 *
 * The text must have passed json_check. Pure; any thread.
 */
#ifndef SCRAPETOP_PLAN_RECORDS_H
#define SCRAPETOP_PLAN_RECORDS_H

#include "base/json_scan.h"

struct record_view {
    uint64_t index; /* from 0, in the order of the body */
    struct str value;
    struct str key; /* name, still escaped, of the member that a `*` stood for; or STR_NONE */
};

/** Answers false to stop. */
typedef bool records_fn(void *context, const struct record_view *record);

enum records_presence {
    RECORDS_SOME,
    RECORDS_NONE,   /* an empty array, an empty object where a `*` stands, or null */
    RECORDS_ABSENT, /* the pointer finds nothing, or what cannot hold records: a text, a number */
};

struct records_found {
    enum records_presence presence;
    enum json_type type; /* of what holds them: an array, or an object; JSON_NONE without any */
    uint64_t count;
    uint32_t crc32c; /* of their bytes; 0 without any */
    size_t bytes;    /* which are so many */
};

/** What stands where the records should be. A pointer without steps means the body itself. An empty body, as
 *  of 204, has no records. */
struct records_found records_look(struct str body, const struct json_pointer *pointer);

/** `pointer` and `visit` may be NULL. Returns how many there are, or were visited. */
uint64_t records_each(struct str body, const struct json_pointer *pointer, records_fn *visit,
                      void *context);

#endif
