#include "engine/session_end.h"

#include "base/units.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"

#include <stdio.h>

static void stop(struct engine *e, enum session_limit limit, const char *why)
{
    const char *option = session_limit_option(limit);
    char fields[64];

    if (e->phase != ENGINE_RUNNING || e->session.limit != SESSION_LIMIT_NONE) {
        return;
    }
    e->session.limit = limit;
    snprintf(fields, sizeof fields, ",\"code\":\"E-LIM1\",\"limit\":\"%s\"", option);
    events_add(&e->events, EVENT_WARNING, "limit", fields, "%s; stopping, resumable", why);
    engine_stop_for(e, "E-LIM1", why);
}

bool session_may_send(struct engine *e)
{
    char why[sizeof e->ending.why];

    if (!session_limit_requests(&e->job->limits, e->session.sent + e->marks.under_way)) {
        return true;
    }
    snprintf(why, sizeof why,
             "--max-requests %llu: so many have been sent, retries and redirects among them",
             (unsigned long long)e->job->limits.max_requests);
    stop(e, SESSION_LIMIT_REQUESTS, why);
    return false;
}

bool session_has_failed(const struct engine *e, bool is_end)
{
    return session_limit_fail(&e->job->limits, e->session.ok, e->session.failed, is_end);
}

void session_look(struct engine *e, uint64_t now_us)
{
    char why[sizeof e->ending.why], text[UNITS_TEXT_MAX];

    if (e->phase != ENGINE_RUNNING) {
        return;
    }
    if (session_limit_duration(&e->job->limits, now_us - e->metrics.started_us)) {
        units_format_time(e->job->limits.max_duration_us, text);
        snprintf(why, sizeof why, "--max-duration %s: the session's time is over", text);
        stop(e, SESSION_LIMIT_DURATION, why);
    } else if (session_has_failed(e, false)) {
        job_format_max_fail(&e->job->limits, text);
        snprintf(why, sizeof why, "--max-fail %s: %llu of the %llu settled in this session failed",
                 text, (unsigned long long)e->session.failed,
                 (unsigned long long)(e->session.ok + e->session.failed));
        stop(e, SESSION_LIMIT_FAIL, why);
    }
}
