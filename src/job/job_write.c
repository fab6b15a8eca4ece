/* job.json: the job as it was given, in the form of a job file, secrets unexpanded and paths and URLs
 * absolute. */
#include "job/job_put.h"

#include <cjson/cJSON.h>

enum result job_write(const struct job *job, struct buf *out, struct err *err)
{
    struct job_writer writer = { .job = job, .lacks_secrets = job->login.is_incomplete };
    cJSON *root = cJSON_CreateObject();
    char *text =
        root && job_put_keys(&writer, root, &job_root_keys, job) ? cJSON_Print(root) : NULL;
    enum result result = text ? buf_append_str(out, str_view(text)) : RESULT_NOMEM;

    if (result == RESULT_OK) {
        result = buf_append_char(out, '\n');
    }
    cJSON_free(text);
    cJSON_Delete(root);
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "writing the job");
}
