#include "session/fleet_talk.h"

#include "base/clock.h"
#include "job/job.h"

#include <stdio.h>
#include <string.h>

enum result fleet_talk_open(struct fleet_talk *t, const char *url, bool needs_job, struct err *err)
{
    enum result result;

    *t = (struct fleet_talk){ .client = NULL };
    if (!fleet_client_is_built()) {
        return err_set(
            err, RESULT_INVALID, "E-FLEET1",
            "this scrapetop was built without fleets (SCRAPETOP_FLEET, which needs hiredis)");
    }
    result = needs_job ? fleet_place_parse(str_view(url), &t->place, err)
                       : fleet_place_parse_server(str_view(url), &t->place, err);
    if (result == RESULT_OK) {
        t->client = fleet_client_new(&t->place);
        result = t->client ? RESULT_OK : err_nomem(err, "asking the fleet");
    }
    return result;
}

void fleet_talk_close(struct fleet_talk *t)
{
    fleet_client_free(t->client);
    t->client = NULL;
}

uint32_t fleet_talk_verbs(void)
{
    return 1U << CONTROL_CAP_SET | 1U << CONTROL_CAP_ADD | 1U << CONTROL_CAP_DOUBLE |
           1U << CONTROL_CAP_HALVE | 1U << CONTROL_RATE_SET | 1U << CONTROL_PAUSE |
           1U << CONTROL_DRAIN;
}

static enum run_state state_of(const struct fleet_overview *o)
{
    return o->is_over                   ? RUN_DONE
           : !o->live                   ? RUN_STOPPED
           : o->settings.is_paused      ? RUN_PAUSED
           : !o->is_open                ? RUN_STARTING
           : o->settings.cap && o->live ? RUN_RUNNING
                                        : RUN_PAUSED;
}

enum worker_state fleet_talk_worker_state(const struct fleet_worker *w)
{
    return w->is_live ? WORKER_AT_WORK : w->has_left ? WORKER_ENDED : WORKER_GONE;
}

static void fill_worker(const struct fleet_worker *from, struct snapshot_worker *w)
{
    struct str run = str_view(from->who), host = str_cut(&run, ':');

    *w = (struct snapshot_worker){ .state = fleet_talk_worker_state(from),
                                   .pid = from->said.pid,
                                   .in_flight = from->in_flight,
                                   .ok = from->said.ok,
                                   .failed = from->said.failed,
                                   .found = from->outbox,
                                   .requests_per_s = (double)from->said.milli_per_s / 1000,
                                   .heard_ago_us = from->heard_ms * US_PER_MS };
    snprintf(w->name, sizeof w->name, "%s", from->name);
    snprintf(w->host, sizeof w->host, "%.*s", STR_ARG(host));
    snprintf(w->run, sizeof w->run, "%.*s", STR_ARG(run));
}

static void fill_limit(const struct fleet_overview *o, struct snapshot *s)
{
    const char *why = o->waits_for[0] && !s->in_flight
                          ? "waits for what one that is gone alone knows of"
                      : !o->live                        ? "no worker is at it"
                      : o->settings.is_paused           ? "paused"
                      : !o->is_open                     ? "the workers are being counted"
                      : s->in_flight >= o->settings.cap ? "all of its cap is in flight"
                      : o->settings.rate.per_us ? "its rate, or what servers say to a worker"
                                                : "";

    s->limit = (struct snapshot_limit){ .kind = why[0] ? LIMIT_FLEET : LIMIT_NONE };
    snprintf(s->limit.reason, sizeof s->limit.reason, "%s", why);
}

void fleet_talk_fill(const struct fleet_overview *o, struct snapshot *s)
{
    uint64_t found = 0, left;

    s->is_fleet = true;
    s->state = state_of(o);
    s->cap = s->cap_before = s->cap_max = o->settings.cap;
    s->started_ago_us = o->age_ms * US_PER_MS;
    units_format_rate(o->settings.rate, s->rate_limit);
    s->ok = s->failed = s->in_flight = s->waiting = 0;
    s->requests_per_s = 0;
    s->worker_count = 0;
    for (size_t i = 0; i < o->worker_count; i++) {
        const struct fleet_worker *w = &o->workers[i];

        s->ok += w->said.ok;
        s->failed += w->said.failed;
        s->in_flight += w->in_flight;
        s->waiting += w->said.waiting;
        s->requests_per_s += (double)w->said.milli_per_s / 1000;
        found += w->outbox;
        if (s->worker_count < SNAPSHOT_WORKERS_MAX) {
            fill_worker(w, &s->workers[s->worker_count++]);
        }
    }
    fill_limit(o, s);
    found += o->found;
    left = found + (o->total > o->done ? o->total - o->done : 0);
    s->total_known = true;
    s->total = s->ok + s->failed + left; /* what workers say is older than what is done */
    s->total = s->total < o->total ? o->total : s->total;
    s->eta_known = s->requests_per_s > 0.1;
    s->eta_low_us = s->eta_high_us =
        s->eta_known ? (uint64_t)((double)left / s->requests_per_s * US_PER_S) : 0;
}

static unsigned stepped(const struct control *control, unsigned cap)
{
    int64_t wanted = control->verb == CONTROL_CAP_SET      ? control->number
                     : control->verb == CONTROL_CAP_ADD    ? cap + control->number
                     : control->verb == CONTROL_CAP_DOUBLE ? (int64_t)cap * 2
                                                           : cap / 2;
    int64_t least = control->verb == CONTROL_CAP_SET ? 0 : 1;

    return (unsigned)(wanted < least ? least : wanted > JOB_CAP_MAX ? JOB_CAP_MAX : wanted);
}

/* What all are told; false: it is no matter for a fleet, or not well said, and `reply` says so. */
static bool read_control(const struct control *control, const struct fleet_seen *seen,
                         struct fleet_steer *steer, char reply[CONTROL_REPLY_MAX])
{
    char rate[UNITS_TEXT_MAX];
    struct err err;

    switch (control->verb) {
    case CONTROL_CAP_SET:
    case CONTROL_CAP_ADD:
    case CONTROL_CAP_DOUBLE:
    case CONTROL_CAP_HALVE:
        *steer =
            (struct fleet_steer){ .what = FLEET_STEER_CAP, .cap = stepped(control, seen->cap) };
        snprintf(reply, CONTROL_REPLY_MAX, "cap %u -> %u of the fleet", seen->cap, steer->cap);
        return true;
    case CONTROL_RATE_SET:
        *steer = (struct fleet_steer){ .what = FLEET_STEER_RATE };
        if (units_parse_rate(str_view(control->text), &steer->rate, &err) != RESULT_OK) {
            snprintf(reply, CONTROL_REPLY_MAX, "%.*s", CONTROL_REPLY_MAX - 1, err.text);
            return false;
        }
        units_format_rate(steer->rate, rate);
        snprintf(reply, CONTROL_REPLY_MAX, "rate %s of the fleet", rate);
        return true;
    case CONTROL_PAUSE:
        *steer = (struct fleet_steer){ .what = FLEET_STEER_PAUSE, .is_paused = !seen->is_paused };
        snprintf(reply, CONTROL_REPLY_MAX, "%s",
                 steer->is_paused ? "all workers pause; what is in flight finishes" : "resumed");
        return true;
    case CONTROL_DRAIN:
        *steer = (struct fleet_steer){ .what = FLEET_STEER_DRAIN };
        snprintf(reply, CONTROL_REPLY_MAX,
                 "all workers finish what is in flight, and end; the same command goes on");
        return true;
    default:
        snprintf(reply, CONTROL_REPLY_MAX, "not possible for a whole fleet");
        return false;
    }
}

enum result fleet_talk_obey(struct fleet_talk *t, const struct control *control,
                            const struct fleet_seen *seen, char reply[CONTROL_REPLY_MAX],
                            struct err *err)
{
    struct fleet_steer steer;

    if (!read_control(control, seen, &steer, reply)) {
        return err_set(err, RESULT_INVALID, "E-CTL1", "%s", reply);
    }
    return fleet_steer(t->client, &t->place, &steer, err);
}
