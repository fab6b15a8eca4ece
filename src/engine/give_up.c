#include "engine/give_up.h"

#include "base/units.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "plan/twin.h"
#include "plan/host_silence.h"

#include <stdio.h>

static bool did_any_answer(const struct engine *e)
{
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        if (e->hosts.hosts[i]->origin[0] && e->hosts.hosts[i]->answered_us) {
            return true;
        }
    }
    return false;
}

/* Nothing that it was asked lately went well, for longer than anybody would wait for. */
static bool is_one_given_up(const struct engine *e, const struct host *host, uint64_t now_us)
{
    uint64_t failing_us = host_failing_since_us(host);
    uint64_t patience_us = e->job->retry.max_wait_us;

    if (host->is_stopped) {
        return true;
    }
    /* A run that polls outlives an hour without its server: the rounds of that time are skipped. */
    if (e->poll.is_used) {
        return false;
    }
    if (failing_us && now_us - failing_us > patience_us) {
        return true;
    }
    if (patience_us > HOST_LOST_PATIENCE_US && host_is_lost(&e->hosts, host)) {
        patience_us = HOST_LOST_PATIENCE_US;
    }
    return host_is_given_up(host, patience_us, now_us);
}

/* With several tokens: with none of them. */
static bool is_given_up(const struct engine *e, const struct host *host, uint64_t now_us)
{
    for (uint32_t i = 1; host->twin && i <= e->hosts.twin_count; i++) {
        const struct host *twin = twin_at(&e->hosts, i);

        if (!twin->is_aside && !is_one_given_up(e, twin, now_us)) {
            return false;
        }
    }
    return host->twin || is_one_given_up(e, host, now_us);
}

/* All that is left is for hosts that are given up, and nobody is there to wait for them. */
static bool are_hosts_given_up(const struct engine *e, uint64_t now_us, char why[160],
                               const char **code)
{
    struct host *bad = NULL;
    char length[UNITS_TEXT_MAX];

    *code = "";
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *host = e->hosts.hosts[i];

        if (!host->origin[0] || !host->refs) {
            continue;
        }
        if (!is_given_up(e, host, now_us)) {
            return false;
        }
        bad = host;
    }
    if (bad && bad->is_stopped) {
        bad = twin_first(&e->hosts, bad);
        *code = ban_is_on(&bad->ban) ? "E-BAN1" : "E-SAME1";
        snprintf(why, 160, "%.*s refuses everything alike, and all else is done",
                 (int)(bad->label.len < 100 ? bad->label.len : 100), bad->label.data);
    } else if (bad && host_origin(bad)->down_until_us) {
        struct str label = twin_origin_label(bad);

        snprintf(why, 160, "%.*s does not answer, %u times in a row (%.40s)",
                 (int)(label.len < 60 ? label.len : 60), label.data,
                 host_origin(bad)->silent_in_row, host_origin(bad)->silent_why);
    } else if (bad) {
        units_format_time(now_us - host_failing_since_us(bad), length);
        snprintf(why, 160, "nothing that %.*s is asked has gone well for %s",
                 (int)(bad->label.len < 100 ? bad->label.len : 100), bad->label.data, length);
    }
    return bad != NULL;
}

/* It is not the network: a host has answered in this session, or was there to refuse a connection or to show a
 * certificate; or the run has come so far before. */
static bool is_network_known(const struct engine *e)
{
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *host = e->hosts.hosts[i];

        if (host->origin[0] && (host->answered_us || host->was_reached)) {
            return true;
        }
    }
    return e->options.follow_up.kind != FOLLOW_UP_NONE;
}

static void tell_buried(struct engine *e, const struct host *host, uint64_t now_us)
{
    struct str label = twin_origin_label(host);
    char length[UNITS_TEXT_MAX];

    units_format_time(now_us - host->silent_since_us, length);
    events_add_host(&e->events, EVENT_WARNING, "down", label, ",\"code\":\"W-DEAD1\"",
                    "%.*s has not answered %s, %u tries in %s (%.80s); %s, so what is left "
                    "for it has failed [W-DEAD1]",
                    STR_ARG(label), host->answered_us ? "any more" : "once", host->silent_in_row,
                    length, host->silent_why,
                    did_any_answer(e) ? "other hosts did" : "the network is there");
}

/* Of the hosts that are given up, those where nobody has ever answered while others did, or nobody any more while
 * others went on: their URLs are what is wrong, and end as failed. False when there is none. */
static bool bury_hosts(struct engine *e, uint64_t now_us)
{
    bool is_any = false;

    if (!is_network_known(e)) {
        return false;
    }
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        bool is_asked = e->hosts.hosts[i]->origin[0] && e->hosts.hosts[i]->refs;
        bool is_stopped = e->hosts.hosts[i]->is_stopped;
        struct host *host = host_origin(e->hosts.hosts[i]);

        if (!is_asked || is_stopped || host->is_dead ||
            (host->answered_us && !host_is_lost(&e->hosts, host))) {
            continue;
        }
        tell_buried(e, host, now_us);
        host_bury(host);
        frontier_hasten(e->frontier, host->twin ? e->login.home : i);
        is_any = true;
    }
    return is_any;
}

bool give_up_waiting(struct engine *e, uint64_t now_us)
{
    uint64_t wake_us = frontier_wake_us(e->frontier, now_us);
    char length[UNITS_TEXT_MAX], why[160];
    const char *code;

    if (!e->options.attended && are_hosts_given_up(e, now_us, why, &code)) {
        if (bury_hosts(e, now_us)) {
            return true;
        }
        events_add(&e->events, EVENT_WARNING, "down", "", "%s; resume later", why);
        engine_stop_for(e, code, why);
        return false;
    }
    if (e->options.attended || wake_us == TIME_NEVER ||
        wake_us - now_us <= e->job->retry.max_wait_us ||
        !frontier_wake_is_named(e->frontier, now_us)) {
        return false;
    }
    units_format_time(wake_us - now_us, length);
    events_add(&e->events, EVENT_WARNING, "wait", "",
               "the server asks to wait %s, longer than --max-wait; resume later", length);
    snprintf(why, sizeof why, "the server asks to wait %s", length);
    engine_stop(e, why);
    return false;
}
