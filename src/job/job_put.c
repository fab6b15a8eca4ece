#include "job/job_put.h"

#include <cjson/cJSON.h>

#include <stdio.h>

/* --- values ------------------------------------------------------------------------------------------- */

static bool put_backoff(cJSON *to, const char *name, const struct job_retry *retry)
{
    char text[2 * UNITS_TEXT_MAX + 1], base[UNITS_TEXT_MAX], cap[UNITS_TEXT_MAX];

    cjson_format_time(retry->backoff_base_us, base);
    cjson_format_time(retry->backoff_cap_us, cap);
    snprintf(text, sizeof text, "%s:%s", base, cap);
    return cJSON_AddStringToObject(to, name, text);
}

/* Null stands for what was typed as it is, and so is not kept. */
static bool put_secret(cJSON *to, const char *name, const struct job_secret *secret)
{
    return secret->given ? (bool)cJSON_AddStringToObject(to, name, secret->given)
                         : (bool)cJSON_AddNullToObject(to, name);
}

bool job_put_sent_secret(const struct job_writer *w, cJSON *to, const struct job_key *key,
                         const void *target)
{
    const struct job_secret *secret =
        (const struct job_secret *)(const void *)((const char *)target + key->offset);

    (void)w;
    return (!secret->sent && !secret->given) || put_secret(to, key->name, secret);
}

char *job_text_without_typed(const struct job *job, const char *text, bool is_url)
{
    struct buf out = { 0 };
    char *copy = job_hide_typed(job, text, is_url, &out) == RESULT_OK
                     ? str_dup(out.data ? buf_view(&out) : STR(""))
                     : NULL;

    buf_release(&out);
    return copy;
}

/* --- rows ---------------------------------------------------------------------------------------------- */

static bool put_whole(cJSON *to, const struct job_key *key, uint64_t number)
{
    return (!number && !key->always) ||
           (key->kind == JOB_KEY_TIME ? cjson_add_time(to, key->name, number)
                                      : cjson_add_number(to, key->name, number));
}

bool job_put_object(const struct job_writer *w, cJSON *to, const char *name,
                    const struct job_keys *keys, const void *target, bool always)
{
    cJSON *object = cJSON_CreateObject();
    bool ok = object && job_put_keys(w, object, keys, target);

    if (ok && (object->child || always)) {
        ok = cJSON_AddItemToObject(to, name, object);
        object = ok ? NULL : object;
    }
    cJSON_Delete(object);
    return ok;
}

/* Null stands for one that a secret was typed into, and so is not kept. */
static bool put_words(cJSON *to, const char *name, const struct job_words *words)
{
    cJSON *array = words->count ? cJSON_AddArrayToObject(to, name) : NULL;

    for (size_t i = 0; array && i < words->count; i++) {
        cJSON *item =
            words->typed >> i & 1 ? cJSON_CreateNull() : cJSON_CreateString(words->list[i]);

        if (!item || !cJSON_AddItemToArray(array, item)) {
            return false;
        }
    }
    return !words->count || array;
}

bool job_put_key(const struct job_writer *w, cJSON *to, const struct job_key *key,
                 const void *target)
{
    const void *at = (const char *)target + key->offset;
    const struct job_secret *secret = at;
    const struct job_words *words = at;

    if (key->write) {
        return key->write(w, to, key, target);
    }
    switch (key->kind) {
    case JOB_KEY_TEXT:
    case JOB_KEY_NAME:
    case JOB_KEY_PATH:
    case JOB_KEY_POINTER:
    case JOB_KEY_WHOLE:
    case JOB_KEY_COUNTED_AT:
        return cjson_add_optional(to, key->name, *(char *const *)at);
    case JOB_KEY_COUNT:
        return put_whole(to, key, *(const unsigned *)at);
    case JOB_KEY_NUMBER:
    case JOB_KEY_SIZE:
    case JOB_KEY_TIME:
        return put_whole(to, key, *(const uint64_t *)at);
    case JOB_KEY_RATE:
        return cjson_add_rate(to, key->name, *(const struct rate *)at);
    case JOB_KEY_BACKOFF:
        return put_backoff(to, key->name, at);
    case JOB_KEY_BOOL:
        return (!*(const bool *)at && !key->always) ||
               cJSON_AddBoolToObject(to, key->name, *(const bool *)at);
    case JOB_KEY_TEXTS:
        return cjson_add_texts(to, key->name, *(char *const *const *)at,
                               *(const size_t *)(const void *)((const char *)target + key->count));
    case JOB_KEY_WORDS:
        return put_words(to, key->name, words);
    case JOB_KEY_SECRET:
    case JOB_KEY_SECRET_OR_NONE:
    case JOB_KEY_NAMED:
        return (!secret->sent && !secret->given && !w->lacks_secrets) ||
               put_secret(to, key->name, secret);
    case JOB_KEY_OBJECT:
        return job_put_object(w, to, key->name, key->inner, at, key->always);
    case JOB_KEY_AUTH:
        return job_put_object(w, to, key->name, key->inner, target, true);
    case JOB_KEY_OTHER:
        break;
    }
    return true;
}

bool job_put_keys(const struct job_writer *w, cJSON *to, const struct job_keys *keys,
                  const void *target)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (!job_put_key(w, to, &keys->keys[i], target)) {
            return false;
        }
    }
    return true;
}
