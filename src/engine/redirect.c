#include "engine/redirect.h"

#include "base/os.h"
#include "base/url_make.h"
#include "engine/auth.h"
#include "engine/core.h"
#include "engine/engine_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 100 /* bytes of somebody else's URL in a reason */

/* The redirect is not followed: the attempt is final, and this its reason. */
static bool refuse(struct engine *e, struct request *request, const char *why, struct str what)
{
    buf_reset(&e->scratch.shown);
    what = engine_redact_url(e, what, &e->scratch.shown) == RESULT_OK ? buf_view(&e->scratch.shown)
                                                                      : STR("?");
    what.len = what.len < SHOWN_MAX ? what.len : SHOWN_MAX;
    snprintf(request->reason, sizeof request->reason, "%s %.*s", why, STR_ARG(what));
    return false;
}

static bool has_value(struct str url, struct str wanted)
{
    struct url_params params;
    struct str name, value;

    url_params_begin(&params, url);
    while (url_params_next(&params, &name, &value)) {
        if (str_equal(value, wanted)) {
            return true;
        }
    }
    return false;
}

/* A credential stands in the URL: one that is known as such, or the value of a parameter of the planned
 * URL that is a secret by its name. */
static bool holds_credential(const struct engine *e, struct str planned, struct str url)
{
    struct url_params params;
    struct str name, value;

    if (secrets_are_in(&e->secrets, url)) {
        return true;
    }
    url_params_begin(&params, planned);
    while (url_params_next(&params, &name, &value)) {
        if (value.len >= SECRET_MIN_BYTES && url_param_is_secret(name) && has_value(url, value)) {
            return true;
        }
    }
    return false;
}

/* Takes the query's key out of a URL of the host that is asked with it. */
static enum result drop_key(const struct engine *e, const struct url *to, char *url)
{
    size_t len = strlen(url);
    struct buf without = { .max = len + 1 };
    char origin[URL_ORIGIN_MAX];
    struct str value;
    enum result result;

    url_origin_key(to, origin);
    if (!auth_is_for(&e->auth, origin) || !e->auth.login->in_query ||
        !url_param(str_view(url), str_view(e->auth.login->name), &value)) {
        return RESULT_OK;
    }
    result = url_append_without_param(&without, str_view(url), str_view(e->auth.login->name));
    if (result == RESULT_OK) {
        os_wipe(url, len);
        memcpy(url, without.data, without.len);
    }
    buf_release(&without);
    return result;
}

/* What goes along to that origin from now on; false when the redirect is refused. `drops_body`: it is asked
 * with GET there. */
static bool may_lead_to(struct engine *e, struct response *response, const char *url,
                        const struct url *to, bool drops_body)
{
    struct request *request = response->request;
    const char *method = e->job->endpoints[request->endpoint].method;
    struct str target = str_view(url);
    struct url planned;
    bool is_away;

    if (url_split(request->url, &planned, NULL) != RESULT_OK) {
        return refuse(e, request, "refused a redirect to", target);
    }
    is_away = !url_same_origin(&planned, to);
    if (is_away && holds_credential(e, request->url, target)) {
        return refuse(e, request, "refused to send a credential on to another origin:", to->origin);
    }
    request->foreign |= is_away;
    request->from_public |= request->foreign && !response->peer_is_ours;
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) {
        return true;
    }
    request->drop_body |= drops_body;
    return !request->foreign || request->drop_body ||
           refuse(e, request, "refused to send a body on to another origin:", target);
}

/* `url` stays the caller's unless it is followed. */
static enum redirect_word lead(struct engine *e, struct response *response, char *url,
                               bool drops_body)
{
    struct request *request = response->request;
    struct str target = str_view(url);
    struct url from, to;
    struct err err;

    if (request->hops >= REQUEST_HOPS_MAX) {
        refuse(e, request, "more than 5 redirects, the last to", target);
        return REDIRECT_REFUSED;
    }
    if (url_split(target, &to, &err) != RESULT_OK) {
        refuse(e, request, "redirect to an unusable URL:", str_view(err.text));
        return REDIRECT_REFUSED;
    }
    if (url_split(request_url(request), &from, NULL) != RESULT_OK ||
        (from.is_https && !to.is_https)) {
        refuse(e, request, "refused a redirect from https to", target);
        return REDIRECT_REFUSED;
    }
    if (drop_key(e, &to, url) != RESULT_OK) {
        return REDIRECT_SHORTAGE;
    }
    if (!may_lead_to(e, response, url, &to, drops_body)) {
        return REDIRECT_REFUSED;
    }
    request->hops++;
    free(request->redirect_url);
    request->redirect_url = url;
    return REDIRECT_FOLLOW;
}

enum redirect_word redirect_take(struct engine *e, struct response *response)
{
    int status = response->status;
    enum redirect_word word =
        lead(e, response, response->redirect_url, status == 301 || status == 302 || status == 303);

    if (word == REDIRECT_FOLLOW) {
        response->redirect_url = NULL;
    }
    return word;
}

enum redirect_word redirect_lead(struct engine *e, struct response *response, char *url)
{
    enum redirect_word word = lead(e, response, url, true);

    if (word != REDIRECT_FOLLOW) {
        free(url);
    }
    return word;
}

bool redirect_is_secret(struct engine *e, const struct request *request, struct str url)
{
    buf_reset(&e->scratch.shown);
    return holds_credential(e, request->url, url) ||
           url_redact(url, &e->scratch.shown) != RESULT_OK ||
           !str_equal(buf_view(&e->scratch.shown), url);
}
