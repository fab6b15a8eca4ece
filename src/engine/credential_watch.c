#include "engine/credential_watch.h"

#include "base/units.h"
#include "base/url_make.h"
#include "base/utf8.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/judge_end.h"
#include "engine/login.h"
#include "job/auth/auth_kind.h"
#include "plan/retry.h"
#include "plan/twin.h"

#include <stdio.h>
#include <string.h>

#define ASK_AGAIN_US US_PER_S
#define SCHEMES_MAX 8

/* --- who carries what ---------------------------------------------------------------------------------- */

static bool is_any_secret(const struct engine *e, const struct job_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (header_is_secret(str_view(headers[i].name)) ||
            (headers[i].sent && secrets_are_in(&e->job->secrets, str_view(headers[i].sent)))) {
            return true;
        }
    }
    return false;
}

static bool has_own(const struct engine *e, const struct job_endpoint *endpoint)
{
    return is_any_secret(e, endpoint->headers, endpoint->header_count) ||
           (endpoint->body && secrets_are_in(&e->job->secrets, str_view(endpoint->body)));
}

static bool is_in_url(const struct engine *e, const struct request *request)
{
    struct url_params params;
    struct str name, value;

    if (request->sealed || secrets_are_in(&e->secrets, request_url(request))) {
        return true;
    }
    url_params_begin(&params, request_url(request));
    while (url_params_next(&params, &name, &value)) {
        if (value.len >= SECRET_MIN_BYTES && url_param_is_secret(name)) {
            return true;
        }
    }
    return false;
}

/* False when it carries none that is given. */
static bool find_owner(const struct engine *e, const struct request *request, uint32_t *endpoint)
{
    if (request->foreign || (e->auth.is_asked && login_is_carried(e, request))) {
        return false;
    }
    if (has_own(e, &e->job->endpoints[request->endpoint])) {
        *endpoint = request->endpoint;
        return true;
    }
    *endpoint = CREDENTIAL_OF_JOB;
    return login_is_carried(e, request) ||
           is_any_secret(e, e->job->headers, e->job->header_count) || is_in_url(e, request);
}

/* Several tokens of one host are one credential here. */
static uint32_t host_of(const struct engine *e, const struct request *request)
{
    return host_at(&e->hosts, request->host)->twin ? e->login.home : request->host;
}

/* NULL: it is not watched. */
static struct credential_watch *find(struct engine *e, uint32_t host, uint32_t endpoint)
{
    for (size_t i = 0; i < e->credentials.count; i++) {
        struct credential_watch *w = &e->credentials.list[i];

        if (w->host == host && w->endpoint == endpoint && w->key == engine_host_key(e, host)) {
            return w;
        }
    }
    return NULL;
}

static struct credential_watch *watch(struct engine *e, uint32_t host, uint32_t endpoint)
{
    struct credential_watch *found = find(e, host, endpoint);
    struct credential_watch *w = &e->credentials.list[0];

    if (found || e->credentials.count == CREDENTIAL_WATCHES_MAX) {
        return found;
    }
    w = &e->credentials.list[e->credentials.count++];
    *w = (struct credential_watch){ .host = host,
                                    .key = engine_host_key(e, host),
                                    .endpoint = endpoint };
    return w;
}

static struct credential_watch *watch_of(struct engine *e, const struct request *request)
{
    uint32_t endpoint;

    return find_owner(e, request, &endpoint) ? find(e, host_of(e, request), endpoint) : NULL;
}

/* --- set aside ----------------------------------------------------------------------------------------- */

static void set_aside(struct engine *e, struct response *response)
{
    struct request *request = judge_set_aside(e, response);

    if (!request->refused_us) {
        request->refused_us = engine_now_us(e);
    }
    request->next = e->credentials.aside;
    e->credentials.aside = request;
}

/* It is asked once more, at that time. Without memory for that it is left to the next session. */
static void ask_again(struct engine *e, struct request *request, uint64_t due_us)
{
    request->is_asked_again = true;
    request->due_us = due_us;
    request->due = (struct due){ .by = DUE_BACKOFF,
                                 .status = 401,
                                 .wait_us = due_us - engine_now_us(e),
                                 .ceiling_us = ASK_AGAIN_US };
    if (frontier_wait(e->frontier, request, due_us) != RESULT_OK) {
        frontier_forget(e->frontier, request);
    }
}

/* Those whose credential is good after all. */
static void release_good(struct engine *e)
{
    struct request **at = &e->credentials.aside, *request;

    while ((request = *at)) {
        const struct credential_watch *w = watch_of(e, request);

        if (w && !credential_is_good_since(&w->credential, request->refused_us)) {
            at = &request->next;
            continue;
        }
        *at = request->next;
        ask_again(e, request, engine_now_us(e));
    }
}

void credential_note_well(struct engine *e, const struct request *request)
{
    struct credential_watch *w;

    e->credentials.well++;
    if (!e->credentials.count || !(w = watch_of(e, request))) {
        return;
    }
    credential_accepted(&w->credential, request->since_us);
    if (e->credentials.aside) {
        release_good(e);
    }
}

/* --- refused ------------------------------------------------------------------------------------------- */

#define PLAN_SAMPLES 16 /* of a plan whose requests are not made yet */

/* It is asked without the credential that the watch is of. */
static bool is_other(const struct engine *e, const struct request *request,
                     const struct credential_watch *w)
{
    uint32_t endpoint;

    return host_of(e, request) != w->host || !find_owner(e, request, &endpoint) ||
           endpoint != w->endpoint;
}

/* Something is, or probably will be, asked that is none of the watch's. */
static bool is_any_other(struct engine *e, const struct credential_watch *w)
{
    uint64_t seeds = frontier_plan_size(e->frontier);
    bool found = false;

    for (uint32_t i = 0; i < e->hosts.count && !found; i++) {
        const struct host *host = host_at(&e->hosts, i);

        found = i != w->host && host->origin[0] && !host->twin && host->refs;
    }
    for (uint64_t i = 0; i < PLAN_SAMPLES && !found && seeds; i++) {
        struct request *request = NULL;

        if (frontier_make_seed(e->frontier, 1 + (seeds - 1) * i / (PLAN_SAMPLES - 1), STR_NONE,
                               &request, NULL) == RESULT_OK) {
            found = is_other(e, request, w);
            frontier_forget(e->frontier, request);
        }
    }
    return found;
}

/* "Digest", when that is what the server takes, and what it is sent is something else. */
static void note_scheme(struct engine *e, struct credential_watch *w,
                        const struct response *response)
{
    const struct auth_kind *kind = e->job->login.kind;
    struct str line, first = response_header(response, STR("www-authenticate"));
    struct str scheme = str_trim(str_cut(&first, ' '));
    bool is_ours = !kind || !login_is_carried(e, response->request) ||
                   (kind != &auth_basic && kind != &auth_digest && kind != &auth_bearer);

    for (unsigned n = 0; !is_ours && n < SCHEMES_MAX; n++) {
        line = response_header_nth(response, STR("www-authenticate"), n);
        is_ours = line.len && strcasestr(line.data, kind->key.name); /* headers are terminated */
    }
    w->asks_for[0] = '\0';
    if (!is_ours && scheme.len) {
        utf8_display(w->asks_for, sizeof w->asks_for, scheme, sizeof w->asks_for - 1);
    }
}

/* "(HTTP 401)", and what would be another way. */
static void spell_scheme(const struct credential_watch *w, char text[80])
{
    struct str scheme = str_view(w->asks_for);

    snprintf(text, 80, "(HTTP 401%s%s%s)", scheme.len ? ": it asks for " : "", w->asks_for,
             str_equal_nocase(scheme, STR("digest"))  ? ", --digest"
             : str_equal_nocase(scheme, STR("basic")) ? ", --user"
                                                      : "");
}

static void spell_loss(const struct engine *e, const struct credential_watch *w, char why[160])
{
    const struct host *host = host_at(&e->hosts, w->host);
    unsigned long long well = e->credentials.well;
    char after[48] = "", scheme[80], whose[32] = "the credential";
    struct str label = twin_origin_label(host);

    if (well) {
        snprintf(after, sizeof after, " after %llu answer%s that went well", well,
                 units_plural(well));
    }
    spell_scheme(w, scheme);
    if (e->tokens.count) {
        snprintf(whose, sizeof whose, "all %zu tokens", e->tokens.count);
    }
    snprintf(why, 160, "%.*s refuses %s %s%s; set %s and run the same command: nothing is lost",
             (int)(label.len < 40 ? label.len : 40), label.data, whose, scheme, after,
             e->tokens.count ? "new ones" : "a new one");
}

/* It has ended. What does not carry it is still asked, when there is such. */
static void lose(struct engine *e, struct credential_watch *w, const struct request *request)
{
    char why[sizeof e->ending.why];

    if (e->phase != ENGINE_RUNNING || w->is_lost) {
        return;
    }
    spell_loss(e, w, why);
    if (e->credentials.well) {
        events_add(&e->events, EVENT_NOTICE, "auth", "",
                   "URLs that a good credential may not see: --answer 'status=401 do=fail' goes "
                   "on without them");
    }
    e->auth.is_lost |= login_is_carried(e, request);
    if (e->auth.is_lost || !is_any_other(e, w)) {
        login_lose(e, why);
        return;
    }
    w->is_lost = true;
    e->credentials.lost++;
    if (!e->credentials.lost_why[0]) {
        memcpy(e->credentials.lost_why, why, sizeof why);
    }
    events_add(&e->events, EVENT_ERROR, "auth", ",\"code\":\"E-AUTH2\"",
               "%s; what is asked without it goes on", why);
}

enum credential_fate credential_heed(struct engine *e, struct response *response)
{
    struct request *request = response->request;
    struct credential_watch *w;
    struct credential *c;
    uint32_t endpoint;

    if (response->status != 401 || response->outcome != OUTCOME_STATUS ||
        retry_wants_status(&e->job->retry, 401) || !find_owner(e, request, &endpoint) ||
        !(w = watch(e, host_of(e, request), endpoint))) {
        return CREDENTIAL_SILENT;
    }
    c = &w->credential;
    note_scheme(e, w, response);
    if (!c->well && e->credentials.well) { /* before it was watched: when, nobody knows */
        c->well = e->credentials.well;
    }
    switch (credential_refused(c, request->is_asked_again ? request->refused_us : 0)) {
    case CREDENTIAL_ALONE:
        return CREDENTIAL_FAILED;
    case CREDENTIAL_LOST:
        lose(e, w, request);
        break;
    case CREDENTIAL_WAIT:
        break;
    }
    set_aside(e, response);
    return CREDENTIAL_TAKEN;
}

bool credential_is_lost(struct engine *e, const struct request *request)
{
    const struct credential_watch *w = e->credentials.lost ? watch_of(e, request) : NULL;

    return w && w->is_lost;
}

/* What carries a credential that has ended is left to a session that has another. */
static void forget_lost(struct engine *e)
{
    struct request **at = &e->credentials.aside, *request;

    while ((request = *at)) {
        if (!credential_is_lost(e, request)) {
            at = &request->next;
            continue;
        }
        *at = request->next;
        frontier_forget(e->frontier, request);
    }
}

bool credential_resume(struct engine *e)
{
    struct request *request;
    bool is_worth_it;
    char why[sizeof e->ending.why] = "";

    forget_lost(e);
    request = e->credentials.aside;
    is_worth_it = request != NULL;
    for (struct request *r = request; r; r = r->next) {
        const struct credential_watch *w = watch_of(e, r);

        if (w && !credential_is_worth_a_try(&w->credential, r->is_asked_again)) {
            is_worth_it = false;
            spell_loss(e, w, why);
        }
    }
    if (request && !is_worth_it) {
        login_lose(e, why);
    } else if (!request && e->credentials.lost) {
        login_lose(e, e->credentials.lost_why);
    }
    while (is_worth_it && (request = e->credentials.aside)) {
        e->credentials.aside = request->next;
        ask_again(e, request, engine_now_us(e) + ASK_AGAIN_US);
    }
    return is_worth_it || e->credentials.aside;
}

void credential_release(struct engine *e)
{
    struct request *request;

    while ((request = e->credentials.aside)) {
        e->credentials.aside = request->next;
        frontier_forget(e->frontier, request);
    }
}
