/* What ties a job file's parts together: URLs and their base, placeholders and what they name. */
#include "job/job_order.h"

#include "base/grow.h"
#include "base/json_scan.h"
#include "base/url.h"
#include "job/header_fill.h"
#include "job/job_parts.h"
#include "job/template.h"

#include <stdlib.h>
#include <string.h>

#define NONE JOB_LINK_NONE

/* --- URLs -------------------------------------------------------------------------------------------- */

static bool is_absolute(const char *url)
{
    size_t len = strcspn(url, ":/?#{");

    return len > 0 && strncmp(url + len, "://", 3) == 0;
}

/* `base` before a URL that is relative; a heap copy, NULL when out of memory. */
static char *absolute_url(const char *base, const char *url)
{
    struct buf text = { 0 };
    struct str head = str_view(base);
    char *copy = NULL;

    if (!base || is_absolute(url) || url[0] == '{') {
        return str_dup(str_view(url));
    }
    while (head.len && head.data[head.len - 1] == '/') {
        head.len--;
    }
    if (buf_printf(&text, "%.*s%s%s", STR_ARG(head), strchr("/?", url[0]) ? "" : "/", url) ==
        RESULT_OK) {
        copy = str_dup(buf_view(&text));
    }
    buf_release(&text);
    return copy;
}

static bool holds_variable(const char *text)
{
    for (const char *at = strstr(text, "${"); at; at = strstr(at + 2, "${")) {
        size_t len =
            strspn(at + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

        if (len && at[2 + len] == '}') {
            return true;
        }
    }
    return false;
}

static bool holds_range(const char *text)
{
    for (const char *at = strchr(text, '['); at; at = strchr(at + 1, '[')) {
        size_t low = strspn(at + 1, "0123456789");
        size_t high = at[1 + low] == '-' ? strspn(at + 2 + low, "0123456789") : 0;

        if (low && high) {
            return true;
        }
    }
    return false;
}

static bool one_for_all(void *context, size_t index, struct str *json)
{
    (void)context;
    (void)index;
    *json = STR("1");
    return true;
}

/* The URL with something for each placeholder must be one. */
static void check_url(struct job_links *l, struct str at, const char *text,
                      const struct template *t)
{
    struct buf url = { 0 };
    struct err err;
    struct url parts;

    if (text[0] == '{' || !l->has_base) {
        return; /* its value is the URL */
    }
    if (template_expand(t, one_for_all, NULL, &url, &err) != RESULT_OK ||
        url_split(buf_view(&url), &parts, &err) != RESULT_OK) {
        job_text_fault_of(&l->r->text, at, &err);
    }
    buf_release(&url);
}

/* False when it is none: what is relative to it then is not told once more. */
static bool check_base(struct job_reader *r, struct str at)
{
    size_t faults = r->text.faults->count;
    struct url url;
    struct err err;

    if (holds_variable(r->job->base)) {
        job_text_fault(&r->text, at, "E-SEC4",
                       "\"base\" is written down, so it cannot come from the environment; run with "
                       "--base URL");
    } else if (url_split(str_view(r->job->base), &url, &err) != RESULT_OK) {
        err_prefix(&err, "\"base\"");
        job_text_fault_of(&r->text, at, &err);
    } else if (strpbrk(r->job->base, "?#{}")) {
        job_text_fault(&r->text, at, "E-CFG2",
                       "\"base\": want a URL without query and placeholders");
    }
    return r->text.faults->count == faults;
}

static void link_login_url(struct job_links *l, char **at)
{
    struct job_reader *r = l->r;
    struct url parts;
    struct err err;
    char *url;

    if (!*at) {
        return;
    }
    url = absolute_url(r->job->base, *at);
    r->text.no_memory |= !url;
    if (!url) {
        return;
    }
    free(*at);
    *at = url;
    if (l->has_base && url_split(str_view(url), &parts, &err) != RESULT_OK) {
        err_prefix(&err, "\"login\"");
        job_text_fault_of(&r->text, r->login, &err);
    }
}

static void link_login(struct job_links *l)
{
    link_login_url(l, &l->r->job->login.url);
    link_login_url(l, &l->r->job->login.device_url);
}

/* --- placeholders ------------------------------------------------------------------------------------- */

static size_t find_var(const struct job *job, struct str name)
{
    for (size_t i = 0; i < job->var_count; i++) {
        if (str_equal(str_view(job->vars[i].name), name)) {
            return i;
        }
    }
    return NONE;
}

static size_t find_endpoint(const struct job *job, struct str name)
{
    for (size_t i = 0; i < job->endpoint_count; i++) {
        if (job->endpoints[i].name && str_equal(str_view(job->endpoints[i].name), name)) {
            return i;
        }
    }
    return NONE;
}

static void unknown(struct job_links *l, const struct job_use *use, struct str head)
{
    const struct job *job = l->r->job;
    struct job_hint hint = job_hint_for(head);
    char text[JOB_HINT_MAX];

    for (size_t i = 0; i < job->var_count; i++) {
        job_hint_offer(&hint, str_view(job->vars[i].name));
    }
    for (size_t i = 0; i < job->endpoint_count; i++) {
        job_hint_offer(&hint, str_view(job->endpoints[i].name));
    }
    job_hint_print(&hint, text);
    job_text_fault(&l->r->text, use->at, "E-CFG5",
                   "{%.64s} names neither a variable nor an endpoint%s", use->name, text);
}

/* `{since}` of an endpoint that has one. */
static bool names_since(struct job_links *l, struct str head, struct str field)
{
    if (!l->r->job->endpoints[l->at].since.at || field.data ||
        !str_equal(head, STR(JOB_SINCE_NAME))) {
        return false;
    }
    l->r->places[l->at].names_since = true;
    return true;
}

static void resolve(struct job_links *l, struct job_use *use)
{
    struct str field, head = template_name_head(str_view(use->name), &field);
    struct buf pointer = { 0 };
    struct json_pointer parsed;
    struct err err;

    if (names_since(l, head, field)) {
        return;
    }
    use->var = find_var(l->r->job, head);
    use->endpoint = use->var == NONE ? find_endpoint(l->r->job, head) : NONE;
    if (use->var == NONE && use->endpoint == NONE) {
        unknown(l, use, head);
        return;
    }
    if (use->endpoint == NONE) {
        return;
    }
    if (!field.data) {
        job_text_fault(&l->r->text, use->at, "E-CFG5",
                       "{%.64s} is an endpoint; want a field of its records, as in {%.64s.id}",
                       use->name, use->name);
    } else if (template_field_pointer(field, &pointer) != RESULT_OK) {
        l->r->text.no_memory = true;
    } else if (json_pointer_parse(&parsed, buf_view(&pointer), &err) != RESULT_OK) {
        job_text_fault_of(&l->r->text, use->at, &err);
    }
    buf_release(&pointer);
}

static void add_use(struct job_links *l, struct str name, struct str at)
{
    struct job_use *uses = grow_by_one(l->uses, l->use_count, &l->use_allocated, sizeof *uses);
    char *copy = uses ? str_dup(name) : NULL;

    l->uses = uses ? uses : l->uses;
    if (!copy) {
        l->r->text.no_memory = true;
        return;
    }
    l->uses[l->use_count] = (struct job_use){ copy, at, NONE, NONE };
    resolve(l, &l->uses[l->use_count++]);
}

/* Parses a text and notes what it names; NULL after a fault. */
static struct template *add_template(struct job_links *l, const char *text,
                                     enum template_context context, struct str at)
{
    struct template *t;
    struct err err;

    if (template_new(&t, str_view(text), context, &err) != RESULT_OK) {
        job_text_fault_of(&l->r->text, at, &err);
        return NULL;
    }
    for (size_t i = 0; i < template_name_count(t); i++) {
        add_use(l, template_name(t, i), at);
    }
    return t;
}

static bool refuse_secret(struct job_links *l, const char *text, struct str at)
{
    if (holds_variable(text)) {
        job_text_fault(&l->r->text, at, "E-SEC4",
                       "a secret here would be stored with every record; give it as \"login\": "
                       "{\"key\": \"${NAME}\", \"query\": \"api_key\"}, or as a header");
        return true;
    }
    return false;
}

static void link_url(struct job_links *l, struct job_endpoint *endpoint,
                     struct place_of_endpoint *place)
{
    struct template *t;
    struct err err;
    char *url;

    if (!place->url_text) {
        return;
    }
    url = absolute_url(l->r->job->base, place->url_text);
    if (!url || job_add_source(endpoint, JOB_SOURCE_TEMPLATE, str_view(url), &err) != RESULT_OK) {
        l->r->text.no_memory = true;
        free(url);
        return;
    }
    if (refuse_secret(l, url, place->url)) {
        free(url);
        return;
    }
    if (holds_range(url)) {
        job_text_fault(
            &l->r->text, place->url, "E-CFG5",
            "a pattern such as [1-100] is a variable's: \"vars\": {\"id\": \"[1-100]\"}, "
            "and {id} here");
    }
    if (!l->r->job->base && !is_absolute(url) && url[0] != '{') {
        job_text_fault(&l->r->text, place->url, "E-CFG4",
                       "\"url\" is relative, and there is no \"base\"");
    } else {
        t = add_template(l, url, TEMPLATE_URL, place->url);
        if (t) {
            check_url(l, place->url, url, t);
        }
        template_free(t);
    }
    free(url);
}

static void link_headers(struct job_links *l, const struct job_endpoint *endpoint, struct str at)
{
    const struct job *job = l->r->job;
    size_t count = 0;

    for (size_t i = 0; i < endpoint->header_count; i++) {
        const struct job_header *header = &endpoint->headers[i];

        if (header->sent) {
            template_free(add_template(l, header->sent, TEMPLATE_HEADER, at));
            count += strchr(header->sent, '{') != NULL;
        }
        if (header->sent && strchr(header->sent, '{') &&
            job_find_header(job->headers, job->header_count, str_view(header->name))) {
            job_text_fault(&l->r->text, at, "E-CFG8",
                           "header %.64s has placeholders, and is one of the job's, too",
                           header->name);
        }
    }
    if (count > HEADER_FILL_MAX) {
        job_text_fault(&l->r->text, at, "E-HDR2", "more than %d headers with placeholders",
                       HEADER_FILL_MAX);
    }
}

static bool is_seen(const struct job_links *l, size_t endpoint, const char *name)
{
    for (size_t i = l->first_use[endpoint]; i < l->use_count; i++) {
        if (strcmp(l->uses[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void link_texts(struct job_links *l, size_t index)
{
    struct job_endpoint *endpoint = &l->r->job->endpoints[index];
    struct place_of_endpoint *place = &l->r->places[index];
    const struct job_pages *pages = &endpoint->pages;

    l->at = index;
    l->first_use[index] = l->use_count;
    link_url(l, endpoint, place);
    if (endpoint->body && place->url_text && !refuse_secret(l, endpoint->body, place->body)) {
        template_free(add_template(l, endpoint->body,
                                   template_body_context(str_view(endpoint->body)), place->body));
    }
    if (place->url_text) {
        link_headers(l, endpoint, place->headers);
    }
    for (size_t i = 0; i < endpoint->with_count; i++) {
        if (!is_seen(l, index, endpoint->with[i])) {
            add_use(l, str_view(endpoint->with[i]), place->with);
        }
    }
    l->first_use[index + 1] = l->use_count;
    if (pages->param && pages->param[0] == '/' &&
        (!endpoint->body || template_body_context(str_view(endpoint->body)) != TEMPLATE_JSON)) {
        job_text_fault(&l->r->text, place->pages, "E-CFG4",
                       "\"pages\": \"%.64s\" points into a body, and the endpoint has no \"json\"",
                       pages->param);
    }
}

static void check_names(struct job_links *l)
{
    struct job *job = l->r->job;

    for (size_t i = 0; i < job->endpoint_count; i++) {
        const char *name = job->endpoints[i].name;

        if (!name && job->endpoint_count > 1 && !l->r->is_stored) {
            job_text_fault(&l->r->text, l->r->places[i].at, "E-CFG4",
                           "the endpoint has no \"name\", which several endpoints need");
        }
        if (!name && job->name) {
            job->endpoints[i].name = str_dup(str_view(job->name));
            l->r->text.no_memory |= !job->endpoints[i].name;
        } else if (!name) {
            continue; /* a stored job that was never finished */
        } else if (find_endpoint(job, str_view(name)) < i) {
            job_text_fault(&l->r->text, l->r->places[i].name, "E-CFG7",
                           "two endpoints are named \"%s\"", name);
        } else if (find_var(job, str_view(name)) != NONE) {
            job_text_fault(&l->r->text, l->r->places[i].name, "E-CFG7",
                           "an endpoint and a variable are named \"%s\"", name);
        }
    }
}

/* It is asked for another endpoint's records. */
static bool names_another(const struct job_links *l, size_t e)
{
    for (size_t i = l->first_use[e]; i < l->first_use[e + 1]; i++) {
        if (l->uses[i].endpoint != JOB_LINK_NONE) {
            return true;
        }
    }
    return false;
}

static void link_endpoints(struct job_links *l)
{
    check_names(l);
    for (size_t e = 0; e < l->count && !l->r->text.no_memory; e++) {
        link_texts(l, e);
    }
    if (!l->r->text.no_memory) {
        job_check_since(l->r);
        for (size_t e = 0; e < l->count; e++) {
            job_check_split(l->r, e, names_another(l, e));
        }
        job_order_endpoints(l);
    }
}

static bool is_used(const struct job_links *l, struct str name)
{
    for (size_t i = 0; i < l->use_count; i++) {
        if (l->uses[i].var != NONE &&
            str_equal(str_view(l->r->job->vars[l->uses[i].var].name), name)) {
            return true;
        }
    }
    return false;
}

/* A mistyped name would change nothing, without a word. */
static void check_given(struct job_links *l)
{
    const struct job_given *given = l->r->given;

    for (size_t i = 0; given && i < given->var_count; i++) {
        struct str value = str_view(given->vars[i]), name = str_cut(&value, '=');
        struct job_hint hint = job_hint_for(name);
        char text[JOB_HINT_MAX];

        if (is_used(l, name) || job_given_is_used(l->r, i)) {
            continue;
        }
        for (size_t u = 0; u < l->use_count; u++) {
            if (l->uses[u].var != NONE) {
                job_hint_offer(&hint, str_view(l->r->job->vars[l->uses[u].var].name));
            }
        }
        job_hint_print(&hint, text);
        job_text_fault(&l->r->text, job_text_root(&l->r->text), "E-CFG5",
                       "--var %.*s: the job uses no variable of that name%s", STR_ARG(name), text);
    }
}

void job_link(struct job_reader *r, struct str base_at)
{
    struct job_links l = { .r = r, .count = r->job->endpoint_count };

    l.has_base = !r->job->base || check_base(r, base_at);
    link_login(&l);
    if (!l.count) {
        return;
    }
    l.first_use = calloc(l.count + 1, sizeof *l.first_use);
    if (l.first_use) {
        link_endpoints(&l);
        check_given(&l);
    } else {
        r->text.no_memory = true;
    }
    for (size_t i = 0; i < l.use_count; i++) {
        free(l.uses[i].name);
    }
    free(l.uses);
    free(l.first_use);
}
