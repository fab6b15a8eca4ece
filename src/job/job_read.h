/**
 * The parts of a job file, shared by the files that read and write them: job_root.c (the root's keys), job_read_*.c
 * (those of each object), and job_link.c and job_order.c, which tie the parts together once all are read.
 */
#ifndef SCRAPETOP_JOB_JOB_READ_H
#define SCRAPETOP_JOB_JOB_READ_H

#include "job/job_keys.h"
#include "job/template.h"

/* Where the parts of an endpoint stand in the text, and what can be settled only when all is read. */
struct place_of_endpoint {
    struct str at, name, url, body, headers, records, pages, with, since, split;
    bool names_since; /* `{since}` stands in it */
    char *url_text;   /* as given; owned */
};

/* job_read_endpoint.c */

void job_read_endpoints(struct job_reader *r, void *job, struct str value);

/* job_read_tables.c */

void job_read_tables(struct job_reader *r, struct str value);

/** Gives endpoints with a body the type that it implies, where nobody has said one. */
void job_settle_types(struct job_reader *r);

/* job_read_headers.c */

/** An object of headers, of the job (`endpoint` NULL) or of one endpoint. */
void job_read_headers(struct job_reader *r, struct job_endpoint *endpoint, struct str value);
bool job_put_headers(struct cJSON *to, const struct job_header *headers, size_t count);

/* job_read_since.c */

void job_read_since(struct job_reader *r, struct job_since *since, struct str value);

/** What "since" wants of its endpoint, before they are sorted. */
void job_check_since(struct job_reader *r);

/* job_read_split.c: into a struct job_split. */
void job_read_split(struct job_reader *r, struct job_split *split, struct str value);
bool job_write_split(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                     const void *endpoint);

/** What "split" wants of the endpoint with that index, before they are sorted. */
void job_check_split(struct job_reader *r, size_t endpoint, bool has_parent);

/* job_read_answers.c */

void job_read_answers(struct job_reader *r, struct answer_rules *rules, struct str value);

/** Adds one rule to a list, after its faults have been noted. */
void job_read_answer_rule(struct job_reader *r, struct answer_rules *rules, struct str value);

#define JOB_ANSWER_FIRST "{\"first\":true," /* how a rule begins that the command line gave */

bool job_put_answers(struct cJSON *to, const char *name, const struct answer_rules *rules);

/* job_read_on.c */

/** For a row's `read` and `write`. */
void job_read_on(struct job_reader *r, void *job, struct str value);
bool job_put_on(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                const void *job);

/* job_read_pages.c */

void job_read_pages(struct job_reader *r, void *endpoint, struct str value);

/* job_read_vars.c */

void job_read_vars(struct job_reader *r, void *job, struct str value);

/** What the command line gives stands instead of what the file says, or beside it. */
void job_lay_vars(struct job_reader *r);

bool job_put_var(const struct job_writer *w, struct cJSON *to, const struct job_var *var);

/* job_given.c */

/** `text`, which it takes, of a header of that name or of none, with the values that the command
 * line gives for secrets in the place of their placeholders:
 *  "${NAME}" as it is, which who reads the place expands or refuses. E-SEC4 for a typed one that would be stored. NULL
 *  for NULL, and when out of memory. */
char *job_put_given(struct job_reader *r, char *text, enum template_context context,
                    const char *header, struct str at);

/** The index-th of what the command line gives is a secret, and no variable; its placeholder stands somewhere. */
bool job_given_is_secret(const struct job_reader *r, size_t index);
bool job_given_is_used(const struct job_reader *r, size_t index);

/* job_read_secret.c */

/** A text as it may be written down, and as it is sent. `@@` begins a text with a plain `@`. E-SEC. */
MUST_CHECK enum result job_resolve_secret(struct job_reader *r, const char *text, struct buf *given,
                                          struct buf *sent, struct err *err);

/** A text that is a secret: `@FILE`, `${ENV}` within it, or as it is. One of JOB_KEY_NAMED may be written down
 *  as it is. False after a fault. */
bool job_read_secret(struct job_reader *r, const struct job_key *key, struct str value,
                     struct job_secret *secret);

/* job_read_login.c */

void job_read_login(struct job_reader *r, void *job, struct str value);

/** For `read_more`. */
void job_read_login_key(struct job_reader *r, const struct job_key *key, void *target,
                        struct str value);

/** The keys of "login": the names of all kinds, and what may stand beside them. */
const struct job_keys *job_login_keys(void);

/* job_read_network.c */

void job_read_network(struct job_reader *r, void *job, struct str value);
void job_read_tls(struct job_reader *r, void *job, struct str value);
void job_read_proxies(struct job_reader *r, void *job, struct str value);
void job_read_proxy(struct job_reader *r, void *job, struct str value);

/* job_link.c */

/** Makes URLs absolute, finds each endpoint's parent and sorts, and checks every placeholder. */
void job_link(struct job_reader *r, struct str base_at);

/* job_path.c */

/** A path as absolute: `path` relative to the directory of the job file. NULL when out of memory. */
char *job_absolute_path(const struct job_reader *r, const char *path);

/* job_read_body.c: into a struct job_endpoint. */
void job_read_as(struct job_reader *r, void *endpoint, struct str value);
void job_read_shape(struct job_reader *r, void *endpoint, struct str value);
void job_read_charset(struct job_reader *r, void *endpoint, struct str value);
void job_read_delimiter(struct job_reader *r, void *endpoint, struct str value);
void job_read_header_row(struct job_reader *r, void *endpoint, struct str value);
void job_read_lenient(struct job_reader *r, void *endpoint, struct str value);

bool job_write_as(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                  const void *endpoint);
bool job_write_shape(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                     const void *endpoint);
bool job_write_delimiter(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                         const void *endpoint);

/** A field that is true when the key is false. */
bool job_write_denial(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                      const void *endpoint);

/** "expect" of a table (job_read_expect.c). */
void job_read_expect(struct job_reader *r, void *target, struct str value);

#endif
