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
 *            the former is ever written down (job.json) or shown. A credential typed as it is, without
 *            `${ENV}` or a file, is not written down at all: the next session must give it again.
 * Threads    read-only after loading, so any.
 */
#ifndef SCRAPETOP_JOB_JOB_H
#define SCRAPETOP_JOB_JOB_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/units.h"
#include "job/secret.h"

#include <stdbool.h>
#include <stdint.h>

#define JOB_NAME_MAX 64
#define JOB_HEADERS_MAX 64
#define JOB_CAP_MAX 100000   /* transfers in flight; the fd limit binds first */
#define JOB_CAP_AUTO_MAX 100 /* what the controller may use when nobody has said more */
#define JOB_URL_MAX 8000     /* bytes; what servers commonly accept (RFC 9110 section 4.1) */
#define JOB_ATTEMPTS_MAX 1001
#define JOB_BODY_MAX (1024 * 1024)
#define JOB_TEXT_MAX (16 * 1024 * 1024) /* bytes of a job.json */

struct job_header {
    char *name;  /* "X-Api-Key" */
    char *given; /* its value as typed, "${API_KEY}", or the path of the file it came from: may be
                    written down; NULL for a credential that was typed as it is */
    char *sent; /* "X-Api-Key: 4f3c…" as sent: never written down or shown; NULL when a job was read
                    that could not keep it, which job_finish refuses */
    bool from_file;
    bool stored; /* came from job_read: job_add_header may replace it */
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
    struct rate rate_per_host;
    bool is_auto;     /* the controller turns the cap (plan/tuner.h) */
    unsigned cap_max; /* its upper end; 0: JOB_CAP_AUTO_MAX */
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
    struct secrets secrets; /* to be redacted from whatever is written or shown */
    struct job_endpoint *endpoints;
    size_t endpoint_count;
    struct job_pace pace;
    struct job_retry retry;
    struct job_network network;
};

/** The defaults of DESIGN section 2, no endpoints. */
void job_init(struct job *job);
void job_release(struct job *job);

/** Adds a header line ("Name: value"), `${ENV}` expanded in its value. A name may be given once, and
 *  takes the place of one that job_read has read. */
MUST_CHECK enum result job_add_header(struct job *job, struct str line, struct err *err);

/** Adds the header lines of a file that nobody else can read; blank lines and `#` lines are passed
 *  over, `$` means nothing in it. */
MUST_CHECK enum result job_add_header_file(struct job *job, const char *path, struct err *err);

/** Adds an endpoint with GET and no sources; NULL when out of memory. Pointers to endpoints got before
 *  are void. */
struct job_endpoint *job_add_endpoint(struct job *job);

MUST_CHECK enum result job_add_source(struct job_endpoint *endpoint, enum job_source_kind kind,
                                      struct str text, struct err *err);

/** "1s" or "1s:30s": base, and the cap that it grows to. */
MUST_CHECK enum result job_parse_backoff(struct str text, struct job_retry *retry, struct err *err);

/** The method is a token and one whose answers have bodies. */
MUST_CHECK enum result job_check_method(struct str method, struct err *err);

/** [A-Za-z0-9._-]{1,64}, not starting with a dot. */
bool job_name_is_valid(struct str name);

/** Derives name from the first URL's host (or the list's name), when none was given, and endpoints'
 *  names from it; checks what concerns several fields together, and every pattern. Lists are checked
 *  by list_check. */
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
