#include "engine/steer.h"

#include "base/text_filter.h"
#include "base/units.h"
#include "base/utf8.h"
#include "engine/core.h"
#include "engine/discover.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/failures.h"
#include "engine/judge_end.h"
#include "engine/pump.h"
#include "engine/snapshot_lists.h"
#include "plan/host_hold.h"

#include <stdio.h>
#include <stdlib.h>

#define WAIT_TEXT_MAX 512 /* as much as a list looks at */

/* --- single requests, and hosts -------------------------------------------------------------------- */

static struct request *take(struct engine *e, uint64_t id, char reply[CONTROL_REPLY_MAX])
{
    struct request *request = engine_is_active(e) ? frontier_take(e->frontier, id) : NULL;

    if (!request) {
        snprintf(reply, CONTROL_REPLY_MAX, "it does not wait (any more)");
    }
    return request;
}

void steer_retry(struct engine *e, uint64_t id, char reply[CONTROL_REPLY_MAX])
{
    struct request *request = take(e, id, reply);
    char text[SNAPSHOT_REQUEST_TEXT], fields[32];

    if (request) {
        engine_request_text(e, request, text);
        snprintf(fields, sizeof fields, ",\"id\":%llu", (unsigned long long)id);
        events_add(&e->events, EVENT_NOTICE, "ask-again", fields, "%s asked again by you", text);
        frontier_urge(e->frontier, request);
        snprintf(reply, CONTROL_REPLY_MAX, "asked again as soon as there is a slot");
    }
}

struct filter {
    struct engine *engine;
    const char *text;
    uint64_t now_us;
};

static bool passes(void *context, const struct request *request)
{
    const struct filter *f = context;
    struct snapshot_wait wait;
    char text[WAIT_TEXT_MAX];

    if (!f->text[0]) {
        return true;
    }
    snapshot_lists_wait(f->engine, request, f->now_us, &wait);
    snapshot_wait_text(&wait, text, sizeof text);
    return text_filter_passes(f->text, text);
}

void steer_retry_waiting(struct engine *e, const char *filter, char reply[CONTROL_REPLY_MAX])
{
    struct filter f = { e, filter, engine_now_us(e) };
    unsigned long long asked = engine_is_active(e) ? frontier_urge_all(e->frontier, passes, &f) : 0;
    char fields[32];

    if (!asked) {
        snprintf(reply, CONTROL_REPLY_MAX, "%s",
                 filter[0] ? "nothing that waits passes that filter" : "nothing waits");
        return;
    }
    snprintf(fields, sizeof fields, ",\"count\":%llu", asked);
    events_add(&e->events, EVENT_NOTICE, "ask-again", fields,
               "%llu waiting request%s asked again by you", asked, units_plural(asked));
    snprintf(reply, CONTROL_REPLY_MAX, "%llu asked again as soon as there are slots", asked);
}

/* One that waits, or whose transfer is then ended. */
void steer_drop(struct engine *e, uint64_t id, char reply[CONTROL_REPLY_MAX])
{
    struct request *request = engine_is_active(e) ? fetch_take(e->fetch, id) : NULL;

    if (request) {
        host_ended(&e->hosts, host_at(&e->hosts, request->host), request, HOST_END_OURS,
                   engine_now_us(e));
    } else {
        request = take(e, id, reply);
    }
    if (request) {
        snprintf(reply, CONTROL_REPLY_MAX, "%s",
                 judge_drop(e, request) == RESULT_OK ? "dropped" : "out of memory");
    }
}

static struct host *find_host(const struct engine *e, struct str label)
{
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *host = host_at(&e->hosts, i);

        if (host->origin[0] && str_equal(host->label, label)) {
            return host;
        }
    }
    return NULL;
}

static void hold(struct engine *e, struct host *host, bool held)
{
    host_hold_user(host, held, engine_now_us(e));
    events_add_host(&e->events, EVENT_NOTICE, held ? "hold" : "release", host->label,
                    ",\"set_by\":\"user\"", "%.*s %s by you", STR_ARG(host->label),
                    held ? "held" : "released");
}

void steer_hold(struct engine *e, const char *label, char reply[CONTROL_REPLY_MAX])
{
    struct host *host = find_host(e, str_view(label));

    if (!host) {
        snprintf(reply, CONTROL_REPLY_MAX, "no such host is asked now");
        return;
    }
    hold(e, host, !host->hold_is_user);
    snprintf(reply, CONTROL_REPLY_MAX, "%.*s %s", STR_ARG(host->label),
             host->hold_is_user ? "held until you release it" : "released");
}

void steer_release_all(struct engine *e)
{
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *host = host_at(&e->hosts, i);

        if (host->origin[0] && host->hold_is_user && !host->is_stopped) {
            hold(e, host, false);
        }
    }
}

/* --- asking again what has failed ------------------------------------------------------------------ */

static enum result ask_again(struct engine *e, uint64_t id)
{
    return id > frontier_seeds(e->frontier) ? discover_again(e, id)
                                            : frontier_again(e->frontier, id);
}

#define ASKED_MAX 96

static void put_asked(const struct failure_choice *choice, unsigned long long count,
                      char fields[ASKED_MAX])
{
    char class[FAILURE_TEXT_MAX];

    failure_choice_format(choice, class);
    snprintf(fields, ASKED_MAX, ",\"count\":%llu,\"class\":\"%s\"", count, class);
}

void steer_retry_failed(struct engine *e, const char *class, const char *by,
                        char reply[CONTROL_REPLY_MAX])
{
    struct failures_asked asked = { .refused_by = 0 };
    unsigned long long again;
    char fields[ASKED_MAX];

    if ((class[0] && !failure_choice_parse(str_view(class), &asked.choice)) ||
        !e->failures.id_count || !failures_are_any(e, &asked.choice)) {
        snprintf(reply, CONTROL_REPLY_MAX, "nothing has failed%s%s", class[0] ? " with " : "",
                 class);
        return;
    }
    if (!pump_revive(e)) {
        snprintf(reply, CONTROL_REPLY_MAX, "not any more: the run ends; resume it first");
        return;
    }
    again = failures_ask(e, &asked, ask_again);
    put_asked(&asked.choice, again, fields);
    events_add(&e->events, EVENT_NOTICE, "ask-again", fields,
               "%llu failed request%s%s%s asked again by %s", again, units_plural(again),
               class[0] ? " of " : "", class, by);
    snprintf(reply, CONTROL_REPLY_MAX, "%llu failed request%s asked again", again,
             again == 1 ? " is" : "s are");
}

unsigned long long steer_ask_refused(struct engine *e, uint32_t host, uint32_t row)
{
    return failures_ask(e, &(struct failures_asked){ .refused_by = host + 1, .row = row },
                        ask_again);
}

void steer_follow_up(struct engine *e)
{
    const struct follow_up *f = &e->options.follow_up;
    unsigned long long again =
        failures_ask(e, &(struct failures_asked){ .chosen_only = true }, ask_again);
    char class[FAILURE_TEXT_MAX], fields[ASKED_MAX];

    failure_choice_format(&f->class, class);
    put_asked(&f->class, again, fields);
    events_add(&e->events, EVENT_NOTICE, "ask-again", fields,
               "%llu failed request%s%s%s asked again%s", again, units_plural(again),
               class[0] ? " of " : "", class,
               f->kind == FOLLOW_UP_MISSING ? ", and what was started but not finished" : "");
}
