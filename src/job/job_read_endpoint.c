/* "endpoints", and the headers of both the job and its endpoints. */
#include "job/job_read.h"

#include "base/json_scan.h"
#include "base/url.h"
#include "job/job_parts.h"
#include "job/template.h"

#include <stdlib.h>
#include <string.h>

/* --- headers ----------------------------------------------------------------------------------------- */

static void read_header(struct job_reader *r, struct job_endpoint *endpoint, const char *name,
                        struct str at, struct str value)
{
    struct job_secret secret = { NULL, NULL };
    struct buf line;
    struct err err = { .result = RESULT_OK };
    enum result result = RESULT_OK;
    char *text;

    if (header_check_name(str_view(name), &err) != RESULT_OK) {
        job_text_fault_of(&r->text, at, &err); /* in a line one with a colon would be another's */
        return;
    }
    if (r->is_stored && json_type_of(value) == JSON_NULL) {
        result = job_add_unkept_header(r->job, endpoint, str_view(name), &err);
        if (result != RESULT_OK) {
            job_text_fault_of(&r->text, at, &err);
        }
        return;
    }
    text = job_text_string(&r->text, name, value);
    if (!text) {
        return;
    }
    buf_init(&line, HEADER_LINE_MAX);
    if (text[0] == '@') {
        if (job_read_secret(r, &(struct job_key){ .name = name, .kind = JOB_KEY_NAMED }, value,
                            &secret)) {
            result = job_add_secret_header(r->job, endpoint, str_view(name), str_view(secret.given),
                                           str_view(secret.sent), &err);
        }
        job_secret_release(&secret);
    } else {
        result = buf_printf(&line, "%s: %s", name, text);
        if (result != RESULT_OK) {
            err_set(&err, result, "E-HDR2", "header line over %d bytes", HEADER_LINE_MAX);
        } else {
            result = endpoint ? job_add_endpoint_header(r->job, endpoint, buf_view(&line), &err)
                              : job_add_header(r->job, buf_view(&line), &err);
        }
    }
    if (result != RESULT_OK) {
        job_text_fault_of(&r->text, at, &err);
    }
    buf_release(&line);
    free(text);
}

void job_read_headers(struct job_reader *r, struct job_endpoint *endpoint, struct str value)
{
    struct json_walk walk;
    struct str raw, member;

    if (json_type_of(value) != JSON_OBJECT) {
        job_text_fault(&r->text, value, "E-CFG2", "\"headers\": want an object");
        return;
    }
    json_walk_begin(&walk, value);
    while (!r->skips_secrets && json_walk_next(&walk, &raw, &member)) {
        char *name = job_text_name(&r->text, raw);

        if (name) {
            read_header(r, endpoint, name, raw, member);
        }
        free(name);
    }
}

/* --- endpoints ------------------------------------------------------------------------------------------ */

static struct place_of_endpoint *place(struct job_reader *r)
{
    return &r->places[r->job->endpoint_count - 1];
}

static void read_name(struct job_reader *r, void *target, struct str value)
{
    static const struct job_key key = {
        "name", JOB_KEY_NAME, offsetof(struct job_endpoint, name), 0, 0, NULL
    };

    place(r)->name = value;
    job_read_value(r, &key, target, value);
}

static void read_url(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    place(r)->url = value;
    place(r)->url_text = job_text_string(&r->text, "url", value);
}

static void read_source(struct job_reader *r, struct job_endpoint *endpoint, struct str value)
{
    struct json_walk walk;
    struct str name, member, more;
    struct err err;
    char *text;
    bool is_list;

    json_walk_begin(&walk, value);
    if (json_type_of(value) != JSON_OBJECT || !json_walk_next(&walk, &name, &member) ||
        json_walk_next(&walk, NULL, &more) ||
        (!json_raw_equal(name, STR("list")) && !json_raw_equal(name, STR("url")))) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"sources\": want objects with one \"url\" or one \"list\"");
        return;
    }
    is_list = json_raw_equal(name, STR("list"));
    text = job_text_string(&r->text, is_list ? "list" : "url", member);
    if (text && is_list && strcmp(text, "-") != 0) {
        char *path = job_absolute_path(r, text);

        free(text);
        text = path;
        r->text.no_memory |= !path;
    }
    if (text && job_add_source(endpoint, is_list ? JOB_SOURCE_LIST : JOB_SOURCE_PATTERN,
                               str_view(text), &err) != RESULT_OK) {
        r->text.no_memory = true;
    }
    free(text);
}

static void read_sources(struct job_reader *r, void *target, struct str value)
{
    struct json_walk walk;
    struct str item;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2", "\"sources\": want an array");
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        read_source(r, target, item);
    }
}

static void read_method(struct job_reader *r, void *target, struct str value)
{
    struct job_endpoint *endpoint = target;
    char *method = job_text_string(&r->text, "method", value);
    struct err err;

    if (!method) {
        return;
    }
    if (job_check_method(str_view(method), &err) != RESULT_OK) {
        job_text_fault_of(&r->text, value, &err);
    }
    free(endpoint->method);
    endpoint->method = method;
}

static void take_body(struct job_reader *r, struct job_endpoint *endpoint, struct str value,
                      char *body)
{
    if (!body) {
        return;
    }
    if (endpoint->body) {
        job_text_fault(&r->text, value, "E-CFG8", "both \"json\" and \"body\" are given");
        free(body);
        return;
    }
    if (strlen(body) > JOB_BODY_MAX) {
        job_text_fault(&r->text, value, "E-CFG2", "the body is over %d bytes", JOB_BODY_MAX);
    }
    place(r)->body = value;
    endpoint->body = body;
}

static void read_json(struct job_reader *r, void *target, struct str value)
{
    char *body = job_text_compact(value);

    r->text.no_memory |= !body;
    take_body(r, target, value, body);
}

static void read_body(struct job_reader *r, void *target, struct str value)
{
    take_body(r, target, value, job_text_string(&r->text, "body", value));
}

static void read_endpoint_headers(struct job_reader *r, void *target, struct str value)
{
    place(r)->headers = value;
    job_read_headers(r, target, value);
}

static void read_with(struct job_reader *r, void *target, struct str value)
{
    struct job_endpoint *endpoint = target;

    place(r)->with = value;
    job_read_texts(r, "with", &endpoint->with, &endpoint->with_count, value);
}

/* `{"at": "/status", "is": "active"}`, or `["new", "active"]`, or without "is". */
static void read_where(struct job_reader *r, void *target, struct str value)
{
    static const struct job_key at = {
        "at", JOB_KEY_POINTER, offsetof(struct job_endpoint, where_at), 0, 0, NULL
    };
    struct job_endpoint *endpoint = target;
    struct json_walk walk;
    struct str key, member;

    json_walk_begin(&walk, value);
    while (json_type_of(value) == JSON_OBJECT && json_walk_next(&walk, &key, &member)) {
        if (json_raw_equal(key, STR("at"))) {
            job_read_value(r, &at, endpoint, member);
        } else if (json_raw_equal(key, STR("is")) && json_type_of(member) != JSON_OBJECT) {
            free(endpoint->where_is);
            endpoint->where_is = job_text_compact(member);
            r->text.no_memory |= !endpoint->where_is;
        } else {
            job_text_fault(&r->text, key, "E-CFG1",
                           "\"where\" has \"at\" and \"is\" (a value, or an array of them)");
        }
    }
    if (!endpoint->where_at) {
        job_text_fault(&r->text, value, "E-CFG4",
                       "\"where\": want {\"at\": \"/status\", \"is\": \"active\"}");
    }
}

static void read_records(struct job_reader *r, void *target, struct str value)
{
    static const struct job_key key = {
        "records", JOB_KEY_WHOLE, offsetof(struct job_endpoint, records), 0, 0, NULL
    };

    place(r)->records = value;
    job_read_value(r, &key, target, value);
}

static void read_endpoint_answers(struct job_reader *r, void *target, struct str value)
{
    struct job_endpoint *endpoint = target;

    job_read_answers(r, &endpoint->answers, value);
    for (size_t i = 0; i < endpoint->answers.count; i++) {
        if (endpoint->answers.list[i].is_first) {
            job_text_fault(&r->text, value, "E-CFG8",
                           "\"first\" is for rules of the job: those of an endpoint are asked "
                           "before them anyway");
            return;
        }
    }
}

static bool has(uint64_t seen, int key)
{
    return seen >> key & 1;
}

enum { ENDPOINT_NAME, ENDPOINT_URL, ENDPOINT_SOURCES, ENDPOINT_METHOD };

static const struct job_key endpoint_keys[] = {
    [ENDPOINT_NAME] = { "name", JOB_KEY_CALL, 0, 0, 0, read_name },
    [ENDPOINT_URL] = { "url", JOB_KEY_CALL, 0, 0, 0, read_url },
    [ENDPOINT_SOURCES] = { "sources", JOB_KEY_CALL, 0, 0, 0, read_sources },
    [ENDPOINT_METHOD] = { "method", JOB_KEY_CALL, 0, 0, 0, read_method },
    { "headers", JOB_KEY_CALL, 0, 0, 0, read_endpoint_headers },
    { "json", JOB_KEY_CALL, 0, 0, 0, read_json },
    { "body", JOB_KEY_CALL, 0, 0, 0, read_body },
    { "records", JOB_KEY_CALL, 0, 0, 0, read_records },
    { "shape", JOB_KEY_CALL, 0, 0, 0, job_read_shape },
    { "as", JOB_KEY_CALL, 0, 0, 0, job_read_as },
    { "strip", JOB_KEY_TEXT, offsetof(struct job_endpoint, reading.strip), 0, 0, NULL },
    { "charset", JOB_KEY_CALL, 0, 0, 0, job_read_charset },
    { "delimiter", JOB_KEY_CALL, 0, 0, 0, job_read_delimiter },
    { "header", JOB_KEY_CALL, 0, 0, 0, job_read_header_row },
    { "lenient", JOB_KEY_CALL, 0, 0, 0, job_read_lenient },
    { "pages", JOB_KEY_CALL, 0, 0, 0, job_read_pages },
    { "with", JOB_KEY_CALL, 0, 0, 0, read_with },
    { "where", JOB_KEY_CALL, 0, 0, 0, read_where },
    { "answers", JOB_KEY_CALL, 0, 0, 0, read_endpoint_answers },
};

const struct job_keys job_endpoint_keys = JOB_KEYS("endpoint", endpoint_keys);

/* A body makes the method POST, unless the file names one. */
static void settle_method(struct job_reader *r, struct job_endpoint *endpoint, bool has_method)
{
    if (endpoint->body && !r->is_stored && !has_method) {
        free(endpoint->method);
        endpoint->method = str_dup(STR("POST"));
        r->text.no_memory |= !endpoint->method;
    }
}

/* And says what it is, unless the endpoint or the job does. */
static void settle_type(struct job_reader *r, size_t index)
{
    static const struct str name = STR_INIT("Content-Type");
    const struct job *job = r->job;
    struct job_endpoint *endpoint = &job->endpoints[index];
    bool is_json;
    struct err err;

    if (!endpoint->body || job_find_header(endpoint->headers, endpoint->header_count, name) ||
        job_find_header(job->headers, job->header_count, name)) {
        return;
    }
    is_json = template_body_context(str_view(endpoint->body)) == TEMPLATE_JSON;
    if (job_add_endpoint_header(r->job, endpoint,
                                is_json ? STR("Content-Type: application/json")
                                        : STR("Content-Type: application/x-www-form-urlencoded"),
                                &err) != RESULT_OK) {
        job_text_fault_of(&r->text, r->places[index].at, &err);
    } else {
        endpoint->headers[endpoint->header_count - 1].implied = true;
    }
}

void job_settle_types(struct job_reader *r)
{
    for (size_t i = 0; i < r->job->endpoint_count && !r->is_stored; i++) {
        settle_type(r, i);
    }
}

static void read_endpoint(struct job_reader *r, struct str value)
{
    struct place_of_endpoint *places =
        reallocarray(r->places, r->job->endpoint_count + 1, sizeof *places);
    struct job_endpoint *endpoint;
    uint64_t seen;

    if (!places) {
        r->text.no_memory = true;
        return;
    }
    r->places = places;
    places[r->job->endpoint_count] = (struct place_of_endpoint){ .at = value };
    endpoint = job_add_endpoint(r->job);
    if (!endpoint) {
        r->text.no_memory = true;
        return;
    }
    seen = job_read_object(r, &job_endpoint_keys, endpoint, value);
    if (json_type_of(value) != JSON_OBJECT) {
        return;
    }
    if (has(seen, ENDPOINT_URL) == has(seen, ENDPOINT_SOURCES)) {
        job_text_fault(&r->text, value, has(seen, ENDPOINT_URL) ? "E-CFG8" : "E-CFG4",
                       has(seen, ENDPOINT_URL) ? "both \"url\" and \"sources\" are given"
                                               : "the endpoint has no \"url\"");
    }
    settle_method(r, endpoint, has(seen, ENDPOINT_METHOD));
}

void job_read_endpoints(struct job_reader *r, void *target, struct str value)
{
    struct json_walk walk;
    struct str item;
    struct job *job = target;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2", "\"endpoints\": want an array of objects");
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item) && !r->text.no_memory) {
        if (job->endpoint_count == JOB_ENDPOINTS_MAX) {
            job_text_fault(&r->text, item, "E-CFG2", "more than %d endpoints", JOB_ENDPOINTS_MAX);
            return;
        }
        read_endpoint(r, item);
    }
}

/* --- tables ---------------------------------------------------------------------------------------------- */
