#include "job/job.h"

#include "base/clock.h"
#include "base/os.h"
#include "job/job_parts.h"

#include <stdlib.h>
#include <string.h>

void job_init(struct job *job)
{
    *job = (struct job){
        .pace = { .cap = 10 },
        .retry = { .attempts = 6,
                   .backoff_base_us = 1 * US_PER_S,
                   .backoff_cap_us = 30 * US_PER_S,
                   .max_wait_us = 600 * US_PER_S },
        .network = { .connect_timeout_us = 5 * US_PER_S,
                     .stall_timeout_us = 30 * US_PER_S,
                     .total_timeout_us = 30 * US_PER_S,
                     .body_max_bytes = UINT64_C(64) << 20,
                     .memory_bytes = UINT64_C(256) << 20 },
    };
}

unsigned job_cap_max(const struct job_pace *pace)
{
    return pace->cap_max                  ? pace->cap_max
           : pace->cap > JOB_CAP_AUTO_MAX ? pace->cap
                                          : JOB_CAP_AUTO_MAX;
}

static void texts_release(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i]);
    }
    free(texts);
}

static void pages_release(struct job_pages *pages)
{
    free(pages->param);
    free(pages->size_param);
    free(pages->total);
    free(pages->total_pages);
    free(pages->next);
    free(pages->has_more);
    free(pages->is_last);
    free(pages->until);
    free(pages->older_than);
}

static void table_release(struct job_table *table)
{
    free(table->explode);
    free(table->where_present);
    texts_release(table->unique, table->unique_count);
    texts_release(table->columns, table->column_count);
    free(table->wishes);
    free(table->expect.rows);
    free(table->expect.types);
    free(table->expect.fresh);
    texts_release(table->expect.unique, table->expect.unique_count);
    texts_release(table->expect.not_null, table->expect.not_null_count);
}

static void endpoint_release(struct job_endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->source_count; i++) {
        free(endpoint->sources[i].text);
    }
    free(endpoint->sources);
    free(endpoint->name);
    free(endpoint->method);
    free(endpoint->body);
    free(endpoint->records);
    free(endpoint->reading.strip);
    free(endpoint->reading.charset);
    job_headers_release(endpoint->headers, endpoint->header_count);
    pages_release(&endpoint->pages);
    answer_rules_release(&endpoint->answers);
    texts_release(endpoint->with, endpoint->with_count);
    free(endpoint->since.at);
    free(endpoint->where_at);
    free(endpoint->where_is);
    table_release(&endpoint->table);
}

void job_var_release(struct job_var *var)
{
    free(var->name);
    free(var->text);
    free(var->to);
    free(var->step);
    free(var->today);
    free(var->zone);
    free(var->format);
    free(var->encoding);
    buf_release(&var->piped);
    texts_release(var->values, var->value_count);
}

void job_tokens_release(struct job_tokens *tokens, bool file)
{
    for (size_t i = 0; i < tokens->count; i++) {
        os_wipe(tokens->list[i].sent, strlen(tokens->list[i].sent));
        free(tokens->list[i].sent);
        free(tokens->list[i].name);
    }
    free(tokens->list);
    tokens->list = NULL;
    tokens->count = 0;
    if (file) {
        free(tokens->file);
        tokens->file = NULL;
    }
}

void job_words_release(struct job_words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->list[i]);
    }
    words->count = 0;
    words->typed = 0;
}

void job_login_release(struct job_login *login)
{
    free(login->url);
    free(login->method);
    job_secret_release(&login->secret);
    job_secret_release(&login->user);
    job_secret_release(&login->body);
    free(login->name);
    free(login->token);
    free(login->expires);
    free(login->send);
    free(login->scope);
    free(login->audience);
    free(login->device_url);
    free(login->issuer);
    free(login->subject);
    free(login->key_id);
    job_secret_release(&login->owner);
    job_secret_release(&login->owner_password);
    job_secret_release(&login->refresh);
    job_secret_release(&login->private_key);
    job_words_release(&login->command);
    job_tokens_release(&login->tokens, true);
    free(login->netrc);
    *login = (struct job_login){ .kind = NULL };
}

static void sign_release(struct job_sign *sign)
{
    free(sign->aws);
    free(sign->hmac);
    free(sign->of);
    free(sign->header);
    free(sign->encoding);
    free(sign->time);
    free(sign->time_header);
    job_secret_release(&sign->access_key);
    job_secret_release(&sign->secret_key);
    job_secret_release(&sign->session_token);
    job_secret_release(&sign->key);
}

void job_release(struct job *job)
{
    for (size_t i = 0; i < job->endpoint_count; i++) {
        endpoint_release(&job->endpoints[i]);
    }
    for (size_t i = 0; i < job->var_count; i++) {
        job_var_release(&job->vars[i]);
    }
    job_headers_release(job->headers, job->header_count);
    job_login_release(&job->login);
    secrets_release(&job->secrets);
    answer_rules_release(&job->answers);
    on_rules_release(&job->on);
    free(job->endpoints);
    free(job->vars);
    free(job->base);
    job_network_release(&job->network);
    sign_release(&job->sign);
    free(job->cookies.jar);
    free(job->cookies.from);
    free(job->name);
    free(job->fleet);
    free(job->worker);
    *job = (struct job){ 0 };
}

struct job_endpoint *job_add_endpoint(struct job *job)
{
    struct job_endpoint *endpoints, *endpoint;
    char *method = str_dup(STR("GET"));

    endpoints = reallocarray(job->endpoints, job->endpoint_count + 1, sizeof *endpoints);
    if (endpoints) {
        job->endpoints = endpoints;
    }
    if (!method || !endpoints) {
        free(method);
        return NULL;
    }
    endpoint = &endpoints[job->endpoint_count++];
    *endpoint = (struct job_endpoint){ .method = method };
    return endpoint;
}

enum result job_add_source(struct job_endpoint *endpoint, enum job_source_kind kind,
                           struct str text, struct err *err)
{
    struct job_source *sources =
        reallocarray(endpoint->sources, endpoint->source_count + 1, sizeof *sources);
    char *copy = str_dup(text);

    if (sources) {
        endpoint->sources = sources;
    }
    if (!copy || !sources) {
        free(copy);
        return err_nomem(err, "reading the job");
    }
    sources[endpoint->source_count++] = (struct job_source){ kind, copy };
    return RESULT_OK;
}

enum result job_parse_backoff(struct str text, struct job_retry *retry, struct err *err)
{
    struct job_retry parsed = *retry;
    struct str cap = text;
    struct str base = str_cut(&cap, ':');
    enum result result = units_parse_time(base, &parsed.backoff_base_us, err);

    if (result == RESULT_OK && cap.data) {
        result = units_parse_time(cap, &parsed.backoff_cap_us, err);
    } else if (parsed.backoff_cap_us < parsed.backoff_base_us) {
        parsed.backoff_cap_us = parsed.backoff_base_us;
    }
    if (result != RESULT_OK) {
        err_prefix(err, "want BASE or BASE:CAP");
        return result;
    }
    if (parsed.backoff_cap_us < parsed.backoff_base_us) {
        return err_set(err, RESULT_INVALID, "E-ARG2", "backoff \"%.*s\": the cap is below the base",
                       STR_ARG(text));
    }
    *retry = parsed;
    return RESULT_OK;
}

bool job_body_is_json(struct str body)
{
    struct str text = str_trim(body);

    return text.len && (text.data[0] == '{' || text.data[0] == '[');
}

enum result job_check_method(struct str method, struct err *err)
{
    struct str known = STR(JOB_METHOD_WORDS);

    while (known.data) {
        if (str_equal(method, str_cut(&known, ' '))) {
            return RESULT_OK;
        }
    }
    return err_set(err, RESULT_INVALID, "E-ARG8",
                   "method \"%.*s\" is not one of GET, POST, PUT, PATCH, DELETE, QUERY",
                   (int)(method.len < 32 ? method.len : 32), method.data);
}

bool job_is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

bool job_name_is_valid(struct str name)
{
    if (!name.len || name.len > JOB_NAME_MAX || name.data[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!job_is_name_char(name.data[i])) {
            return false;
        }
    }
    return true;
}
