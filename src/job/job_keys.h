/**
 * The keys of a job file as tables, one for each object, one row for each key.
 *
 * A row is all there is to say of a key. From it come the reader (job_read_object), the writer of job.json and
 * --show-config (job_put_keys, job/job_put.h), the JSON Schema (job/job_schema.h) and the manual. A table's order is
 * the order in which its keys are written.
 *
 * Errors  a mistake is noted (job_text_fault), the field keeps its default, and reading goes on.
 */
#ifndef SCRAPETOP_JOB_JOB_KEYS_H
#define SCRAPETOP_JOB_JOB_KEYS_H

#include "job/job_hint.h"
#include "job/job_text.h"

struct cJSON;
struct job_reader;
struct job_writer;

/* What a value is: how it is read, when and how it is written, and its type in the schema. */
enum job_key_kind {
    JOB_KEY_TEXT,       /* char *; written unless NULL, as the next four */
    JOB_KEY_NAME,       /* char *, see job_name_is_valid */
    JOB_KEY_POINTER,    /* char *, a JSON Pointer */
    JOB_KEY_WHOLE,      /* char *, a JSON Pointer, or "" for the whole */
    JOB_KEY_COUNTED_AT, /* char *, a JSON Pointer, or "header:Name" */
    JOB_KEY_COUNT,      /* unsigned; written unless 0, as the next three */
    JOB_KEY_NUMBER,     /* uint64_t */
    JOB_KEY_SIZE,       /* uint64_t, bytes; as text it may have a unit ("64M") */
    JOB_KEY_TIME,       /* uint64_t, microseconds; a bare number is seconds */
    JOB_KEY_RATE,       /* struct rate; a bare number is a second's */
    JOB_KEY_BACKOFF,    /* struct job_retry's base and cap */
    JOB_KEY_BOOL,       /* written when true */
    JOB_KEY_TEXTS,      /* char **, from an array of texts; `count` is where their number is */
    JOB_KEY_OBJECT,     /* by the rows of `inner`; `offset` is that of the struct they fill */
    /* Read by the reader's `read_more`, as secrets are. Written as null when it was not kept: */
    JOB_KEY_SECRET,         /* struct job_secret */
    JOB_KEY_SECRET_OR_NONE, /* likewise, possibly empty */
    JOB_KEY_NAMED,          /* likewise, and no secret when it is typed as it is: a user's name */
    JOB_KEY_WORDS,          /* struct job_words, from an array of texts */
    JOB_KEY_PATH,           /* char *, of a file; relative to the job file's directory */
    JOB_KEY_AUTH,           /* by the rows of `inner`, of the auth kind of that number, `offset` */
    JOB_KEY_OTHER,          /* `read`, `write` and `schema` say */
};

struct job_key {
    const char *name;
    enum job_key_kind kind;
    size_t offset;      /* of the field in its struct */
    uint64_t low, high; /* of COUNT, NUMBER, SIZE and TIME */
    size_t count;       /* of TEXTS: offset of a size_t */
    bool always;        /* it is written even when it is 0, false, or empty */
    const char *help;   /* one sentence; NULL: that of `inner`. "@NAME": made by job_schema.c */
    const char *schema; /* JOB_JSON, when the kind does not say all; "@NAME" in it likewise */
    const struct job_keys *inner;
    /* When the kind's way does not do. Both are given the struct, not the field. */
    void (*read)(struct job_reader *r, void *target, struct str value);
    bool (*write)(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                  const void *target); /* false: out of memory */
};

/** Members of an object of the JSON Schema, as they stand: JOB_JSON("type": "string", "minLength": 1). */
#define JOB_JSON(...) #__VA_ARGS__

struct job_keys {
    const char *object; /* "endpoint" */
    const struct job_key *keys;
    size_t count;
    const char *help;   /* one sentence */
    const char *schema; /* what holds for several keys together, as of a key; or NULL */
};

/** JOB_KEYS("pace", pace_keys, .help = "How fast.") */
#define JOB_KEYS(name, array, ...)                                                                 \
    {                                                                                              \
        name, array, sizeof(array) / sizeof(array)[0], __VA_ARGS__                                 \
    }

struct job_reader {
    struct job_text text;
    struct job *job;
    const char *path;              /* of the file */
    const struct job_given *given; /* by the command line; NULL: nothing */
    /* bits of its variables that are secrets, and stand somewhere (job_given.c) */
    uint64_t given_used;
    int64_t wall_us;                  /* now */
    bool is_stored;                   /* it is what job_write wrote, of a run that exists */
    bool skips_secrets;               /* headers and login are passed over */
    struct str base, login, tables;   /* where these stand; NONE */
    struct place_of_endpoint *places; /* job_read.h */
    void (*read_more)(struct job_reader *r, const struct job_key *key, void *target,
                      struct str value); /* job_read_login.c */
};

/** Reads an object by its table. Returns the keys that were there, as bits in the table's order. */
uint64_t job_read_object(struct job_reader *r, const struct job_keys *keys, void *target,
                         struct str value);

/** The row of that name, which is one of `keys`. */
size_t job_key_index(const struct job_keys *keys, const char *name);

/** Whether that key was there, by what job_read_object returned. False for a NULL. */
bool job_key_seen(const struct job_keys *keys, uint64_t seen, const char *name);

/** Reads one value by its row. */
void job_read_value(struct job_reader *r, const struct job_key *key, void *target,
                    struct str value);

#define JOB_NAMES_MAX 1024 /* of one list of texts */

/** Adds the strings of an array to a list. `key` is for messages. */
void job_read_texts(struct job_reader *r, const char *key, char ***texts, size_t *count,
                    struct str value);

/** Adds one, which it takes. False, with `no_memory` noted, when it is NULL or there is none. */
bool job_append_text(struct job_reader *r, char ***texts, size_t *count, char *text);

/* job_read_pace.c */
extern const struct job_keys job_pace_keys, job_retry_keys, job_limits_keys;

/* job_read_network.c */
extern const struct job_keys job_network_keys;
extern const struct job_keys job_proxy_keys, job_proxies_keys, job_tls_keys;

/* job_read_answers.c, job_read_endpoint.c, job_read_pages.c, job_read_tables.c, job_read_vars.c; of "login": job_read.h */
extern const struct job_keys job_answer_keys;
extern const struct job_keys job_on_keys;     /* job_read_on.c */
extern const struct job_keys job_expect_keys; /* job_read_expect.c */
extern const struct job_keys job_since_keys;  /* job_read_since.c */
extern const struct job_keys job_endpoint_keys, job_pages_keys, job_table_keys, job_var_keys;

/* job_root.c */
extern const struct job_keys job_root_keys;

/** The objects of a job file, the root first; NULL after the last. */
const struct job_keys *job_object(size_t index);

#endif
