/**
 * What the user asked for: immutable once loaded.
 *
 * A job is one or more endpoints (each gives one table), how fast they may be asked, when a request
 * is tried again, and what is written at the end. A command line with URL patterns makes a job with
 * one endpoint; a job file may hold several. Nothing here is a decision of the run: the cap that
 * the user turns live is the engine's, `pace.cap` is where it starts.
 *
 * Ownership  job_release frees all strings; all others borrow them for the job's lifetime.
 * Secrets    header values are kept as given (`${ENV}` unexpanded) beside their expanded form; only
 *            the former is ever written down (job.json) or shown. A credential typed as it is, without
 *            `${ENV}` or a file, is not written down at all: the next session must give it again.
 * Threads    read-only after loading, so any.
 */
#ifndef SCRAPETOP_JOB_JOB_H
#define SCRAPETOP_JOB_JOB_H

#include "base/body_format.h"
#include "base/buf.h"
#include "base/column_wish.h"
#include "base/err.h"
#include "base/record_shape.h"
#include "base/row_keep.h"
#include "base/since_value.h"
#include "base/str.h"
#include "base/units.h"
#include "job/answer_rule.h"
#include "job/job_network.h"
#include "job/on_rule.h"
#include "job/page_styles.h"
#include "job/secret.h"
#include "job/shard.h"

#include <stdbool.h>
#include <stdint.h>

#define JOB_NAME_MAX 64
#define JOB_HEADERS_MAX 64
#define JOB_ENDPOINTS_MAX 256
#define JOB_CAP_MAX 1000000  /* transfers in flight; the limit of open files binds first */
#define JOB_CAP_AUTO_MAX 100 /* what the controller may use when nobody has said more */
#define JOB_URL_MAX 8000     /* bytes; what servers commonly accept (RFC 9110 section 4.1) */
#define JOB_ATTEMPTS_MAX 1001
#define JOB_BODY_MAX (1024 * 1024)
#define JOB_METHOD_WORDS "GET POST PUT PATCH DELETE QUERY"
#define JOB_TEXT_MAX (16 * 1024 * 1024) /* bytes of a job.json */

struct job_header {
    char *name;  /* "X-Api-Key" */
    char *given; /* its value as typed, "${API_KEY}", or the path of the file it came from: may be
                    written down; NULL for a credential that was typed as it is */
    char *sent; /* "X-Api-Key: 4f3c…" as sent: never written down or shown; NULL when a job was read
                    that could not keep it, which job_finish refuses */
    bool from_file;
    bool stored;  /* came from job_read: job_add_header may replace it */
    bool implied; /* an endpoint's, which its body implied: gives way to the job's */
};

/** Where an endpoint's URLs come from. */
enum job_source_kind {
    JOB_SOURCE_PATTERN, /* `text` is one URL pattern (job/glob.h), or a plain URL with `globoff` */
    JOB_SOURCE_LIST, /* `text` is the path of a list: URLs or JSON Lines, one a line; "-" stdin */
    JOB_SOURCE_TEMPLATE, /* `text` is an URL with `{variable}`s (job/template.h): once for every
                            combination of their values, the rightmost variable varying fastest */
};

struct job_source {
    enum job_source_kind kind;
    char *text;
};

/** One variable of a job file: a list of values, by number. See job/vars.h for what they expand to. */
enum job_var_kind {
    JOB_VAR_PATTERN, /* `text` is a pattern of job/glob.h's kind: "[1-100]" */
    JOB_VAR_LIST,    /* `values`: JSON, each a string, number or boolean as it was written */
    JOB_VAR_FILE,    /* `text` is the path of a CSV or JSON Lines file; `{row.column}` */
    JOB_VAR_DATES,   /* from `text` to `to`, both included, by `step` */
};

struct job_var {
    char *name;
    enum job_var_kind kind;
    char *text, *to, *step; /* of a file its path, or "-": stdin */
    char *
        today; /* of dates in words: the day or moment that they count from, that of the run's beginning */
    char *format; /* of dates, as strftime's; NULL: "%Y-%m-%d" */
    char *zone;   /* of dates: whose midnight begins a day; NULL: UTC */
    char **values;
    size_t value_count;
    char *encoding;   /* of a file: its charset; NULL: UTF-8 */
    uint64_t chunk;   /* so many values at once, with commas between; 0: one by one */
    struct buf piped; /* what the file says, when it need not be read: session/run_values.h */
    uint32_t crc32c;  /* of the file when the run began, ... */
    bool has_crc32c;  /* ... so that it is seen when it has changed */
};

/** How further pages of a listing are found: the rows of job/page_styles.h. */
enum job_pages_kind {
    JOB_PAGES_NONE,
#define JOB_PAGES_KIND(NAME, ...) JOB_PAGES_##NAME,
    JOB_PAGE_STYLES(JOB_PAGES_KIND)
#undef JOB_PAGES_KIND
        JOB_PAGES_KINDS,
};

extern const struct job_page_style job_page_styles[JOB_PAGES_KINDS]; /* of NONE: zeros */

#define JOB_PAGES_MAX 1000000 /* pages of one listing, unless `max` says otherwise */

struct job_pages {
    enum job_pages_kind kind;
    /* Of the query; or, when it begins with a slash, a JSON Pointer into the body. "*", of a cursor that is an
     * object: all parameters that its members name. */
    char *param;
    char *size_param; /* likewise; NULL: not sent */
    uint64_t first;   /* number of the first page (1), or its offset (0) */
    bool has_first;
    uint64_t size; /* records a page; 0: what the first page holds */
    char *total;   /* JSON Pointer to the number of records, or "header:X-Total-Count"; or NULL */
    char *total_pages; /* likewise, of pages */
    char *next;        /* JSON Pointer to the cursor or URL, or "header:X-Next" */
    char *until;       /* JSON Pointer from a record to a moment, day or number, ... */
    char *
        older_than; /* ... and where the listing ends: a page's last record is before that; or NULL */
    char *has_more; /* JSON Pointer to a boolean; NULL: until a page is empty */
    char *is_last;  /* likewise, of one that is true on the last page; or NULL */
    uint64_t max;   /* pages of one listing at most; 0: JOB_PAGES_MAX */
};

/** What is given under a key that holds text, as "param"; NULL when it is not given. */
const char *job_pages_text(const struct job_pages *pages, const char *key);

/** What the table of an endpoint is to look like: DESIGN section 4, `tables`. */
/* What a table must hold to be taken (base/table_expect.h); NULL and 0: nothing. */
struct job_expect {
    char *rows, *types, *fresh;
    char **unique, **not_null; /* columns */
    size_t unique_count, not_null_count;
};

struct job_table {
    char *explode;       /* JSON Pointer; the texts are NULL when not given */
    char *where_present; /* column */
    char **unique;       /* columns */
    size_t unique_count;
    enum row_keep keep; /* which of rows that are alike */
    char **columns;     /* "name" or "name=/pointer" */
    size_t column_count;
    struct column_wish *wishes; /* by column; NULL: none is declared */
    struct job_expect expect;
    bool types;      /* coerce, see normalise/types.h */
    bool assume_utc; /* likewise */
    bool meta;
};

#define JOB_SINCE_NAME "since" /* the placeholder */

/** What is too much for the server is asked for in parts: the halves of a window of time, smaller pages (plan/split.h). */
struct job_split {
    bool is_wanted;
    uint64_t
        over; /* a first page that tells of more records than that is split at once; 0: any number is well */
};

/** Each round asks for what has changed since the one before: up to where, the ledger knows
 *  (store/ledger.h). */
struct job_since {
    char *at; /* JSON Pointer from a record to its time of change or number; NULL: none of this */
    struct since_value start; /* `{since}` of the first round */
    struct since_lag lag;     /* further rounds ask for so much before what has been seen */
    char lag_given[32];       /* as JSON, or empty */
    bool
        stops_seen; /* the listing begins with the newest, and ends with the first page without news */
};

struct job_endpoint {
    char *name; /* names the table; "items" */
    struct job_source *sources;
    size_t source_count;
    char *method; /* "GET" */
    char *body;   /* request body, may hold `{variable}`s in a job file's endpoint; NULL for none */
    char *records; /* JSON Pointer with `*`, NULL for the whole body */
    /* of this endpoint alone, beside the job's; in a job file's endpoint `sent` is a template
     * (TEMPLATE_HEADER) over request.vars */
    struct job_header *headers;
    size_t header_count;
    enum record_shape shape;     /* of the table at `records` */
    struct body_reading reading; /* what a body is, and how it is read */
    struct job_pages pages;
    struct job_since since;
    struct job_split split;
    struct answer_rules answers; /* of this endpoint alone */
    /* The endpoint whose records this one is asked for, once each: its URL or body names
     * `{parent.pointer}`. Its one source then is the template, of which nothing is asked by itself. */
    bool has_parent;
    uint32_t parent; /* index, below this one's own: a job file is sorted so */
    /* Of the parent's records only those are asked for whose value at this pointer is `where_is`, or one of its
     * elements (JSON); or, without it, is there and neither null nor false. NULL: all. */
    char *where_at, *where_is;
    char **with; /* "parent.pointer" and variables: values that the table repeats as columns */
    size_t with_count;
    struct job_table table;
};

/** How a server is told who asks (job/auth/auth_kind.h, engine/auth.h). Bound to the origin of the job's first URL,
 *  or of `base` when there is one. */
struct auth_kind;

#define JOB_LOGIN_TOKEN "/access_token" /* where a token is looked for */

#define JOB_WORDS_MAX 32

struct job_words {
    char *list[JOB_WORDS_MAX];
    size_t count;
    uint32_t typed; /* a bit for each in which a secret stands as it is: not kept with the job */
};

/** One of several: shown by its name alone. */
struct job_token {
    char *name; /* [A-Za-z0-9._-]{1,32} */
    char *sent;
};

#define JOB_TOKENS_MAX 64

struct job_tokens {
    char *file; /* absolute */
    struct job_token *list;
    size_t count;
};

struct job_login {
    const struct auth_kind *kind; /* NULL: none */
    char *url;                    /* absolute; of the call, or the token endpoint */
    char *method;
    struct job_secret secret; /* the token, password, key or client secret */
    struct job_secret user;   /* of basic; the client id */
    struct job_secret body;   /* of the call: JSON */
    char *name;               /* of the header or query parameter */
    bool in_query;
    char *token;   /* JSON Pointer into the call's answer */
    char *expires; /* JSON Pointer to seconds of life; NULL: "/expires_in" */
    char *send;    /* "Authorization: Bearer {token}" */
    char *scope;   /* of OAuth2, as the next ones; or NULL */
    char *audience, *device_url, *issuer, *subject, *key_id;
    struct job_secret owner, owner_password; /* whose data it is */
    struct job_secret refresh, private_key;
    struct job_words command;
    struct job_tokens tokens;
    char *netrc; /* path */
    bool netrc_is_optional;
    uint64_t timeout_us; /* of the command; 0: as usual */
    bool is_incomplete;  /* a job was read that could not keep a secret, which job_finish refuses */
};

/** How each request is signed (job/auth/sign.h). Texts are NULL when not given. */
struct job_sign {
    char *aws; /* "REGION:SERVICE" */
    struct job_secret access_key, secret_key, session_token;
    char *hmac; /* "sha256"; `of` what, in which `header` */
    char *of, *header, *encoding, *time, *time_header;
    struct job_secret key;
};

/** What becomes of cookies that servers set (engine/cookie_jar.h). */
struct job_cookies {
    /* none is sent back; else they are while the process lives, but not where a Cookie header is
     * given, unless they are kept or read */
    bool is_off;
    bool is_kept; /* also over restarts */
    char *jar;    /* the file they are kept in, absolute; NULL: the run's own */
    char *from;   /* a file that is read at the start, absolute; or NULL */
};

/** Ask again and again: each round a record of its own. */
struct job_poll {
    uint64_t every_us; /* 0: once */
    uint64_t count;    /* rounds in all; 0: until stopped */
    int64_t until_us;  /* wall clock; 0: none */
};

struct job_pace {
    unsigned cap;          /* transfers in flight */
    unsigned cap_per_host; /* 0: no limit of its own */
    struct rate rate;      /* over all hosts */
    struct rate rate_per_host;
    bool is_auto;     /* the controller turns the cap (plan/tuner.h) */
    unsigned cap_max; /* its upper end as it was given, 0: it was not; see job_cap_max */
    /* in a fleet: each worker keeps the rate, and what servers say of limits, for itself */
    bool is_budget_own;
};

#define JOB_OUTPUTS_MAX 8
#define JOB_OUTPUT_MAX 16 /* bytes of an ending, its NUL included */
#define JOB_STATUSES_MAX 32

struct job_retry {
    unsigned attempts; /* tries of one request in all: --retries N gives N + 1 */
    uint64_t backoff_base_us, backoff_cap_us;
    uint64_t max_wait_us; /* a server that asks for more has its host held, see plan/host.h */
    bool repeats_posts;   /* what may have happened is asked again, whatever its method */
    int statuses[JOB_STATUSES_MAX]; /* that are tried again; none: plan/retry.h's own */
    size_t status_count;
    /* they are all; else in addition to plan/retry.h's own. A negative one is taken away. */
    bool replaces_statuses;
};

#define JOB_PERCENT 1000U /* percents are counted in thousandths */

enum job_max_fail {
    JOB_MAX_FAIL_NONE,
    JOB_MAX_FAIL_COUNT,
    JOB_MAX_FAIL_PERCENT, /* of what is settled */
};

/** Of one session: when it is stopped, resumable (plan/session_limit.h). */
struct job_limits {
    enum job_max_fail max_fail_by;
    uint64_t max_fail;         /* requests that may fail for good */
    uint32_t max_fail_percent; /* in thousandths */
    uint64_t max_requests;     /* sent, retries, redirects and logins among them; 0: no limit */
    uint64_t max_duration_us;  /* pauses included; 0: no limit */
};

struct job {
    char *name; /* [A-Za-z0-9._-]{1,64}: names the run directory and the table */
    bool globoff;
    struct job_header *headers;
    size_t header_count;
    struct secrets secrets; /* to be redacted from whatever is written or shown */
    bool has_typed_secret;  /* in a URL or a body, as it is: not kept with the job */
    bool is_incomplete;     /* it was read, and such a one had not been kept */
    struct job_endpoint *endpoints;
    size_t endpoint_count;
    char *base; /* what relative URLs of a job file are relative to; or NULL */
    struct job_var *vars;
    size_t var_count;
    struct job_login login;
    struct job_sign sign;
    struct job_cookies cookies;
    struct job_poll poll;
    uint64_t retain_us;     /* answers of a run that polls stay so long at least; 0: for ever */
    bool packs;             /* segments that are full are packed */
    char *fleet;            /* the URL of the workers' meeting place; NULL: alone */
    char *worker;           /* in the fleet, this run's name; NULL until it has one */
    struct job_shard shard; /* which part of the plan is this run's */
    /* Tables to be made at the end, by their files' endings: "csv", "jsonl.gz". Which there are is known to
     * table/format.h only. */
    char outputs[JOB_OUTPUTS_MAX][JOB_OUTPUT_MAX];
    size_t output_count;
    struct job_pace pace;
    struct job_retry retry;
    struct job_limits limits;
    struct answer_rules answers; /* of all endpoints; those that are `first` before all others */
    struct on_rules on;
    struct job_network network;
};

/** The defaults of DESIGN section 2, no endpoints. */
void job_init(struct job *job);

/** How far the controller may go: what was given, else JOB_CAP_AUTO_MAX, or the cap when that is more. */
unsigned job_cap_max(const struct job_pace *pace);
void job_release(struct job *job);

/** Adds a header line ("Name: value"), `${ENV}` expanded in its value. A name may be given once, and
 *  takes the place of one that job_read has read. */
MUST_CHECK enum result job_add_header(struct job *job, struct str line, struct err *err);

/** The same for one endpoint of a job file; `{placeholders}` stay. */
MUST_CHECK enum result job_add_endpoint_header(struct job *job, struct job_endpoint *endpoint,
                                               struct str line, struct err *err);

/** Adds the header lines of a file that only its owner can read; blank lines and `#` lines are passed
 *  over, `$` means nothing in it. */
MUST_CHECK enum result job_add_header_file(struct job *job, const char *path, struct err *err);

/** Adds an endpoint with GET and no sources; NULL when out of memory. Pointers to endpoints got before
 *  are void. */
struct job_endpoint *job_add_endpoint(struct job *job);

MUST_CHECK enum result job_add_source(struct job_endpoint *endpoint, enum job_source_kind kind,
                                      struct str text, struct err *err);

/** Adds a rule in the command line's spelling (answer_rule_spell): `first`, after those that are so. */
MUST_CHECK enum result job_add_answer(struct job *job, struct str words, struct err *err);

/** Adds a rule by event as --on gives it, "WHEN: DO". E-ON1, E-ON2. */
MUST_CHECK enum result job_add_on(struct job *job, struct str line, struct err *err);

/** "1s" or "1s:30s": base, and the cap that it grows to. */
MUST_CHECK enum result job_parse_backoff(struct str text, struct job_retry *retry, struct err *err);

/** "fleet" or "worker". E-ARG1. */
MUST_CHECK enum result job_parse_budget(struct str text, struct job_pace *pace, struct err *err);

/** "100" or "5%": how many may fail for good. Leaves the other limits. */
MUST_CHECK enum result job_parse_max_fail(struct str text, struct job_limits *limits,
                                          struct err *err);

/** As it is typed. Not for JOB_MAX_FAIL_NONE. */
void job_format_max_fail(const struct job_limits *limits, char text[UNITS_TEXT_MAX]);

/** The method is a token and one whose answers have bodies. */
/** A body of the command line whose type is application/json, unless it is told: an object or an array. */
bool job_body_is_json(struct str body);

MUST_CHECK enum result job_check_method(struct str method, struct err *err);

/** [A-Za-z0-9._-]{1,64}, not starting with a dot. */
bool job_name_is_valid(struct str name);

/** Derives name from the first URL's host (or the list's name), when none was given, and endpoints'
 *  names from it; checks what concerns several fields together, and every pattern. Lists are checked
 *  by list_check. */
MUST_CHECK enum result job_finish(struct job *job, struct err *err);

/** Appends a URL or a body with the credentials replaced by `***` that were typed into it as they are: by
 *  their names, and those that the job has from elsewhere. */
MUST_CHECK enum result job_hide_typed(const struct job *job, const char *text, bool is_url,
                                      struct buf *out);

/** The first variable whose values stand where a URL, a header or a body has a credential, by its name: they are kept with the
 *  run, as all values of variables are. NULL: none. */
const struct job_var *job_credential_var(const struct job *job);

/** Writes the job as JSON (job.json): everything given, secrets unexpanded, and those that were typed as
 *  they are left out ("unkept": true then). */
MUST_CHECK enum result job_write(const struct job *job, struct buf *out, struct err *err);

/** Reads what job_write wrote (`text` need not be terminated); `where` names it in errors. Headers
 *  are expanded from the environment again. */
MUST_CHECK enum result job_read(struct job *job, struct str text, const char *where,
                                struct err *err);

/** The same for callers that make no requests: headers and login are passed over, so that tables can be made where
 *  the secrets are not. */
MUST_CHECK enum result job_read_without_secrets(struct job *job, struct str text, const char *where,
                                                struct err *err);

/** Two jobs ask for the same requests: same variables and sources, globbing, methods, bodies and pages, and
 *  the same records where others are asked for each, or where a page without any ends a listing by numbers.
 *  Pace, headers, login and outputs may differ between the sessions of one run. Which shard of them a run has is not
 *  looked at. */
bool job_same_requests(const struct job *a, const struct job *b);

/** They ask in the same way, though not for the same: URLs, lists and values of variables may differ, the endpoints
 *  with their methods, bodies, pages and details do not. */
bool job_same_but_values(const struct job *a, const struct job *b);

#endif
