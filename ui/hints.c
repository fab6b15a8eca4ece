#include "ui/hints.h"

#include "ui/keys.h"

#include <stdio.h>
#include <string.h>

#define HINT_MAX 48
#define ANY (-1)

static const struct hint {
    enum run_limit kind;
    int by; /* enum limit_by, or ANY */
    enum control_verb verb;
    int64_t number;
    const char *words;
} table[] = {
    { LIMIT_CAP, LIMIT_BY_USER, CONTROL_CAP_ADD, 1, "raises it" },
    { LIMIT_CAP, LIMIT_BY_SWEEP, CONTROL_SWEEP, 0, "ends it" },
    { LIMIT_RATE, LIMIT_BY_USER, CONTROL_RATE_SET, 0, "changes it" },
    { LIMIT_LEARNED, ANY, CONTROL_RATE_SET, 0, "sets another" },
    { LIMIT_HOLD, LIMIT_BY_USER, CONTROL_HOLD, 0, "on the host releases it" },
    { LIMIT_HOLD, LIMIT_BY_NONE, CONTROL_RETRY, 0, "asks a row now" },
    { LIMIT_ALL_WAITING, ANY, CONTROL_RETRY, 0, "asks a row now" },
    { LIMIT_LOOP_CPU, LIMIT_BY_LOAD, CONTROL_CAP_ADD, -1, "lowers the cap" },
    { LIMIT_DISK, LIMIT_BY_SLOW, CONTROL_CAP_ADD, -1, "lowers the cap" },
    { LIMIT_PAUSED, LIMIT_BY_USER, CONTROL_PAUSE, 0, "resumes" },
    { LIMIT_PAUSED, LIMIT_BY_CAP_0, CONTROL_CAP_ADD, 1, "raises it" },
    { LIMIT_DRAINING, ANY, CONTROL_DRAIN, 0, "again aborts" },
};

/* Empty when no key changes it now. */
static void hint_of(const struct snapshot_limit *l, char hint[HINT_MAX])
{
    hint[0] = '\0';
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct hint *h = &table[i];
        char letter = keys_letter(h->verb, h->number);

        if (h->kind == l->kind && (h->by == ANY || h->by == (int)l->by) && letter &&
            (h->verb != CONTROL_RETRY || l->have_waiting)) {
            snprintf(hint, HINT_MAX, "%c %s", letter, h->words);
            return;
        }
    }
}

static void replay_words(const struct snapshot *s, char text[LIMIT_TEXT_MAX])
{
    snprintf(text, LIMIT_TEXT_MAX, "replay x%u", s->replay_speed);
    if (s->replay_is_stopped) {
        snprintf(text, LIMIT_TEXT_MAX, "replay x%u, stopped (%c goes on)", s->replay_speed,
                 keys_letter(CONTROL_PAUSE, 0));
    }
    if (s->replay_is_at_end) {
        size_t used = strlen(text);

        snprintf(text + used, LIMIT_TEXT_MAX - used, ", at its end");
    }
}

void hints_limit(const struct snapshot *s, char text[LIMIT_TEXT_MAX])
{
    char hint[HINT_MAX];

    if (s->replay_speed) {
        replay_words(s, text);
        return;
    }
    if (s->is_replay) {
        snprintf(text, LIMIT_TEXT_MAX, "%s", run_limit_word(s->limit.kind));
    } else {
        hint_of(&s->limit, hint);
        limit_words(&s->limit, hint, text);
    }
    if (!text[0]) {
        snprintf(text, LIMIT_TEXT_MAX, "nothing");
    }
}
