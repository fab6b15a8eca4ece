#include "engine/snapshot.h"

#include <stdio.h>

const char *run_state_word(enum run_state state)
{
    switch (state) {
    case RUN_STARTING:
        return "STARTING";
    case RUN_RUNNING:
        return "RUN";
    case RUN_SWEEP:
        return "SWEEP";
    case RUN_PAUSED:
        return "PAUSED";
    case RUN_DRAINING:
        return "DRAINING";
    case RUN_ALL_WAITING:
        return "ALL WAITING";
    case RUN_RESTING:
        return "NEXT ROUND";
    case RUN_HELD:
        return "HELD";
    case RUN_AUTH:
        return "AUTH";
    case RUN_DISK_FULL:
        return "DISK FULL";
    case RUN_NETWORK_DOWN:
        return "NETWORK DOWN";
    case RUN_NORMALISING:
        return "NORMALISING";
    case RUN_DONE:
        return "DONE";
    case RUN_INCOMPLETE:
        return "INCOMPLETE";
    case RUN_FAILED:
        return "FAILED";
    case RUN_STOPPED:
        return "STOPPED";
    case RUN_STATE_COUNT:
        break;
    }
    return "?";
}

bool run_state_has_ended(enum run_state state)
{
    return state == RUN_DONE || state == RUN_INCOMPLETE || state == RUN_FAILED ||
           state == RUN_STOPPED;
}

bool snapshot_pages_are_missing(const struct snapshot *s)
{
    for (size_t i = 0; i < s->endpoint_count; i++) {
        if (s->endpoints[i].pages_missing || s->endpoints[i].pages_cut ||
            s->endpoints[i].records_missing) {
            return true;
        }
    }
    return false;
}

bool snapshot_wait_is_named(const struct snapshot_wait *w)
{
    return w->due_in_us && due_is_named(w->due.by);
}

void snapshot_wait_set_by(const struct snapshot_wait *w, char text[DUE_TEXT_MAX])
{
    if (w->kept_by != LIMIT_NONE) {
        snprintf(text, DUE_TEXT_MAX, "%s", run_limit_word(w->kept_by));
    } else {
        due_format(&w->due, text);
    }
}

void snapshot_wait_text(const struct snapshot_wait *w, char *text, size_t size)
{
    char why[FAILURE_TEXT_MAX], set_by[DUE_TEXT_MAX];

    failure_format_brief(w->why, why);
    snapshot_wait_set_by(w, set_by);
    snprintf(text, size, "%s %s %s %s %s", why, set_by, w->reason, w->host, w->request);
}

const char *worker_state_word(enum worker_state state)
{
    return state == WORKER_AT_WORK ? "at work" : state == WORKER_ENDED ? "ended" : "gone";
}

const char *flight_state_word(enum flight_state state)
{
    switch (state) {
    case FLIGHT_DNS:
        return "dns";
    case FLIGHT_CONNECT:
        return "conn";
    case FLIGHT_TLS:
        return "tls";
    case FLIGHT_WAIT:
        return "wait";
    case FLIGHT_RECEIVE:
        return "recv";
    }
    return "?";
}

const char *event_level_word(enum event_level level)
{
    static const char *const words[] = {
        [EVENT_INFO] = "info",
        [EVENT_NOTICE] = "notice",
        [EVENT_WARNING] = "warning",
        [EVENT_ERROR] = "error",
    };

    return words[level];
}
