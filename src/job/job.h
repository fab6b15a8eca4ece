/**
 * What the user asked for: immutable once loaded.
 *
 * A job is one or more endpoints (each gives one table), how fast they may be asked, when a request
 * is tried again, and what is written at the end. A command line with URL patterns makes a job with
 * one endpoint; a job file may hold several. Nothing here is a decision of the run: the cap that
 * the user turns live is the engine's, `pace.cap` is where it starts.
 *
 * Ownership  job_release frees all strings; everyone else borrows for the job's lifetime.
 * Secrets    header values are kept as given (`${ENV}` unexpanded) beside their expanded form; only
 *            the former is ever written down (job.json) or shown.
 * Threads    read-only after loading, so any.
 */
#ifndef SCRAPETOP_JOB_JOB_H
#define SCRAPETOP_JOB_JOB_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

#define JOB_NAME_MAX 64
#define JOB_HEADERS_MAX 64
#define JOB_CAP_MAX 100000 /* transfers in flight; the fd limit binds first */
#define JOB_URL_MAX 8000   /* bytes; what servers commonly accept (RFC 9110 section 4.1) */

struct job_header {
    char *given; /* "X-Api-Key: ${API_KEY}" as typed: may be written down */
    char *sent;  /* "X-Api-Key: 4f3c…" as sent: never written down or shown */
};

/** Where an endpoint's URLs come from. */
enum job_source_kind {
    JOB_SOURCE_PATTERN, /* `text` is one URL pattern (job/glob.h), or a plain URL with `globoff` */
    JOB_SOURCE_LIST, /* `text` is the path of a list: URLs or JSON Lines, one a line; "-" stdin */
};

struct job_source {
    enum job_source_kind kind;
    char *text;
};

struct job_endpoint {
    char *name; /* names the table; "items" */
    struct job_source *sources;
    size_t source_count;
    char *method;  /* "GET" */
    char *body;    /* request body, NULL for none */
    char *records; /* JSON Pointer with `*`, NULL for the whole body */
};

struct job_pace {
    unsigned cap;          /* transfers in flight */
    unsigned cap_per_host; /* 0: no limit of its own */
    struct rate rate;      /* over all hosts */
};

struct job_retry {
    unsigned attempts; /* tries of one request in all: --retries N gives N + 1 */
    uint64_t backoff_base_us, backoff_cap_us;
    uint64_t max_wait_us; /* a server that asks for more has its host held, see plan/host.h */
};

struct job_network {
    uint64_t connect_timeout_us;
    uint64_t stall_timeout_us; /* under 10 bytes/s for this long */
    uint64_t total_timeout_us;
    uint64_t body_max_bytes; /* after decompression */
    bool insecure;           /* -k */
    bool http2;
    char *ca_file; /* NULL: the system's */
};

struct job {
    char *name; /* [A-Za-z0-9._-]{1,64}: names the run directory and the table */
    bool globoff;
    struct job_header *headers;
    size_t header_count;
    struct job_endpoint *endpoints;
    size_t endpoint_count;
    struct job_pace pace;
    struct job_retry retry;
    struct job_network network;
};

/** The defaults of DESIGN section 2, no endpoints. */
void job_init(struct job *job);
void job_release(struct job *job);

/** Derives name from the first URL's host, when none was given; checks what concerns several
 *  fields together. */
MUST_CHECK enum result job_finish(struct job *job, struct err *err);

/** Writes the job as JSON (job.json): everything given, secrets unexpanded. */
MUST_CHECK enum result job_write(const struct job *job, struct buf *out, struct err *err);

/** Reads what job_write wrote (`text` need not be terminated); `where` names it in errors. Headers
 *  are expanded from the environment again. */
MUST_CHECK enum result job_read(struct job *job, struct str text, const char *where,
                                struct err *err);

/** Two jobs ask for the same requests: same sources, globbing, methods and bodies. Pace, headers
 *  and outputs may differ between the sessions of one run. */
bool job_same_requests(const struct job *a, const struct job *b);

#endif
