/**
 * Option rows of a request, into a struct job: shared by `run` and `probe`. And rows of which several commands have
 * one, each into a struct of its own.
 *
 * Errors  those of job/job.h; E-IN4 a body that cannot be read.
 */
#ifndef SCRAPETOP_CMD_REQUEST_ROWS_H
#define SCRAPETOP_CMD_REQUEST_ROWS_H

#include "cmd/options.h"
#include "job/job.h"

/* --header, --request, --data. */
#define REQUEST_ROWS 3
extern const struct option_row request_rows[REQUEST_ROWS];

/* --records, --as. */
#define REQUEST_BODY_ROWS 2
extern const struct option_row request_body_rows[REQUEST_BODY_ROWS];

#define OPTION_MAX_TIME                                                                            \
    {                                                                                              \
        .name = "max-time", .value = "TIME",                                                       \
        .help = "Longest time for one try, from connecting to the end of the body (30s)",          \
        .kind = OPTION_TIME, .offset = offsetof(struct job, network.total_timeout_us), .low = 1,   \
    }

#define OPTION_RECORDS(setter)                                                                     \
    {                                                                                              \
        .name = "records", .value = "POINTER",                                                     \
        .help = "Where in a body its records are: /items, /data/*/rows", .kind = OPTION_CALL,      \
        .set = setter,                                                                             \
    }

#define OPTION_SHAPE(setter)                                                                       \
    {                                                                                              \
        .name = "shape", .words = RECORD_SHAPE_WORDS, .value = "SHAPE",                            \
        .help = "How tables are written: objects (an array of them), header (arrays, the first "   \
                "has the names), parallel (an object of arrays)",                                  \
        .kind = OPTION_CALL, .set = setter,                                                        \
    }

#define OPTION_ALLOW_CORE(options)                                                                 \
    {                                                                                              \
        .name = "allow-core", .help = "Allow core dumps and debuggers, which see all secrets",     \
        .kind = OPTION_FLAG, .offset = offsetof(options, allow_core),                              \
    }

#define OPTION_JSON(options, words_)                                                               \
    {                                                                                              \
        .name = "json", .help = words_, .kind = OPTION_FLAG, .offset = offsetof(options, json),    \
    }

/** E-ARG1: it begins like no JSON Pointer. */
MUST_CHECK enum result request_check_records(const char *value, struct err *err);

bool request_has_header(const struct job *job, struct str name);

/** A body makes the method POST, as in curl, unless one was given, and says of what type it is. */
MUST_CHECK enum result request_finish_body(struct job *job, bool has_method, struct err *err);

#endif
