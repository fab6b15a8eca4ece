/* "vars": what the placeholders of a job file's endpoints stand for. */
#include "job/job_put.h"

#include "base/body_text.h"
#include "base/clock.h"
#include "base/json_scan.h"
#include "base/json_text.h"
#include "job/dates.h"
#include "job/job_parts.h"
#include "job/job_read.h"
#include "job/template.h"
#include "job/vars.h"

#include <cjson/cJSON.h>

#include <stdlib.h>
#include <string.h>

#define VARS_MAX 64
#define DATE_LENGTH 10 /* of 2026-01-31T00:00:00.000Z */
#define DAY_US (INT64_C(86400) * (int64_t)US_PER_S)
/* clang-format off */
#define DAY_SCHEMA                                                                                 \
    JOB_JSON("type": "string",                                                                     \
             "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?|today|yesterday|month-start|year-start|hour-start|-[0-9]+(d|w|mo|months?|y|h|min))$")
/* clang-format on */

static void read_list(struct job_reader *r, struct job_var *var, struct str value)
{
    struct json_walk walk;
    struct str item;
    size_t count = 0;

    var->kind = JOB_VAR_LIST;
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        count++;
    }
    if (!count) {
        job_text_fault(&r->text, value, "E-CFG2", "\"%s\": the list is empty", var->name);
        return;
    }
    var->values = calloc(count, sizeof *var->values);
    r->text.no_memory |= !var->values;
    json_walk_begin(&walk, value);
    while (var->values && json_walk_next(&walk, NULL, &item)) {
        enum json_type type = json_type_of(item);

        if (type != JSON_STRING && type != JSON_NUMBER && type != JSON_BOOL) {
            job_text_fault(&r->text, item, "E-CFG2",
                           "\"%s\": want strings, numbers, true or false in the list", var->name);
            continue;
        }
        var->values[var->value_count] = str_dup(str_trim(item));
        r->text.no_memory |= !var->values[var->value_count];
        var->value_count += var->values[var->value_count] != NULL;
    }
}

static void read_pattern(struct job_reader *r, struct job_var *var, struct str value)
{
    struct err err;

    var->kind = JOB_VAR_PATTERN;
    var->text = job_text_string(&r->text, var->name, value);
    if (var->text && vars_check_pattern(str_view(var->text), &err) != RESULT_OK) {
        err_prefix(&err, "\"%s\"", var->name);
        job_text_fault_of(&r->text, value, &err);
    }
}

static void read_file(struct job_reader *r, void *target, struct str value)
{
    struct job_var *var = target;
    char *path = job_text_string(&r->text, "file", value);

    var->kind = JOB_VAR_FILE;
    if (path) {
        free(var->text);
        var->text = strcmp(path, "-") == 0 ? str_dup(STR("-")) : job_absolute_path(r, path);
        r->text.no_memory |= !var->text;
    }
    free(path);
}

static void read_checksum(struct job_reader *r, void *target, struct str value)
{
    struct job_var *var = target;
    uint64_t number;

    if (json_type_of(value) != JSON_NUMBER || !str_to_u64(str_trim(value), &number) ||
        number > UINT32_MAX) {
        job_text_fault(&r->text, value, "E-CFG2", "\"crc32c\": want a whole number of 32 bits");
        return;
    }
    var->crc32c = (uint32_t)number;
    var->has_crc32c = true;
}

static void read_encoding(struct job_reader *r, void *target, struct str value)
{
    struct job_var *var = target;

    free(var->encoding);
    var->encoding = job_text_string(&r->text, "encoding", value);
    if (var->encoding && !body_charset_is_known(str_view(var->encoding))) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"encoding\": \"%.32s\" is not read; want " BODY_CHARSET_WORDS,
                       var->encoding);
    }
}

static void read_values(struct job_reader *r, void *target, struct str value)
{
    struct job_var *var = target;

    if (json_type_of(value) == JSON_STRING) {
        read_pattern(r, var, value);
    } else if (json_type_of(value) == JSON_ARRAY) {
        read_list(r, var, value);
    } else {
        job_text_fault(&r->text, value, "E-CFG2", "\"values\": want a pattern or a list");
    }
}

static bool put_list(cJSON *to, const char *name, const struct job_var *var)
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

static bool write_values(const struct job_writer *w, cJSON *to, const struct job_key *key,
                         const void *target)
{
    const struct job_var *var = target;

    (void)w;
    return var->kind == JOB_VAR_LIST      ? put_list(to, key->name, var)
           : var->kind == JOB_VAR_PATTERN ? cjson_add_optional(to, key->name, var->text)
                                          : true;
}

static bool write_file(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job_var *var = target;

    (void)w;
    return var->kind != JOB_VAR_FILE || cjson_add_optional(to, key->name, var->text);
}

static bool write_from(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    const struct job_var *var = target;

    (void)w;
    return var->kind != JOB_VAR_DATES || cjson_add_optional(to, key->name, var->text);
}

static bool write_checksum(const struct job_writer *w, cJSON *to, const struct job_key *key,
                           const void *target)
{
    const struct job_var *var = target;

    (void)w;
    return !var->has_crc32c || cjson_add_number(to, key->name, var->crc32c);
}

enum {
    VAR_CHUNK,
    VAR_VALUES,
    VAR_FILE,
    VAR_ENCODING,
    VAR_CHECKSUM,
    VAR_FROM,
    VAR_TO,
    VAR_STEP,
    VAR_FORMAT,
    VAR_ZONE,
    VAR_TODAY
};

#define VAR(field) offsetof(struct job_var, field)

/* clang-format off */
static const struct job_key var_keys[] = {
    [VAR_CHUNK] = { "chunk", JOB_KEY_NUMBER, VAR(chunk), 1, 100000,
      .help = "So many values at once, with commas between: ids={ids} is ids=1,2,3" },
    [VAR_VALUES] = { "values", JOB_KEY_OTHER, .read = read_values, .write = write_values,
      .help = "A pattern or a list, when they come in chunks",
      .schema = JOB_JSON("anyOf": [{"type": "string"}, {"type": "array", "minItems": 1}]) },
    [VAR_FILE] = { "file", JOB_KEY_TEXT, .read = read_file, .write = write_file,
      .help = "CSV, TSV, JSON Lines, or text with a value a line" },
    [VAR_ENCODING] = { "encoding", JOB_KEY_TEXT, VAR(encoding), .read = read_encoding,
      .help = "Letters of the file, when they are not UTF-8: windows-1252" },
    [VAR_CHECKSUM] = { "crc32c", JOB_KEY_OTHER, .read = read_checksum, .write = write_checksum,
      .help = "Of the file when the run began; written by the program",
      .schema = JOB_JSON("type": "integer", "minimum": 0, "maximum": 4294967295) },
    [VAR_FROM] = { "from", JOB_KEY_TEXT, VAR(text), .write = write_from,
      .help = "First day: 2026-01-01, or in words: today, yesterday, -7d, month-start, year-start; for hours also a "
              "time, -6h, hour-start",
      .schema = DAY_SCHEMA },
    [VAR_TO] = { "to", JOB_KEY_TEXT, VAR(to),
      .help = "Last day, included; likewise. A time is where the last step ends",
      .schema = DAY_SCHEMA },
    [VAR_STEP] = { "step", JOB_KEY_TEXT, VAR(step),
      .help = "1d, 2w, 1mo, 1y, 6h, 15min (1d)",
      .schema = JOB_JSON("type": "string", "pattern": "^[0-9]+(d|w|mo|months?|y|h|min)$") },
    [VAR_FORMAT] = { "format", JOB_KEY_TEXT, VAR(format),
      .help = "As strftime: %Y %m %d %j %y %H %M %S %z %s %% (%Y-%m-%d; for hours with the time)" },
    [VAR_ZONE] = { "zone", JOB_KEY_TEXT, VAR(zone),
      .help = "Whose midnight begins a day: Europe/Berlin (UTC)" },
    [VAR_TODAY] = { "today", JOB_KEY_TEXT, VAR(today),
      .help = "What words count from: the beginning of the run; written by the program",
      .schema = JOB_JSON("type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}Z)?$") },
};
/* clang-format on */

const struct job_keys job_var_keys =
    JOB_KEYS("variable", var_keys, .help = "A file of values, or dates.");

static bool has(uint64_t seen, int key)
{
    return seen >> key & 1;
}

/* A run that goes on after midnight counts from the day of its beginning. */
static void note_today(struct job_reader *r, struct job_var *var)
{
    char text[DATES_INSTANT_MAX];

    if (!var->today && vars_today(var, r->wall_us, text)) {
        var->today = str_dup(str_view(text));
        r->text.no_memory |= !var->today;
    }
}

static void read_object(struct job_reader *r, struct job_var *var, struct str value)
{
    size_t faults = r->text.faults->count;
    uint64_t seen = job_read_object(r, &job_var_keys, var, value);
    bool is_file = has(seen, VAR_FILE), is_dates = has(seen, VAR_FROM);
    bool is_values = has(seen, VAR_VALUES);
    struct err err;

    if (r->text.faults->count > faults || r->text.no_memory) {
        return;
    }
    if (is_file + is_dates + is_values != 1 || (!is_dates && (seen >> VAR_FROM)) ||
        (!is_file && has(seen, VAR_ENCODING)) || (is_dates && !has(seen, VAR_TO))) {
        job_text_fault(&r->text, value, "E-CFG4",
                       "\"%s\": want {\"file\": PATH}, {\"values\": [...], \"chunk\": 50} or "
                       "{\"from\": DATE, \"to\": DATE, \"step\": \"1d\"}",
                       var->name);
        return;
    }
    if (is_dates) {
        var->kind = JOB_VAR_DATES;
        note_today(r, var);
        if (vars_check_dates(var, &err) != RESULT_OK) {
            err_prefix(&err, "\"%s\"", var->name);
            job_text_fault_of(&r->text, value, &err);
        }
    }
}

static void read_var(struct job_reader *r, struct job_var *var, struct str value)
{
    switch (json_type_of(value)) {
    case JSON_STRING:
        read_pattern(r, var, value);
        break;
    case JSON_ARRAY:
        read_list(r, var, value);
        break;
    case JSON_OBJECT:
        read_object(r, var, value);
        break;
    case JSON_NONE:
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER:
        job_text_fault(
            &r->text, value, "E-CFG2",
            "\"%s\": want a pattern (\"[1-100]\"), a list, or an object with \"file\" or "
            "\"from\"",
            var->name);
        break;
    }
}

static struct job_var *add_var(struct job_reader *r, char *name)
{
    struct job *job = r->job;
    struct job_var *vars = reallocarray(job->vars, job->var_count + 1, sizeof *vars);

    if (!vars) {
        r->text.no_memory = true;
        free(name);
        return NULL;
    }
    job->vars = vars;
    vars[job->var_count] = (struct job_var){ .name = name };
    return &vars[job->var_count++];
}

static struct job_var *find_var(const struct job *job, struct str name)
{
    for (size_t i = 0; i < job->var_count; i++) {
        if (str_equal(str_view(job->vars[i].name), name)) {
            return &job->vars[i];
        }
    }
    return NULL;
}

void job_read_vars(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    struct json_walk walk;
    struct str raw, member;

    if (json_type_of(value) != JSON_OBJECT) {
        job_text_fault(&r->text, value, "E-CFG2", "\"vars\": want an object");
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, &raw, &member)) {
        char *name = job_text_name(&r->text, raw);
        struct job_var *var;

        if (!name) {
            continue;
        }
        if (!template_head_is_valid(str_view(name)) || strlen(name) > JOB_NAME_MAX) {
            job_text_fault(&r->text, raw, "E-CFG2",
                           "variable \"%.64s\": want a name of letters, digits, _ and -, beginning "
                           "with a letter",
                           name);
            free(name);
        } else if (find_var(job, str_view(name))) {
            job_text_fault(&r->text, raw, "E-CFG3", "\"%s\" is given twice", name);
            free(name);
        } else if (job->var_count == VARS_MAX) {
            job_text_fault(&r->text, raw, "E-CFG2", "more than %d variables", VARS_MAX);
            free(name);
            return;
        } else if ((var = add_var(r, name))) {
            read_var(r, var, member);
        }
    }
}

/* --- what the command line gives -------------------------------------------------------------------------- */

/* Day words become dates, hour words times, numbers and true and false stay what they are, all else is a string. */
static enum result value_as_json(struct job_reader *r, struct str value, struct buf *json)
{
    char text[CLOCK_TEXT_SIZE], instant[DATES_INSTANT_MAX];
    struct json_error error;
    int64_t day, utc_s;

    if (dates_parse_clock_word(value, r->wall_us / (int64_t)US_PER_S, &utc_s)) {
        dates_format_instant(utc_s * (int64_t)US_PER_S, instant);
        return buf_printf(json, "\"%s\"", instant);
    }
    if (dates_is_word(value)) {
        clock_format_utc(r->wall_us, text);
        (void)dates_parse_day((struct str){ text, DATE_LENGTH }, 0, &day);
        (void)dates_parse_day(value, day, &day);
        clock_format_utc(day * DAY_US, text);
        return buf_printf(json, "\"%.*s\"", DATE_LENGTH, text);
    }
    if (json_check(value, 1, &error) &&
        (json_type_of(value) == JSON_NUMBER || json_type_of(value) == JSON_BOOL)) {
        return buf_append_str(json, value);
    }
    return json_text_append(json, value);
}

static void set_var(struct job_reader *r, struct job_var *var, struct str value)
{
    struct buf json = { .max = JOB_TEXT_MAX };
    char *name = var->name, **values = calloc(1, sizeof *values);

    var->name = NULL;
    job_var_release(var);
    *var = (struct job_var){ .name = name, .kind = JOB_VAR_LIST, .values = values };
    if (values && value_as_json(r, value, &json) == RESULT_OK) {
        values[0] = str_dup(buf_view(&json));
        var->value_count = values[0] != NULL;
    }
    r->text.no_memory |= !var->value_count;
    buf_release(&json);
}

void job_lay_vars(struct job_reader *r)
{
    for (size_t i = 0; r->given && i < r->given->var_count && !r->text.no_memory; i++) {
        struct str value = str_view(r->given->vars[i]), name = str_cut(&value, '=');
        struct job_var *var = find_var(r->job, name);
        char *copy;

        if (!value.data || !template_head_is_valid(name) || name.len > JOB_NAME_MAX) {
            job_text_fault(&r->text, job_text_root(&r->text), "E-ARG1",
                           "--var %.64s: want NAME=VALUE, NAME of letters, digits, _ and -",
                           r->given->vars[i]);
            continue;
        }
        if (job_given_is_secret(r, i)) {
            continue;
        }
        if (!var && r->job->var_count < VARS_MAX) {
            copy = str_dup(name);
            r->text.no_memory |= !copy;
            var = copy ? add_var(r, copy) : NULL;
        }
        if (var) {
            set_var(r, var, value);
        }
    }
}

/* By its shortest form. */
bool job_put_var(const struct job_writer *w, cJSON *to, const struct job_var *var)
{
    if (!var->chunk && var->kind == JOB_VAR_PATTERN) {
        return cjson_add_optional(to, var->name, var->text);
    }
    return !var->chunk && var->kind == JOB_VAR_LIST
               ? put_list(to, var->name, var)
               : job_put_object(w, to, var->name, &job_var_keys, var, true);
}
