#include "plan/error_object.h"

#include "base/json_scan.h"
#include "plan/plain_name.h"

#include <stdio.h>

/* What the value of a member must be for the member to tell of an error. */
enum sign {
    SIGN_TOLD,  /* anything but null, false, 0, "" or an empty container */
    SIGN_FALSE, /* false: {"success": false} */
    SIGN_WORD,  /* a word for failure: {"status": "error"} */
    SIGN_CODE,  /* a status of 400 to 599: {"code": 429} */
    SIGN_TEXT, /* a text, where the body has nothing but scalars: {"message": "Too many requests"} */
};

struct error_name {
    const char *name; /* plain */
    enum sign sign;
};

/* The surest first. */
static const struct error_name error_names[] = {
    { "error", SIGN_TOLD },
    { "errors", SIGN_TOLD },
    { "fault", SIGN_TOLD },
    { "exception", SIGN_TOLD },
    { "errormessage", SIGN_TOLD },
    { "errormessages", SIGN_TOLD },
    { "errormsg", SIGN_TOLD },
    { "errmsg", SIGN_TOLD },
    { "errorcode", SIGN_TOLD },
    { "errcode", SIGN_TOLD },
    { "errordescription", SIGN_TOLD },
    { "errortype", SIGN_TOLD },
    { "faultstring", SIGN_TOLD },
    { "success", SIGN_FALSE },
    { "successful", SIGN_FALSE },
    { "ok", SIGN_FALSE },
    { "issuccess", SIGN_FALSE },
    { "response", SIGN_FALSE },
    { "status", SIGN_WORD },
    { "stat", SIGN_WORD },
    { "result", SIGN_WORD },
    { "state", SIGN_WORD },
    { "status", SIGN_CODE },
    { "statuscode", SIGN_CODE },
    { "httpstatus", SIGN_CODE },
    { "httpcode", SIGN_CODE },
    { "code", SIGN_CODE },
    { "message", SIGN_TEXT },
    { "msg", SIGN_TEXT },
    { "detail", SIGN_TEXT },
    { "title", SIGN_TEXT },
    { "reason", SIGN_TEXT },
    { "description", SIGN_TEXT },
    { "information", SIGN_TEXT },
    { "note", SIGN_TEXT },
};

#define ERROR_NAMES (sizeof error_names / sizeof error_names[0])

/* Members of an error that hold its words, the best first. */
static const char *const word_names[] = { "message", "detail", "description", "title",
                                          "reason",  "error",  "msg",         "type" };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool is_among(struct str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(text, str_view(words[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_empty(struct str container)
{
    struct json_walk walk;

    json_walk_begin(&walk, container);
    return !json_walk_next(&walk, NULL, NULL);
}

static bool is_told(struct str value)
{
    static const char *const nothing[] = { "", "0", "false", "none", "null", "no", "ok" };

    switch (json_type_of(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return !is_empty(value);
    case JSON_STRING:
        return !is_among(str_trim(json_string_raw(value)), nothing, COUNT(nothing));
    case JSON_NUMBER:
    case JSON_BOOL:
        return !is_among(str_trim(value), nothing, COUNT(nothing));
    default:
        return false;
    }
}

static bool is_code(struct str value)
{
    struct str text = json_type_of(value) == JSON_STRING ? json_string_raw(value) : str_trim(value);
    uint64_t code = 0;

    return str_to_u64(text, &code) && code >= 400 && code <= 599;
}

/* `bare`: the object that it stands in has scalars only. */
static bool shows(enum sign sign, struct str value, bool bare)
{
    static const char *const failing[] = { "error", "fail", "failed", "failure", "err" };
    enum json_type type = json_type_of(value);
    struct str text = type == JSON_STRING ? json_string_raw(value) : str_trim(value);

    switch (sign) {
    case SIGN_TOLD:
        return is_told(value);
    case SIGN_FALSE:
        return (type == JSON_BOOL || type == JSON_STRING) && str_equal_nocase(text, STR("false"));
    case SIGN_WORD:
        return type == JSON_STRING && is_among(text, failing, COUNT(failing));
    case SIGN_CODE:
        return bare && is_code(value);
    case SIGN_TEXT:
        return bare && type == JSON_STRING && text.len > 0;
    }
    return false;
}

static bool has_scalars_only(struct str object)
{
    struct json_walk walk;
    struct str value;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, NULL, &value)) {
        if (json_type_of(value) == JSON_OBJECT || json_type_of(value) == JSON_ARRAY) {
            return false;
        }
    }
    return true;
}

/* The surest of the names that `object` has; ERROR_NAMES when it has none. */
static size_t find_in(struct str object, size_t names, bool bare, struct str *key,
                      struct str *value)
{
    struct json_walk walk;
    struct str each_key, each;
    char room[PLAIN_NAME_MAX];
    size_t best = names;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &each_key, &each)) {
        struct str plain = plain_name(each_key, room);

        for (size_t i = 0; i < best; i++) {
            if (str_equal(plain, str_view(error_names[i].name)) &&
                shows(error_names[i].sign, each, bare)) {
                best = i;
                *key = each_key;
                *value = each;
            }
        }
    }
    return best < names ? best : ERROR_NAMES;
}

/* How many names, from the first, mean an error in an object within the body too. */
static size_t names_within(void)
{
    size_t count = 0;

    while (error_names[count].sign == SIGN_TOLD) {
        count++;
    }
    return count;
}

static void keep(struct error_object *found, size_t name, struct str above, struct str key,
                 struct str value)
{
    snprintf(found->at, sizeof found->at, "%s%.*s/%.*s", above.len ? "/" : "", STR_ARG(above),
             STR_ARG(key));
    found->value = str_trim(value);
    found->is_sure = error_names[name].sign != SIGN_CODE && error_names[name].sign != SIGN_TEXT;
}

bool error_object_find(struct str body, struct error_object *found)
{
    struct json_walk walk;
    struct str above, within, key = STR_NONE, value = STR_NONE;
    size_t name;

    body = str_trim(body);
    if (json_type_of(body) != JSON_OBJECT) {
        return false;
    }
    name = find_in(body, ERROR_NAMES, has_scalars_only(body), &key, &value);
    if (name < ERROR_NAMES) {
        keep(found, name, STR_NONE, key, value);
        return true;
    }
    json_walk_begin(&walk, body);
    while (json_walk_next(&walk, &above, &within)) {
        name = json_type_of(within) == JSON_OBJECT
                   ? find_in(within, names_within(), false, &key, &value)
                   : ERROR_NAMES;
        if (name < ERROR_NAMES) {
            keep(found, name, above, key, value);
            return true;
        }
    }
    return false;
}

struct str error_object_words(const struct error_object *found)
{
    struct str value = found->value, key, each;
    struct json_walk walk;
    char room[PLAIN_NAME_MAX];
    size_t best = COUNT(word_names);

    if (json_type_of(value) == JSON_ARRAY) { /* GraphQL: the first of several */
        json_walk_begin(&walk, value);
        (void)json_walk_next(&walk, NULL, &value);
    }
    if (json_type_of(value) == JSON_OBJECT) {
        struct str object = value;

        json_walk_begin(&walk, object);
        while (json_walk_next(&walk, &key, &each)) {
            struct str plain = plain_name(key, room);

            for (size_t i = 0; json_type_of(each) == JSON_STRING && i < best; i++) {
                if (str_equal(plain, str_view(word_names[i]))) {
                    best = i;
                    value = each;
                }
            }
        }
    }
    return json_type_of(value) == JSON_STRING ? json_string_raw(value) : value;
}
