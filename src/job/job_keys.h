/**
 * The keys of a job file, object by object, as tables: they say what is read, what a value must be, and
 * what an unknown key may have been meant to be. The numbers among them are written by the same rows.
 *
 * Nothing here stops at a mistake: it is told (job_text_fault), and the field keeps its default.
 */
#ifndef SCRAPETOP_JOB_JOB_KEYS_H
#define SCRAPETOP_JOB_JOB_KEYS_H

#include "job/job_text.h"

struct job_reader;

enum job_key_kind {
    JOB_KEY_TEXT,       /* char * */
    JOB_KEY_NAME,       /* char *, see job_name_is_valid */
    JOB_KEY_POINTER,    /* char *, a JSON Pointer */
    JOB_KEY_WHOLE,      /* char *, a JSON Pointer, or "" for the whole */
    JOB_KEY_COUNTED_AT, /* char *, a JSON Pointer, or "header:Name" */
    JOB_KEY_COUNT,      /* unsigned */
    JOB_KEY_NUMBER,     /* uint64_t; as text with a unit it is a size ("64M") */
    JOB_KEY_TIME,       /* uint64_t, microseconds; a bare number is seconds */
    JOB_KEY_RATE,       /* struct rate; a bare number is a second's */
    JOB_KEY_BACKOFF,    /* struct job_retry's base and cap */
    JOB_KEY_BOOL,
    /* Read by the reader's `read_more`, as secrets are: */
    JOB_KEY_SECRET,         /* struct job_secret */
    JOB_KEY_SECRET_OR_NONE, /* likewise, possibly empty */
    JOB_KEY_NAMED,          /* likewise, and no secret when it is typed as it is: a user's name */
    JOB_KEY_WORDS,          /* struct job_words, from an array of texts */
    JOB_KEY_OBJECT,         /* the rows of the auth kind of that number, `offset` */
    JOB_KEY_CALL,           /* `read` is given the struct, not the field */
};

struct job_key {
    const char *name;
    enum job_key_kind kind;
    size_t offset;      /* of the field in its struct */
    uint64_t low, high; /* of COUNT, NUMBER and TIME */
    void (*read)(struct job_reader *r, void *target, struct str value);
};

struct job_keys {
    const char *object; /* "endpoint" */
    const struct job_key *keys;
    size_t count;
};

#define JOB_KEYS(name, array)                                                                      \
    {                                                                                              \
        name, array, sizeof(array) / sizeof(array)[0]                                              \
    }

struct job_reader {
    struct job_text text;
    struct job *job;
    const char *path;                 /* of the file */
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

/** Reads one value by its row. */
void job_read_value(struct job_reader *r, const struct job_key *key, void *target,
                    struct str value);

#define JOB_NAMES_MAX 1024 /* of one list of texts */

/** Adds the strings of an array to a list. `key` is for messages. */
void job_read_texts(struct job_reader *r, const char *key, char ***texts, size_t *count,
                    struct str value);

/** Adds one, which it takes. False, with `no_memory` noted, when it is NULL or there is none. */
bool job_append_text(struct job_reader *r, char ***texts, size_t *count, char *text);

/** ` (did you mean "x"?)` or nothing: the nearest of `count` names. */
#define JOB_HINT_MAX 160
struct job_hint {
    struct str wanted, best;
    unsigned distance;
};
struct job_hint job_hint_for(struct str wanted);
void job_hint_offer(struct job_hint *hint, struct str name);
void job_hint_print(const struct job_hint *hint, char text[JOB_HINT_MAX]);

/* job_keys.c */
extern const struct job_keys job_pace_keys, job_retry_keys, job_limits_keys;

/* job_read_network.c */
extern const struct job_keys job_network_keys;
extern const struct job_keys job_proxy_keys, job_proxies_keys, job_tls_keys;

/* job_read_answers.c, job_read_endpoint.c, job_read_pages.c, job_read_tables.c, job_read_vars.c; those of "login": job_read.h */
extern const struct job_keys job_answer_keys;
extern const struct job_keys job_endpoint_keys, job_pages_keys, job_table_keys, job_var_keys;

#endif
