/**
 * One endpoint that is asked for every record of another: what its requests are made of, prepared once for a job.
 *
 * It knows each name that the endpoint, or one that descends from it, is going to ask for, and where the value stands: in
 * the parent's record or in the variables of the request that brought it.
 *
 * Ownership  names are borrowed from the job; link_child_release frees the rest.
 * Errors     E-TPL1 more values than JSON_LOOKS_MAX, those of templates and pointers, RESULT_NOMEM.
 * Threads    read-only once made, so any.
 */
#ifndef SCRAPETOP_PLAN_LINK_CHILD_H
#define SCRAPETOP_PLAN_LINK_CHILD_H

#include "base/json_look.h"
#include "job/header_fill.h"
#include "job/job.h"
#include "job/template.h"

/* A name that a child, or one of its own children, is going to ask for. */
struct link_value {
    struct str name; /* "products.id"; borrowed from the job */
    bool of_record;  /* of the parent's record; else of the request's vars */
    bool is_key;     /* "products._key": the name that the record has in its body */
};

/* One endpoint that is asked for every record of another. */
struct link_child {
    uint32_t endpoint;
    struct template *url, *body; /* body is NULL when there is none */
    struct header_fill *headers; /* NULL: none is filled in */
    struct link_value *wanted;
    size_t count;
    size_t *of_url, *of_body; /* from a placeholder's number to the one in `wanted` */
    /* For json_look: those of the record first, then those of the vars. */
    struct json_pointer *pointers;
    size_t *looks; /* whose value pointers[i] finds */
    size_t record_looks, vars_looks;
    bool wants_key;
};

/** The endpoint of that index, which has a parent. What there is of it after an error is to be released, too. */
MUST_CHECK enum result link_child_init(struct link_child *child, const struct job *job,
                                       uint32_t endpoint, struct err *err);
void link_child_release(struct link_child *child);

#endif
