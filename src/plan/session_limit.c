#include "plan/session_limit.h"

bool session_limit_fail(const struct job_limits *limits, uint64_t ok, uint64_t failed, bool is_end)
{
    double settled = (double)ok + (double)failed;

    switch (limits->max_fail_by) {
    case JOB_MAX_FAIL_NONE:
        return false;
    case JOB_MAX_FAIL_COUNT:
        return failed > limits->max_fail;
    case JOB_MAX_FAIL_PERCENT:
        break;
    }
    return (is_end || settled >= SESSION_LIMIT_SETTLED_MIN) &&
           (double)failed * 100 * JOB_PERCENT > limits->max_fail_percent * settled;
}

bool session_limit_requests(const struct job_limits *limits, uint64_t sent)
{
    return limits->max_requests && sent >= limits->max_requests;
}

bool session_limit_duration(const struct job_limits *limits, uint64_t elapsed_us)
{
    return limits->max_duration_us && elapsed_us >= limits->max_duration_us;
}

const char *session_limit_option(enum session_limit limit)
{
    switch (limit) {
    case SESSION_LIMIT_FAIL:
        return "max-fail";
    case SESSION_LIMIT_REQUESTS:
        return "max-requests";
    case SESSION_LIMIT_DURATION:
        return "max-duration";
    case SESSION_LIMIT_NONE:
        break;
    }
    return "";
}
