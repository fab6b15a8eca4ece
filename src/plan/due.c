#include "plan/due.h"

#include <stdio.h>

bool due_is_named(enum due_by by)
{
    return by == DUE_RETRY_AFTER || by == DUE_QUOTA;
}

int due_compare(const struct due *a, const struct due *b)
{
    return a->by != b->by ? (int)a->by - (int)b->by
                          : (a->wait_us > b->wait_us) - (a->wait_us < b->wait_us);
}

const char *due_by_word(enum due_by by)
{
    static const char *const words[DUE_BY_COUNT] = {
        [DUE_NONE] = "",
        [DUE_BACKOFF] = "backoff",
        [DUE_RETRY_AFTER] = "retry-after",
        [DUE_QUOTA] = "quota",
        [DUE_HOST_HOLD] = "host-hold",
        [DUE_BREAKER] = "breaker",
        [DUE_RESTART] = "restart",
        [DUE_RULE] = "rule",
        [DUE_USER] = "user",
        [DUE_NOT_READY] = "not-ready",
        [DUE_SAME_ANSWER] = "refused-alike",
        [DUE_TOKEN] = "token",
    };

    return words[by];
}

void due_format(const struct due *due, char text[DUE_TEXT_MAX])
{
    switch (due->by) {
    case DUE_NONE:
    case DUE_BY_COUNT:
        text[0] = '\0';
        break;
    case DUE_BACKOFF:
        snprintf(text, DUE_TEXT_MAX, "backoff %.1f s of 0-%.0f s", (double)due->wait_us / 1e6,
                 (double)due->ceiling_us / 1e6);
        break;
    case DUE_RETRY_AFTER:
        snprintf(text, DUE_TEXT_MAX, "Retry-After: %s", due->said);
        break;
    case DUE_QUOTA:
        snprintf(text, DUE_TEXT_MAX, "RateLimit: %s", due->said);
        break;
    case DUE_HOST_HOLD:
        snprintf(text, DUE_TEXT_MAX, "host held");
        break;
    case DUE_BREAKER:
        snprintf(text, DUE_TEXT_MAX, "failures in a row");
        break;
    case DUE_RESTART:
        snprintf(text, DUE_TEXT_MAX, "backoff after a restart");
        break;
    case DUE_RULE:
        snprintf(text, DUE_TEXT_MAX, "rule: %s", due->said);
        break;
    case DUE_USER:
        snprintf(text, DUE_TEXT_MAX, "by you");
        break;
    case DUE_NOT_READY:
        snprintf(text, DUE_TEXT_MAX, "not ready, %s", due->said);
        break;
    case DUE_SAME_ANSWER:
        snprintf(text, DUE_TEXT_MAX, "it refuses all alike");
        break;
    case DUE_TOKEN:
        snprintf(text, DUE_TEXT_MAX, "it refuses this token");
        break;
    }
}

void due_format_hold(const struct due *due, char text[DUE_TEXT_MAX])
{
    char words[DUE_TEXT_MAX];

    switch (due->by) {
    case DUE_HOST_HOLD:
        if (due->status) {
            snprintf(text, DUE_TEXT_MAX, "%d without a deadline", due->status);
        } else { /* HTTP/2's way to say 429 */
            snprintf(text, DUE_TEXT_MAX, "enhance your calm");
        }
        break;
    case DUE_RETRY_AFTER:
    case DUE_QUOTA:
    case DUE_RULE:
        due_format(due, words);
        if (due->status) {
            snprintf(text, DUE_TEXT_MAX, "%d, %.50s", due->status, words);
        } else {
            snprintf(text, DUE_TEXT_MAX, "%s", words);
        }
        break;
    default:
        due_format(due, text);
        break;
    }
}

static bool cut(struct str *text, struct str head)
{
    bool is_so = str_starts(*text, head);

    if (is_so) {
        *text = (struct str){ text->data + head.len, text->len - head.len };
    }
    return is_so;
}

void due_guess(struct str set_by, struct due *due)
{
    struct str rest = set_by;

    *due = (struct due){ .by = DUE_NONE };
    if (cut(&rest, STR("Retry-After: "))) {
        due->by = DUE_RETRY_AFTER;
    } else if (cut(&rest, STR("RateLimit: "))) {
        due->by = DUE_QUOTA;
    } else if (str_starts(set_by, STR("host held"))) {
        due->by = DUE_HOST_HOLD;
    } else if (str_starts(set_by, STR("backoff after"))) {
        due->by = DUE_RESTART;
    } else if (cut(&rest, STR("backoff "))) {
        char text[DUE_TEXT_MAX];
        double wait_s = 0, ceiling_s = 0;

        snprintf(text, sizeof text, "%.*s", STR_ARG(rest));
        due->by = DUE_BACKOFF;
        if (sscanf(text, "%lf s of 0-%lf s", &wait_s, &ceiling_s) == 2 && wait_s >= 0 &&
            wait_s < 1e9 && ceiling_s >= 0 && ceiling_s < 1e9) {
            due->wait_us = (uint64_t)(wait_s * 1e6);
            due->ceiling_us = (uint64_t)(ceiling_s * 1e6);
        }
    }
    if (due_is_named(due->by)) {
        snprintf(due->said, sizeof due->said, "%.*s", STR_ARG(rest));
    }
}
