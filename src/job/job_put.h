/**
 * Writing a job file: objects by the rows of their keys (job/job_keys.h), as job_read_object reads them back.
 *
 * Errors  all return false when out of memory.
 */
#ifndef SCRAPETOP_JOB_JOB_PUT_H
#define SCRAPETOP_JOB_JOB_PUT_H

#include "job/cjson_add.h"
#include "job/job.h"
#include "job/job_keys.h"

struct job_writer {
    const struct job *job;
    /* the job was read from one that could not keep them: null stands for each */
    bool lacks_secrets;
};

/** For a row's `write`: the secret if there is one, whatever the job lacks. */
bool job_put_sent_secret(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                         const void *target);

/** What a row says of `target`. */
bool job_put_key(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                 const void *target);
bool job_put_keys(const struct job_writer *w, struct cJSON *to, const struct job_keys *keys,
                  const void *target);

/** An object of that name; with `always` even when it is empty. */
bool job_put_object(const struct job_writer *w, struct cJSON *to, const char *name,
                    const struct job_keys *keys, const void *target, bool always);

/** A copy without what was typed into it as it is; the caller's to free. NULL when out of memory. */
char *job_text_without_typed(const struct job *job, const char *text, bool is_url);

#endif
