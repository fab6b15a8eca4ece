#include "engine/limit_words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NOTE_MAX 96
#define FLIGHT_SHOWN 40     /* bytes of the request that hangs */
#define LEARNED_CHANGE 0.05 /* of the rate: it moves with every answer */

bool limit_is_same(const struct snapshot_limit *a, const struct snapshot_limit *b)
{
    double most = fmax(a->rate.requests, b->rate.requests);
    double change = most > 0 ? fabs(a->rate.requests - b->rate.requests) / most : 0;

    return a->kind == b->kind && a->by == b->by && a->due.by == b->due.by && a->cap == b->cap &&
           change <= (a->kind == LIMIT_LEARNED ? LEARNED_CHANGE : 0) &&
           a->rate.per_us == b->rate.per_us && strcmp(a->host, b->host) == 0 &&
           strcmp(a->flight, b->flight) == 0;
}

const char *run_limit_word(enum run_limit limit)
{
    static const char *const words[LIMIT_COUNT] = {
        [LIMIT_NONE] = "",
        [LIMIT_CAP] = "CAP",
        [LIMIT_HOST_CAP] = "HOST CAP",
        [LIMIT_RATE] = "RATE",
        [LIMIT_LEARNED] = "LEARNED RATE",
        [LIMIT_TROUBLE] = "TROUBLE",
        [LIMIT_BUDGET] = "BUDGET",
        [LIMIT_HOLD] = "HOLD",
        [LIMIT_QUEUE_EMPTY] = "QUEUE EMPTY",
        [LIMIT_INPUT] = "INPUT",
        [LIMIT_PAGINATION] = "PAGINATION",
        [LIMIT_DESCRIPTORS] = "FD LIMIT",
        [LIMIT_LOOP_CPU] = "LOOP CPU",
        [LIMIT_DISK] = "DISK",
        [LIMIT_PAUSED] = "PAUSED",
        [LIMIT_DRAINING] = "DRAINING",
        [LIMIT_ALL_WAITING] = "ALL WAITING",
        [LIMIT_ROUND] = "NEXT ROUND",
        [LIMIT_AUTH] = "AUTH",
        [LIMIT_FLEET] = "FLEET",
    };

    return words[limit];
}

const char *limit_by_word(enum limit_by by)
{
    static const char *const words[] = {
        [LIMIT_BY_NONE] = "",
        [LIMIT_BY_USER] = "user",
        [LIMIT_BY_CAP_0] = "cap-0",
        [LIMIT_BY_AUTO] = "auto",
        [LIMIT_BY_SWEEP] = "sweep",
        [LIMIT_BY_SAME_ANSWER] = "same-answer",
        [LIMIT_BY_PER_HOST] = "per-host",
        [LIMIT_BY_SERVER] = "server",
        [LIMIT_BY_REFUSALS] = "refusals",
        [LIMIT_BY_SLOW_START] = "slow-start",
        [LIMIT_BY_FIRST_CONTACT] = "first-contact",
        [LIMIT_BY_BODIES] = "bodies",
        [LIMIT_BY_STARTS] = "starts",
        [LIMIT_BY_LOAD] = "load",
        [LIMIT_BY_MEMORY] = "memory",
        [LIMIT_BY_FULL] = "full",
        [LIMIT_BY_SLOW] = "slow",
        [LIMIT_BY_OTHER] = "other-program",
    };

    return words[by];
}

/* What stands in the brackets, without the hint. */
static const char *note_of(const struct snapshot_limit *l)
{
    switch (l->by) {
    case LIMIT_BY_AUTO:
        return "auto turns it";
    case LIMIT_BY_SWEEP:
        return "sweep turns it";
    case LIMIT_BY_SAME_ANSWER:
        return "one at a time: all are refused alike";
    case LIMIT_BY_PER_HOST:
        return l->kind == LIMIT_RATE ? "--rate-per-host" : "--cap-per-host";
    case LIMIT_BY_SERVER:
        return "it allows no more";
    case LIMIT_BY_REFUSALS:
        return "it refuses more at once";
    case LIMIT_BY_SLOW_START:
        return "slow start";
    case LIMIT_BY_FIRST_CONTACT:
        return "first contacts";
    case LIMIT_BY_BODIES:
        return "large bodies are being checked";
    case LIMIT_BY_STARTS:
        return "starting as fast as the loop turns";
    case LIMIT_BY_CAP_0:
        return "cap 0";
    case LIMIT_BY_MEMORY:
        return "none is left for a request";
    case LIMIT_BY_SLOW:
        return "slower than the network";
    case LIMIT_BY_OTHER:
        return "another program holds the ledger";
    case LIMIT_BY_NONE:
    case LIMIT_BY_USER:
    case LIMIT_BY_LOAD:
    case LIMIT_BY_FULL:
        break;
    }
    switch (l->kind) {
    case LIMIT_AUTH:
        return "requests wait for the login";
    case LIMIT_TROUBLE:
        return l->flight_us ? "few at once" : "different URLs fail in a row: few at once";
    case LIMIT_BUDGET:
        return l->quota_known ? "" : "until an answer tells what the quota is now";
    case LIMIT_INPUT:
        return "the rest of the list is still to come";
    case LIMIT_QUEUE_EMPTY:
        return "the last are in flight";
    case LIMIT_PAGINATION:
        return "each page names the next";
    case LIMIT_DESCRIPTORS:
        return l->by == LIMIT_BY_MEMORY ? "" : "ulimit -n raises it";
    case LIMIT_DISK:
        return "free some space";
    default:
        return "";
    }
}

/* What would fetch more, on this machine or beside it. */
static void load_note(const struct snapshot_limit *l, char note[NOTE_MAX])
{
    if (l->threads) {
        snprintf(note, NOTE_MAX, "--threads %u or --shard uses more cores", l->threads);
    } else {
        snprintf(note, NOTE_MAX, "--shard or --fleet uses other machines");
    }
}

/* Who holds it, and why: of a host that does not answer, what the last failure was. */
static void held_note(const struct snapshot_limit *l, char note[NOTE_MAX])
{
    char why[DUE_TEXT_MAX];

    due_format_hold(&l->due, why);
    if (l->due.by == DUE_BREAKER && l->reason[0]) {
        snprintf(note, NOTE_MAX, "%s: %s", why, l->reason);
    } else if (l->kind == LIMIT_ALL_WAITING) {
        snprintf(note, NOTE_MAX, "%s", l->reason);
    } else {
        snprintf(note, NOTE_MAX, "%s", l->due.by == DUE_NONE ? "after refusals" : why);
    }
}

static void add_host(const struct snapshot_limit *l, char head[NOTE_MAX])
{
    size_t used = strlen(head);

    if (l->host[0] && !l->is_only_host) {
        snprintf(head + used, NOTE_MAX - used, " %.40s", l->host);
    }
}

static void quota_head(const struct snapshot_limit *l, char head[NOTE_MAX])
{
    char reset[UNITS_TEXT_MAX];
    size_t used = strlen(head);

    if (!l->quota_known) {
        return; /* note_of says what it waits for */
    }
    units_format_countdown(l->in_us, reset);
    if (l->quota_limit) {
        snprintf(head + used, NOTE_MAX - used, " %llu/%llu, resets %s",
                 (unsigned long long)l->quota_left, (unsigned long long)l->quota_limit, reset);
    } else {
        snprintf(head + used, NOTE_MAX - used, " %llu, resets %s",
                 (unsigned long long)l->quota_left, reset);
    }
}

static void rate_head(const struct snapshot_limit *l, char head[NOTE_MAX])
{
    char rate[UNITS_TEXT_MAX];
    size_t used = strlen(head);

    if (!l->rate.per_us) {
        return; /* it has just gone */
    }
    if (l->kind == LIMIT_LEARNED) {
        snprintf(head + used, NOTE_MAX - used, " %.*f/s", l->rate.requests < 10, l->rate.requests);
    } else {
        units_format_rate(l->rate, rate);
        snprintf(head + used, NOTE_MAX - used, " %s", rate);
    }
}

/* "429s at 52/s"; the rate that was refused is no news once more than that goes well. */
static void refused_note(const struct snapshot_limit *l, char note[NOTE_MAX])
{
    if (l->due.status && l->rate.requests >= l->refused_at) {
        snprintf(note, NOTE_MAX, "%ds", l->due.status);
    } else if (l->due.status) {
        snprintf(note, NOTE_MAX, "%ds at %.*f/s", l->due.status, l->refused_at < 10, l->refused_at);
    }
}

/* What stands before the brackets. */
static void head_of(const struct snapshot_limit *l, char head[NOTE_MAX])
{
    char left[UNITS_TEXT_MAX], every[UNITS_TEXT_MAX];
    size_t used = (size_t)snprintf(head, NOTE_MAX, "%s", run_limit_word(l->kind));

    units_format_countdown(l->in_us == LIMIT_NEVER ? 0 : l->in_us, left);
    switch (l->kind) {
    case LIMIT_DESCRIPTORS:
        if (l->by == LIMIT_BY_MEMORY) {
            snprintf(head, NOTE_MAX, "MEMORY");
            break;
        } /* fall through */
    case LIMIT_CAP:
        snprintf(head + used, NOTE_MAX - used, " %u", l->cap);
        break;
    case LIMIT_HOST_CAP:
        if (l->by != LIMIT_BY_FIRST_CONTACT) {
            snprintf(head + used, NOTE_MAX - used, " %.40s %u", l->host, l->cap);
        }
        break;
    case LIMIT_RATE:
    case LIMIT_LEARNED:
        rate_head(l, head);
        add_host(l, head);
        break;
    case LIMIT_TROUBLE:
        add_host(l, head);
        break;
    case LIMIT_BUDGET:
        quota_head(l, head);
        add_host(l, head);
        break;
    case LIMIT_HOLD:
        if (l->by != LIMIT_BY_SAME_ANSWER) { /* that has no end */
            snprintf(head + used, NOTE_MAX - used, " %s", l->by == LIMIT_BY_USER ? "by you" : left);
        }
        add_host(l, head);
        break;
    case LIMIT_ALL_WAITING:
        snprintf(head + used, NOTE_MAX - used, ", next in %s", left);
        break;
    case LIMIT_ROUND:
        units_format_time(l->every_us, every);
        snprintf(head + used, NOTE_MAX - used, " in %s (every %s)", left, every);
        break;
    case LIMIT_LOOP_CPU:
        if (l->by == LIMIT_BY_LOAD) {
            snprintf(head + used, NOTE_MAX - used, " %.0f %%", l->cpu_percent);
        }
        break;
    case LIMIT_DISK:
        if (l->by == LIMIT_BY_FULL) {
            snprintf(head + used, NOTE_MAX - used, " FULL");
        }
        break;
    default:
        break;
    }
}

/* "GET /posts/17 for 0:12": what is waited for, whose end is cut rather than the time. */
static void add_flight(const struct snapshot_limit *l, char note[NOTE_MAX])
{
    char age[UNITS_TEXT_MAX];
    size_t used = strlen(note);
    bool is_cut = strlen(l->flight) > FLIGHT_SHOWN;

    if (l->flight_us) {
        units_format_countdown(l->flight_us / 1000000 * 1000000, age);
        snprintf(note + used, NOTE_MAX - used, "%s%.*s%s for %s", used ? "; " : "",
                 is_cut ? FLIGHT_SHOWN - 3 : FLIGHT_SHOWN, l->flight, is_cut ? "..." : "", age);
    }
}

void limit_words(const struct snapshot_limit *l, const char *hint, char text[LIMIT_TEXT_MAX])
{
    char head[NOTE_MAX], note[NOTE_MAX];

    if (l->kind == LIMIT_NONE) {
        text[0] = '\0';
        return;
    }
    head_of(l, head);
    snprintf(note, sizeof note, "%s", note_of(l));
    if ((l->kind == LIMIT_HOLD && l->by != LIMIT_BY_USER) || l->kind == LIMIT_ALL_WAITING) {
        held_note(l, note);
    }
    if (l->kind == LIMIT_LOOP_CPU && l->by == LIMIT_BY_LOAD) {
        load_note(l, note);
    }
    if (l->kind == LIMIT_FLEET) {
        snprintf(note, sizeof note, "%s", l->reason);
    }
    if (l->kind == LIMIT_LEARNED) {
        refused_note(l, note);
    }
    add_flight(l, note);
    hint = hint ? hint : "";
    if (note[0] || hint[0]) {
        snprintf(text, LIMIT_TEXT_MAX, "%s (%s%s%s)", head, note, note[0] && hint[0] ? "; " : "",
                 hint);
    } else {
        snprintf(text, LIMIT_TEXT_MAX, "%s", head);
    }
}
