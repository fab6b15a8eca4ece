/**
 * Reading a job file, shared by the files that do it: job_file.c (the whole), job_read_*.c (one key each, by its name), and
 * job_link.c and job_order.c, which then tie the parts together.
 */
#ifndef SCRAPETOP_JOB_JOB_READ_H
#define SCRAPETOP_JOB_JOB_READ_H

#include "job/job_keys.h"

/* Where the parts of an endpoint stand in the text, and what can be settled only when all is read. */
struct place_of_endpoint {
    struct str at, name, url, body, headers, records, pages, with;
    char *url_text; /* as given; owned */
};

/* job_read_endpoint.c */

void job_read_endpoints(struct job_reader *r, void *job, struct str value);

/** Gives endpoints with a body the type that it implies, where nobody has said one. */
void job_settle_types(struct job_reader *r);

/** An object of headers, of the job (`endpoint` NULL) or of one endpoint. */
void job_read_headers(struct job_reader *r, struct job_endpoint *endpoint, struct str value);

/* job_read_tables.c */

void job_read_tables(struct job_reader *r, struct str value);

/* job_read_answers.c */

void job_read_answers(struct job_reader *r, struct answer_rules *rules, struct str value);

/** Adds one rule to a list, after its faults have been noted. */
void job_read_answer_rule(struct job_reader *r, struct answer_rules *rules, struct str value);

#define JOB_ANSWER_FIRST "{\"first\":true," /* how a rule begins that the command line gave */

/* job_read_pages.c */

void job_read_pages(struct job_reader *r, void *endpoint, struct str value);

/* job_read_vars.c */

void job_read_vars(struct job_reader *r, void *job, struct str value);

/* job_read_login.c */

void job_read_login(struct job_reader *r, void *job, struct str value);

/** A text that is a secret: `@FILE`, `${ENV}` within it, or as it is. One of JOB_KEY_NAMED may be written down
 *  as it is. False after a fault. */
bool job_read_secret(struct job_reader *r, const struct job_key *key, struct str value,
                     struct job_secret *secret);

/** For `read_more`. */
void job_read_login_key(struct job_reader *r, const struct job_key *key, void *target,
                        struct str value);

/** The keys of "login": the names of all kinds, and what may stand beside them. */
const struct job_keys *job_login_keys(void);

/* job_read_network.c */

void job_read_network(struct job_reader *r, void *job, struct str value);
void job_read_tls(struct job_reader *r, void *job, struct str value);
void job_read_routes(struct job_reader *r, void *job, struct str value);
void job_read_connect_to(struct job_reader *r, void *job, struct str value);
void job_read_unix_socket(struct job_reader *r, void *job, struct str value);
void job_read_interface(struct job_reader *r, void *job, struct str value);
void job_read_ip(struct job_reader *r, void *job, struct str value);
void job_read_proxies(struct job_reader *r, void *job, struct str value);
void job_read_proxy(struct job_reader *r, void *job, struct str value);

/* job_link.c */

/** Makes URLs absolute, finds each endpoint's parent and sorts, and checks every placeholder. */
void job_link(struct job_reader *r, struct str base_at);

/** `base` before a URL that is relative; a heap copy, NULL when out of memory. */
char *job_absolute_url(const char *base, const char *url);

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

#endif
