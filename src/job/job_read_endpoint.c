/* "endpoints": what is asked. */
#include "job/job_put.h"

#include "base/json_scan.h"
#include "job/job_parts.h"
#include "job/job_read.h"
#include "job/template.h"

#include <cjson/cJSON.h>

#include <stdlib.h>
#include <string.h>

/* --- endpoints ------------------------------------------------------------------------------------------ */

static struct place_of_endpoint *place(struct job_reader *r)
{
    return &r->places[r->job->endpoint_count - 1];
}

static void read_name(struct job_reader *r, void *target, struct str value)
{
    static const struct job_key key = { .name = "name",
                                        .kind = JOB_KEY_NAME,
                                        .offset = offsetof(struct job_endpoint, name) };

    place(r)->name = value;
    job_read_value(r, &key, target, value);
}

static void read_url(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    place(r)->url = value;
    place(r)->url_text =
        job_put_given(r, job_text_string(&r->text, "url", value), TEMPLATE_URL, NULL, value);
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
    body = body ? job_put_given(r, body, template_body_context(str_view(body)), NULL, value) : NULL;
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
    static const struct job_key at = { .name = "at",
                                       .kind = JOB_KEY_POINTER,
                                       .offset = offsetof(struct job_endpoint, where_at) };
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
    static const struct job_key key = { .name = "records",
                                        .kind = JOB_KEY_WHOLE,
                                        .offset = offsetof(struct job_endpoint, records) };

    place(r)->records = value;
    job_read_value(r, &key, target, value);
}

static void read_since(struct job_reader *r, void *target, struct str value)
{
    place(r)->since = value;
    job_read_since(r, &((struct job_endpoint *)target)->since, value);
}

static void read_split(struct job_reader *r, void *target, struct str value)
{
    place(r)->split = value;
    job_read_split(r, &((struct job_endpoint *)target)->split, value);
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

/* --- writing --------------------------------------------------------------------------------------------- */

static bool is_template(const struct job_endpoint *endpoint)
{
    return endpoint->source_count == 1 && endpoint->sources[0].kind == JOB_SOURCE_TEMPLATE;
}

static bool put_url(const struct job *job, cJSON *to, const char *url)
{
    char *hidden = job_text_without_typed(job, url, true);
    bool ok = hidden && cJSON_AddStringToObject(to, "url", hidden);

    free(hidden);
    return ok;
}

static bool write_url(const struct job_writer *w, cJSON *to, const struct job_key *key,
                      const void *target)
{
    const struct job_endpoint *endpoint = target;

    (void)key;
    return !is_template(endpoint) || put_url(w->job, to, endpoint->sources[0].text);
}

static bool write_sources(const struct job_writer *w, cJSON *to, const struct job_key *key,
                          const void *target)
{
    const struct job_endpoint *endpoint = target;
    cJSON *sources = is_template(endpoint) ? NULL : cJSON_AddArrayToObject(to, key->name);

    for (size_t i = 0; sources && i < endpoint->source_count; i++) {
        const struct job_source *source = &endpoint->sources[i];
        cJSON *item = cjson_add_element(sources);

        if (!item ||
            !(source->kind == JOB_SOURCE_LIST ? cjson_add_optional(item, "list", source->text)
                                              : put_url(w->job, item, source->text))) {
            return false;
        }
    }
    return is_template(endpoint) || sources;
}

static bool write_endpoint_headers(const struct job_writer *w, cJSON *to, const struct job_key *key,
                                   const void *target)
{
    const struct job_endpoint *endpoint = target;

    (void)w;
    (void)key;
    return !endpoint->header_count ||
           job_put_headers(to, endpoint->headers, endpoint->header_count);
}

/* The body without what was typed as it is; `*is_json`: "json" reads it back. NULL when out of memory. */
static char *hide_body(const struct job *job, const struct job_endpoint *endpoint, bool *is_json)
{
    char *hidden = job_text_without_typed(job, endpoint->body, false);

    *is_json =
        hidden && is_template(endpoint) &&
        template_body_context(str_view(endpoint->body)) == TEMPLATE_JSON &&
        (strcmp(hidden, endpoint->body) == 0 || json_check(str_view(hidden), JSON_DEPTH_MAX, NULL));
    return hidden;
}

/* What a job file gave as JSON; a command line's body keeps its every byte as "body". */
static bool write_json(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job_endpoint *endpoint = target;
    bool is_json = false;
    char *hidden = endpoint->body ? hide_body(w->job, endpoint, &is_json) : NULL;
    bool ok =
        (!endpoint->body || hidden) && (!is_json || cJSON_AddRawToObject(to, key->name, hidden));

    free(hidden);
    return ok;
}

static bool write_body(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job_endpoint *endpoint = target;
    bool is_json = false;
    char *hidden = endpoint->body ? hide_body(w->job, endpoint, &is_json) : NULL;
    bool ok = (!endpoint->body || hidden) &&
              (!hidden || is_json || cJSON_AddStringToObject(to, key->name, hidden));

    free(hidden);
    return ok;
}

static bool write_endpoint_answers(const struct job_writer *w, cJSON *to, const struct job_key *key,
                                   const void *target)
{
    (void)w;
    return job_put_answers(to, key->name, &((const struct job_endpoint *)target)->answers);
}

static bool write_where(const struct job_writer *w, cJSON *to, const struct job_key *key,
                        const void *target)
{
    const struct job_endpoint *endpoint = target;
    cJSON *object = endpoint->where_at ? cJSON_AddObjectToObject(to, key->name) : NULL;

    (void)w;
    return !endpoint->where_at ||
           (object && cJSON_AddStringToObject(object, "at", endpoint->where_at) &&
            (!endpoint->where_is || cJSON_AddRawToObject(object, "is", endpoint->where_is)));
}

/* --- the keys -------------------------------------------------------------------------------------------- */

#define ENDPOINT(field) offsetof(struct job_endpoint, field)

/* clang-format off */
static const struct job_key endpoint_keys[] = {
    { "name", JOB_KEY_NAME, ENDPOINT(name), .read = read_name,
      .help = "Names the table; needed when there are several endpoints" },
    { "url", JOB_KEY_TEXT, .read = read_url, .write = write_url,
      .help = "Absolute, or added to \"base\". {city} is a variable, {row.id} a column of its file, "
              "{products.id} a field of each record of another endpoint, {+path} a value as it stands, {{ a "
              "plain brace" },
    { "sources", JOB_KEY_OTHER, .read = read_sources, .write = write_sources,
      .help = "Instead of \"url\": URL patterns and lists of URLs",
      .schema = JOB_JSON("type": "array", "items": {"description": "One of both", "type": "object",
                         "additionalProperties": false, "patternProperties": {"^\\$": {}}, "properties": {
                         "url": {"description": "A URL, [1-100] and {a,b} in it expanded", "type": "string"},
                         "list": {"description": "A file of URLs, one a line, or JSON Lines", "type": "string"
                         }}, "minProperties": 1, "maxProperties": 1}) },
    { "method", JOB_KEY_TEXT, ENDPOINT(method), .read = read_method,
      .help = "GET, or POST when there is a body",
      .schema = JOB_JSON("enum": "@methods") },
    { "headers", JOB_KEY_OTHER, .read = read_endpoint_headers, .write = write_endpoint_headers,
      .help = "Sent with this endpoint's requests alone; may hold {placeholders}",
      .schema = JOB_JSON("$ref": "#/definitions/headers") },
    { "json", JOB_KEY_OTHER, .read = read_json, .write = write_json,
      .help = "Body of each request; a string that is one {placeholder} becomes its value. Its Content-Type "
              "is application/json, unless the endpoint's headers or the job's say another" },
    { "body", JOB_KEY_TEXT, .read = read_body, .write = write_body,
      .help = "Body of each request, as text; {placeholders} are percent-encoded in it" },
    { "records", JOB_KEY_WHOLE, ENDPOINT(records), .read = read_records,
      .help = "JSON Pointer to the records, * for every member: /items, /data/*/rows, /*" },
    { "shape", JOB_KEY_OTHER, .read = job_read_shape, .write = job_write_shape,
      .help = "How the table at records is written: objects, an array of them; header, an array of arrays of "
              "which the first has the names; parallel, an object of arrays, a column each",
      .schema = JOB_JSON("enum": "@shapes") },
    { "as", JOB_KEY_OTHER, .read = job_read_as, .write = job_write_as,
      .help = "What bodies are; auto goes by the content type and the bytes. CSV gives a record for each row, "
              "XML an object with the root element; text, html and bytes are kept as they are",
      .schema = JOB_JSON("enum": "@formats") },
    { "strip", JOB_KEY_TEXT, ENDPOINT(reading.strip),
      .help = "What stands before the JSON and is taken away: )]}' or while(1); or jsonp for a call around it" },
    { "charset", JOB_KEY_TEXT, ENDPOINT(reading.charset), .read = job_read_charset,
      .help = "Letters of the bodies, whatever they and their content type say: windows-1252" },
    { "delimiter", JOB_KEY_TEXT, .read = job_read_delimiter, .write = job_write_delimiter,
      .help = "Between the cells of CSV, one character or tab; sniffed when it is not given",
      .schema = JOB_JSON("type": "string", "minLength": 1, "maxLength": 3) },
    { "header", JOB_KEY_BOOL, ENDPOINT(reading.no_header), .read = job_read_header_row,
      .write = job_write_denial,
      .help = "false: the first row of CSV is a record, and columns are column_1 ..." },
    { "lenient", JOB_KEY_BOOL, ENDPOINT(reading.is_strict), .read = job_read_lenient,
      .write = job_write_denial,
      .help = "false: what is nearly JSON (NaN, a tab in a text, a last comma) is refused" },
    { "pages", JOB_KEY_OBJECT, ENDPOINT(pages), .inner = &job_pages_keys, .read = job_read_pages,
      .help = "How further pages are found",
      .schema = JOB_JSON("anyOf": [{"enum": "@page_words"}, {"$ref": "#/definitions/pages"}]) },
    { "since", JOB_KEY_OBJECT, ENDPOINT(since), .inner = &job_since_keys, .read = read_since },
    { "split", JOB_KEY_OTHER, .read = read_split, .write = job_write_split,
      .help = "true: a window of time ({day} and {day.next}) or a page that is too much for the server (413, 422, too many "
              "results, a timeout) is asked for in halves. With over, a window is halved when its first page tells of more "
              "records than that",
      .schema = JOB_JSON("anyOf": [{"type": "boolean"}, {"type": "object", "additionalProperties": false,
                         "required": ["over"], "properties": {"over": {"type": "integer", "minimum": 1}}}]) },
    { "answers", JOB_KEY_OTHER, .read = read_endpoint_answers, .write = write_endpoint_answers,
      .help = "What answers mean, for this endpoint, before the job's rules",
      .schema = JOB_JSON("type": "array", "maxItems": 64, "items": {"$ref": "#/definitions/answer"}) },
    { "with", JOB_KEY_TEXTS, ENDPOINT(with), .count = ENDPOINT(with_count), .read = read_with,
      .help = "Values that the table repeats as columns: products.name, city" },
    { "where", JOB_KEY_OTHER, .read = read_where, .write = write_where,
      .help = "Of the parent's records only those are asked for whose value at this pointer is that, or one "
              "of those; without is, whose value is there and neither null nor false",
      .schema = JOB_JSON("type": "object", "additionalProperties": false, "required": ["at"], "properties": {
                         "at": {"type": "string", "pattern": "^/"}, "is": {"type": ["string", "number",
                         "boolean", "null", "array"]}}) },
};

const struct job_keys job_endpoint_keys =
    JOB_KEYS("endpoint", endpoint_keys, .help = "What is asked, and one table.",
             .schema = JOB_JSON("anyOf": [{"required": ["url"]}, {"required": ["sources"]}]));
/* clang-format on */

static bool has(uint64_t seen, const char *key)
{
    return job_key_seen(&job_endpoint_keys, seen, key);
}

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
    if (has(seen, "url") == has(seen, "sources")) {
        job_text_fault(&r->text, value, has(seen, "url") ? "E-CFG8" : "E-CFG4",
                       has(seen, "url") ? "both \"url\" and \"sources\" are given"
                                        : "the endpoint has no \"url\"");
    }
    settle_method(r, endpoint, has(seen, "method"));
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
