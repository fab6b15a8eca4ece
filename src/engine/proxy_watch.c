#include "engine/proxy_watch.h"

#include "base/units.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "fetch/proxy.h"
#include "job/proxy_url.h"
#include "plan/retry_after.h"

#include <stdio.h>
#include <string.h>

static bool is_over(const struct engine *e, const struct response *response)
{
    switch (response->proxy_fault) {
    case PROXY_FAULT_NAME:
    case PROXY_FAULT_AUTH:
    case PROXY_FAULT_TLS:
        return true;
    case PROXY_FAULT_DEAD:
        return !e->proxy_has_worked || response->request->attempt >= e->job->retry.attempts;
    default:
        return false;
    }
}

/* --- pools ------------------------------------------------------------------------------------------------ */

#define PAIR_HOLD_US (60 * US_PER_S) /* nobody has said for how long */
#define BANNED_HOLD_US (10 * 60 * US_PER_S)
#define BANNED_ROW 3 /* 403s in a row through one proxy */

uint32_t proxy_of(struct engine *e, uint32_t host)
{
    return e->proxy_pool.count
               ? proxy_pool_choose(&e->proxy_pool, host, engine_host_key(e, host), engine_now_us(e))
               : 0;
}

/* It is asked directly. */
static bool is_spared(const struct engine *e, uint32_t host)
{
    const struct job_proxy *p = &e->job->network.proxy;
    const char *list = p->none_for ? p->none_for : p->env_none_for;
    struct url url;

    return list && url_split(str_view(host_at(&e->hosts, host)->origin), &url, NULL) == RESULT_OK &&
           proxy_is_not_for(list, url.host, url.is_ipv6);
}

const char *proxy_shown(struct engine *e, uint32_t host)
{
    return e->proxy_pool.count && !is_spared(e, host)
               ? e->job->network.proxy.pool[proxy_of(e, host)].url
               : NULL;
}

/* For how long the answer says, or a while. */
static uint64_t hold_of(const struct engine *e, const struct response *response)
{
    uint64_t wait_us = 0;
    struct str named = response_header(response, STR("retry-after"));

    if (!named.len ||
        !retry_after_parse(named, response_header(response, STR("date")),
                           clock_wall_us(&e->options.clock), &wait_us) ||
        !wait_us) {
        return PAIR_HOLD_US;
    }
    return wait_us < e->job->retry.max_wait_us ? wait_us : e->job->retry.max_wait_us;
}

/* How long its pair is to be held; 0: not at all. */
static uint64_t pair_hold_us(struct engine *e, const struct response *response, uint32_t key)
{
    uint32_t host = response->request->host;

    if (response->outcome == OUTCOME_PROXY) {
        return PAIR_HOLD_US; /* it does not reach this host, or does not want to */
    }
    if (response->status == 429) {
        return hold_of(e, response);
    }
    if (response->status == 403) {
        return proxy_pool_refused(&e->proxy_pool, host, key) >= BANNED_ROW ? BANNED_HOLD_US : 0;
    }
    if (response->outcome == OUTCOME_OK) {
        proxy_pool_well(&e->proxy_pool, host, key);
    }
    return 0;
}

/* That it is moved is no failure of it, nor of its host. */
static void move(struct engine *e, struct response *response, uint64_t hold_us)
{
    const struct host *host = host_at(&e->hosts, response->request->host);
    bool is_told = response->outcome == OUTCOME_PROXY; /* the reason names it */
    char length[UNITS_TEXT_MAX];

    snprintf(length, sizeof length, "for good");
    if (hold_us != TIME_NEVER) {
        units_format_time(hold_us, length);
    }
    events_add_host(&e->events, EVENT_NOTICE, "proxy", host->label, "",
                    "%.*s leaves its proxy %s%s: %.100s%s%s", STR_ARG(host->label),
                    hold_us == TIME_NEVER ? "" : "for ", length, response->reason,
                    is_told ? "" : ", through ", is_told ? "" : response->proxy);
    response->outcome = OUTCOME_PROXY;
    response->proxy_fault = PROXY_FAULT_MOVED;
}

static bool is_of_the_pair(const struct response *response)
{
    return response->outcome != OUTCOME_PROXY || response->proxy_fault == PROXY_FAULT_DENIED ||
           response->proxy_fault == PROXY_FAULT_GATEWAY;
}

/* One of a pool is held, for one host or for all, when another can be asked instead. That is no try, but once all have
 * failed in a row it is one: else a host that none reaches would be asked for ever, where holds end before all have
 * been tried. */
static void heed_pool(struct engine *e, struct response *response)
{
    uint32_t host = response->request->host, key = engine_host_key(e, host);
    uint64_t now_us = engine_now_us(e), hold_us;
    bool is_other_free, is_worth_it = true;

    if (response->outcome == OUTCOME_PROXY) {
        is_worth_it = proxy_pool_failed(&e->proxy_pool, host, key, response->proxy_index, now_us);
    } else if (response->status) {
        proxy_pool_answered(&e->proxy_pool, host, key);
    }
    if (is_of_the_pair(response)) {
        hold_us = pair_hold_us(e, response, key);
        is_other_free = hold_us && proxy_pool_hold(&e->proxy_pool, host, key, response->proxy_index,
                                                   now_us + hold_us, now_us);
    } else {
        hold_us = response->proxy_fault == PROXY_FAULT_DEAD ? PAIR_HOLD_US : TIME_NEVER;
        is_other_free =
            proxy_pool_down(&e->proxy_pool, response->proxy_index,
                            hold_us == TIME_NEVER ? TIME_NEVER : now_us + hold_us, now_us);
    }
    if (is_other_free && (is_worth_it || hold_us == TIME_NEVER)) {
        host_forget_told(host_at(&e->hosts, host)); /* a server counts by who asks it */
        move(e, response, hold_us);
    }
}

void proxy_note(struct engine *e, struct response *response)
{
    char why[sizeof e->ending.why];

    /* What a server answers to a login is the login's to judge (engine/auth.h); that a proxy fails is not. */
    if (e->proxy_pool.count && response->proxy &&
        (response->request->endpoint < e->job->endpoint_count ||
         response->outcome == OUTCOME_PROXY)) {
        heed_pool(e, response);
    }
    if (response->outcome != OUTCOME_PROXY) {
        e->proxy_has_worked |= response->proxy && response->status;
        return;
    }
    if (!is_over(e, response) || e->phase != ENGINE_RUNNING) {
        return;
    }
    snprintf(why, sizeof why, "%.*s; nothing is lost: run the same command when that is mended",
             (int)(sizeof why - 64), response->reason);
    events_add(&e->events, EVENT_ERROR, "proxy", ",\"code\":\"E-PRX2\"", "%s", why);
    engine_stop_for(e, "E-PRX2", why);
    if (e->ending.exit == EXIT_WELL && response->proxy_fault == PROXY_FAULT_AUTH) {
        e->ending.exit = EXIT_AUTH;
    }
}

bool proxy_is_over(const struct engine *e, const struct response *response)
{
    return response->outcome == OUTCOME_PROXY &&
           (response->proxy_fault == PROXY_FAULT_MOVED || is_over(e, response));
}

bool proxy_has_left(struct engine *e, const struct response *response)
{
    return e->proxy_pool.count && response->proxy &&
           response->proxy_index != proxy_of(e, response->request->host);
}

bool proxy_is_hopeless(const struct response *response)
{
    return response->proxy_fault == PROXY_FAULT_DENIED;
}

static void tell(struct engine *e, const char *url, const char *source, const char *schemes)
{
    struct proxy_url split;
    bool is_known = proxy_url_split(str_view(url), &split, NULL) == RESULT_OK;

    events_add(&e->events, EVENT_NOTICE, "proxy", "", "%s goes through the proxy %s (%s)%s",
               schemes, url, source,
               is_known && proxy_kind_resolves(split.kind)
                   ? "; it looks names up, so private addresses behind names are its to refuse"
                   : "");
}

void proxy_tell(struct engine *e)
{
    const struct job_proxy *p = &e->job->network.proxy;
    const char *none_for = p->none_for ? p->none_for : p->env_none_for;
    bool is_same = p->http.name && p->https.name && strcmp(p->http.name, p->https.name) == 0;
    bool is_any = p->pool_count || (p->url ? p->url[0] != '\0' : p->http.name || p->https.name);

    if (e->job->network.route.unix_socket) {
        return; /* nothing goes through a proxy */
    }
    if (p->pool_count) {
        events_add(
            &e->events, EVENT_NOTICE, "proxy", "",
            "everything goes through %zu proxies (%s), a host through its own; private addresses "
            "behind names are theirs to refuse where they look names up",
            p->pool_count, p->file);
    } else if (p->url && p->url[0]) {
        tell(e, p->url, "--proxy", "everything");
    } else if (!p->url && is_same) {
        tell(e, p->http.url, p->http.name, "everything");
    } else if (!p->url) {
        if (p->http.name) {
            tell(e, p->http.url, p->http.name, "http");
        }
        if (p->https.name) {
            tell(e, p->https.url, p->https.name, "https");
        }
    }
    if (is_any && none_for && none_for[0]) {
        events_add(&e->events, EVENT_NOTICE, "proxy", "", "without a proxy (%s): %s",
                   p->none_for ? "--noproxy" : p->env_none_for_name, none_for);
    }
}
