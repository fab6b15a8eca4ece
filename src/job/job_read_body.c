/* "as", "shape", "charset" ...: what an endpoint's bodies are, and how they are read. */
#include "job/job_put.h"

#include "base/body_text.h"
#include "base/json_scan.h"
#include "job/job_read.h"

#include <cjson/cJSON.h>

#include <stdlib.h>

void job_read_as(struct job_reader *r, void *target, struct str value)
{
    struct job_endpoint *endpoint = target;
    char *text = job_text_string(&r->text, "as", value);

    if (text && !body_format_parse(str_view(text), &endpoint->reading.as)) {
        job_text_fault(&r->text, value, "E-CFG2", "\"as\": \"%.32s\" is none of %s", text,
                       BODY_FORMAT_WORDS);
    }
    free(text);
}

void job_read_shape(struct job_reader *r, void *target, struct str value)
{
    struct job_endpoint *endpoint = target;
    char *text = job_text_string(&r->text, "shape", value);

    if (text && !record_shape_parse(str_view(text), &endpoint->shape)) {
        job_text_fault(&r->text, value, "E-CFG2", "\"shape\": \"%.32s\" is none of %s", text,
                       RECORD_SHAPE_WORDS);
    }
    free(text);
}

void job_read_charset(struct job_reader *r, void *target, struct str value)
{
    struct job_endpoint *endpoint = target;
    char *text = job_text_string(&r->text, "charset", value);

    if (text && !body_charset_is_known(str_view(text))) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"charset\": \"%.32s\" is not read; want " BODY_CHARSET_WORDS, text);
    }
    free(endpoint->reading.charset);
    endpoint->reading.charset = text;
}

void job_read_delimiter(struct job_reader *r, void *target, struct str value)
{
    struct job_endpoint *endpoint = target;
    char *text = job_text_string(&r->text, "delimiter", value);

    endpoint->reading.delimiter = text ? body_delimiter_parse(str_view(text)) : 0;
    if (text && !endpoint->reading.delimiter) {
        job_text_fault(&r->text, value, "E-CFG2", "\"delimiter\": want one character, or \"tab\"");
    }
    free(text);
}

/* `true` is the default of both: what is kept is that it is not. */
static bool read_denial(struct job_reader *r, const char *name, struct str value)
{
    struct str text = str_trim(value);

    if (json_type_of(value) != JSON_BOOL) {
        job_text_fault(&r->text, value, "E-CFG2", "\"%s\": want true or false", name);
        return false;
    }
    return text.data[0] == 'f';
}

void job_read_header_row(struct job_reader *r, void *target, struct str value)
{
    ((struct job_endpoint *)target)->reading.no_header = read_denial(r, "header", value);
}

void job_read_lenient(struct job_reader *r, void *target, struct str value)
{
    ((struct job_endpoint *)target)->reading.is_strict = read_denial(r, "lenient", value);
}

bool job_write_as(const struct job_writer *w, cJSON *to, const struct job_key *key,
                  const void *target)
{
    const struct body_reading *reading = &((const struct job_endpoint *)target)->reading;

    (void)w;
    return reading->as == BODY_AUTO ||
           cjson_add_optional(to, key->name, body_format_name(reading->as));
}

bool job_write_shape(const struct job_writer *w, cJSON *to, const struct job_key *key,
                     const void *target)
{
    enum record_shape shape = ((const struct job_endpoint *)target)->shape;

    (void)w;
    return shape == RECORD_SHAPE_OBJECTS ||
           cjson_add_optional(to, key->name, record_shape_name(shape));
}

bool job_write_delimiter(const struct job_writer *w, cJSON *to, const struct job_key *key,
                         const void *target)
{
    const char text[2] = { ((const struct job_endpoint *)target)->reading.delimiter, '\0' };

    (void)w;
    return !text[0] || cjson_add_optional(to, key->name, text);
}

bool job_write_denial(const struct job_writer *w, cJSON *to, const struct job_key *key,
                      const void *target)
{
    (void)w;
    return !*(const bool *)((const char *)target + key->offset) ||
           cJSON_AddFalseToObject(to, key->name);
}
