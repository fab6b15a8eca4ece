/**
 * The inside of an expansion, for its files: expansion.c makes requests, expansion_check.c tries them all.
 */
#ifndef SCRAPETOP_JOB_EXPANSION_STATE_H
#define SCRAPETOP_JOB_EXPANSION_STATE_H

#include "job/expansion.h"
#include "job/header_fill.h"
#include "job/template.h"

#define EXPANSION_NONE SIZE_MAX
#define EXPANSION_SINCE                                                                            \
    (SIZE_MAX - 1) /* in the place of a variable: what the caller says of `{since}` */

struct name {
    char *text; /* "row.id" */
    struct str field;
    size_t var;
    bool in_key; /* the request itself names it, not only a later one */
};

/* A template of the endpoint, and which of the names each of its own is. */
struct part {
    struct template *t;
    size_t *names;
};

struct expansion {
    const struct job *job;
    const struct vars *vars;
    uint32_t endpoint;
    struct part url, body;       /* the body's template is NULL when there is none */
    struct header_fill *headers; /* NULL: none is filled in */
    struct name *names;
    size_t name_count;
    size_t *varying; /* variables, the last varying fastest */
    size_t varying_count;
    uint64_t count;
    size_t window; /* the variable of dates whose steps are asked for as windows; or NONE */
};

#endif
