/**
 * Auth kinds: the ways in which a server is told who asks. A kind is one file and a row of auth_kinds.
 *
 * Its rows say what a job file holds of it, and the reader, the writer and the list of keys are made of them. Its
 * functions say what the credential is: they are pure, know no sockets and no clock, and engine/auth.h calls them.
 *
 *   fixed    `token` gives the credential's text from the job alone
 *   asked    `ask` says what to ask the server; the answer holds the token, unless `answered` reads it
 *   run      a command prints the token (engine/login_command.h)
 *   challenged  libcurl answers what the server asks with a 401, from user and password
 *
 * What signs each request by itself is job/auth/sign.h.
 *
 * Ownership  kinds are static; buffers are the caller's, who overwrites them.
 * Errors     E-CFG4, E-CFG8 of a job that lacks something; RESULT_NOMEM.
 * Threads    no state: any.
 */
#ifndef SCRAPETOP_JOB_AUTH_AUTH_KIND_H
#define SCRAPETOP_JOB_AUTH_AUTH_KIND_H

#include "base/buf.h"
#include "base/err.h"
#include "job/job.h"
#include "job/job_keys.h"

struct url;

#define AUTH_TOKEN_MAX 8000 /* bytes: a header line is no longer on common servers */
#define AUTH_WHY_MAX 160

/** What a login asks. Zeroed but for its buffers. */
struct auth_call {
    struct str url;
    struct buf *body;
    struct buf *header; /* a line that names the client; empty: none */
};

/** What a login remembers between its calls. */
struct auth_memory {
    bool in_body;            /* OAuth: the client is named in the form, not in a header */
    struct buf refresh;      /* the latest refresh token; empty: the job's own */
    bool is_rotated;         /* it has come just now, and is to be kept before the token is used */
    struct buf device;       /* the device's code, once it is known */
    uint64_t poll_us;        /* and how often it may be asked with */
    int64_t device_until_us; /* by wall_us; 0: it is not said */
    char prompt[AUTH_WHY_MAX]; /* for people: where to go and what to type; empty: nothing */
    int64_t wall_us; /* set by the caller before each call: the time as the server has it */
};

/** What the caller makes of an answer. */
enum auth_word {
    AUTH_WORD_USUAL, /* what is usual: a token at its pointer, a status that fails or is tried again */
    AUTH_WORD_AGAIN, /* ask again after `wait_us` */
    AUTH_WORD_LOST,  /* `why`: no token can be had */
};

struct auth_answer {
    int status;
    struct str body; /* JSON, if it holds anything */
    uint64_t wait_us;
    char why[AUTH_WHY_MAX];
};

struct auth_kind {
    struct job_key key; /* of "login": its name and what it holds; of one with `keys` its name */
    const struct job_keys *keys; /* of its object; NULL: it is none */
    size_t needed;               /* so many of these must be given */
    unsigned beside;             /* what may stand beside it in "login" */
    /* What concerns several of them; or NULL. `lacks`: of a stored job, whose typed secrets were not kept. */
    enum result (*check)(struct job_login *login, bool lacks, struct secrets *secrets,
                         struct err *err);

    /* of "header", "query" and "send" at most one is given; none: as a bearer token */
    bool has_usual_place;
    bool is_asked, is_run;
    bool is_challenged; /* `token` is "user:password", which answers each challenge of the server */
    /* In order: as above. `token` of a fixed one. */
    enum result (*token)(const struct job_login *login, struct buf *token);
    /* A header line or a part of the query, out of the token; NULL: as "send" says. */
    enum result (*credential)(const struct job_login *login, struct str token, struct buf *header,
                              struct buf *query);
    enum result (*ask)(const struct job_login *login, struct auth_memory *memory,
                       struct auth_call *call);
    enum auth_word (*answered)(const struct job_login *login, struct auth_memory *memory,
                               struct auth_answer *answer);
};

/** Keys of "login" beside that of the kind. */
enum auth_beside {
    AUTH_BESIDE_METHOD,
    AUTH_BESIDE_JSON,
    AUTH_BESIDE_BODY,
    AUTH_BESIDE_QUERY,
    AUTH_BESIDE_HEADER,
    AUTH_BESIDE_TOKEN,
    AUTH_BESIDE_EXPIRES,
    AUTH_BESIDE_SEND,
    AUTH_BESIDE_TIMEOUT,
    AUTH_BESIDE_COUNT,
};

#define AUTH_BIT(key) (1U << (key))

/** All of them, in the order of the manual. A new kind is its file and a word here. */
#define AUTH_KINDS(ROW)                                                                            \
    ROW(call)                                                                                      \
    ROW(bearer) ROW(basic) ROW(digest) ROW(netrc) ROW(key) ROW(tokens) ROW(oauth2) ROW(command)

#define AUTH_KIND_EXTERN(name) extern const struct auth_kind auth_##name;
AUTH_KINDS(AUTH_KIND_EXTERN)
#undef AUTH_KIND_EXTERN

/** Ended by NULL. */
extern const struct auth_kind *const auth_kinds[];

#define AUTH_FIELD(field) offsetof(struct job_login, field)

/** Once the job is told whole: what the file has for its server. Optional, and not there: there is no login then. */
MUST_CHECK enum result auth_netrc_resolve(struct job *job, struct err *err);

/** The server that the credential is for: that of "base", else of the first URL or pattern; views into the job. False when it
 *  varies, or is not told. */
bool auth_origin_of(const struct job *job, struct url *url);

/* auth_text.c: what several kinds send */

/** "a%20b". */
MUST_CHECK enum result auth_append_encoded(struct buf *out, struct str text);

/** "name=a%20b", with an ampersand before it when there is something already. */
MUST_CHECK enum result auth_append_field(struct buf *out, const char *name, struct str value);

/** base64(user:password), RFC 7617. */
MUST_CHECK enum result auth_append_basic(struct buf *out, struct str user, struct str password);

/** The header line that `send` makes of the token: "X-Auth: token={token}". */
MUST_CHECK enum result auth_append_sent(struct buf *out, const char *send, struct str token);

/** Overwrites and releases. */
void auth_wipe(struct buf *buf);

#endif
