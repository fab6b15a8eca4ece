#include "job/job_keys.h"

#include "base/json_scan.h"
#include "base/units.h"
#include "job/job_read.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SHOWN 64

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
    } else if (key->kind == JOB_KEY_NUMBER || key->kind == JOB_KEY_SIZE) {
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
    } else if (key->kind != JOB_KEY_RATE && key->kind != JOB_KEY_BACKOFF) {
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

    if (key->read) {
        key->read(r, target, value);
        return;
    }
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
    case JOB_KEY_SIZE:
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
    case JOB_KEY_TEXTS:
        job_read_texts(r, key->name, at, (size_t *)(void *)((char *)target + key->count), value);
        break;
    case JOB_KEY_OBJECT:
        (void)job_read_object(r, key->inner, at, value);
        break;
    case JOB_KEY_SECRET:
    case JOB_KEY_SECRET_OR_NONE:
    case JOB_KEY_NAMED:
    case JOB_KEY_WORDS:
    case JOB_KEY_AUTH:
    case JOB_KEY_PATH:
        r->read_more(r, key, target, value);
        break;
    case JOB_KEY_OTHER:
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

bool job_key_seen(const struct job_keys *keys, uint64_t seen, const char *name)
{
    return name && seen >> job_key_index(keys, name) & 1;
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
