#include "ui/words.h"

#include "base/units.h"
#include "base/utf8.h"
#include "ui/format.h"
#include "ui/keys.h"
#include "ui/login.h"
#include "ui/plain.h"

#include <stdarg.h>
#include <stdio.h>

#define ROWS_MAX 10  /* of a list: what can be listened to */
#define WORD_LONG 40 /* of one that is no command, as it is told */
#define STEP_LARGEST UINT64_C(100000)

struct asked {
    const struct snapshot *s;
    uint32_t verbs;
    struct control *out;
    struct buf *answer;
    struct str argument;
    bool refused;
};

/* Returns that it is no matter for the engine. */
__attribute__((format(printf, 2, 3))) static bool say(struct asked *a, const char *format, ...)
{
    char text[PLAIN_LINE_MAX], safe[PLAIN_LINE_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    utf8_display(safe, sizeof safe, str_view(text), sizeof safe);
    if (buf_append_str(a->answer, str_view(safe)) == RESULT_OK &&
        buf_append_char(a->answer, '\n') != RESULT_OK) {
        buf_reset(a->answer); /* out of memory: rather nothing than half a line */
    }
    return false;
}

/* The same, of words that cannot be obeyed. */
static bool refuse(struct asked *a, const char *why)
{
    a->refused = true;
    return say(a, "%s", why);
}

static bool give(struct asked *a, enum control_verb verb, int64_t number)
{
    *a->out = (struct control){ .verb = verb, .number = number };
    return true;
}

static bool give_text(struct asked *a, enum control_verb verb)
{
    give(a, verb, 0);
    snprintf(a->out->text, sizeof a->out->text, "%.*s", STR_ARG(a->argument));
    return true;
}

/* --- what a screen would show ---------------------------------------------------------------------- */

static bool say_status(struct asked *a)
{
    char line[PLAIN_LINE_MAX], login[LOGIN_TEXT_MAX];
    enum role role;

    plain_progress(a->s, line);
    say(a, "%s", line);
    if (login_text(&a->s->login, false, login, &role)) {
        say(a, "login %s", login);
    }
    return say(a, "in flight %llu, retried %llu, queued %llu, latency p50 %llu p95 %llu ms",
               (unsigned long long)a->s->in_flight, (unsigned long long)a->s->retried,
               (unsigned long long)a->s->queued, (unsigned long long)(a->s->p50_us / 1000),
               (unsigned long long)(a->s->p95_us / 1000));
}

static bool say_more(struct asked *a, uint64_t all, size_t shown)
{
    return all > shown ? say(a, "and %llu more", (unsigned long long)(all - shown)) : false;
}

static bool say_failed(struct asked *a)
{
    size_t count = a->s->failure_count < ROWS_MAX ? a->s->failure_count : ROWS_MAX;

    if (!count) {
        return say(a, "nothing has failed");
    }
    for (size_t i = 0; i < count; i++) {
        const struct snapshot_failure *f = &a->s->failures[i];
        char why[FAILURE_TEXT_MAX];

        failure_format(f->why, why);
        say(a, "%llu of %s, such as %s%s%s", (unsigned long long)f->count, why, f->example,
            f->said[0] ? ": " : "", f->said);
    }
    return say_more(a, a->s->failure_count, count);
}

static bool say_waiting(struct asked *a)
{
    size_t count = a->s->wait_count < ROWS_MAX ? a->s->wait_count : ROWS_MAX;

    if (!count) {
        return say(a, "nothing waits");
    }
    for (size_t i = 0; i < count; i++) {
        const struct snapshot_wait *w = &a->s->waits[i];
        char due[UNITS_TEXT_MAX + 8] = "until released", why[FAILURE_TEXT_MAX],
                                  set_by[DUE_TEXT_MAX];

        failure_format_brief(w->why, why);
        snapshot_wait_set_by(w, set_by);
        if (w->due_in_us != UINT64_MAX) {
            char left[UNITS_TEXT_MAX];

            units_format_countdown(w->due_in_us, left);
            snprintf(due, sizeof due, "in %s", left);
        }
        say(a, "%llu: %s, %s, try %u of %u, %s, %s", (unsigned long long)w->id, w->request, due,
            w->attempt, w->attempts_max, w->reason[0] ? w->reason : why, set_by);
    }
    return say_more(a, a->s->waiting, count);
}

static bool say_hosts(struct asked *a)
{
    size_t count = a->s->host_count < ROWS_MAX ? a->s->host_count : ROWS_MAX;

    for (size_t i = 0; i < count; i++) {
        const struct snapshot_host *h = &a->s->hosts[i];
        char hold[UNITS_TEXT_MAX] = "", why[DUE_TEXT_MAX];

        due_format_hold(&h->due, why);
        if (h->hold_in_us && h->hold_in_us != UINT64_MAX) {
            units_format_countdown(h->hold_in_us, hold);
        }
        say(a, "%s: %u in flight, %llu request%s, %llu refused%s%s%s%s", h->host, h->in_flight,
            (unsigned long long)h->requests, units_plural(h->requests),
            (unsigned long long)h->throttled, h->hold_in_us ? ", held " : "", hold,
            hold[0] ? " " : "", why);
    }
    return count ? say_more(a, a->s->host_count, count) : say(a, "no host asked yet");
}

/* --- rules by event --------------------------------------------------------------------------------- */

static bool say_rules(struct asked *a)
{
    if (!a->s->on_count) {
        return say(a, "there is no rule by event; on add WHEN: DO adds one for this session");
    }
    for (size_t i = 0; i < a->s->on_count; i++) {
        const struct snapshot_on *on = &a->s->ons[i];

        say(a, "%u: %s; fired %llu time%s; it is %s%s", on->number, on->rule,
            (unsigned long long)on->fired, on->fired == 1 ? "" : "s",
            on->value[0] ? on->value : "not known yet", on->is_added ? "; for this session" : "");
    }
    return false;
}

static bool remove_rule(struct asked *a, struct str number)
{
    struct err err;
    uint64_t which;

    return units_parse_count(number, 1, UINT32_MAX, &which, &err) == RESULT_OK
               ? give(a, CONTROL_ON_REMOVE, (int64_t)which)
               : refuse(a, "on remove N: the number that on lists");
}

/* "on", "on add WHEN: DO", "on remove N". */
static bool rules_by_event(struct asked *a)
{
    struct str rest = a->argument, word = str_cut(&rest, ' ');

    rest = str_trim(rest);
    if (!word.len || str_equal(word, STR("list"))) {
        return say_rules(a);
    }
    if (str_equal(word, STR("remove"))) {
        return remove_rule(a, rest);
    }
    if (!str_equal(word, STR("add"))) {
        return refuse(a, "on: want nothing, add WHEN: DO, or remove N");
    }
    if (!rest.len || rest.len >= CONTROL_TEXT_MAX) {
        return refuse(a, "on add WHEN: DO, such as on add 429 > 2% for 60s: cap /2");
    }
    a->argument = rest;
    return give_text(a, CONTROL_ON_ADD);
}

static bool resume(struct asked *a)
{
    return a->s->state == RUN_PAUSED ? give(a, CONTROL_PAUSE, 0) : say(a, "it is not paused");
}

static bool drain(struct asked *a)
{
    return give(a, CONTROL_DRAIN, 0);
}

static bool abort_now(struct asked *a)
{
    return give(a, CONTROL_ABORT, 0);
}

static bool say_help(struct asked *a);

static const struct own_word {
    const char *word, *help;
    bool (*act)(struct asked *a);
} own_words[] = {
    { "status", "how far it is, and what limits it", say_status },
    { "failed", "what has failed, by kind", say_failed },
    { "waiting", "what waits, and until when", say_waiting },
    { "hosts", "what each host bears", say_hosts },
    { "on", "rules by event: which there are; on add WHEN: DO and on remove N, for this session",
      rules_by_event },
    { "resume", "go on after pause", resume },
    { "drain", "start nothing more and end when all in flight has come, as quit does", drain },
    { "abort", "end now; what is in flight is asked again next time", abort_now },
    { "help", "this list", say_help },
};

#define OWN_COUNT (sizeof own_words / sizeof own_words[0])

/* --- the words of keys ----------------------------------------------------------------------------- */

/* What follows the word, "" for nothing; NULL: the key makes no sense without a screen. */
static const char *argument_of(const struct key_binding *binding)
{
    switch (binding->action) {
    case KEY_CONTROL:
        return binding->verb == CONTROL_SEEK ? NULL : "";
    case KEY_QUIT:
        return "";
    case KEY_CAP_STEP:
    case KEY_ASK_CAP:
    case KEY_ASK_RATE:
    case KEY_ASK_MARK:
    case KEY_ASK_SWEEP:
        return binding->argument;
    case KEY_ON_ROWS:
        return binding->verb == CONTROL_HOLD ? "HOST" : "ID";
    case KEY_RETRY_FAILED:
        return "KIND";
    case KEY_RETRY_WAITING:
        return "TEXT";
    default:
        return NULL;
    }
}

static bool is_typed(const struct key_binding *binding)
{
    return binding->word && argument_of(binding);
}

static bool say_help(struct asked *a)
{
    const struct key_binding *binding;

    for (size_t i = 0; i < OWN_COUNT; i++) {
        say(a, "%s: %s", own_words[i].word, own_words[i].help);
    }
    for (size_t i = 0; (binding = keys_at(i, a->verbs)); i++) {
        if (is_typed(binding)) {
            const char *argument = argument_of(binding);

            say(a, "%s%s%s: %s", binding->word, argument[0] ? " " : "", argument, binding->help);
        }
    }
    return false;
}

static bool give_number(struct asked *a, const struct key_binding *binding, uint64_t least,
                        uint64_t most, int64_t sign)
{
    struct err err;
    uint64_t number;

    if (units_parse_count(a->argument, least, most, &number, &err) != RESULT_OK) {
        return refuse(a, err.text);
    }
    return give(a, binding->verb, sign * (int64_t)number);
}

static bool give_rate(struct asked *a)
{
    struct err err;
    struct rate rate;

    return units_parse_rate(a->argument, &rate, &err) == RESULT_OK ? give_text(a, CONTROL_RATE_SET)
                                                                   : refuse(a, err.text);
}

static bool act(struct asked *a, const struct key_binding *binding)
{
    if (!a->argument.len && (binding->action == KEY_ASK_CAP || binding->action == KEY_ASK_RATE ||
                             binding->action == KEY_ASK_MARK || binding->action == KEY_ON_ROWS)) {
        a->refused = true;
        return say(a, "%s %s: %s", binding->word, argument_of(binding), binding->help);
    }
    switch (binding->action) {
    case KEY_CAP_STEP:
        return a->argument.len ? give_number(a, binding, 1, STEP_LARGEST, binding->number)
                               : give(a, binding->verb, binding->number);
    case KEY_ASK_CAP:
        return give_number(a, binding, 0, STEP_LARGEST, 1);
    case KEY_ASK_RATE:
        return give_rate(a);
    case KEY_ASK_MARK:
    case KEY_ASK_SWEEP:
    case KEY_RETRY_FAILED:
    case KEY_RETRY_WAITING:
        return give_text(a, binding->verb);
    case KEY_ON_ROWS:
        return binding->verb == CONTROL_HOLD ? give_text(a, CONTROL_HOLD)
                                             : give_number(a, binding, 1, INT64_MAX, 1);
    default:
        break;
    }
    if (binding->verb == CONTROL_PAUSE && a->s->state == RUN_PAUSED) {
        return say(a, "it is paused; resume goes on");
    }
    return give(a, binding->verb, binding->number);
}

/* --- finding ----------------------------------------------------------------------------------------- */

/* How well the word fits what was typed, which may hold any bytes: 2 wholly, 1 it begins so, 0 not. */
static int fits(const char *word, struct str typed)
{
    struct str whole = str_view(word);

    return !str_starts(whole, typed) ? 0 : typed.len < whole.len ? 1 : 2;
}

struct match {
    int how;
    size_t count; /* that fit so well */
    const struct own_word *own;
    const struct key_binding *binding;
};

static void consider(struct match *m, int how, const struct own_word *own,
                     const struct key_binding *binding)
{
    if (how > m->how) {
        *m = (struct match){ .how = how, .own = own, .binding = binding };
    }
    m->count += how && how == m->how;
}

/* The word that was meant most likely: one letter of three may be wrong. NULL: none is near. */
static const char *nearest_word(struct str typed, uint32_t verbs)
{
    unsigned best = 1 + (unsigned)(typed.len < WORD_LONG ? typed.len : WORD_LONG) / 3, distance;
    const struct key_binding *binding;
    const char *nearest = NULL;

    for (size_t i = 0; i < OWN_COUNT; i++) {
        distance = str_distance(typed, str_view(own_words[i].word));
        if (distance < best) {
            best = distance;
            nearest = own_words[i].word;
        }
    }
    for (size_t i = 0; (binding = keys_at(i, verbs)); i++) {
        distance = is_typed(binding) ? str_distance(typed, str_view(binding->word)) : best;
        if (distance < best) {
            best = distance;
            nearest = binding->word;
        }
    }
    return nearest;
}

static enum words refuse_word(struct asked *a, struct str word, bool is_ambiguous)
{
    const char *nearest = is_ambiguous ? NULL : nearest_word(word, a->verbs);

    say(a, "%s: \"%.*s\"%s%s%s; help lists the commands",
        is_ambiguous ? "several commands begin so" : "no such command",
        (int)(word.len < WORD_LONG ? word.len : WORD_LONG), word.data,
        nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
    return WORDS_REFUSED;
}

enum words words_read(struct str line, const struct snapshot *s, uint32_t verbs,
                      struct control *out, struct buf *answer)
{
    bool is_command;
    struct asked a = { .s = s, .verbs = verbs, .out = out, .answer = answer };
    struct match m = { .how = 0 };
    const struct key_binding *binding;
    struct str rest = str_trim(line), word = str_cut(&rest, ' ');

    if (!word.len) {
        return WORDS_ANSWERED;
    }
    a.argument = str_trim(rest);
    for (size_t i = 0; i < OWN_COUNT; i++) {
        consider(&m, fits(own_words[i].word, word), &own_words[i], NULL);
    }
    for (size_t i = 0; (binding = keys_at(i, verbs)); i++) {
        if (is_typed(binding)) {
            consider(&m, fits(binding->word, word), NULL, binding);
        }
    }
    if (m.count != 1) {
        return refuse_word(&a, word, m.count > 0);
    }
    is_command = m.own ? m.own->act(&a) : act(&a, m.binding);
    return is_command ? WORDS_COMMAND : a.refused ? WORDS_REFUSED : WORDS_ANSWERED;
}

/* --- the way back ------------------------------------------------------------------------------------ */

/* The word of a verb; of two keys with one verb that whose number has the same sign. */
static const char *word_of(const struct control *control, uint32_t verbs)
{
    const struct key_binding *binding;

    for (size_t i = 0; (binding = keys_at(i, verbs)); i++) {
        if (is_typed(binding) && binding->verb == control->verb &&
            (binding->action != KEY_CAP_STEP || (binding->number < 0) == (control->number < 0))) {
            return binding->word;
        }
    }
    return NULL;
}

bool words_write(const struct control *control, bool is_paused, uint32_t verbs, struct buf *out)
{
    const char *word = control->verb == CONTROL_ABORT                ? "abort"
                       : control->verb == CONTROL_ON_ADD             ? "on add"
                       : control->verb == CONTROL_ON_REMOVE          ? "on remove"
                       : control->verb == CONTROL_PAUSE && is_paused ? "resume"
                                                                     : word_of(control, verbs);
    int64_t number = control->number < 0 ? -control->number : control->number;
    bool has_number = control->verb == CONTROL_CAP_SET || control->verb == CONTROL_CAP_ADD ||
                      control->verb == CONTROL_RETRY || control->verb == CONTROL_DROP ||
                      control->verb == CONTROL_ON_REMOVE;

    if (!word || buf_append_str(out, str_view(word)) != RESULT_OK) {
        return false;
    }
    if (has_number) {
        return buf_printf(out, " %lld", (long long)number) == RESULT_OK;
    }
    return !control->text[0] || buf_printf(out, " %s", control->text) == RESULT_OK;
}
