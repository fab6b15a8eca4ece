/**
 * A job's insides, shared by the files that read, check, write and release it.
 *
 * Ownership  the release functions free what the struct holds, never the struct itself; that of a list
 *            frees the list, too.
 */
#ifndef SCRAPETOP_JOB_JOB_PARTS_H
#define SCRAPETOP_JOB_JOB_PARTS_H

#include "job/job.h"

/** One of [A-Za-z0-9._-]. */
bool job_is_name_char(char c);

/** A name made of anything: what a name may not hold becomes a dash. NULL when out of memory. */
char *job_make_name(struct str text);

void job_var_release(struct job_var *var);

/** `${NAME}` stands in the text, with no second dollar before it. */
bool job_names_variable(struct str text);

/** Neither `@FILE` nor a text with `${ENV}` in it. */
bool job_secret_is_literal(const char *text);

/* job_hide.c */

/** Registers what was typed into URLs and bodies, and notes whether there is any. */
/** Takes the types that bodies imply from endpoints whose job has one. */
void job_drop_implied(struct job *job);

MUST_CHECK enum result job_note_typed(struct job *job, struct err *err);

/** Two texts are the same but for what was typed as it is. */
bool job_same_but_typed(const struct job *of_a, const char *a, const struct job *of_b,
                        const char *b, bool is_url);

/* job_tls.c, job_route.c */

void job_tls_release(struct job_tls *tls);
void job_route_release(struct job_route *route);

void job_secret_release(struct job_secret *secret);

/** Overwrites and releases. */
void job_wipe(struct buf *buf);
void job_words_release(struct job_words *words);
void job_login_release(struct job_login *login);

/** Overwrites them; with `file` also forgets where they came from. */
void job_tokens_release(struct job_tokens *tokens, bool file);

/* job_header.c; an `endpoint` of NULL means the job's headers */

void job_headers_release(struct job_header *headers, size_t count);
const struct job_header *job_find_header(const struct job_header *headers, size_t count,
                                         struct str name);

/** A name whose value was not kept, and which waits for job_add_header. */
MUST_CHECK enum result job_add_unkept_header(struct job *job, struct job_endpoint *endpoint,
                                             struct str name, struct err *err);

/** A header whose value is a secret that came from elsewhere; `given` is what may be written down. */
MUST_CHECK enum result job_add_secret_header(struct job *job, struct job_endpoint *endpoint,
                                             struct str name, struct str given, struct str sent,
                                             struct err *err);

#endif
