/* job.json: the job as it was given, in the form of a job file, secrets unexpanded and paths and URLs
 * absolute. Numbers that a double would round are written as their digits. */
#include "job/job_write.h"

#include "job/dates.h"

#include <stdio.h>
#include <string.h>

static bool write_pace(cJSON *root, const struct job_pace *pace)
{
    cJSON *object = cJSON_AddObjectToObject(root, "pace");

    return object && cjson_add_number(object, "cap", pace->cap) &&
           cjson_add_number(object, "cap_per_host", pace->cap_per_host) &&
           cjson_add_rate(object, "rate", pace->rate) &&
           cjson_add_rate(object, "rate_per_host", pace->rate_per_host) &&
           cJSON_AddBoolToObject(object, "auto", pace->is_auto) &&
           cjson_add_number(object, "cap_max", pace->cap_max);
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

    cjson_format_time(retry->backoff_base_us, text);
    cjson_format_time(retry->backoff_cap_us, cap);
    snprintf(text + strlen(text), sizeof text - strlen(text), ":%s", cap);
    if (!object || !cjson_add_number(object, "attempts", retry->attempts) ||
        !cJSON_AddStringToObject(object, "backoff", text) ||
        !cjson_add_time(object, "max_wait", retry->max_wait_us) ||
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
    return object && cjson_add_given(object, "max_requests", limits->max_requests) &&
           (!limits->max_duration_us ||
            cjson_add_time(object, "max_duration", limits->max_duration_us));
}

static bool write_route(cJSON *object, const struct job_route *route)
{
    return cjson_add_texts(object, "resolve", route->resolve, route->resolve_count) &&
           cjson_add_texts(object, "connect_to", route->connect_to, route->connect_to_count) &&
           cjson_add_optional(object, "unix_socket", route->unix_socket) &&
           cjson_add_optional(object, "interface", route->interface) &&
           cjson_add_given(object, "ip",
                           route->ipv4   ? 4
                           : route->ipv6 ? 6
                                         : 0);
}

static bool write_network(cJSON *root, const struct job_network *network)
{
    cJSON *object = cJSON_AddObjectToObject(root, "network");

    return object && cjson_add_time(object, "connect_timeout", network->connect_timeout_us) &&
           cjson_add_time(object, "stall_timeout", network->stall_timeout_us) &&
           cjson_add_time(object, "max_time", network->total_timeout_us) &&
           cjson_add_number(object, "max_body", network->body_max_bytes) &&
           cjson_add_number(object, "memory", network->memory_bytes) &&
           cJSON_AddBoolToObject(object, "insecure", network->insecure) &&
           cJSON_AddBoolToObject(object, "http2", network->http2) &&
           (!network->http2_at_once || cJSON_AddTrueToObject(object, "http2_prior_knowledge")) &&
           cjson_add_optional(object, "cacert", network->ca_file) &&
           write_route(object, &network->route);
}

static bool write_tls(cJSON *root, const struct job_tls *tls)
{
    cJSON *object;

    if (!tls->cert && !tls->min && !tls->pin) {
        return true;
    }
    object = cJSON_AddObjectToObject(root, "tls");
    return object && cjson_add_optional(object, "cert", tls->cert) &&
           cjson_add_optional(object, "key", tls->key) &&
           (!tls->pass.sent || job_write_secret(object, "pass", &tls->pass)) &&
           cjson_add_optional(object, "min", tls->min) &&
           cjson_add_optional(object, "pin", tls->pin);
}

static bool write_cookies(cJSON *root, const struct job_cookies *cookies)
{
    bool ok = cjson_add_optional(root, "cookie_file", cookies->from);

    if (cookies->is_kept && cookies->jar && !cookies->is_off) {
        return ok && cjson_add_optional(root, "cookies", cookies->jar);
    }
    return ok && ((!cookies->is_off && !cookies->is_kept) ||
                  cJSON_AddBoolToObject(root, "cookies", !cookies->is_off));
}

static bool write_proxy(cJSON *root, const struct job_proxy *proxy)
{
    cJSON *object = proxy->file ? cJSON_AddObjectToObject(root, "proxies") : root;

    if (!object || (proxy->file && !cjson_add_optional(object, "file", proxy->file))) {
        return false;
    }
    if (!proxy->url && !proxy->user.sent && !proxy->none_for) {
        return true;
    }
    object = cJSON_AddObjectToObject(root, "proxy");
    return object && cjson_add_optional(object, "url", proxy->url) &&
           (!proxy->user.sent || job_write_secret(object, "user", &proxy->user)) &&
           cjson_add_optional(object, "none_for", proxy->none_for);
}

static bool write_output(cJSON *root, const struct job *job)
{
    cJSON *array = job->output_count ? cJSON_AddArrayToObject(root, "output") : NULL;
    bool ok = array || !job->output_count;

    for (size_t i = 0; ok && i < job->output_count; i++) {
        ok = cjson_add_text(array, job->outputs[i]);
    }
    return ok;
}

static bool write_poll(cJSON *root, const struct job_poll *poll)
{
    char until[DATES_INSTANT_MAX];

    if (poll->every_us && !cjson_add_time(root, "every", poll->every_us)) {
        return false;
    }
    if (poll->until_us) {
        dates_format_instant(poll->until_us, until);
    }
    return cjson_add_given(root, "count", poll->count) &&
           (!poll->until_us || cJSON_AddStringToObject(root, "until", until));
}

static bool write_root(cJSON *root, const struct job *job)
{
    cJSON *files;

    if (!cjson_add_optional(root, "name", job->name) ||
        !cJSON_AddBoolToObject(root, "globoff", job->globoff) ||
        !cjson_add_optional(root, "base", job->base)) {
        return false;
    }
    files = cJSON_AddArrayToObject(root, "header_files");
    return files && job_write_headers(root, job->headers, job->header_count, files) &&
           job_write_login(root, &job->login) &&
           job_write_sign(root, &job->sign, job->login.is_incomplete) &&
           write_cookies(root, &job->cookies) && job_write_vars(root, job) &&
           job_write_endpoints(root, job) && write_pace(root, &job->pace) &&
           write_retry(root, &job->retry) && write_limits(root, &job->limits) &&
           job_write_answers(root, &job->answers) && write_network(root, &job->network) &&
           write_proxy(root, &job->network.proxy) && write_tls(root, &job->network.tls) &&
           job_write_tables(root, job) && write_output(root, job) && write_poll(root, &job->poll) &&
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
