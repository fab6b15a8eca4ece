#include "engine/fleet_obey.h"

#include "engine/core.h"
#include "engine/events.h"
#include "engine/fleet_link_state.h"
#include "engine/fleet_login.h"
#include "engine/pace.h"

#include <stdio.h>

static bool is_same_rate(struct rate a, struct rate b)
{
    return a.per_us == b.per_us && !(a.requests < b.requests) && !(a.requests > b.requests);
}

static void obey_settings(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;
    const struct fleet_settings *told = &l->told;
    char why[64], rate[UNITS_TEXT_MAX];

    if (!told->version || told->version == l->settings.version) {
        return;
    }
    snprintf(why, sizeof why, "cap %u of the fleet", told->cap);
    (void)pace_change_cap(e, told->cap < JOB_CAP_MAX ? told->cap : JOB_CAP_MAX, why);
    if (!is_same_rate(told->rate, l->settings.rate)) {
        pacer_set_rate(&e->pace.pacer, told->rate);
        units_format_rate(told->rate, rate);
        events_add(&e->events, EVENT_NOTICE, "rate", "", "rate %s of the fleet", rate);
    }
    if (told->is_paused != l->settings.is_paused) {
        events_add(&e->events, EVENT_NOTICE, told->is_paused ? "pause" : "resume", "",
                   "the fleet is %s", told->is_paused ? "paused" : "resumed");
    }
}

void fleet_obey(struct engine *e)
{
    struct fleet_link *l = e->fleet_link;

    fleet_login_heed(e);
    obey_settings(e);
    l->settings = l->told;
    if (l->drains && e->phase == ENGINE_RUNNING) {
        events_add(&e->events, EVENT_NOTICE, "drain", "",
                   "the fleet is drained: %zu in flight finish", fetch_in_flight(e->fetch));
        engine_stop_as_wanted(e, "the fleet was told to drain");
    }
}
