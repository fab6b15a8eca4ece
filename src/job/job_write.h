/**
 * Writing a job file, shared by the files that do it: job_write.c (the whole), job_write_endpoint.c, job_write_vars.c,
 * job_write_login.c. Each adds its keys to the object that it is given; false without memory.
 */
#ifndef SCRAPETOP_JOB_JOB_WRITE_H
#define SCRAPETOP_JOB_JOB_WRITE_H

#include "job/cjson_add.h"
#include "job/job.h"

/* job_write_endpoint.c */

bool job_write_endpoints(cJSON *root, const struct job *job);
bool job_write_tables(cJSON *root, const struct job *job);
bool job_write_answers(cJSON *object, const struct answer_rules *rules);

/** Typed headers by name (null where the value is not to be kept), files by path. */
bool job_write_headers(cJSON *to, const struct job_header *headers, size_t count, cJSON *files);

/* job_write_vars.c */

bool job_write_vars(cJSON *root, const struct job *job);

/* job_write_login.c */

bool job_write_login(cJSON *root, const struct job_login *login);

/** `lacks`: a job that was read without its secrets. */
bool job_write_sign(cJSON *root, const struct job_sign *sign, bool lacks);

/** Null stands for what was typed as it is, and so is not kept. */
bool job_write_secret(cJSON *object, const char *key, const struct job_secret *secret);

#endif
