#include "cmd/run_rows.h"

#include "base/clock.h"
#include "cmd/request_rows.h"
#include "job/dates.h"
#include "job/job_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRIES_MAX (JOB_ATTEMPTS_MAX - 1)

static enum result set_retries(void *target, const char *value, struct err *err)
{
    struct job *job = target;
    uint64_t retries;
    enum result result = units_parse_count(str_view(value), 0, RETRIES_MAX, &retries, err);

    if (result == RESULT_OK) {
        job->retry.attempts = (unsigned)retries + 1;
    }
    return result;
}

static enum result set_backoff(void *target, const char *value, struct err *err)
{
    struct job *job = target;

    return job_parse_backoff(str_view(value), &job->retry, err);
}

static enum result set_max_fail(void *target, const char *value, struct err *err)
{
    struct job *job = target;

    return job_parse_max_fail(str_view(value), &job->limits, err);
}

/* Kept as an absolute path. It need not exist yet, but its directory must. */
static enum result set_cookie_jar(void *target, const char *value, struct err *err)
{
    struct job *job = target;
    const char *slash = strrchr(value, '/');
    struct buf path = { 0 };
    char *directory =
        slash ? str_dup((struct str){ value, (size_t)(slash - value) + 1 }) : str_dup(STR("."));
    char *absolute = directory ? realpath(directory, NULL) : NULL;
    enum result result;

    if (directory && (!absolute || (slash && !slash[1]))) {
        result = err_set_errno(err, absolute ? EISDIR : errno, "E-DIR3", "cookie file %s", value);
    } else if (!directory ||
               buf_printf(&path, "%s/%s", absolute, slash ? slash + 1 : value) != RESULT_OK) {
        result = err_nomem(err, "reading the command line");
    } else {
        job->cookies.is_kept = true;
        result = job_replace(&job->cookies.jar, buf_view(&path), err);
    }
    buf_release(&path);
    free(absolute);
    free(directory);
    return result;
}

enum result run_add_list(struct job *job, const char *value, struct err *err)
{
    char *path = strcmp(value, "-") == 0 ? NULL : realpath(value, NULL);
    enum result result =
        job_add_source(&job->endpoints[0], JOB_SOURCE_LIST, str_view(path ? path : value), err);

    free(path);
    return result;
}

static enum result add_list(void *target, const char *value, struct err *err)
{
    return run_add_list(target, value, err);
}

/* How many at once is decent with whom, as practice has it. */
static enum result set_profile(void *target, const char *value, struct err *err)
{
    static const struct {
        const char *name;
        unsigned cap;
    } profiles[] = { { "own", 30 }, { "paid", 8 }, { "free", 4 }, { "polite", 3 } };
    struct job *job = target;

    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (strcmp(value, profiles[i].name) == 0) {
            job->pace.cap = job->pace.cap_max = profiles[i].cap;
            return RESULT_OK;
        }
    }
    return err_set(err, RESULT_INVALID, "E-ARG1",
                   "no profile \"%.32s\"; want own (cap 30), paid (8), free (4) or polite (3)",
                   value);
}

static enum result set_shape(void *target, const char *value, struct err *err)
{
    struct job *job = target;

    return record_shape_parse(str_view(value), &job->endpoints[0].shape)
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-ARG1", "\"%.32s\" is none of %s", value,
                         RECORD_SHAPE_WORDS);
}

const struct option_row run_pace_rows[RUN_PACE_ROWS] = {
    {
        .letter = 'c',
        .name = "cap",
        .value = "N",
        .help = "Requests in flight at once (10); + and - change it while it runs",
        .kind = OPTION_COUNT,
        .offset = offsetof(struct job, pace.cap),
        .low = 1,
        .high = JOB_CAP_MAX,
    },
    {
        .name = "cap-per-host",
        .value = "N",
        .help = "Requests in flight to one host (no limit of its own)",
        .kind = OPTION_COUNT,
        .offset = offsetof(struct job, pace.cap_per_host),
        .low = 1,
        .high = JOB_CAP_MAX,
    },
    {
        .name = "auto",
        .help = "Let scrapetop find the best cap, and the rate where the server limits that",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, pace.is_auto),
    },
    {
        .name = "cap-max",
        .value = "N",
        .help = "The highest cap that --auto may set (100)",
        .kind = OPTION_COUNT,
        .offset = offsetof(struct job, pace.cap_max),
        .low = 1,
        .high = JOB_CAP_MAX,
    },
    {
        .name = "profile",
        .words = "own paid free polite",
        .value = "NAME",
        .help = "Preset cap by who owns the API: own (30), paid (8), free (4), polite (3)",
        .kind = OPTION_CALL,
        .set = set_profile,
    },
    {
        .name = "rate",
        .words = "1/s 10/s 600/m off",
        .value = "RATE",
        .help = "Requests that may start in a time: 10/s, 5/15s, 600/m (off)",
        .kind = OPTION_RATE,
        .offset = offsetof(struct job, pace.rate),
    },
    {
        .name = "rate-per-host",
        .words = "1/s 10/s 600/m off",
        .value = "RATE",
        .help = "The same for each host (off)",
        .kind = OPTION_RATE,
        .offset = offsetof(struct job, pace.rate_per_host),
    },
    {
        .name = "retries",
        .value = "N",
        .help =
            "Tries after the first one (5); \"attempts\" of a job file counts the first one, too",
        .kind = OPTION_CALL,
        .set = set_retries,
    },
    {
        .name = "backoff",
        .value = "BASE[:CAP]",
        .help = "Wait before another try: from BASE, longer each time, to CAP (1s:30s)",
        .kind = OPTION_CALL,
        .set = set_backoff,
    },
    {
        .name = "max-wait",
        .value = "TIME",
        .help = "Longest wait that a server may ask for (10m)",
        .kind = OPTION_TIME,
        .offset = offsetof(struct job, retry.max_wait_us),
        .low = 1,
    },
    {
        .name = "repeat-posts",
        .help =
            "Send a POST again though it may have happened: its answer was lost, or the run was "
            "cut off",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, retry.repeats_posts),
    },
    {
        .name = "connect-timeout",
        .value = "TIME",
        .help = "Longest time to connect (5s)",
        .kind = OPTION_TIME,
        .offset = offsetof(struct job, network.connect_timeout_us),
        .low = 1,
    },
    OPTION_MAX_TIME,
    {
        .name = "max-body",
        .value = "SIZE",
        .help = "Largest body, unpacked (64M)",
        .kind = OPTION_SIZE,
        .offset = offsetof(struct job, network.body_max_bytes),
        .low = 1,
    },
    {
        .name = "memory",
        .value = "SIZE",
        .help = "Memory for all bodies in flight or not yet stored (256M); the largest wait when "
                "they take more. What is made into JSON may take as much again",
        .kind = OPTION_SIZE,
        .offset = offsetof(struct job, network.memory_bytes),
        .low = 1U << 20,
    },
    {
        .name = "threads",
        .value = "N",
        .help = "Threads that fetch: connections, TLS, unpacking (as many as pay: 1 on two cores, "
                "then one less than there are cores, up to 4)",
        .kind = OPTION_COUNT,
        .offset = offsetof(struct job, network.threads),
        .low = 1,
        .high = JOB_THREADS_MAX,
    },
};

const struct option_row run_limit_rows[RUN_LIMIT_ROWS] = {
    {
        .name = "max-fail",
        .value = "N|PART%",
        .help = "Stop when more requests have failed for good: 100, or 5% of those that have ended "
                "in this session, once 20 have (off)",
        .kind = OPTION_CALL,
        .set = set_max_fail,
    },
    {
        .name = "max-requests",
        .value = "N",
        .help = "Stop when this session has sent so many, with retries, redirects and logins; the "
                "next one may send as many again (off)",
        .kind = OPTION_NUMBER,
        .offset = offsetof(struct job, limits.max_requests),
        .low = 0,
        .high = INT64_MAX,
    },
    {
        .name = "max-duration",
        .value = "TIME",
        .help = "Stop when this session has run for so long, pauses included (off)",
        .kind = OPTION_TIME,
        .offset = offsetof(struct job, limits.max_duration_us),
        .low = 0,
    },
};

const struct option_row run_source_rows[RUN_SOURCE_ROWS] = {
    {
        .letter = 'i',
        .name = "input",
        .value = "FILE",
        .help = "URLs from FILE, one a line, or JSON Lines with \"url\" and \"name\"; - is stdin, "
                "asked while "
                "it still comes in",
        .kind = OPTION_CALL,
        .set = add_list,
        .repeats = true,
    },
    {
        .letter = 'g',
        .name = "globoff",
        .help = "Brackets and braces in URLs mean nothing",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, globoff),
    },
};

const struct option_row run_cookie_rows[RUN_COOKIE_ROWS] = {
    {
        .name = "cookie-jar",
        .value = "FILE",
        .help = "Keep the cookies that servers set in FILE, over restarts; only you can read it. "
                "Without it they are sent back while the run lives, and kept nowhere",
        .kind = OPTION_CALL,
        .set = set_cookie_jar,
    },
    {
        .name = "no-cookies",
        .help = "Do not send back the cookies that servers set",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, cookies.is_off),
    },
};

const struct option_row run_shape_rows[RUN_SHAPE_ROWS] = {
    OPTION_SHAPE(set_shape),
};

/* --- polling ------------------------------------------------------------------------------------------ */

static enum result set_until(void *target, const char *value, struct err *err)
{
    struct job *job = target;

    return dates_parse_instant(str_view(value), &job->poll.until_us, err);
}

const struct option_row run_poll_rows[RUN_POLL_ROWS] = {
    {
        .name = "pack",
        .help = "Pack stored bodies with zstd, 256 MiB at a time, while the run goes on",
        .kind = OPTION_FLAG,
        .offset = offsetof(struct job, packs),
    },
    {
        .name = "every",
        .value = "TIME",
        .help =
            "Ask again and again, each answer a record of its own; unchanged ones are not stored "
            "again",
        .kind = OPTION_TIME,
        .offset = offsetof(struct job, poll.every_us),
        .low = 100 * US_PER_MS,
    },
    {
        .name = "retain",
        .value = "TIME",
        .help =
            "With --every: answers older than this go, before a session and while it goes on, and "
            "what they changed stays in the journal (compact --retain)",
        .kind = OPTION_TIME,
        .offset = offsetof(struct job, retain_us),
        .low = 1,
    },
    {
        .name = "count",
        .value = "N",
        .help = "Rounds of --every (until stopped)",
        .kind = OPTION_NUMBER,
        .offset = offsetof(struct job, poll.count),
        .low = 1,
        .high = INT64_MAX,
    },
    {
        .name = "until",
        .value = "TIME",
        .help = "When --every ends: 2026-11-21T18:00:00Z",
        .kind = OPTION_CALL,
        .set = set_until,
    },
};
