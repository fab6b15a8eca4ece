/* job.json: the job as it was given, in the form of a job file, secrets unexpanded and paths and URLs
 * absolute. Numbers that a double would round are written as their digits. */
#include "job/job.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "job/auth/auth_kind.h"
#include "job/auth/sign.h"
#include "job/dates.h"
#include "job/job_read.h"
#include "job/template.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *job_compact_json(struct str json)
{
    struct buf out = { 0 };
    char *copy = json_text_compact(&out, json) == RESULT_OK ? str_dup(buf_view(&out)) : NULL;

    buf_release(&out);
    return copy;
}

/* --- values ------------------------------------------------------------------------------------------- */

/* A time that units_parse_time reads back to the microsecond. */
static void format_time(uint64_t us, char text[UNITS_TEXT_MAX])
{
    if (us % US_PER_S == 0) {
        snprintf(text, UNITS_TEXT_MAX, "%llus", (unsigned long long)(us / US_PER_S));
    } else if (us % US_PER_MS == 0) {
        snprintf(text, UNITS_TEXT_MAX, "%llums", (unsigned long long)(us / US_PER_MS));
    } else {
        snprintf(text, UNITS_TEXT_MAX, "%lluus", (unsigned long long)us);
    }
}

static bool add_optional(cJSON *object, const char *key, const char *text)
{
    return !text || cJSON_AddStringToObject(object, key, text);
}

static bool add_number(cJSON *object, const char *key, uint64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return cJSON_AddRawToObject(object, key, text);
}

static bool add_given(cJSON *object, const char *key, uint64_t number)
{
    return !number || add_number(object, key, number);
}

static bool add_time(cJSON *object, const char *key, uint64_t us)
{
    char text[UNITS_TEXT_MAX];

    format_time(us, text);
    return cJSON_AddStringToObject(object, key, text);
}

static bool add_rate(cJSON *object, const char *key, struct rate rate)
{
    char text[UNITS_TEXT_MAX];

    units_format_rate(rate, text);
    return cJSON_AddStringToObject(object, key, text);
}

static bool add_text(cJSON *array, const char *text)
{
    cJSON *item = cJSON_CreateString(text);

    return item && cJSON_AddItemToArray(array, item);
}

static bool add_texts(cJSON *object, const char *key, char *const *texts, size_t count)
{
    cJSON *array = count ? cJSON_AddArrayToObject(object, key) : NULL;

    for (size_t i = 0; array && i < count; i++) {
        if (!add_text(array, texts[i])) {
            return false;
        }
    }
    return !count || array;
}

static cJSON *add_element(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();

    if (object && !cJSON_AddItemToArray(array, object)) {
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}

/* --- headers -------------------------------------------------------------------------------------------- */

static bool has_text(const cJSON *array, const char *text)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, array)
    {
        if (strcmp(item->valuestring, text) == 0) {
            return true;
        }
    }
    return false;
}

/* Typed headers by name (null where the value is not to be kept), files by path. */
static bool write_headers(cJSON *to, const struct job_header *headers, size_t count, cJSON *files)
{
    cJSON *typed = cJSON_AddObjectToObject(to, "headers");
    bool ok = typed;

    for (size_t i = 0; i < count && ok; i++) {
        const struct job_header *header = &headers[i];

        if (!header->given) {
            ok = cJSON_AddNullToObject(typed, header->name);
        } else if (!header->from_file) {
            ok = cJSON_AddStringToObject(typed, header->name, header->given);
        } else if (!has_text(files, header->given)) {
            ok = add_text(files, header->given);
        }
    }
    return ok;
}

/* --- texts that a secret may have been typed into ------------------------------------------------------ */

/* Without it; the caller's to free. NULL when out of memory. */
static char *without_typed(const struct job *job, const char *text, bool is_url)
{
    struct buf out = { 0 };
    char *copy = job_hide_typed(job, text, is_url, &out) == RESULT_OK
                     ? str_dup(out.data ? buf_view(&out) : STR(""))
                     : NULL;

    buf_release(&out);
    return copy;
}

static bool add_url(const struct job *job, cJSON *object, const char *url)
{
    char *hidden = without_typed(job, url, true);
    bool ok = hidden && cJSON_AddStringToObject(object, "url", hidden);

    free(hidden);
    return ok;
}

/* --- endpoints ------------------------------------------------------------------------------------------ */

static bool write_sources(const struct job *job, cJSON *object, const struct job_endpoint *endpoint)
{
    cJSON *sources;

    if (endpoint->source_count == 1 && endpoint->sources[0].kind == JOB_SOURCE_TEMPLATE) {
        return add_url(job, object, endpoint->sources[0].text);
    }
    sources = cJSON_AddArrayToObject(object, "sources");
    for (size_t i = 0; sources && i < endpoint->source_count; i++) {
        const struct job_source *source = &endpoint->sources[i];
        cJSON *item = add_element(sources);

        if (!item ||
            (source->kind == JOB_SOURCE_LIST ? !cJSON_AddStringToObject(item, "list", source->text)
                                             : !add_url(job, item, source->text))) {
            return false;
        }
    }
    return sources;
}

/* The keys that are the style's own, in the order of the rows. */
static bool write_style(cJSON *object, const struct job_pages *pages)
{
    const struct job_page_style *style = &job_page_styles[pages->kind];
    bool ok = add_optional(object, "kind", style->word);

    for (enum job_pages_kind kind = JOB_PAGES_NONE + 1; ok && kind < JOB_PAGES_KINDS; kind++) {
        const char *key = job_page_styles[kind].key;

        if (key && (key == style->key || (style->needs && strcmp(key, style->needs) == 0))) {
            ok = add_optional(object, key, job_pages_text(pages, key));
        }
    }
    return ok;
}

static bool write_pages(cJSON *to, const struct job_pages *pages)
{
    cJSON *object;

    if (pages->kind == JOB_PAGES_NONE) {
        return true;
    }
    object = cJSON_AddObjectToObject(to, "pages");
    if (!object || !write_style(object, pages)) {
        return false;
    }
    return (!pages->has_first || add_number(object, "first", pages->first)) &&
           add_given(object, "size", pages->size) &&
           add_optional(object, "size_param", pages->size_param) &&
           add_optional(object, "total", pages->total) &&
           add_optional(object, "total_pages", pages->total_pages) &&
           add_optional(object, "has_more", pages->has_more) &&
           add_optional(object, "is_last", pages->is_last) &&
           add_optional(object, "until", pages->until) &&
           add_optional(object, "older_than", pages->older_than) &&
           add_given(object, "max", pages->max);
}

/* As "json" what a job file gave as JSON; a command line's body keeps its every byte as "body". */
static bool write_body(const struct job *job, cJSON *object, const struct job_endpoint *endpoint)
{
    bool is_template =
        endpoint->source_count == 1 && endpoint->sources[0].kind == JOB_SOURCE_TEMPLATE;

    char *hidden = endpoint->body ? without_typed(job, endpoint->body, false) : NULL;
    bool ok = !endpoint->body || hidden;

    if (hidden && is_template && template_body_context(str_view(endpoint->body)) == TEMPLATE_JSON &&
        (strcmp(hidden, endpoint->body) == 0 ||
         json_check(str_view(hidden), JSON_DEPTH_MAX, NULL))) {
        ok = cJSON_AddRawToObject(object, "json", hidden);
    } else if (hidden) {
        ok = cJSON_AddStringToObject(object, "body", hidden);
    }
    free(hidden);
    return ok;
}

static bool write_answers(cJSON *object, const struct answer_rules *rules)
{
    cJSON *array = rules->count ? cJSON_AddArrayToObject(object, "answers") : NULL;

    for (size_t i = 0; array && i < rules->count; i++) {
        if (!cJSON_AddItemToArray(array, cJSON_CreateRaw(rules->list[i].json))) {
            return false;
        }
    }
    return !rules->count || array;
}

/* What differs from the default. */
static bool write_reading(cJSON *object, const struct body_reading *reading)
{
    char delimiter[2] = { reading->delimiter, '\0' };

    return (reading->as == BODY_AUTO ||
            cJSON_AddStringToObject(object, "as", body_format_name(reading->as))) &&
           add_optional(object, "strip", reading->strip) &&
           add_optional(object, "charset", reading->charset) &&
           add_optional(object, "delimiter", reading->delimiter ? delimiter : NULL) &&
           (!reading->no_header || cJSON_AddFalseToObject(object, "header")) &&
           (!reading->is_strict || cJSON_AddFalseToObject(object, "lenient"));
}

static bool write_where(cJSON *to, const struct job_endpoint *endpoint)
{
    cJSON *object = endpoint->where_at ? cJSON_AddObjectToObject(to, "where") : NULL;

    return !endpoint->where_at ||
           (object && cJSON_AddStringToObject(object, "at", endpoint->where_at) &&
            (!endpoint->where_is || cJSON_AddRawToObject(object, "is", endpoint->where_is)));
}

static bool write_endpoint(const struct job *job, cJSON *object,
                           const struct job_endpoint *endpoint)
{
    return object && add_optional(object, "name", endpoint->name) &&
           write_sources(job, object, endpoint) &&
           add_optional(object, "method", endpoint->method) &&
           (!endpoint->header_count ||
            write_headers(object, endpoint->headers, endpoint->header_count, NULL)) &&
           write_body(job, object, endpoint) &&
           add_optional(object, "records", endpoint->records) &&
           (endpoint->shape == RECORD_SHAPE_OBJECTS ||
            cJSON_AddStringToObject(object, "shape", record_shape_name(endpoint->shape))) &&
           write_reading(object, &endpoint->reading) && write_pages(object, &endpoint->pages) &&
           write_answers(object, &endpoint->answers) &&
           add_texts(object, "with", endpoint->with, endpoint->with_count) &&
           write_where(object, endpoint);
}

static bool write_endpoints(cJSON *root, const struct job *job)
{
    cJSON *array = cJSON_AddArrayToObject(root, "endpoints");

    for (size_t i = 0; array && i < job->endpoint_count; i++) {
        if (!write_endpoint(job, add_element(array), &job->endpoints[i])) {
            return false;
        }
    }
    return array;
}

/* Columns are all names, or all names with pointers: so they are read. */
static bool write_column(cJSON *to, const char *name, const char *pointer,
                         const struct column_wish *wish)
{
    cJSON *object;

    if (!wish || wish->type == COLUMN_ANY) {
        return cJSON_AddStringToObject(to, name, pointer);
    }
    object = cJSON_AddObjectToObject(to, name);
    return object && cJSON_AddStringToObject(object, "at", pointer) &&
           cJSON_AddStringToObject(object, "type", column_type_name(wish->type)) &&
           cJSON_AddStringToObject(object, "on_error", column_error_name(wish->on_error));
}

static bool write_columns(cJSON *to, const struct job_table *table)
{
    cJSON *object;

    if (!table->column_count || !strchr(table->columns[0], '=')) {
        return add_texts(to, "columns", table->columns, table->column_count);
    }
    object = cJSON_AddObjectToObject(to, "columns");
    for (size_t i = 0; object && i < table->column_count; i++) {
        struct str pointer = str_view(table->columns[i]);
        char *name = str_dup(str_cut(&pointer, '='));
        bool ok = name && write_column(object, name, pointer.data ? pointer.data : "",
                                       table->wishes ? &table->wishes[i] : NULL);

        free(name);
        if (!ok) {
            return false;
        }
    }
    return object;
}

static bool write_table(cJSON *to, const struct job_endpoint *endpoint)
{
    const struct job_table *table = &endpoint->table;
    cJSON *object;

    if (!table->explode && !table->where_present && !table->unique_count && !table->column_count &&
        !table->types && !table->meta) {
        return true;
    }
    object = cJSON_AddObjectToObject(to, endpoint->name);
    return object && add_texts(object, "unique", table->unique, table->unique_count) &&
           write_columns(object, table) && add_optional(object, "explode", table->explode) &&
           add_optional(object, "where_present", table->where_present) &&
           (!table->types || cJSON_AddTrueToObject(object, "types")) &&
           (!table->meta || cJSON_AddTrueToObject(object, "meta"));
}

static bool write_tables(cJSON *root, const struct job *job)
{
    cJSON *tables = cJSON_CreateObject();
    bool ok = tables;

    for (size_t i = 0; ok && i < job->endpoint_count; i++) {
        ok = write_table(tables, &job->endpoints[i]);
    }
    if (ok && tables->child) {
        return cJSON_AddItemToObject(root, "tables", tables);
    }
    cJSON_Delete(tables);
    return ok;
}

/* --- variables --------------------------------------------------------------------------------------------- */

static bool write_list(cJSON *to, const char *name, const struct job_var *var)
{
    cJSON *array = cJSON_AddArrayToObject(to, name);

    for (size_t i = 0; array && i < var->value_count; i++) {
        cJSON *item = cJSON_CreateRaw(var->values[i]);

        if (!item || !cJSON_AddItemToArray(array, item)) {
            return false;
        }
    }
    return array;
}

static bool write_var(cJSON *vars, const struct job_var *var)
{
    cJSON *object;

    if (!var->chunk && var->kind == JOB_VAR_PATTERN) {
        return cJSON_AddStringToObject(vars, var->name, var->text);
    }
    if (!var->chunk && var->kind == JOB_VAR_LIST) {
        return write_list(vars, var->name, var);
    }
    object = cJSON_AddObjectToObject(vars, var->name);
    if (!object || !add_given(object, "chunk", var->chunk)) {
        return false;
    }
    if (var->kind == JOB_VAR_PATTERN) {
        return cJSON_AddStringToObject(object, "values", var->text);
    }
    if (var->kind == JOB_VAR_LIST) {
        return write_list(object, "values", var);
    }
    if (var->kind == JOB_VAR_FILE) {
        return object && add_optional(object, "file", var->text) &&
               add_optional(object, "encoding", var->encoding) &&
               (!var->has_crc32c || add_number(object, "crc32c", var->crc32c));
    }
    return object && add_optional(object, "from", var->text) &&
           add_optional(object, "to", var->to) && add_optional(object, "step", var->step) &&
           add_optional(object, "format", var->format);
}

static bool write_vars(cJSON *root, const struct job *job)
{
    cJSON *vars = job->var_count ? cJSON_AddObjectToObject(root, "vars") : NULL;

    for (size_t i = 0; vars && i < job->var_count; i++) {
        if (!write_var(vars, &job->vars[i])) {
            return false;
        }
    }
    return !job->var_count || vars;
}

/* --- login -------------------------------------------------------------------------------------------------- */

/* Null stands for what was typed as it is, and so is not kept. */
static bool add_secret(cJSON *object, const char *key, const struct job_secret *secret)
{
    return secret->given ? (bool)cJSON_AddStringToObject(object, key, secret->given)
                         : (bool)cJSON_AddNullToObject(object, key);
}

/* The body of a call: JSON, or a form. */
static bool write_login_body(cJSON *object, const struct job_login *login)
{
    const char *given = login->body.given;

    if (!login->body.sent && !given && !login->is_incomplete) {
        return true;
    }
    if (!given) {
        return cJSON_AddNullToObject(object, "json");
    }
    return json_check(str_view(given), JSON_DEPTH_MAX, NULL)
               ? (bool)cJSON_AddRawToObject(object, "json", given)
               : (bool)cJSON_AddStringToObject(object, "body", given);
}

static bool write_words(cJSON *object, const char *name, const struct job_words *words)
{
    cJSON *array = words->count ? cJSON_AddArrayToObject(object, name) : NULL;

    for (size_t i = 0; array && i < words->count; i++) {
        if (!add_text(array, words->list[i])) {
            return false;
        }
    }
    return !words->count || array;
}

/* What a row has read; of a secret that was typed as it is: null. */
static bool write_login_key(cJSON *object, const struct job_key *key, const void *target,
                            bool lacks)
{
    const void *at = (const char *)target + key->offset;
    const struct job_secret *secret = at;

    switch (key->kind) {
    case JOB_KEY_TEXT:
    case JOB_KEY_POINTER:
        return add_optional(object, key->name, *(char *const *)at);
    case JOB_KEY_SECRET:
    case JOB_KEY_SECRET_OR_NONE:
    case JOB_KEY_NAMED:
        return (!secret->sent && !secret->given && !lacks) || add_secret(object, key->name, secret);
    case JOB_KEY_TIME:
        return !*(const uint64_t *)at || add_time(object, key->name, *(const uint64_t *)at);
    case JOB_KEY_WORDS:
        return write_words(object, key->name, at);
    default:
        return true;
    }
}

static bool write_login_kind(cJSON *object, const struct job_login *login)
{
    const struct auth_kind *kind = login->kind;
    cJSON *inner = kind->keys ? cJSON_AddObjectToObject(object, kind->key.name) : NULL;

    if (!kind->keys) {
        return write_login_key(object, &kind->key, login, login->is_incomplete);
    }
    for (size_t i = 0; inner && i < kind->keys->count; i++) {
        if (!write_login_key(inner, &kind->keys->keys[i], login, login->is_incomplete)) {
            return false;
        }
    }
    return inner;
}

static bool write_login(cJSON *root, const struct job_login *login)
{
    unsigned may = login->kind ? login->kind->beside : 0;
    cJSON *object = login->kind ? cJSON_AddObjectToObject(root, "login") : NULL;
    bool has_method = may & AUTH_BIT(AUTH_BESIDE_METHOD);

    if (!login->kind) {
        return true;
    }
    return object && write_login_kind(object, login) &&
           (!has_method || add_optional(object, "method", login->method)) &&
           (!has_method || write_login_body(object, login)) &&
           add_optional(object, login->in_query ? "query" : "header", login->name) &&
           add_optional(object, "token", login->token) &&
           add_optional(object, "expires", login->expires) &&
           add_optional(object, "send", login->send) &&
           (!login->timeout_us || add_time(object, "timeout", login->timeout_us));
}

static bool write_sign(cJSON *root, const struct job_sign *sign, bool lacks)
{
    cJSON *object = sign->aws || sign->hmac ? cJSON_AddObjectToObject(root, "sign") : NULL;

    for (size_t i = 0; object && i < job_sign_keys.count; i++) {
        const struct job_key *key = &job_sign_keys.keys[i];

        if (!write_login_key(object, key, sign, false) ||
            (lacks && key->kind == JOB_KEY_SECRET && !cJSON_HasObjectItem(object, key->name) &&
             !cJSON_AddNullToObject(object, key->name))) {
            return false;
        }
    }
    return object || (!sign->aws && !sign->hmac);
}

/* --- the rest ------------------------------------------------------------------------------------------------- */

static bool write_pace(cJSON *root, const struct job_pace *pace)
{
    cJSON *object = cJSON_AddObjectToObject(root, "pace");

    return object && add_number(object, "cap", pace->cap) &&
           add_number(object, "cap_per_host", pace->cap_per_host) &&
           add_rate(object, "rate", pace->rate) &&
           add_rate(object, "rate_per_host", pace->rate_per_host) &&
           cJSON_AddBoolToObject(object, "auto", pace->is_auto) &&
           add_number(object, "cap_max", pace->cap_max);
}

static bool write_statuses(cJSON *object, const struct job_retry *retry)
{
    cJSON *statuses = cJSON_AddArrayToObject(object, "statuses");
    char text[16];

    for (size_t i = 0; statuses && i < retry->status_count; i++) {
        bool is_own = retry->replaces_statuses && retry->statuses[i] > 0;

        snprintf(text, sizeof text, is_own ? "%d" : "%+d", retry->statuses[i]);
        if (!cJSON_AddItemToArray(statuses,
                                  is_own ? cJSON_CreateRaw(text) : cJSON_CreateString(text))) {
            return false;
        }
    }
    return statuses;
}

static bool write_retry(cJSON *root, const struct job_retry *retry)
{
    cJSON *object = cJSON_AddObjectToObject(root, "retry");
    char text[2 * UNITS_TEXT_MAX + 1], cap[UNITS_TEXT_MAX];

    format_time(retry->backoff_base_us, text);
    format_time(retry->backoff_cap_us, cap);
    snprintf(text + strlen(text), sizeof text - strlen(text), ":%s", cap);
    if (!object || !add_number(object, "attempts", retry->attempts) ||
        !cJSON_AddStringToObject(object, "backoff", text) ||
        !add_time(object, "max_wait", retry->max_wait_us) ||
        (retry->repeats_posts && !cJSON_AddTrueToObject(object, "repeat_posts"))) {
        return false;
    }
    return !retry->status_count || write_statuses(object, retry);
}

static bool write_limits(cJSON *root, const struct job_limits *limits)
{
    char text[UNITS_TEXT_MAX];
    cJSON *object;

    if (limits->max_fail_by == JOB_MAX_FAIL_NONE && !limits->max_requests &&
        !limits->max_duration_us) {
        return true;
    }
    object = cJSON_AddObjectToObject(root, "limits");
    if (object && limits->max_fail_by != JOB_MAX_FAIL_NONE) {
        job_format_max_fail(limits, text);
        object = cJSON_AddStringToObject(object, "max_fail", text) ? object : NULL;
    }
    return object && add_given(object, "max_requests", limits->max_requests) &&
           (!limits->max_duration_us || add_time(object, "max_duration", limits->max_duration_us));
}

static bool write_route(cJSON *object, const struct job_route *route)
{
    return add_texts(object, "resolve", route->resolve, route->resolve_count) &&
           add_texts(object, "connect_to", route->connect_to, route->connect_to_count) &&
           add_optional(object, "unix_socket", route->unix_socket) &&
           add_optional(object, "interface", route->interface) &&
           add_given(object, "ip",
                     route->ipv4   ? 4
                     : route->ipv6 ? 6
                                   : 0);
}

static bool write_network(cJSON *root, const struct job_network *network)
{
    cJSON *object = cJSON_AddObjectToObject(root, "network");

    return object && add_time(object, "connect_timeout", network->connect_timeout_us) &&
           add_time(object, "stall_timeout", network->stall_timeout_us) &&
           add_time(object, "max_time", network->total_timeout_us) &&
           add_number(object, "max_body", network->body_max_bytes) &&
           add_number(object, "memory", network->memory_bytes) &&
           cJSON_AddBoolToObject(object, "insecure", network->insecure) &&
           cJSON_AddBoolToObject(object, "http2", network->http2) &&
           (!network->http2_at_once || cJSON_AddTrueToObject(object, "http2_prior_knowledge")) &&
           add_optional(object, "cacert", network->ca_file) && write_route(object, &network->route);
}

static bool write_tls(cJSON *root, const struct job_tls *tls)
{
    cJSON *object;

    if (!tls->cert && !tls->min && !tls->pin) {
        return true;
    }
    object = cJSON_AddObjectToObject(root, "tls");
    return object && add_optional(object, "cert", tls->cert) &&
           add_optional(object, "key", tls->key) &&
           (!tls->pass.sent || add_secret(object, "pass", &tls->pass)) &&
           add_optional(object, "min", tls->min) && add_optional(object, "pin", tls->pin);
}

static bool write_cookies(cJSON *root, const struct job_cookies *cookies)
{
    bool ok = add_optional(root, "cookie_file", cookies->from);

    if (cookies->is_kept && cookies->jar && !cookies->is_off) {
        return ok && add_optional(root, "cookies", cookies->jar);
    }
    return ok && ((!cookies->is_off && !cookies->is_kept) ||
                  cJSON_AddBoolToObject(root, "cookies", !cookies->is_off));
}

static bool write_proxy(cJSON *root, const struct job_proxy *proxy)
{
    cJSON *object = proxy->file ? cJSON_AddObjectToObject(root, "proxies") : root;

    if (!object || (proxy->file && !add_optional(object, "file", proxy->file))) {
        return false;
    }
    if (!proxy->url && !proxy->user.sent && !proxy->none_for) {
        return true;
    }
    object = cJSON_AddObjectToObject(root, "proxy");
    return object && add_optional(object, "url", proxy->url) &&
           (!proxy->user.sent || add_secret(object, "user", &proxy->user)) &&
           add_optional(object, "none_for", proxy->none_for);
}

static bool write_output(cJSON *root, const struct job *job)
{
    cJSON *array = job->output_count ? cJSON_AddArrayToObject(root, "output") : NULL;
    bool ok = array || !job->output_count;

    for (size_t i = 0; ok && i < job->output_count; i++) {
        ok = add_text(array, job->outputs[i]);
    }
    return ok;
}

static bool write_poll(cJSON *root, const struct job_poll *poll)
{
    char until[DATES_INSTANT_MAX];

    if (poll->every_us && !add_time(root, "every", poll->every_us)) {
        return false;
    }
    if (poll->until_us) {
        dates_format_instant(poll->until_us, until);
    }
    return add_given(root, "count", poll->count) &&
           (!poll->until_us || cJSON_AddStringToObject(root, "until", until));
}

static bool write_root(cJSON *root, const struct job *job)
{
    cJSON *files;

    if (!add_optional(root, "name", job->name) ||
        !cJSON_AddBoolToObject(root, "globoff", job->globoff) ||
        !add_optional(root, "base", job->base)) {
        return false;
    }
    files = cJSON_AddArrayToObject(root, "header_files");
    return files && write_headers(root, job->headers, job->header_count, files) &&
           write_login(root, &job->login) &&
           write_sign(root, &job->sign, job->login.is_incomplete) &&
           write_cookies(root, &job->cookies) && write_vars(root, job) &&
           write_endpoints(root, job) && write_pace(root, &job->pace) &&
           write_retry(root, &job->retry) && write_limits(root, &job->limits) &&
           write_answers(root, &job->answers) && write_network(root, &job->network) &&
           write_proxy(root, &job->network.proxy) && write_tls(root, &job->network.tls) &&
           write_tables(root, job) && write_output(root, job) && write_poll(root, &job->poll) &&
           (!job->has_typed_secret || cJSON_AddTrueToObject(root, "unkept"));
}

enum result job_write(const struct job *job, struct buf *out, struct err *err)
{
    cJSON *root = cJSON_CreateObject();
    char *text = root && write_root(root, job) ? cJSON_Print(root) : NULL;
    enum result result = text ? buf_append_str(out, str_view(text)) : RESULT_NOMEM;

    if (result == RESULT_OK) {
        result = buf_append_char(out, '\n');
    }
    cJSON_free(text);
    cJSON_Delete(root);
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "writing the job");
}
