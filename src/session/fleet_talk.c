#include "session/fleet_talk.h"

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

void fleet_talk_fill(const struct fleet_overview *o, struct snapshot *s)
{
    uint64_t found = 0;

    s->state = state_of(o);
    s->cap = s->cap_before = s->cap_max = o->settings.cap;
    units_format_rate(o->settings.rate, s->rate_limit);
    for (size_t i = 0; i < o->worker_count; i++) {
        const struct fleet_worker *w = &o->workers[i];

        s->ok += w->said.ok;
        s->failed += w->said.failed;
        s->in_flight += w->in_flight;
        s->waiting += w->said.waiting;
        s->requests_per_s += (double)w->said.milli_per_s / 1000;
        found += w->outbox;
    }
    s->total_known = true;
    s->total = s->ok + s->failed + found + (o->total > o->done ? o->total - o->done : 0);
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
static bool read_control(const struct control *control, const struct snapshot *s,
                         struct fleet_steer *steer, char reply[CONTROL_REPLY_MAX])
{
    char rate[UNITS_TEXT_MAX];
    struct err err;

    switch (control->verb) {
    case CONTROL_CAP_SET:
    case CONTROL_CAP_ADD:
    case CONTROL_CAP_DOUBLE:
    case CONTROL_CAP_HALVE:
        *steer = (struct fleet_steer){ .what = FLEET_STEER_CAP, .cap = stepped(control, s->cap) };
        snprintf(reply, CONTROL_REPLY_MAX, "cap %u -> %u of the fleet", s->cap, steer->cap);
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
        *steer =
            (struct fleet_steer){ .what = FLEET_STEER_PAUSE, .is_paused = s->state != RUN_PAUSED };
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
                            const struct snapshot *s, char reply[CONTROL_REPLY_MAX],
                            struct err *err)
{
    struct fleet_steer steer;

    if (!read_control(control, s, &steer, reply)) {
        return err_set(err, RESULT_INVALID, "E-CTL1", "%s", reply);
    }
    return fleet_steer(t->client, &t->place, &steer, err);
}
