/* A job file: whatever is taken must be written and read back as the same job. */
#include "job/job_file.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct job_faults faults;
    struct str text = { (const char *)bytes, len };
    struct buf out = { 0 };
    struct job job, again;
    struct err err;

    setenv("JOB_FUZZ", "a\"secret", 1);
    if (job_file_parse(&job, text, "/jobs/j.json", NULL, &faults, &err) != RESULT_OK) {
        FUZZ_CHECK(faults.count > 0);
        return 0;
    }
    FUZZ_CHECK(job_write(&job, &out, &err) == RESULT_OK);
    if (job_read(&again, buf_view(&out), "job.json", &err) != RESULT_OK) {
        fprintf(stderr, "%s\n%s\n", err.text, buf_cstr(&out));
        abort();
    }
    FUZZ_CHECK(job_same_requests(&job, &again));
    buf_release(&out);
    job_release(&again);
    job_release(&job);
    return 0;
}
