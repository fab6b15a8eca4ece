#include "engine/proxy_watch.h"

#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "job/proxy_url.h"

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

void proxy_note(struct engine *e, const struct response *response)
{
    char why[sizeof e->ending.why];

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
    return response->outcome == OUTCOME_PROXY && is_over(e, response);
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
    bool is_any = p->url ? p->url[0] != '\0' : p->http.name || p->https.name;

    if (p->url && p->url[0]) {
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
