/**
 * The inside of a URL pattern: its parts, as glob_parse.c reads them and glob.c expands them. For these two files only.
 */
#ifndef SCRAPETOP_JOB_GLOB_PARTS_H
#define SCRAPETOP_JOB_GLOB_PARTS_H

#include "job/glob.h"

enum part_kind { PART_LITERAL, PART_SET, PART_NUMBERS, PART_LETTERS };

struct part {
    enum part_kind kind;
    uint64_t count; /* values; a literal has one */
    size_t at;      /* where it stands in the pattern, for messages */
    union {
        struct str text;
        struct {
            const struct str *items;
        } set;
        struct {
            uint64_t low, step;
            size_t width; /* digits to pad to with zeros */
        } numbers;
        struct {
            char low;
            unsigned step;
        } letters;
    } as;
};

struct glob {
    struct part parts[GLOB_PARTS_MAX];
    size_t part_count;
    size_t varying_count; /* parts with more than one value */
    struct str key_head;  /* "page=", when the only varying part is that parameter's value */
    uint64_t count;
    bool has_plain;    /* brackets or braces in a query that stand for themselves */
    char *bytes;       /* literals and set members, unescaped; parts are views into it */
    struct str *items; /* members of all sets */
    size_t bytes_len, items_len;
};

/** Reads a pattern into a glob that is zeroed but for its `bytes` and `items`, which have room for all of it. */
MUST_CHECK enum result glob_parse(struct glob *glob, struct str pattern, struct err *err);

#endif
