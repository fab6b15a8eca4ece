#include "engine/report_retries.h"

#include "engine/report.h"

#include <stdio.h>

void report_count_retry(struct report_retry retries[REPORT_RETRIES_MAX], struct failure why)
{
    size_t at = 0;

    if (why.class == FAILURE_NONE) {
        return;
    }
    while (at < REPORT_RETRIES_MAX && retries[at].count && !failure_equal(retries[at].why, why)) {
        at++;
    }
    if (at == REPORT_RETRIES_MAX) {
        return; /* the total counts it */
    }
    retries[at].why = why;
    retries[at].count++;
    for (; at > 0 && retries[at - 1].count < retries[at].count; at--) {
        struct report_retry more = retries[at];

        retries[at] = retries[at - 1];
        retries[at - 1] = more;
    }
}

void report_uncount_retry(struct report_retry retries[REPORT_RETRIES_MAX], struct failure why)
{
    size_t at = 0;

    while (at < REPORT_RETRIES_MAX && retries[at].count && !failure_equal(retries[at].why, why)) {
        at++;
    }
    if (at == REPORT_RETRIES_MAX || !retries[at].count) {
        return;
    }
    retries[at].count--;
    for (; at + 1 < REPORT_RETRIES_MAX && retries[at].count < retries[at + 1].count; at++) {
        struct report_retry less = retries[at];

        retries[at] = retries[at + 1];
        retries[at + 1] = less;
    }
}

/* What it came to, as a reader says it; a class that is not here is told by its name. */
static void spell(struct failure why, char text[64])
{
    static const char *const words[FAILURE_CLASS_COUNT] = {
        [FAILURE_DNS] = "an unknown host name",
        [FAILURE_CONNECT] = "a refused or lost connection",
        [FAILURE_TLS] = "a failure of TLS",
        [FAILURE_PROXY] = "a failure of the proxy",
        [FAILURE_TIMEOUT] = "a timeout",
        [FAILURE_SHORT_BODY] = "a body cut short",
        [FAILURE_BAD_JSON] = "a body that is no JSON",
        [FAILURE_BAD_BODY] = "a body that is not of its format",
        [FAILURE_ENCODING] = "a broken encoding",
        [FAILURE_PROTOCOL] = "a broken answer",
        [FAILURE_NO_RECORDS] = "an answer without records",
        [FAILURE_RULE] = "an answer that a rule speaks of",
        [FAILURE_WRONG_TYPE] = "a body of another type",
        [FAILURE_LIMIT] = "a body that tells of a limit",
        [FAILURE_NOT_READY] = "a result that was not ready",
    };

    if (words[why.class]) {
        snprintf(text, 64, "%s", words[why.class]);
    } else {
        failure_format(why, text);
    }
}

enum result report_retries(const struct report *r, struct buf *out)
{
    const char *head =
        r->session_retried < r->retried ? "tried again in this session: " : "tried again: ";
    enum result result = RESULT_OK;
    bool is_first = true;

    for (size_t i = 0; i < REPORT_RETRIES_MAX && r->retries[i].count && result == RESULT_OK; i++) {
        char text[64];

        spell(r->retries[i].why, text);
        result = buf_printf(out, "%s%llu after %s", is_first ? head : ", ",
                            (unsigned long long)r->retries[i].count, text);
        is_first = false;
    }
    if (r->session_resent && result == RESULT_OK) {
        result = buf_printf(out, "%s%llu sent once more at once, as a kept connection was lost",
                            is_first ? "" : "; ", (unsigned long long)r->session_resent);
        is_first = false;
    }
    if (r->session_refused_streams && result == RESULT_OK) {
        result = buf_printf(out, "%s%llu sent once more at once, as the server refused a stream",
                            is_first ? "" : "; ", (unsigned long long)r->session_refused_streams);
        is_first = false;
    }
    if (r->session_split && result == RESULT_OK) {
        result = buf_printf(out, "%s%llu too much for the server, and asked for in parts",
                            is_first ? "" : "; ", (unsigned long long)r->session_split);
    }
    return result;
}

void report_retries_json(const struct report *r, cJSON *root)
{
    cJSON *list = cJSON_AddArrayToObject(root, "retries");

    for (size_t i = 0; i < REPORT_RETRIES_MAX && r->retries[i].count; i++) {
        cJSON *item = cJSON_CreateObject();
        char class[FAILURE_TEXT_MAX];

        failure_format_word(r->retries[i].why, class);
        cJSON_AddStringToObject(item, "class", class);
        cJSON_AddNumberToObject(item, "count", (double)r->retries[i].count);
        cJSON_AddItemToArray(list, item);
    }
    cJSON_AddNumberToObject(root, "resent", (double)r->resent);
    cJSON_AddNumberToObject(root, "session_split", (double)r->session_split);
}
