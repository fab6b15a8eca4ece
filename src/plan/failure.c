#include "plan/failure.h"

#include <stdio.h>
#include <string.h>

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[OUTCOME_COUNT] = {
        [OUTCOME_OK] = "ok",
        [OUTCOME_STATUS] = "status",
        [OUTCOME_REDIRECT] = "redirect",
        [OUTCOME_DNS] = "dns",
        [OUTCOME_CONNECT] = "connect",
        [OUTCOME_TLS] = "tls",
        [OUTCOME_TIMEOUT] = "timeout",
        [OUTCOME_SHORT_BODY] = "short body",
        [OUTCOME_BAD_JSON] = "bad json",
        [OUTCOME_TOO_BIG] = "too big",
        [OUTCOME_ENCODING] = "encoding",
        [OUTCOME_PROTOCOL] = "protocol",
        [OUTCOME_REFUSED] = "refused",
        [OUTCOME_LOCAL] = "local",
        [OUTCOME_CANCELLED] = "cancelled",
        [OUTCOME_DROPPED] = "dropped",
        [OUTCOME_NO_RECORDS] = "no records",
        [OUTCOME_RULE] = "rule",
        [OUTCOME_WRONG_TYPE] = "wrong type",
        [OUTCOME_LIMIT] = "limit",
        [OUTCOME_NOT_READY] = "not ready",
        [OUTCOME_NOT_ASKED] = "not asked",
        [OUTCOME_BAD_BODY] = "bad body",
        [OUTCOME_UNSAFE_BODY] = "unsafe body",
        [OUTCOME_PROXY] = "proxy",
    };

    return names[outcome];
}

/* The one table of classes: the name for people, the same in at most 8 columns, and the word without
 * blanks that is typed and that machines read. */
static const struct {
    const char *name, *brief, *word;
} classes[FAILURE_CLASS_COUNT] = {
    [FAILURE_NONE] = { "", "", "" },
    [FAILURE_STATUS] = { "HTTP", "", "" }, /* with its status */
    [FAILURE_DNS] = { "dns", "dns", "dns" },
    [FAILURE_CONNECT] = { "connect", "connect", "connect" },
    [FAILURE_TLS] = { "tls", "tls", "tls" },
    [FAILURE_TIMEOUT] = { "timeout", "timeout", "timeout" },
    [FAILURE_SHORT_BODY] = { "short body", "short", "short-body" },
    [FAILURE_BAD_JSON] = { "bad json", "bad json", "bad-json" },
    [FAILURE_TOO_BIG] = { "too big", "too big", "too-big" },
    [FAILURE_ENCODING] = { "encoding", "encoding", "encoding" },
    [FAILURE_PROTOCOL] = { "protocol", "protocol", "protocol" },
    [FAILURE_REFUSED] = { "refused", "refused", "refused" },
    [FAILURE_DROPPED] = { "dropped by you", "dropped", "dropped-by-you" },
    [FAILURE_NO_RECORDS] = { "no records", "no recs", "no-records" },
    [FAILURE_RULE] = { "rule", "rule", "rule" },
    [FAILURE_WRONG_TYPE] = { "wrong type", "type", "wrong-type" },
    [FAILURE_MAYBE_SENT] = { "maybe sent", "sent?", "maybe-sent" },
    [FAILURE_OTHER] = { "other", "other", "other" },
    [FAILURE_LIMIT] = { "limit", "limit", "limit" },
    [FAILURE_NOT_READY] = { "not ready", "unready", "not-ready" },
    [FAILURE_NOT_ASKED] = { "not asked", "unasked", "not-asked" },
    [FAILURE_BAD_BODY] = { "bad body", "bad body", "bad-body" },
    [FAILURE_UNSAFE_BODY] = { "unsafe body", "unsafe", "unsafe-body" },
    [FAILURE_PROXY] = { "proxy", "proxy", "proxy" },
};

struct failure failure_of(enum outcome outcome, int status)
{
    static const enum failure_class of_outcome[OUTCOME_COUNT] = {
        [OUTCOME_OK] = FAILURE_NONE,
        [OUTCOME_STATUS] = FAILURE_STATUS,
        [OUTCOME_REDIRECT] = FAILURE_NONE,
        [OUTCOME_DNS] = FAILURE_DNS,
        [OUTCOME_CONNECT] = FAILURE_CONNECT,
        [OUTCOME_TLS] = FAILURE_TLS,
        [OUTCOME_TIMEOUT] = FAILURE_TIMEOUT,
        [OUTCOME_SHORT_BODY] = FAILURE_SHORT_BODY,
        [OUTCOME_BAD_JSON] = FAILURE_BAD_JSON,
        [OUTCOME_TOO_BIG] = FAILURE_TOO_BIG,
        [OUTCOME_ENCODING] = FAILURE_ENCODING,
        [OUTCOME_PROTOCOL] = FAILURE_PROTOCOL,
        [OUTCOME_REFUSED] = FAILURE_REFUSED,
        [OUTCOME_LOCAL] = FAILURE_OTHER,
        [OUTCOME_CANCELLED] = FAILURE_NONE,
        [OUTCOME_DROPPED] = FAILURE_DROPPED,
        [OUTCOME_NO_RECORDS] = FAILURE_NO_RECORDS,
        [OUTCOME_RULE] = FAILURE_RULE,
        [OUTCOME_WRONG_TYPE] = FAILURE_WRONG_TYPE,
        [OUTCOME_LIMIT] = FAILURE_LIMIT,
        [OUTCOME_NOT_READY] = FAILURE_NOT_READY,
        [OUTCOME_NOT_ASKED] = FAILURE_NOT_ASKED,
        [OUTCOME_BAD_BODY] = FAILURE_BAD_BODY,
        [OUTCOME_UNSAFE_BODY] = FAILURE_UNSAFE_BODY,
        [OUTCOME_PROXY] = FAILURE_PROXY,
    };
    struct failure failure = { of_outcome[outcome], 0 };

    if (failure.class == FAILURE_STATUS) {
        failure.status = status;
    }
    return failure;
}

bool failure_equal(struct failure a, struct failure b)
{
    return a.class == b.class && a.status == b.status;
}

int failure_compare(struct failure a, struct failure b)
{
    return a.class != b.class ? (int)a.class - (int)b.class : a.status - b.status;
}

bool failure_is_unanswered(struct failure failure)
{
    return failure.class == FAILURE_DNS || failure.class == FAILURE_CONNECT ||
           failure.class == FAILURE_TIMEOUT;
}

void failure_format(struct failure failure, char text[FAILURE_TEXT_MAX])
{
    if (failure.class == FAILURE_STATUS) {
        snprintf(text, FAILURE_TEXT_MAX, "HTTP %d", failure.status);
    } else {
        snprintf(text, FAILURE_TEXT_MAX, "%s", classes[failure.class].name);
    }
}

void failure_format_brief(struct failure failure, char text[FAILURE_TEXT_MAX])
{
    if (failure.class == FAILURE_STATUS) {
        snprintf(text, FAILURE_TEXT_MAX, "%d", failure.status);
    } else {
        snprintf(text, FAILURE_TEXT_MAX, "%s", classes[failure.class].brief);
    }
}

void failure_format_word(struct failure failure, char text[FAILURE_TEXT_MAX])
{
    if (failure.class == FAILURE_STATUS) {
        snprintf(text, FAILURE_TEXT_MAX, "%d", failure.status);
    } else {
        snprintf(text, FAILURE_TEXT_MAX, "%s", classes[failure.class].word);
    }
}

/* --- which ones are meant ------------------------------------------------------------------------ */

bool failure_choice_has(const struct failure_choice *choice, struct failure failure)
{
    if (choice->class == FAILURE_NONE) {
        return true;
    }
    if (choice->class != failure.class) {
        return false;
    }
    return choice->status < 10 && choice->class == FAILURE_STATUS
               ? choice->status == failure.status / 100
               : choice->status == failure.status;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "404" or "4xx": a status, or its first figure; 0: neither. */
static int status_of(struct str text)
{
    if (text.len != 3 || text.data[0] < '1' || text.data[0] > '9') {
        return 0;
    }
    if (text.data[1] == 'x' && text.data[2] == 'x') {
        return text.data[0] <= '5' ? text.data[0] - '0' : 0;
    }
    if (!is_digit(text.data[1]) || !is_digit(text.data[2])) {
        return 0;
    }
    return 100 * (text.data[0] - '0') + 10 * (text.data[1] - '0') + (text.data[2] - '0');
}

static bool is_called(struct str text, const char *name, const char *word)
{
    return str_equal(text, str_view(name)) || str_equal(text, str_view(word));
}

bool failure_choice_parse(struct str text, struct failure_choice *choice)
{
    struct str digits = text;

    if (str_starts(digits, STR("HTTP "))) {
        digits = (struct str){ text.data + 5, text.len - 5 };
    }
    *choice = (struct failure_choice){ FAILURE_STATUS, status_of(digits) };
    if (choice->status) {
        return true;
    }
    for (int class = FAILURE_STATUS + 1; class < FAILURE_CLASS_COUNT; class ++) {
        if (is_called(text, classes[class].name, classes[class].word)) {
            *choice = (struct failure_choice){ (enum failure_class) class, 0 };
            return true;
        }
    }
    *choice = (struct failure_choice){ FAILURE_NONE, 0 };
    return false;
}

void failure_choice_format(const struct failure_choice *choice, char text[FAILURE_TEXT_MAX])
{
    if (choice->class == FAILURE_STATUS && choice->status < 10) {
        snprintf(text, FAILURE_TEXT_MAX, "%dxx", choice->status);
    } else {
        failure_format_word((struct failure){ choice->class, choice->status }, text);
    }
}

/* --- old ledgers ---------------------------------------------------------------------------------- */

/* What the reasons of version 2 had in them, as libcurl and we had written them. */
static const struct {
    const char *part;
    enum outcome outcome;
} old_words[] = {
    { "timed out", OUTCOME_TIMEOUT },
    { "too slow", OUTCOME_TIMEOUT },
    { "resolve", OUTCOME_DNS },
    { "JSON", OUTCOME_BAD_JSON },
    { "UTF-8", OUTCOME_BAD_JSON },
    { "remaining", OUTCOME_SHORT_BODY },
    { "transfer closed", OUTCOME_SHORT_BODY },
    { "certificate", OUTCOME_TLS },
    { "SSL", OUTCOME_TLS },
    { "TLS", OUTCOME_TLS },
    { "--max-body", OUTCOME_TOO_BIG },
    { "when decompressed", OUTCOME_TOO_BIG },
    { "encoding", OUTCOME_ENCODING },
    { "dropped by you", OUTCOME_DROPPED },
    { "redirect", OUTCOME_REFUSED },
    { "refused to send", OUTCOME_REFUSED },
    { "response header", OUTCOME_PROTOCOL },
    { "Content-Length", OUTCOME_PROTOCOL },
    { "onnect", OUTCOME_CONNECT },
    { "Empty reply", OUTCOME_CONNECT },
    { "Recv failure", OUTCOME_CONNECT },
    { "Send failure", OUTCOME_CONNECT },
    { "HTTP/2", OUTCOME_CONNECT },
};

#define OLD_REASON_MAX 160

void failure_guess(struct str reason, int status, enum outcome *outcome, struct failure *failure)
{
    char text[OLD_REASON_MAX];

    if (str_starts(reason, STR("HTTP ")) && status) {
        *outcome = OUTCOME_STATUS;
        *failure = failure_of(OUTCOME_STATUS, status);
        return;
    }
    snprintf(text, sizeof text, "%.*s", STR_ARG(reason));
    for (size_t i = 0; i < sizeof old_words / sizeof old_words[0]; i++) {
        if (strstr(text, old_words[i].part)) {
            *outcome = old_words[i].outcome;
            *failure = failure_of(*outcome, status);
            return;
        }
    }
    *outcome = OUTCOME_LOCAL;
    *failure = (struct failure){ FAILURE_OTHER, 0 };
}
