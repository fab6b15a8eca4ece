/* "headers" of both the job and its endpoints. */
#include "job/job_put.h"

#include "base/json_scan.h"
#include "job/job_parts.h"
#include "job/job_read.h"

#include <cjson/cJSON.h>

#include <stdlib.h>

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
    text = job_put_given(r, job_text_string(&r->text, name, value), TEMPLATE_HEADER, name, value);
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

/* Null where the value is not to be kept; what came from a file is that file's. */
bool job_put_headers(cJSON *to, const struct job_header *headers, size_t count)
{
    cJSON *typed = cJSON_AddObjectToObject(to, "headers");
    bool ok = typed;

    for (size_t i = 0; i < count && ok; i++) {
        const struct job_header *header = &headers[i];

        if (!header->given) {
            ok = cJSON_AddNullToObject(typed, header->name);
        } else if (!header->from_file) {
            ok = cJSON_AddStringToObject(typed, header->name, header->given);
        }
    }
    return ok;
}
