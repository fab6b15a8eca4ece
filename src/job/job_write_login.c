/* The login and the signature, as a job file has them, without secrets that were typed as they are. */
#include "job/job_write.h"

#include "base/json_scan.h"
#include "job/auth/auth_kind.h"
#include "job/auth/sign.h"

/* Null stands for what was typed as it is, and so is not kept. */
bool job_write_secret(cJSON *object, const char *key, const struct job_secret *secret)
{
    return secret->given ? (bool)cJSON_AddStringToObject(object, key, secret->given)
                         : (bool)cJSON_AddNullToObject(object, key);
}

/* The body of a call: JSON, or a form. */
static bool write_login_body(cJSON *object, const struct job_login *login)
{
    const char *given = login->body.given;

    if (!login->body.sent && !given && !login->is_incomplete) {
        return true;
    }
    if (!given) {
        return cJSON_AddNullToObject(object, "json");
    }
    return json_check(str_view(given), JSON_DEPTH_MAX, NULL)
               ? (bool)cJSON_AddRawToObject(object, "json", given)
               : (bool)cJSON_AddStringToObject(object, "body", given);
}

static bool write_words(cJSON *object, const char *name, const struct job_words *words)
{
    cJSON *array = words->count ? cJSON_AddArrayToObject(object, name) : NULL;

    for (size_t i = 0; array && i < words->count; i++) {
        if (!cjson_add_text(array, words->list[i])) {
            return false;
        }
    }
    return !words->count || array;
}

/* What a row has read; of a secret that was typed as it is: null. */
static bool write_login_key(cJSON *object, const struct job_key *key, const void *target,
                            bool lacks)
{
    const void *at = (const char *)target + key->offset;
    const struct job_secret *secret = at;

    switch (key->kind) {
    case JOB_KEY_TEXT:
    case JOB_KEY_POINTER:
        return cjson_add_optional(object, key->name, *(char *const *)at);
    case JOB_KEY_SECRET:
    case JOB_KEY_SECRET_OR_NONE:
    case JOB_KEY_NAMED:
        return (!secret->sent && !secret->given && !lacks) ||
               job_write_secret(object, key->name, secret);
    case JOB_KEY_TIME:
        return !*(const uint64_t *)at || cjson_add_time(object, key->name, *(const uint64_t *)at);
    case JOB_KEY_WORDS:
        return write_words(object, key->name, at);
    default:
        return true;
    }
}

static bool write_login_kind(cJSON *object, const struct job_login *login)
{
    const struct auth_kind *kind = login->kind;
    cJSON *inner = kind->keys ? cJSON_AddObjectToObject(object, kind->key.name) : NULL;

    if (!kind->keys) {
        return write_login_key(object, &kind->key, login, login->is_incomplete);
    }
    for (size_t i = 0; inner && i < kind->keys->count; i++) {
        if (!write_login_key(inner, &kind->keys->keys[i], login, login->is_incomplete)) {
            return false;
        }
    }
    return inner;
}

bool job_write_login(cJSON *root, const struct job_login *login)
{
    unsigned may = login->kind ? login->kind->beside : 0;
    cJSON *object = login->kind ? cJSON_AddObjectToObject(root, "login") : NULL;
    bool has_method = may & AUTH_BIT(AUTH_BESIDE_METHOD);

    if (!login->kind) {
        return true;
    }
    return object && write_login_kind(object, login) &&
           (!has_method || cjson_add_optional(object, "method", login->method)) &&
           (!has_method || write_login_body(object, login)) &&
           cjson_add_optional(object, login->in_query ? "query" : "header", login->name) &&
           cjson_add_optional(object, "token", login->token) &&
           cjson_add_optional(object, "expires", login->expires) &&
           cjson_add_optional(object, "send", login->send) &&
           (!login->timeout_us || cjson_add_time(object, "timeout", login->timeout_us));
}

bool job_write_sign(cJSON *root, const struct job_sign *sign, bool lacks)
{
    cJSON *object = sign->aws || sign->hmac ? cJSON_AddObjectToObject(root, "sign") : NULL;

    for (size_t i = 0; object && i < job_sign_keys.count; i++) {
        const struct job_key *key = &job_sign_keys.keys[i];

        if (!write_login_key(object, key, sign, false) ||
            (lacks && key->kind == JOB_KEY_SECRET && !cJSON_HasObjectItem(object, key->name) &&
             !cJSON_AddNullToObject(object, key->name))) {
            return false;
        }
    }
    return object || (!sign->aws && !sign->hmac);
}
