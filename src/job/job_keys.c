#include "job/job_keys.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/units.h"
#include "job/job_read.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HINT_FAR 3 /* edits; more than that is another word */
#define NAME_SHOWN 64

/* --- did you mean ---------------------------------------------------------------------------------- */

struct job_hint job_hint_for(struct str wanted)
{
    return (struct job_hint){ wanted, STR_NONE, HINT_FAR };
}

void job_hint_offer(struct job_hint *hint, struct str name)
{
    unsigned distance = str_distance(hint->wanted, name);

    if (distance < hint->distance && distance < name.len) {
        hint->best = name;
        hint->distance = distance;
    }
}

void job_hint_print(const struct job_hint *hint, char text[JOB_HINT_MAX])
{
    text[0] = '\0';
    if (hint->best.data) {
        snprintf(text, JOB_HINT_MAX, " (did you mean \"%.*s\"?)",
                 (int)(hint->best.len < NAME_SHOWN ? hint->best.len : NAME_SHOWN), hint->best.data);
    }
}

/* --- values ---------------------------------------------------------------------------------------- */

static void replace(char **to, char *text)
{
    if (text) {
        free(*to);
        *to = text;
    }
}

static void read_pointer(struct job_reader *r, const struct job_key *key, char **to,
                         struct str value)
{
    char *text = job_text_string(&r->text, key->name, value);
    struct json_pointer pointer;
    struct err err;

    if (!text) {
        return;
    }
    if (key->kind == JOB_KEY_COUNTED_AT && str_starts(str_view(text), STR("header:")) && text[7]) {
        replace(to, text);
        return;
    }
    if ((!text[0] && key->kind != JOB_KEY_WHOLE) ||
        json_pointer_parse(&pointer, str_view(text), &err) != RESULT_OK) {
        job_text_fault(&r->text, value, "E-PTR1",
                       "\"%s\": \"%.64s\" is no JSON Pointer; want for "
                       "example %s",
                       key->name, text,
                       key->kind == JOB_KEY_COUNTED_AT ? "/meta/total or header:X-Total-Count"
                                                       : "/items or /data/*/rows");
        free(text);
        return;
    }
    replace(to, text);
}

static void read_name(struct job_reader *r, const struct job_key *key, char **to, struct str value)
{
    char *text = job_text_string(&r->text, key->name, value);

    if (text && !job_name_is_valid(str_view(text))) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"%s\": want 1 to %d of A-Z a-z 0-9 . _ -, not starting with a dot",
                       key->name, JOB_NAME_MAX);
        free(text);
        return;
    }
    replace(to, text);
}

static bool read_whole(struct job_reader *r, const struct job_key *key, struct str value,
                       uint64_t *number)
{
    if (json_type_of(value) == JSON_NUMBER && str_to_u64(str_trim(value), number) &&
        *number >= key->low && *number <= key->high) {
        return true;
    }
    job_text_fault(&r->text, value, "E-CFG2", "\"%s\": want a whole number from %llu to %llu",
                   key->name, (unsigned long long)key->low, (unsigned long long)key->high);
    return false;
}

/* A quantity as text, of a bare number its digits: both are for base/units. */
static void read_quantity(struct job_reader *r, const struct job_key *key, void *at,
                          struct str value)
{
    bool bare = json_type_of(value) == JSON_NUMBER;
    char *text = bare ? str_dup(str_trim(value)) : job_text_string(&r->text, key->name, value);
    uint64_t number = 0;
    struct err err;
    enum result result;

    if (!text) {
        r->text.no_memory |= bare;
        return;
    }
    if (key->kind == JOB_KEY_TIME) {
        result = units_parse_time(str_view(text), &number, &err);
    } else if (key->kind == JOB_KEY_NUMBER) {
        result = units_parse_size(str_view(text), &number, &err);
    } else if (key->kind == JOB_KEY_RATE) {
        result = units_parse_rate(str_view(text), at, &err);
    } else {
        result = job_parse_backoff(str_view(text), at, &err);
    }
    if (result != RESULT_OK) {
        snprintf(err.code, sizeof err.code, "E-CFG2");
        err_prefix(&err, "\"%s\"", key->name);
        job_text_fault_of(&r->text, value, &err);
    } else if (key->kind == JOB_KEY_TIME || key->kind == JOB_KEY_NUMBER) {
        if (number < key->low || number > key->high) {
            job_text_fault(&r->text, value, "E-CFG2", "\"%s\": %.64s is out of range", key->name,
                           text);
        } else {
            *(uint64_t *)at = number;
        }
    }
    free(text);
}

void job_read_value(struct job_reader *r, const struct job_key *key, void *target, struct str value)
{
    void *at = (char *)target + key->offset;
    uint64_t number;

    switch (key->kind) {
    case JOB_KEY_TEXT:
        replace(at, job_text_string(&r->text, key->name, value));
        break;
    case JOB_KEY_NAME:
        read_name(r, key, at, value);
        break;
    case JOB_KEY_POINTER:
    case JOB_KEY_WHOLE:
    case JOB_KEY_COUNTED_AT:
        read_pointer(r, key, at, value);
        break;
    case JOB_KEY_COUNT:
        if (read_whole(r, key, value, &number)) {
            *(unsigned *)at = (unsigned)number;
        }
        break;
    case JOB_KEY_NUMBER:
        if (json_type_of(value) == JSON_STRING) {
            read_quantity(r, key, at, value);
        } else if (read_whole(r, key, value, &number)) {
            *(uint64_t *)at = number;
        }
        break;
    case JOB_KEY_TIME:
    case JOB_KEY_RATE:
    case JOB_KEY_BACKOFF:
        read_quantity(r, key, at, value);
        break;
    case JOB_KEY_BOOL:
        if (json_type_of(value) == JSON_BOOL) {
            *(bool *)at = str_trim(value).data[0] == 't';
        } else {
            job_text_fault(&r->text, value, "E-CFG2", "\"%s\": want true or false", key->name);
        }
        break;
    case JOB_KEY_SECRET:
    case JOB_KEY_SECRET_OR_NONE:
    case JOB_KEY_NAMED:
    case JOB_KEY_WORDS:
    case JOB_KEY_OBJECT:
        r->read_more(r, key, target, value);
        break;
    case JOB_KEY_CALL:
        key->read(r, target, value);
        break;
    }
}

bool job_append_text(struct job_reader *r, char ***texts, size_t *count, char *text)
{
    char **grown = reallocarray(*texts, *count + 1, sizeof *grown);

    if (!grown || !text) {
        *texts = grown ? grown : *texts;
        r->text.no_memory = true;
        free(text);
        return false;
    }
    *texts = grown;
    grown[(*count)++] = text;
    return true;
}

void job_read_texts(struct job_reader *r, const char *key, char ***texts, size_t *count,
                    struct str value)
{
    struct json_walk walk;
    struct str item;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2", "\"%s\": want an array of strings", key);
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        char *text = job_text_string(&r->text, key, item);

        if (*count == JOB_NAMES_MAX) {
            job_text_fault(&r->text, item, "E-CFG2", "\"%s\": more than %d", key, JOB_NAMES_MAX);
            free(text);
            return;
        }
        if (text && !job_append_text(r, texts, count, text)) {
            return;
        }
    }
}

/* --- objects --------------------------------------------------------------------------------------- */

/* Words for the same that count otherwise. */
static const char *other_count(const char *object, struct str name)
{
    static const char *const retries[] = { "retries", "retry", "max_retries", "max_attempts",
                                           "tries" };

    for (size_t i = 0; i < sizeof retries / sizeof retries[0]; i++) {
        if (strcmp(object, "retry") == 0 && str_equal(name, str_view(retries[i]))) {
            return " (it is \"attempts\", which counts the first try, too: one more than "
                   "--retries)";
        }
    }
    return NULL;
}

static void unknown_key(struct job_reader *r, const struct job_keys *keys, struct str name)
{
    const char *other = other_count(keys->object, name);
    struct job_hint hint = job_hint_for(name);
    char text[JOB_HINT_MAX];

    for (size_t i = 0; i < keys->count; i++) {
        job_hint_offer(&hint, str_view(keys->keys[i].name));
    }
    job_hint_print(&hint, text);
    job_text_fault(&r->text, name, "E-CFG1", "unknown key \"%.*s\" of %s%s",
                   (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN), name.data, keys->object,
                   other ? other : text);
}

static void read_member(struct job_reader *r, const struct job_keys *keys, void *target,
                        struct str name, struct str value, uint64_t *seen)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (!json_raw_equal(name, str_view(keys->keys[i].name))) {
            continue;
        }
        if (*seen & UINT64_C(1) << i) {
            job_text_fault(&r->text, name, "E-CFG3", "\"%s\" is given twice", keys->keys[i].name);
            return;
        }
        *seen |= UINT64_C(1) << i;
        job_read_value(r, &keys->keys[i], target, value);
        return;
    }
    if (!str_starts(name, STR("$"))) {
        unknown_key(r, keys, name);
    }
}

size_t job_key_index(const struct job_keys *keys, const char *name)
{
    size_t i = 0;

    while (strcmp(keys->keys[i].name, name) != 0) {
        i++;
        assert(i < keys->count);
    }
    return i;
}

uint64_t job_read_object(struct job_reader *r, const struct job_keys *keys, void *target,
                         struct str value)
{
    struct json_walk walk;
    struct str name, member;
    uint64_t seen = 0;

    if (json_type_of(value) != JSON_OBJECT) {
        job_text_fault(&r->text, value, "E-CFG2", "\"%s\": want an object", keys->object);
        return 0;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, &name, &member)) {
        read_member(r, keys, target, name, member, &seen);
    }
    return seen;
}

/* --- the numbers of a job -------------------------------------------------------------------------- */

#define STATUS_MIN 300
#define STATUS_MAX 599

/* 503, of a list that replaces ours; "+503", which is added to it, and "-503", as -503. */
static bool read_status(struct str item, int *status, bool *changes)
{
    struct str raw = json_string_raw(item);
    uint64_t number;

    *changes = raw.len && (raw.data[0] == '+' || raw.data[0] == '-');
    if (*changes ? !str_to_u64((struct str){ raw.data + 1, raw.len - 1 }, &number)
                 : json_type_of(item) != JSON_NUMBER || !str_to_u64(str_trim(item), &number)) {
        return false;
    }
    if (number < STATUS_MIN || number > STATUS_MAX) {
        return false;
    }
    *status = *changes && raw.data[0] == '-' ? -(int)number : (int)number;
    return true;
}

static void read_statuses(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    struct json_walk walk;
    struct str item;
    bool changes = false;
    int status;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2", "\"statuses\": want an array of HTTP statuses");
        return;
    }
    job->retry.status_count = 0;
    job->retry.replaces_statuses = false;
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        if (!read_status(item, &status, &changes)) {
            job_text_fault(&r->text, item, "E-CFG2",
                           "\"statuses\": want HTTP statuses from %d to %d; \"+403\" adds one to "
                           "those that are tried again anyway, \"-500\" takes one away",
                           STATUS_MIN, STATUS_MAX);
        } else if (job->retry.status_count == JOB_STATUSES_MAX) {
            job_text_fault(&r->text, item, "E-CFG2", "\"statuses\": more than %d of them",
                           JOB_STATUSES_MAX);
            return;
        } else {
            job->retry.replaces_statuses |= !changes;
            job->retry.statuses[job->retry.status_count++] = status;
        }
    }
}

static void read_max_fail(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    bool is_number = json_type_of(value) == JSON_NUMBER;
    char *text = is_number ? NULL : job_text_string(&r->text, "max_fail", value);
    struct err err;

    if ((text || is_number) && job_parse_max_fail(text ? str_view(text) : str_trim(value),
                                                  &job->limits, &err) != RESULT_OK) {
        err_prefix(&err, "\"max_fail\"");
        job_text_fault_of(&r->text, value, &err);
    }
    free(text);
}

#define FIELD(field) offsetof(struct job, field)

static const struct job_key pace_keys[] = {
    { "cap", JOB_KEY_COUNT, FIELD(pace.cap), 1, JOB_CAP_MAX, NULL },
    { "cap_per_host", JOB_KEY_COUNT, FIELD(pace.cap_per_host), 0, JOB_CAP_MAX, NULL },
    { "rate", JOB_KEY_RATE, FIELD(pace.rate), 0, 0, NULL },
    { "rate_per_host", JOB_KEY_RATE, FIELD(pace.rate_per_host), 0, 0, NULL },
    { "auto", JOB_KEY_BOOL, FIELD(pace.is_auto), 0, 0, NULL },
    { "cap_max", JOB_KEY_COUNT, FIELD(pace.cap_max), 0, JOB_CAP_MAX, NULL },
};

static const struct job_key retry_keys[] = {
    { "attempts", JOB_KEY_COUNT, FIELD(retry.attempts), 1, JOB_ATTEMPTS_MAX, NULL },
    { "backoff", JOB_KEY_BACKOFF, FIELD(retry), 0, 0, NULL },
    { "max_wait", JOB_KEY_TIME, FIELD(retry.max_wait_us), 0, UINT64_MAX, NULL },
    { "statuses", JOB_KEY_CALL, 0, 0, 0, read_statuses },
    { "repeat_posts", JOB_KEY_BOOL, FIELD(retry.repeats_posts), 0, 0, NULL },
};

static const struct job_key limits_keys[] = {
    { "max_fail", JOB_KEY_CALL, 0, 0, 0, read_max_fail },
    { "max_requests", JOB_KEY_NUMBER, FIELD(limits.max_requests), 0, INT64_MAX, NULL },
    { "max_duration", JOB_KEY_TIME, FIELD(limits.max_duration_us), 0, UINT64_MAX, NULL },
};

const struct job_keys job_pace_keys = JOB_KEYS("pace", pace_keys);
const struct job_keys job_retry_keys = JOB_KEYS("retry", retry_keys);
const struct job_keys job_limits_keys = JOB_KEYS("limits", limits_keys);
