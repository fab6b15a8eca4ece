/* The keys of a job file's root. */
#include "job/job_put.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "job/auth/auth_kind.h"
#include "job/auth/sign.h"
#include "job/dates.h"
#include "job/env_file.h"
#include "job/job_parts.h"
#include "job/job_read.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_MIN_US (100 * US_PER_MS)

static void read_root_headers(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    job_read_headers(r, NULL, value);
}

static void read_header_files(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    struct json_walk walk;
    struct str item;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2", "\"header_files\": want an array of paths");
        return;
    }
    json_walk_begin(&walk, value);
    while (!r->skips_secrets && json_walk_next(&walk, NULL, &item)) {
        char *path = job_text_string(&r->text, "header_files", item);
        char *absolute = path ? job_absolute_path(r, path) : NULL;
        struct err err;

        r->text.no_memory |= path && !absolute;
        if (absolute && job_add_header_file(job, absolute, &err) != RESULT_OK) {
            job_text_fault_of(&r->text, item, &err);
        }
        free(absolute);
        free(path);
    }
}

static bool write_headers(const struct job_writer *w, cJSON *to, const struct job_key *key,
                          const void *target)
{
    const struct job *job = target;

    (void)w;
    (void)key;
    return job_put_headers(to, job->headers, job->header_count);
}

static bool has_item(const cJSON *array, const char *text)
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

static bool write_header_files(const struct job_writer *w, cJSON *to, const struct job_key *key,
                               const void *target)
{
    const struct job *job = target;
    cJSON *files = cJSON_AddArrayToObject(to, key->name);
    bool ok = files;

    (void)w;
    for (size_t i = 0; ok && i < job->header_count; i++) {
        const struct job_header *header = &job->headers[i];

        if (header->given && header->from_file && !has_item(files, header->given)) {
            ok = cjson_add_text(files, header->given);
        }
    }
    return ok;
}

/* Letters, digits and dots: what may follow a dot in a file's name. */
static bool is_ending(struct str raw)
{
    static const char may[] = "abcdefghijklmnopqrstuvwxyz0123456789.";

    for (size_t i = 0; i < raw.len; i++) {
        if (!memchr(may, raw.data[i], sizeof may - 1)) {
            return false;
        }
    }
    return raw.data && raw.len && raw.len < JOB_OUTPUT_MAX;
}

static bool has_output(const struct job *job, struct str ending)
{
    for (size_t i = 0; i < job->output_count; i++) {
        if (str_equal(ending, str_view(job->outputs[i]))) {
            return true;
        }
    }
    return false;
}

static void read_one_output(struct job_reader *r, struct job *job, struct str value)
{
    struct str raw = json_string_raw(value);

    if (!is_ending(raw)) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"output\": want how its files end, as \"csv\" or \"jsonl.gz\"");
    } else if (has_output(job, raw)) {
        return;
    } else if (job->output_count == JOB_OUTPUTS_MAX) {
        job_text_fault(&r->text, value, "E-CFG2", "\"output\": more than %d kinds of files",
                       JOB_OUTPUTS_MAX);
    } else {
        snprintf(job->outputs[job->output_count++], JOB_OUTPUT_MAX, "%.*s", STR_ARG(raw));
    }
}

static void read_output(struct job_reader *r, void *target, struct str value)
{
    struct json_walk walk;
    struct str item;

    if (json_type_of(value) != JSON_ARRAY) {
        read_one_output(r, target, value);
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        read_one_output(r, target, item);
    }
}

static bool write_output(const struct job_writer *w, cJSON *to, const struct job_key *key,
                         const void *target)
{
    const struct job *job = target;
    cJSON *array = job->output_count ? cJSON_AddArrayToObject(to, key->name) : NULL;
    bool ok = array || !job->output_count;

    (void)w;
    for (size_t i = 0; ok && i < job->output_count; i++) {
        ok = cjson_add_text(array, job->outputs[i]);
    }
    return ok;
}

static void read_until(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    char *text = job_text_string(&r->text, "until", value);
    struct err err;

    if (text && dates_parse_instant(str_view(text), &job->poll.until_us, &err) != RESULT_OK) {
        err_prefix(&err, "\"until\"");
        job_text_fault_of(&r->text, value, &err);
    }
    free(text);
}

static bool write_until(const struct job_writer *w, cJSON *to, const struct job_key *key,
                        const void *target)
{
    const struct job *job = target;
    char until[DATES_INSTANT_MAX];

    (void)w;
    if (!job->poll.until_us) {
        return true;
    }
    dates_format_instant(job->poll.until_us, until);
    return cjson_add_optional(to, key->name, until);
}

/* Both need what stands elsewhere in the file, and so are read last. */
static void note_login(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    r->login = value;
}

static void note_tables(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    r->tables = value;
}

static void note_base(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    r->base = value;
    if (!job->base) { /* the command line's goes first */
        job->base = job_text_string(&r->text, "base", value);
    }
}

static void take_path(struct job_reader *r, const char *key, char **to, struct str value)
{
    char *text = job_text_string(&r->text, key, value);

    if (text) {
        free(*to);
        *to = job_absolute_path(r, text);
        r->text.no_memory |= !*to;
    }
    free(text);
}

/* true, false, or the name of a file. */
static void read_cookies(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    enum json_type type = json_type_of(value);

    if (type == JSON_STRING && json_string_raw(value).len) {
        job->cookies.is_kept = true;
        take_path(r, "cookies", &job->cookies.jar, value);
    } else if (type == JSON_BOOL) {
        job->cookies.is_kept = str_starts(value, STR("t"));
        job->cookies.is_off = !job->cookies.is_kept;
    } else {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"cookies\": want true (kept with the run), false (none), or the file that "
                       "they are kept in");
    }
}

static bool write_cookies(const struct job_writer *w, cJSON *to, const struct job_key *key,
                          const void *target)
{
    const struct job_cookies *cookies = &((const struct job *)target)->cookies;

    (void)w;
    if (cookies->is_kept && cookies->jar && !cookies->is_off) {
        return cjson_add_optional(to, key->name, cookies->jar);
    }
    return (!cookies->is_off && !cookies->is_kept) ||
           cJSON_AddBoolToObject(to, key->name, !cookies->is_off);
}

static void read_cookie_file(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    take_path(r, "cookie_file", &job->cookies.from, value);
}

static void read_sign(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    size_t faults = r->text.faults->count;
    struct err err;

    if (r->skips_secrets) {
        return;
    }
    (void)job_read_object(r, &job_sign_keys, &job->sign, value);
    if (r->text.faults->count == faults &&
        sign_check(&job->sign, job->login.is_incomplete, &err) != RESULT_OK) {
        err_prefix(&err, "\"sign\"");
        job_text_fault_of(&r->text, value, &err);
    }
}

static bool write_sign(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job_sign *sign = &((const struct job *)target)->sign;

    return (!sign->aws && !sign->hmac) || job_put_object(w, to, key->name, key->inner, sign, true);
}

static void read_answers(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;

    job_read_answers(r, &job->answers, value);
}

static bool write_answers(const struct job_writer *w, cJSON *to, const struct job_key *key,
                          const void *target)
{
    (void)w;
    return job_put_answers(to, key->name, &((const struct job *)target)->answers);
}

static bool write_login(const struct job_writer *w, cJSON *to, const struct job_key *key,
                        const void *target)
{
    const struct job_login *login = &((const struct job *)target)->login;

    return !login->kind || job_put_object(w, to, key->name, job_login_keys(), login, true);
}

static bool write_vars(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job *job = target;
    cJSON *vars = job->var_count ? cJSON_AddObjectToObject(to, key->name) : NULL;

    for (size_t i = 0; vars && i < job->var_count; i++) {
        if (!job_put_var(w, vars, &job->vars[i])) {
            return false;
        }
    }
    return !job->var_count || vars;
}

static bool write_endpoints(const struct job_writer *w, cJSON *to, const struct job_key *key,
                            const void *target)
{
    const struct job *job = target;
    cJSON *array = cJSON_AddArrayToObject(to, key->name);

    for (size_t i = 0; array && i < job->endpoint_count; i++) {
        cJSON *element = cjson_add_element(array);

        if (!element || !job_put_keys(w, element, &job_endpoint_keys, &job->endpoints[i])) {
            return false;
        }
    }
    return array;
}

/* Those that say something. */
static bool write_tables(const struct job_writer *w, cJSON *to, const struct job_key *key,
                         const void *target)
{
    const struct job *job = target;
    cJSON *tables = cJSON_CreateObject();
    bool ok = tables;

    for (size_t i = 0; ok && i < job->endpoint_count; i++) {
        const struct job_endpoint *endpoint = &job->endpoints[i];

        ok = job_put_object(w, tables, endpoint->name, &job_table_keys, &endpoint->table, false);
    }
    if (ok && tables->child) {
        ok = cJSON_AddItemToObject(to, key->name, tables);
        tables = ok ? NULL : tables;
    }
    cJSON_Delete(tables);
    return ok;
}

static void read_shard(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    char *text = job_text_string(&r->text, "shard", value);
    struct err err;

    if (text && job_shard_parse(str_view(text), &job->shard, &err) != RESULT_OK) {
        err_prefix(&err, "\"shard\"");
        job_text_fault_of(&r->text, value, &err);
    }
    free(text);
}

static bool write_shard(const struct job_writer *w, cJSON *to, const struct job_key *key,
                        const void *target)
{
    const struct job_shard *shard = &((const struct job *)target)->shard;
    char text[JOB_SHARD_TEXT_MAX];

    (void)w;
    job_shard_format(shard, text);
    return !shard->count || cjson_add_optional(to, key->name, text);
}

/* It is read as "was not kept", and told of what is not kept now. */
static bool write_unkept(const struct job_writer *w, cJSON *to, const struct job_key *key,
                         const void *target)
{
    (void)w;
    return !((const struct job *)target)->has_typed_secret || cJSON_AddTrueToObject(to, key->name);
}

/* What stands beside a job file stands beside no job.json. In a file from elsewhere it would name files of others. */
static void read_env_file(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    char *text = job_text_string(&r->text, "env_file", value);

    if (text && r->is_stored) {
        free(job->secrets.env_file);
        job->secrets.env_file = text;
        job->secrets.env_find = env_file_find;
        return;
    }
    free(text);
}

/* Absolute: the next session may start in another directory. */
static bool write_env_file(const struct job_writer *w, cJSON *to, const struct job_key *key,
                           const void *target)
{
    const struct job *job = target;
    char *path = job->secrets.env_file_is_used ? realpath(job->secrets.env_file, NULL) : NULL;
    bool ok = !path || cJSON_AddStringToObject(to, key->name, path);

    (void)w;
    free(path);
    return ok;
}

#define FIELD(field) offsetof(struct job, field)

/* clang-format off */
static const struct job_key
    root_keys[] = {
        { "name", JOB_KEY_NAME, FIELD(name), .help = "Names the run directory (the file's name)" },
        { "env_file", JOB_KEY_OTHER, .read = read_env_file, .write = write_env_file,
          .help = "In job.json: the .env beside the job file, in which a ${NAME} was found",
          .schema = JOB_JSON("type" : "string", "minLength" : 1) },
        { "globoff", JOB_KEY_BOOL, FIELD(globoff), .always = true,
          .help = "Brackets and braces in the URLs of \"sources\" mean nothing" },
        { "base", JOB_KEY_TEXT, FIELD(base), .read = note_base,
          .help = "What relative URLs are added to; --base URL goes before it",
          .schema = JOB_JSON("type"
                             : "string", "pattern"
                             : "^https?://") },
        { "header_files", JOB_KEY_OTHER, .read = read_header_files, .write = write_header_files,
          .help = "Files of header lines that only you can read",
          .schema = JOB_JSON("type"
                             : "array", "items"
                             : { "type" : "string" }) },
        { "headers", JOB_KEY_OTHER, .read = read_root_headers, .write = write_headers,
          .help = "Sent with every request; ${ENV} or @FILE for secrets",
          .schema = JOB_JSON("$ref"
                             : "#/definitions/headers") },
        { "login", JOB_KEY_OTHER, .read = note_login, .write = write_login,
          .schema = JOB_JSON("$ref"
                             : "#/definitions/login") },
        { "sign", JOB_KEY_OBJECT, FIELD(sign), .inner = &job_sign_keys, .read = read_sign,
          .write = write_sign },
        { "cookie_file", JOB_KEY_TEXT, FIELD(cookies.from), .read = read_cookie_file,
          .help = "File of cookies that are sent, in curl's format; only you can read it" },
        { "cookies", JOB_KEY_OTHER, .read = read_cookies, .write = write_cookies,
          .help = "Cookies that servers set: true keeps them with the run, false sends none back, "
                  "a text is the "
                  "file they are kept in (sent back while the run lives)",
          .schema =
              JOB_JSON("anyOf"
                       : [ { "type" : "boolean" }, { "type" : "string", "minLength" : 1 } ]) },
        { "vars", JOB_KEY_OTHER, .read = job_read_vars, .write = write_vars,
          .help = "What {placeholders} stand for; a request for every combination",
          .schema =
              JOB_JSON("type"
                       : "object", "additionalProperties"
                       : {
                           "anyOf" : [
                               { "description" : "A pattern: [1-100], {a,b}", "type" : "string" }, {
                                   "type" : "array",
                                   "minItems" : 1,
                                   "items" : { "type" : [ "string", "number", "boolean" ] }
                               },
                               { "$ref" : "#/definitions/variable" }
                           ]
                       }) },
        { "endpoints", JOB_KEY_OTHER, .read = job_read_endpoints, .write = write_endpoints,
          .help = "What is asked; each gives one table",
          .schema = JOB_JSON("type"
                             : "array", "minItems" : 1, "maxItems" : 256, "items"
                             : { "$ref" : "#/definitions/endpoint" }) },
        { "pace", JOB_KEY_OBJECT, .inner = &job_pace_keys },
        { "retry", JOB_KEY_OBJECT, .inner = &job_retry_keys },
        { "limits", JOB_KEY_OBJECT, .inner = &job_limits_keys },
        { "answers", JOB_KEY_OTHER, .read = read_answers, .write = write_answers,
          .help = "What answers mean, for all endpoints; the first rule that matches is heeded",
          .schema = JOB_JSON("type"
                             : "array", "maxItems" : 64, "items"
                             : { "$ref" : "#/definitions/answer" }) },
        { "on", JOB_KEY_OTHER, .read = job_read_on, .write = job_put_on,
          .help = "Rules by event: what the run does by itself when a figure of it passes a limit",
          .schema = JOB_JSON("type"
                             : "array", "maxItems" : 32, "items"
                             : { "$ref" : "#/definitions/on" }) },
        { "network", JOB_KEY_OBJECT, .inner = &job_network_keys, .read = job_read_network },
        { "proxies", JOB_KEY_OBJECT, .inner = &job_proxies_keys, .read = job_read_proxies },
        { "proxy", JOB_KEY_OBJECT, .inner = &job_proxy_keys, .read = job_read_proxy,
          .help =
              "The proxy that all is asked through: its URL, \"\" for none, or an object; else the "
              "environment's, as curl has them",
          .schema = JOB_JSON("anyOf"
                             : [ { "type" : "string" }, { "$ref" : "#/definitions/proxy" } ]) },
        { "tls", JOB_KEY_OBJECT, .inner = &job_tls_keys, .read = job_read_tls },
        { "tables", JOB_KEY_OTHER, .read = note_tables, .write = write_tables,
          .help = "By the names of endpoints",
          .schema = JOB_JSON("type"
                             : "object", "additionalProperties"
                             : { "$ref" : "#/definitions/table" }) },
        { "output", JOB_KEY_OTHER, .read = read_output, .write = write_output,
          .help = "Tables that are written at the end, by their files' endings",
          .schema =
              JOB_JSON("anyOf"
                       :
                       [
                           { "$ref" : "#/definitions/ending" }, {
                               "type" : "array",
                               "maxItems" : 8,
                               "items" :
                                   { "$ref" : "#/definitions/ending" }
                           }
                       ]) },
        { "every", JOB_KEY_TIME, FIELD(poll.every_us), EVERY_MIN_US, UINT64_MAX,
          .help = "Ask again and again, each answer a record of its own" },
        { "count", JOB_KEY_NUMBER, FIELD(poll.count), 1, INT64_MAX,
          .help = "Rounds of \"every\" (until stopped)" },
        { "until", JOB_KEY_TEXT, .read = read_until, .write = write_until,
          .help = "When \"every\" ends: 2026-11-21T18:00:00Z" },
        { "retain", JOB_KEY_TIME, FIELD(retain_us), 1, UINT64_MAX,
          .help = "With \"every\": answers older than this go, before a session and while it goes on, and what they changed stays in the journal" },
        { "pack", JOB_KEY_BOOL, FIELD(packs),
          .help = "Pack stored bodies with zstd, 256 MiB at a time, while the run goes on" },
        { "shard", JOB_KEY_TEXT, .read = read_shard, .write = write_shard,
          .help = "Which part of the plan the run is, as --shard has it: 3/8",
          .schema = JOB_JSON("type"
                             : "string", "pattern"
                             : "^[0-9]+/[0-9]+$") },
        { "fleet", JOB_KEY_TEXT, FIELD(fleet),
          .help = "Where the workers on one job meet, as --fleet has it: redis://HOST/JOB" },
        { "worker", JOB_KEY_NAME, FIELD(worker),
          .help = "In job.json: what the run is called in the fleet" },
        { "unkept", JOB_KEY_BOOL, FIELD(is_incomplete), .write = write_unkept,
          .help =
              "In job.json: a credential was typed into a URL or a body, and stands there as ***" },
    };

const struct job_keys job_root_keys =
    JOB_KEYS("job", root_keys, .help = "A whole API: what to ask, who asks, how fast, and which tables come of it.",
             .schema = JOB_JSON("required": ["endpoints"], "dependencies": {"count": ["every"], "until": ["every"]}));
/* clang-format on */

const struct job_keys *job_object(size_t index)
{
    const struct job_keys *const all[] = {
        &job_root_keys,  &job_endpoint_keys, &job_pages_keys, job_login_keys(),  &job_var_keys,
        &job_table_keys, &job_answer_keys,   &job_pace_keys,  &job_retry_keys,   &job_limits_keys,
        &job_proxy_keys, &job_proxies_keys,  &job_tls_keys,   &job_network_keys, &job_sign_keys,
        &job_on_keys,    &job_expect_keys,   &job_since_keys,
    };
    size_t count = sizeof all / sizeof all[0];

    if (index < count) {
        return all[index];
    }
    index -= count;
    for (size_t i = 0; auth_kinds[i]; i++) {
        if (auth_kinds[i]->keys && !index--) {
            return auth_kinds[i]->keys;
        }
    }
    return NULL;
}
