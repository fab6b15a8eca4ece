#include "plan/answer_usual.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/json_simd.h"
#include "plan/spoken_wait.h"

#include <stdio.h>
#include <string.h>

#define LOOKED_AT 4096       /* bytes of a body that is no JSON */
#define ERROR_BODY_MAX 16384 /* bytes: what is larger is data */
#define SHOWN 80             /* of it */

/* --- words -------------------------------------------------------------------------------------------- */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* "Rate-Limit", "rate_limit" and "ratelimit" are "rate limit". */
static bool has_phrase_at(struct str text, size_t at, const char *phrase)
{
    for (; *phrase; phrase++) {
        char c = at < text.len ? lower(text.data[at]) : '\0';

        if (*phrase == ' ') {
            at += c == ' ' || c == '-' || c == '_';
        } else if (c == *phrase) {
            at++;
        } else {
            return false;
        }
    }
    return true;
}

static bool has_phrase(struct str text, const char *phrase)
{
    for (size_t i = 0; i < text.len; i++) {
        if (lower(text.data[i]) == *phrase && has_phrase_at(text, i, phrase)) {
            return true;
        }
    }
    return false;
}

/* That a limit of requests was met. `quota` alone may be one of space or money: of that a 403 speaks. */
static bool speaks_of_limit(struct str text, bool and_quota)
{
    static const char *const phrases[] = {
        "rate limit",      "too many requests", "throttl",           "request limit",
        "requests per",    "call limit",        "slow down",         "being limited",
        "abuse detection", "rate exceeded",     "enhance your calm", "limit reached",
    };

    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
        if (has_phrase(text, phrases[i])) {
            return true;
        }
    }
    return and_quota && has_phrase(text, "quota");
}

static struct str head_of(struct str text, size_t max)
{
    text.len = text.len < max ? text.len : max;
    return text;
}

/* --- JSON ----------------------------------------------------------------------------------------------- */

/* A member of an object; STR_NONE when it is not there, null, false, or holds nothing. */
static struct str member(struct str object, const char *name)
{
    struct json_walk walk;
    struct str key, value, found = STR_NONE;

    if (json_type_of(object) != JSON_OBJECT) {
        return STR_NONE;
    }
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        if (json_raw_equal(key, str_view(name))) {
            found = value;
        }
    }
    found = str_trim(found);
    return str_equal(found, STR("null")) || str_equal(found, STR("false")) ||
                   str_equal(found, STR("\"\"")) || str_equal(found, STR("[]")) ||
                   str_equal(found, STR("{}")) || str_equal(found, STR("0"))
               ? STR_NONE
               : found;
}

static bool is_limit_code(struct str value)
{
    struct str raw = json_string_raw(value);

    if (!raw.data) {
        return str_equal(str_trim(value), STR("429"));
    }
    return str_equal(raw, STR("429")) || speaks_of_limit(raw, false) ||
           has_phrase(raw, "limit exceeded") || has_phrase(raw, "resource exhausted") ||
           has_phrase(raw, "complexity budget exhausted");
}

/* An object that is an error, or holds its parts: {"type":"RATE_LIMITED"}, {"code":429}. */
static bool error_is_limit(struct str error)
{
    static const char *const codes[] = { "code",       "type",      "status", "reason",
                                         "error_code", "errorCode", "__type" };
    static const char *const words[] = { "message", "error_msg", "error_message" };
    struct str extensions;

    if (json_type_of(error) == JSON_STRING) {
        return is_limit_code(error);
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (is_limit_code(member(error, codes[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (speaks_of_limit(json_string_raw(member(error, words[i])), false)) {
            return true;
        }
    }
    extensions = member(error, "extensions");
    return extensions.data && is_limit_code(member(extensions, "code"));
}

/* One of them: of "errors", of {"error":{"errors":[...]}} as Google has it, or the body as Salesforce has it. */
static bool any_is_limit(struct str errors)
{
    struct json_walk walk;
    struct str item;

    if (json_type_of(errors) != JSON_ARRAY) {
        return false;
    }
    json_walk_begin(&walk, errors);
    while (json_walk_next(&walk, NULL, &item)) {
        if (error_is_limit(item)) {
            return true;
        }
    }
    return false;
}

/* {"error":29,"message":"Rate Limit Exceeded"}, {"status":"error","code":"rate_limit_exceeded"} and
 * {"title":"Too Many Requests","status":429}: nothing but an error has these together. */
static bool whole_is_limit(struct str body)
{
    static const char *const words[] = { "message", "msg", "error_message", "title", "detail" };
    struct str status = member(body, "status"), state = json_string_raw(status);
    bool is_error = member(body, "error").data || member(body, "error_id").data ||
                    str_equal(status, STR("429")) || str_equal(member(body, "code"), STR("429")) ||
                    str_equal_nocase(state, STR("error")) || str_equal_nocase(state, STR("fail"));

    if (!is_error) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (speaks_of_limit(json_string_raw(member(body, words[i])), false)) {
            return true;
        }
    }
    return state.data && is_limit_code(member(body, "code"));
}

/* Quick, for nearly all bodies do not: a block is looked at closely when it has a `"e` or a `42`, at its end
 * with the next bytes. */
static bool may_have_error(struct str body)
{
    static const struct str quoted = STR_INIT("\"error"), code = STR_INIT("429");
    struct str rest = body;

    if (body.len > ERROR_BODY_MAX) {
        return false;
    }
    for (; rest.len > JSON_SIMD_WIDTH; rest.data += JSON_SIMD_WIDTH, rest.len -= JSON_SIMD_WIDTH) {
        uint64_t at = json_simd_pairs(rest.data, '"', 'e') | json_simd_pairs(rest.data, '4', '2');

        for (; at; at &= at - 1) {
            unsigned first = json_simd_first(at);
            struct str tail = { rest.data + first, rest.len - first };

            if (str_starts(tail, quoted) || str_starts(tail, code)) {
                return true;
            }
        }
    }
    for (; rest.len; rest.data++, rest.len--) {
        if (str_starts(rest, quoted) || str_starts(rest, code)) {
            return true;
        }
    }
    return false;
}

/* "error", or the elements of "errors". */
static bool body_is_limit(struct str body)
{
    struct str error;

    if (!may_have_error(body)) {
        return false;
    }
    error = member(body, "error");
    return (error.data && error_is_limit(error)) || any_is_limit(member(body, "errors")) ||
           any_is_limit(member(error, "errors")) || whole_is_limit(body);
}

static bool body_has_error(struct str body)
{
    return may_have_error(body) && (member(body, "error").data || member(body, "errors").data);
}

/* What an error says in words. */
static struct str message_of(struct str body)
{
    static const char *const names[] = { "message", "info",  "error_description",
                                         "detail",  "msg",   "code",
                                         "type",    "title", "error_message" };
    struct str error = member(body, "error"), item;
    struct json_walk walk;

    if (!error.data) {
        error = member(body, "errors");
    }
    if (json_type_of(error) == JSON_STRING) {
        return json_string_raw(error);
    }
    if (json_type_of(error) == JSON_ARRAY) {
        json_walk_begin(&walk, error);
        error = json_walk_next(&walk, NULL, &item) ? item : STR_NONE;
    }
    error = json_type_of(error) == JSON_OBJECT ? error : body;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str raw = json_string_raw(member(error, names[i]));

        if (raw.len) {
            return raw;
        }
    }
    return STR_NONE;
}

/* Of an answer whose status says already that it is an error. */
static bool error_body_is_limit(struct str body)
{
    return body_is_limit(body) || speaks_of_limit(message_of(body), false) ||
           (body.len <= ERROR_BODY_MAX &&
            (any_is_limit(body) || (json_type_of(body) == JSON_OBJECT && error_is_limit(body))));
}

/* --- 202 -------------------------------------------------------------------------------------------------- */

static bool has_header(const struct answer_view *a, const char *name)
{
    return a->header && a->header(a->context, str_view(name), 0).data != NULL;
}

/* A wait that can be read; else it is noise. */
static bool names_wait(const struct answer_view *a)
{
    char name[] = "retry-after";
    struct answer_place place = { name, true };
    uint64_t wait_us;

    return answer_wait_at(a, &place, US_PER_S, &wait_us, NULL, 0);
}

/* {"status":"running"}: a result is still being made. */
static bool names_state(struct str body)
{
    static const char *const states[] = { "state", "status", "jobState", "job_status" };
    static const char *const words[] = {
        "accepted", "pending",     "queued",      "running", "processing", "inprogress",
        "started",  "in progress", "in-progress", "waiting", "created",    "not started",
        "enqueued", "submitted",   "executing",   "working", "scheduled",  "notstarted",
    };

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct str state = json_string_raw(member(body, states[i]));

        for (size_t k = 0; state.len && k < sizeof words / sizeof words[0]; k++) {
            if (state.len <= strlen(words[k]) + 1 && has_phrase_at(state, 0, words[k])) {
                return true;
            }
        }
    }
    return false;
}

/* Nothing in it that could be the result. */
static bool is_hollow(const struct answer_view *a)
{
    struct str body = str_trim(a->body);

    return !body.len || str_equal(body, STR("{}")) || str_equal(body, STR("[]")) ||
           str_equal(body, STR("null")) ||
           (a->is_json && body.len <= ERROR_BODY_MAX && names_state(body));
}

/* Of an exchange a good status, too, may say that it goes on. */
static bool is_not_ready(const struct answer_view *a, const struct answer_asker *asker)
{
    if (a->status != 202) {
        return asker->is_asked_about && a->status == 200 && a->is_json && names_state(a->body);
    }
    return names_wait(a) || has_header(a, "location") || has_header(a, "operation-location") ||
           (asker->asks_safely && is_hollow(a));
}

/* --- no data ------------------------------------------------------------------------------------------------ */

static bool names_json(struct str content_type)
{
    return has_phrase(content_type, "json") || has_phrase(content_type, "javascript");
}

/* Something that is no JSON, and was not meant to be. */
static bool is_wrong_type(const struct answer_view *a, enum answer_body body)
{
    struct str text = str_trim(json_without_bom(a->body));

    switch (body) {
    case ANSWER_BODY_HTML:
    case ANSWER_BODY_XML:
        return true;
    case ANSWER_BODY_TEXT:
    case ANSWER_BODY_BINARY:
        return a->content_type.len && !names_json(a->content_type) &&
               (!text.len || !memchr("{[\"", text.data[0], 3));
    default:
        return false;
    }
}

/* "Maintenance" of <title>Maintenance</title>, in one line. */
static struct str title_of(struct str body)
{
    struct str head = head_of(body, LOOKED_AT);

    for (size_t i = 0; i + 7 < head.len; i++) {
        if (head.data[i] == '<' && has_phrase_at(head, i, "<title")) {
            const char *from = memchr(head.data + i, '>', head.len - i);
            const char *end =
                from ? memchr(from, '<', (size_t)(head.data + head.len - from)) : NULL;

            return end ? str_trim((struct str){ from + 1, (size_t)(end - from - 1) }) : STR_NONE;
        }
    }
    return STR_NONE;
}

/* --- all of them ---------------------------------------------------------------------------------------------- */

static void say(char why[ANSWER_WHY_MAX], const char *what, struct str words)
{
    words = head_of(words, SHOWN);
    if (words.len) {
        snprintf(why, ANSWER_WHY_MAX, "%s: \"%.*s\"", what, STR_ARG(words));
    } else {
        snprintf(why, ANSWER_WHY_MAX, "%s", what);
    }
}

static enum answer_usual of_good_status(const struct answer_view *a, char why[ANSWER_WHY_MAX])
{
    enum answer_body body;
    char what[64];

    if (a->is_json && body_is_limit(a->body)) {
        say(why, "a limit of requests was met", message_of(a->body));
        return ANSWER_USUAL_LIMIT;
    }
    if (names_wait(a) && (a->is_json ? body_has_error(a->body) : a->body.len > 0)) {
        say(why, "an error with Retry-After", a->is_json ? message_of(a->body) : title_of(a->body));
        return ANSWER_USUAL_BUSY;
    }
    body = a->is_json ? ANSWER_BODY_JSON : answer_body_of(a);
    if (is_wrong_type(a, body)) {
        snprintf(what, sizeof what, "%s instead of JSON (--as %s keeps it)",
                 body == ANSWER_BODY_HTML   ? "a page in HTML"
                 : body == ANSWER_BODY_XML  ? "XML"
                 : body == ANSWER_BODY_TEXT ? "plain text"
                                            : "bytes",
                 body == ANSWER_BODY_HTML                              ? "html"
                 : body == ANSWER_BODY_XML || body == ANSWER_BODY_TEXT ? "text"
                                                                       : "bytes");
        say(why, what, body == ANSWER_BODY_HTML ? title_of(a->body) : STR_NONE);
        return ANSWER_USUAL_WRONG_TYPE;
    }
    return ANSWER_USUAL_NONE;
}

/* A refusal of these may be one of a limit, if its words say so. Words that stand in no field for errors are
 * believed of a status that is given to nothing else, or to much else. */
static bool is_limit_status(const struct answer_view *a)
{
    switch (a->status) {
    case 400:
        return a->is_json && error_body_is_limit(a->body);
    case 403:
    case 406:
    case 418:
    case 420: /* Twitter's "enhance your calm" */
    case 430: /* Shopify's */
    case 503:
        return a->is_json ? error_body_is_limit(a->body) ||
                                speaks_of_limit(message_of(a->body), a->status == 403)
                          : speaks_of_limit(head_of(a->body, LOOKED_AT), a->status == 403);
    default:
        return false;
    }
}

enum answer_usual answer_usual_of(const struct answer_view *a, const struct answer_asker *asker,
                                  char why[ANSWER_WHY_MAX])
{
    why[0] = '\0';
    if (is_not_ready(a, asker)) {
        say(why, "not ready", a->is_json ? message_of(a->body) : STR_NONE);
        return ANSWER_USUAL_NOT_READY;
    }
    if (a->status >= 200 && a->status <= 299) {
        return of_good_status(a, why);
    }
    if (is_limit_status(a)) {
        say(why, "a limit of requests was met",
            a->is_json ? message_of(a->body) : title_of(a->body));
        return ANSWER_USUAL_LIMIT;
    }
    return ANSWER_USUAL_NONE;
}

/* In a sentence: of its message, or of a page. */
static bool is_spoken(const struct answer_view *a, uint64_t *wait_us, char *said, size_t said_size)
{
    struct str words, text = a->is_json ? message_of(a->body) : a->body;

    if (a->is_json && json_type_of(a->body) == JSON_STRING) {
        text = json_string_raw(a->body);
    }

    if (!spoken_wait_read(head_of(text, LOOKED_AT), wait_us, &words)) {
        return false;
    }
    if (said_size) {
        snprintf(said, said_size, "%.*s", STR_ARG(words));
    }
    return true;
}

bool answer_usual_wait(const struct answer_view *a, uint64_t *wait_us, char *said, size_t said_size)
{
    static const struct {
        const char *pointer;
        uint64_t unit_us;
    } places[] = {
        { "/retry_after", US_PER_S },
        { "/retryAfter", US_PER_S },
        { "/retry_after_seconds", US_PER_S },
        { "/retry_after_ms", US_PER_MS },
        { "/retryAfterMs", US_PER_MS },
        { "/error/retry_after", US_PER_S },
        { "/error/retryAfter", US_PER_S },
        { "/error/retry_after_ms", US_PER_MS },
        { "/parameters/retry_after", US_PER_S },               /* Telegram */
        { "/error/details/*/retryDelay", US_PER_S },           /* Google */
        { "/errors/*/extensions/retry_in_seconds", US_PER_S }, /* monday.com */
        { "/errors/*/extensions/retryAfter", US_PER_S },
        { "/errors/*/retry_after", US_PER_S },
    };

    for (size_t i = 0; a->is_json && i < sizeof places / sizeof places[0]; i++) {
        char pointer[64];
        struct answer_place place = { pointer, false };

        snprintf(pointer, sizeof pointer, "%s", places[i].pointer);
        if (answer_wait_at(a, &place, places[i].unit_us, wait_us, said, said_size)) {
            return true;
        }
    }
    return is_spoken(a, wait_us, said, said_size);
}
