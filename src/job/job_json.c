/* job.json: the job as it was given, written and read by one table of its numbers. */
#include "job/job.h"

#include "base/clock.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum field_kind {
    FIELD_COUNT,   /* unsigned */
    FIELD_SIZE,    /* uint64_t, bytes */
    FIELD_TIME,    /* uint64_t, microseconds; written as "1500ms" */
    FIELD_RATE,    /* struct rate */
    FIELD_BACKOFF, /* struct job_retry's base and cap */
    FIELD_BOOL,
    FIELD_TEXT, /* char *, NULL when missing */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset; /* within struct job */
    uint64_t low, high;
};

struct section {
    const char *key;
    const struct field *fields;
    size_t field_count;
};

#define NUMBER_SAFE_MAX (UINT64_C(1) << 53) /* what cJSON's double holds exactly */

static const struct field pace_fields[] = {
    { "cap", FIELD_COUNT, offsetof(struct job, pace.cap), 1, JOB_CAP_MAX },
    { "cap_per_host", FIELD_COUNT, offsetof(struct job, pace.cap_per_host), 0, JOB_CAP_MAX },
    { "rate", FIELD_RATE, offsetof(struct job, pace.rate), 0, 0 },
    { "rate_per_host", FIELD_RATE, offsetof(struct job, pace.rate_per_host), 0, 0 },
    { "auto", FIELD_BOOL, offsetof(struct job, pace.is_auto), 0, 0 },
    { "cap_max", FIELD_COUNT, offsetof(struct job, pace.cap_max), 0, JOB_CAP_MAX },
};

static const struct field retry_fields[] = {
    { "attempts", FIELD_COUNT, offsetof(struct job, retry.attempts), 1, JOB_ATTEMPTS_MAX },
    { "backoff", FIELD_BACKOFF, offsetof(struct job, retry), 0, 0 },
    { "max_wait", FIELD_TIME, offsetof(struct job, retry.max_wait_us), 0, 0 },
};

static const struct field network_fields[] = {
    { "connect_timeout", FIELD_TIME, offsetof(struct job, network.connect_timeout_us), 0, 0 },
    { "stall_timeout", FIELD_TIME, offsetof(struct job, network.stall_timeout_us), 0, 0 },
    { "max_time", FIELD_TIME, offsetof(struct job, network.total_timeout_us), 0, 0 },
    { "max_body", FIELD_SIZE, offsetof(struct job, network.body_max_bytes), 1, NUMBER_SAFE_MAX },
    { "insecure", FIELD_BOOL, offsetof(struct job, network.insecure), 0, 0 },
    { "http2", FIELD_BOOL, offsetof(struct job, network.http2), 0, 0 },
    { "cacert", FIELD_TEXT, offsetof(struct job, network.ca_file), 0, 0 },
};

#define FIELDS(array) array, sizeof(array) / sizeof(array)[0]

static const struct section sections[] = {
    { "pace", FIELDS(pace_fields) },
    { "retry", FIELDS(retry_fields) },
    { "network", FIELDS(network_fields) },
};

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

static bool write_field(cJSON *to, const struct field *field, const struct job *job)
{
    const void *at = (const char *)job + field->offset;
    const struct job_retry *retry = at;
    char text[2 * UNITS_TEXT_MAX + 1], cap[UNITS_TEXT_MAX];

    switch (field->kind) {
    case FIELD_COUNT:
        return cJSON_AddNumberToObject(to, field->key, *(const unsigned *)at);
    case FIELD_SIZE:
        /* cJSON would print 15 digits when they are near enough for it. */
        snprintf(text, sizeof text, "%llu", (unsigned long long)*(const uint64_t *)at);
        return cJSON_AddRawToObject(to, field->key, text);
    case FIELD_BOOL:
        return cJSON_AddBoolToObject(to, field->key, *(const bool *)at);
    case FIELD_TEXT:
        return !*(char *const *)at || cJSON_AddStringToObject(to, field->key, *(char *const *)at);
    case FIELD_TIME:
        format_time(*(const uint64_t *)at, text);
        break;
    case FIELD_RATE:
        units_format_rate(*(const struct rate *)at, text);
        break;
    case FIELD_BACKOFF:
        format_time(retry->backoff_base_us, text);
        format_time(retry->backoff_cap_us, cap);
        snprintf(text + strlen(text), sizeof text - strlen(text), ":%s", cap);
        break;
    }
    return cJSON_AddStringToObject(to, field->key, text);
}

static bool write_sections(cJSON *root, const struct job *job)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        cJSON *object = cJSON_AddObjectToObject(root, sections[i].key);

        for (size_t j = 0; j < sections[i].field_count; j++) {
            if (!object || !write_field(object, &sections[i].fields[j], job)) {
                return false;
            }
        }
    }
    return true;
}

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

static bool add_text(cJSON *array, const char *text)
{
    cJSON *item = cJSON_CreateString(text);

    return item && cJSON_AddItemToArray(array, item);
}

/* Typed headers by name (null where the value is not to be kept), files by path. */
static bool write_headers(cJSON *root, const struct job *job)
{
    cJSON *typed = cJSON_AddObjectToObject(root, "headers");
    cJSON *files = cJSON_AddArrayToObject(root, "header_files");
    bool ok = typed && files;

    for (size_t i = 0; i < job->header_count && ok; i++) {
        const struct job_header *header = &job->headers[i];

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

static bool add_optional(cJSON *object, const char *key, const char *text)
{
    return !text || cJSON_AddStringToObject(object, key, text);
}

static bool write_endpoint(cJSON *array, const struct job_endpoint *endpoint)
{
    cJSON *object = cJSON_CreateObject(), *sources;

    if (!object || !cJSON_AddItemToArray(array, object)) {
        cJSON_Delete(object);
        return false;
    }
    sources = cJSON_AddArrayToObject(object, "sources");
    for (size_t i = 0; i < endpoint->source_count; i++) {
        const struct job_source *source = &endpoint->sources[i];
        cJSON *item = cJSON_CreateObject();

        if (!item || !cJSON_AddItemToArray(sources, item)) {
            cJSON_Delete(item);
            return false;
        }
        if (!cJSON_AddStringToObject(item, source->kind == JOB_SOURCE_LIST ? "list" : "url",
                                     source->text)) {
            return false;
        }
    }
    return sources && add_optional(object, "name", endpoint->name) &&
           add_optional(object, "method", endpoint->method) &&
           add_optional(object, "body", endpoint->body) &&
           add_optional(object, "records", endpoint->records);
}

static bool write_endpoints(cJSON *root, const struct job *job)
{
    cJSON *array = cJSON_AddArrayToObject(root, "endpoints");

    for (size_t i = 0; i < job->endpoint_count; i++) {
        if (!array || !write_endpoint(array, &job->endpoints[i])) {
            return false;
        }
    }
    return array;
}

enum result job_write(const struct job *job, struct buf *out, struct err *err)
{
    cJSON *root = cJSON_CreateObject();
    char *text = NULL;
    enum result result = RESULT_NOMEM;

    if (root && add_optional(root, "name", job->name) &&
        cJSON_AddBoolToObject(root, "globoff", job->globoff) && write_headers(root, job) &&
        write_endpoints(root, job) && write_sections(root, job)) {
        text = cJSON_Print(root);
    }
    if (text) {
        result = buf_append_str(out, str_view(text));
    }
    if (result == RESULT_OK) {
        result = buf_append_char(out, '\n');
    }
    cJSON_free(text);
    cJSON_Delete(root);
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "writing the job");
}

static enum result bad_value(const char *key, const char *want, struct err *err)
{
    return err_set(err, RESULT_INVALID, "E-CFG2", "\"%.64s\": want %s", key, want);
}

static enum result read_number(const cJSON *value, uint64_t low, uint64_t high, uint64_t *number,
                               struct err *err)
{
    double given = cJSON_IsNumber(value) ? value->valuedouble : -1;

    /* The comparisons are false for NaN; the limits are below 2^53, so the cast is exact. */
    if (!(given >= (double)low && given <= (double)high) || given != (double)(uint64_t)given) {
        return err_set(err, RESULT_INVALID, "E-CFG2",
                       "\"%.64s\": want a whole number from %llu to %llu", value->string,
                       (unsigned long long)low, (unsigned long long)high);
    }
    *number = (uint64_t)given;
    return RESULT_OK;
}

static enum result read_text(const cJSON *value, char **text, struct err *err)
{
    if (!cJSON_IsString(value)) {
        return bad_value(value->string, "a string", err);
    }
    free(*text);
    *text = str_dup(str_view(value->valuestring));
    return *text ? RESULT_OK : err_nomem(err, "reading the job");
}

/* A field's value that is written as text. */
static enum result read_quantity(const cJSON *value, const struct field *field, void *at,
                                 struct err *err)
{
    struct str text;
    enum result result;

    if (!cJSON_IsString(value)) {
        return bad_value(field->key, "a string", err);
    }
    text = str_view(value->valuestring);
    if (field->kind == FIELD_TIME) {
        result = units_parse_time(text, at, err);
    } else if (field->kind == FIELD_RATE) {
        result = units_parse_rate(text, at, err);
    } else {
        result = job_parse_backoff(text, at, err);
    }
    if (result != RESULT_OK) {
        err_prefix(err, "\"%s\"", field->key);
    }
    return result;
}

static enum result read_field(const cJSON *value, const struct field *field, struct job *job,
                              struct err *err)
{
    void *at = (char *)job + field->offset;
    uint64_t number;
    enum result result;

    switch (field->kind) {
    case FIELD_COUNT:
        result = read_number(value, field->low, field->high, &number, err);
        if (result == RESULT_OK) {
            *(unsigned *)at = (unsigned)number;
        }
        return result;
    case FIELD_SIZE:
        return read_number(value, field->low, field->high, at, err);
    case FIELD_BOOL:
        if (!cJSON_IsBool(value)) {
            return bad_value(field->key, "true or false", err);
        }
        *(bool *)at = cJSON_IsTrue(value);
        return RESULT_OK;
    case FIELD_TEXT:
        return read_text(value, at, err);
    case FIELD_TIME:
    case FIELD_RATE:
    case FIELD_BACKOFF:
        break;
    }
    return read_quantity(value, field, at, err);
}

static enum result unknown_key(const cJSON *value, struct err *err)
{
    return err_set(err, RESULT_INVALID, "E-CFG1", "unknown key \"%.64s\"", value->string);
}

static enum result read_section(const cJSON *object, const struct section *section, struct job *job,
                                struct err *err)
{
    const cJSON *value;

    if (!cJSON_IsObject(object)) {
        return bad_value(section->key, "an object", err);
    }
    cJSON_ArrayForEach(value, object)
    {
        enum result result = RESULT_NOT_FOUND;

        for (size_t i = 0; i < section->field_count; i++) {
            if (strcmp(section->fields[i].key, value->string) == 0) {
                result = read_field(value, &section->fields[i], job, err);
            }
        }
        if (result != RESULT_OK) {
            return result == RESULT_NOT_FOUND ? unknown_key(value, err) : result;
        }
    }
    return RESULT_OK;
}

/* A header whose value was not kept: a name that waits for job_add_header. */
static enum result read_unkept_header(struct job *job, const char *name, struct err *err)
{
    struct job_header *headers;

    if (job->header_count == JOB_HEADERS_MAX) {
        return err_set(err, RESULT_LIMIT, "E-HDR2", "more than %d headers", JOB_HEADERS_MAX);
    }
    headers = reallocarray(job->headers, job->header_count + 1, sizeof *headers);
    if (!headers) {
        return err_nomem(err, "reading the job");
    }
    job->headers = headers;
    headers[job->header_count] = (struct job_header){ .name = str_dup(str_view(name)) };
    if (!headers[job->header_count].name) {
        return err_nomem(err, "reading the job");
    }
    job->header_count++;
    return RESULT_OK;
}

static enum result read_headers(const cJSON *object, struct job *job, struct err *err)
{
    const cJSON *value;
    enum result result = RESULT_OK;

    if (!cJSON_IsObject(object)) {
        return bad_value("headers", "an object", err);
    }
    cJSON_ArrayForEach(value, object)
    {
        struct buf line = { .max = HEADER_LINE_MAX };

        if (cJSON_IsNull(value)) {
            result = read_unkept_header(job, value->string, err);
        } else if (!cJSON_IsString(value)) {
            result = bad_value(value->string, "a string", err);
        } else if (buf_printf(&line, "%s: %s", value->string, value->valuestring) != RESULT_OK) {
            result =
                err_set(err, RESULT_LIMIT, "E-HDR2", "header line over %d bytes", HEADER_LINE_MAX);
        } else {
            result = job_add_header(job, buf_view(&line), err);
        }
        buf_release(&line);
        if (result != RESULT_OK) {
            return result;
        }
    }
    return RESULT_OK;
}

static enum result read_header_files(const cJSON *array, struct job *job, struct err *err)
{
    const cJSON *value;

    if (!cJSON_IsArray(array)) {
        return bad_value("header_files", "an array of paths", err);
    }
    cJSON_ArrayForEach(value, array)
    {
        enum result result;

        if (!cJSON_IsString(value)) {
            return bad_value("header_files", "an array of paths", err);
        }
        result = job_add_header_file(job, value->valuestring, err);
        if (result != RESULT_OK) {
            return result;
        }
    }
    return RESULT_OK;
}

static enum result read_source(const cJSON *object, struct job_endpoint *endpoint, struct err *err)
{
    const cJSON *value = cJSON_IsObject(object) ? object->child : NULL;
    bool list;

    if (!value || value->next || !cJSON_IsString(value)) {
        return bad_value("sources", "objects with one \"url\" or one \"list\"", err);
    }
    list = strcmp(value->string, "list") == 0;
    if (!list && strcmp(value->string, "url") != 0) {
        return unknown_key(value, err);
    }
    return job_add_source(endpoint, list ? JOB_SOURCE_LIST : JOB_SOURCE_PATTERN,
                          str_view(value->valuestring), err);
}

static enum result read_sources(const cJSON *array, struct job_endpoint *endpoint, struct err *err)
{
    const cJSON *value;
    enum result result = RESULT_OK;

    if (!cJSON_IsArray(array)) {
        return bad_value("sources", "an array", err);
    }
    cJSON_ArrayForEach(value, array)
    {
        result = read_source(value, endpoint, err);
        if (result != RESULT_OK) {
            break;
        }
    }
    return result;
}

static enum result read_name(const cJSON *value, char **name, struct err *err)
{
    enum result result = read_text(value, name, err);

    if (result == RESULT_OK && !job_name_is_valid(str_view(*name))) {
        return bad_value("name", "1 to 64 of A-Z a-z 0-9 . _ -, not starting with a dot", err);
    }
    return result;
}

static enum result read_endpoint(const cJSON *object, struct job_endpoint *endpoint,
                                 struct err *err)
{
    const cJSON *value;

    if (!cJSON_IsObject(object)) {
        return bad_value("endpoints", "an array of objects", err);
    }
    cJSON_ArrayForEach(value, object)
    {
        enum result result;

        if (strcmp(value->string, "name") == 0) {
            result = read_name(value, &endpoint->name, err);
        } else if (strcmp(value->string, "sources") == 0) {
            result = read_sources(value, endpoint, err);
        } else if (strcmp(value->string, "method") == 0) {
            result = read_text(value, &endpoint->method, err);
        } else if (strcmp(value->string, "body") == 0) {
            result = read_text(value, &endpoint->body, err);
        } else if (strcmp(value->string, "records") == 0) {
            result = read_text(value, &endpoint->records, err);
        } else {
            result = unknown_key(value, err);
        }
        if (result != RESULT_OK) {
            return result;
        }
    }
    return RESULT_OK;
}

static enum result read_endpoints(const cJSON *array, struct job *job, struct err *err)
{
    const cJSON *value;

    if (!cJSON_IsArray(array)) {
        return bad_value("endpoints", "an array of objects", err);
    }
    cJSON_ArrayForEach(value, array)
    {
        struct job_endpoint *endpoint = job_add_endpoint(job);
        enum result result =
            endpoint ? read_endpoint(value, endpoint, err) : err_nomem(err, "reading the job");

        if (result != RESULT_OK) {
            return result;
        }
    }
    return RESULT_OK;
}

static enum result read_member(const cJSON *value, struct job *job, struct err *err)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strcmp(sections[i].key, value->string) == 0) {
            return read_section(value, &sections[i], job, err);
        }
    }
    if (strcmp(value->string, "name") == 0) {
        return read_name(value, &job->name, err);
    }
    if (strcmp(value->string, "headers") == 0) {
        return read_headers(value, job, err);
    }
    if (strcmp(value->string, "header_files") == 0) {
        return read_header_files(value, job, err);
    }
    if (strcmp(value->string, "endpoints") == 0) {
        return read_endpoints(value, job, err);
    }
    if (strcmp(value->string, "globoff") == 0) {
        if (!cJSON_IsBool(value)) {
            return bad_value("globoff", "true or false", err);
        }
        job->globoff = cJSON_IsTrue(value);
        return RESULT_OK;
    }
    return unknown_key(value, err);
}

static enum result read_root(const cJSON *root, struct job *job, struct err *err)
{
    const cJSON *value;

    if (!cJSON_IsObject(root)) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "not a JSON object");
    }
    cJSON_ArrayForEach(value, root)
    {
        enum result result = read_member(value, job, err);

        if (result != RESULT_OK) {
            return result;
        }
    }
    return RESULT_OK;
}

enum result job_read(struct job *job, struct str text, const char *where, struct err *err)
{
    cJSON *root = NULL;
    char *copy;
    enum result result;

    job_init(job);
    if (text.len > JOB_TEXT_MAX) {
        return err_set(err, RESULT_LIMIT, "E-CFG2", "%s: over %d bytes", where, JOB_TEXT_MAX);
    }
    copy = str_dup(text); /* cJSON checks the end of the text only when it stands on a NUL */
    if (!copy) {
        return err_nomem(err, "reading the job");
    }
    if (!memmem(copy, text.len, "\\u0000", 6)) { /* would end a string early */
        root = cJSON_ParseWithLengthOpts(copy, text.len + 1, NULL, true);
    }
    result =
        root ? read_root(root, job, err) : err_set(err, RESULT_INVALID, "E-CFG2", "not valid JSON");
    for (size_t i = 0; i < job->header_count; i++) {
        job->headers[i].stored = true; /* the command line may replace it */
    }
    if (result != RESULT_OK) {
        err_prefix(err, "%s", where);
        job_release(job);
    }
    cJSON_Delete(root);
    free(copy);
    return result;
}
