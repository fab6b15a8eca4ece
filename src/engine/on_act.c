#include "engine/on_act.h"

#include "engine/command.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/metrics.h"
#include "engine/pump.h"
#include "engine/table.h"

#include <stdio.h>
#include <string.h>

struct act {
    struct engine *engine;
    const struct on_watched *watched;
    char by[24];   /* "on-rule 2" */
    char why[160]; /* "on-rule 2: failed > 5% (7.1 %)" */
};

static void obey(const struct act *a, enum control_verb verb, int64_t number, const char *text)
{
    struct control control = { .verb = verb, .number = number };
    char reply[CONTROL_REPLY_MAX];

    snprintf(control.text, sizeof control.text, "%s", text);
    (void)command_obey(a->engine, &control, a->by, reply);
}

static void act_cap(const struct act *a)
{
    const struct on_rule *rule = &a->watched->rule;
    int64_t cap = a->engine->pace.cap, number = rule->number;
    int64_t wanted = rule->operation == '+'   ? cap + number
                     : rule->operation == '-' ? cap - number
                     : rule->operation == '*' ? cap * number
                     : rule->operation == '/' ? cap / number
                                              : number;

    obey(a, CONTROL_CAP_SET, wanted < 1 ? 1 : wanted, "");
}

static void act_rate(const struct act *a)
{
    obey(a, CONTROL_RATE_SET, 0, a->watched->rule.argument);
}

static void act_auto(const struct act *a)
{
    if (!a->engine->pace.auto_on) {
        obey(a, CONTROL_AUTO, 0, "");
    }
}

static void act_drain(const struct act *a)
{
    pump_drain(a->engine);
}

/* A pause that nobody could end would last for ever. */
static void act_pause(const struct act *a)
{
    struct engine *e = a->engine;

    if (!e->options.attended && !e->on.can_return) {
        events_add(&e->events, EVENT_WARNING, "drain", ",\"code\":\"W-ON2\"",
                   "%s drains the run, as nobody could resume it after a pause [W-ON2]", a->by);
        act_drain(a);
    } else if (!e->pace.is_paused) {
        obey(a, CONTROL_PAUSE, 0, "");
    }
}

static void act_resume(const struct act *a)
{
    if (a->engine->pace.is_paused) {
        obey(a, CONTROL_PAUSE, 0, "");
    }
}

static void act_stop(const struct act *a)
{
    engine_stop_for(a->engine, "E-ON4", a->why);
    a->engine->ending.exit = EXIT_LIMIT;
}

static void act_normalise(const struct act *a)
{
    if (!table_is_running(a->engine)) {
        obey(a, CONTROL_NORMALISE, 0, "");
    }
}

static void act_retry(const struct act *a)
{
    obey(a, CONTROL_RETRY_FAILED, 0, "");
}

/* It has been said with the rule's own event. */
static void act_say(const struct act *a)
{
    (void)a;
}

static void (*const acts[ON_VERB_COUNT])(const struct act *act) = {
#define ACT(NAME, name, ...) [ON_DO_##NAME] = act_##name,
    ON_VERBS(ACT)
#undef ACT
};

/* Those that keep the run back. */
static bool is_warning(const struct engine *e, const struct on_rule *rule)
{
    switch (rule->verb) {
    case ON_DO_CAP:
        return rule->operation == '-' || rule->operation == '/' ||
               (rule->operation == '=' && rule->number < e->pace.cap);
    case ON_DO_RATE:
        return strcmp(rule->argument, "off") != 0;
    case ON_DO_PAUSE:
    case ON_DO_DRAIN:
    case ON_DO_STOP:
        return true;
    default:
        return false;
    }
}

static void tell(const struct act *a, const char *value)
{
    struct engine *e = a->engine;
    const struct on_rule *rule = &a->watched->rule;
    bool warns = is_warning(e, rule);
    const char *code = warns ? "W-ON1" : "N-ON1";
    struct buf fields = { 0 };

    if (buf_printf(&fields, ",\"code\":\"%s\",\"on\":%u", code, a->watched->number) == RESULT_OK &&
        events_put_text(&e->events, &fields, "when", str_view(rule->when)) == RESULT_OK &&
        events_put_text(&e->events, &fields, "do", str_view(rule->act)) == RESULT_OK &&
        events_put_text(&e->events, &fields, "value", str_view(value)) == RESULT_OK) {
        events_add(&e->events, warns ? EVENT_WARNING : EVENT_NOTICE, "on", buf_cstr(&fields),
                   "%s: %s [%s]", a->why, rule->verb == ON_DO_SAY ? rule->argument : rule->act,
                   code);
    }
    buf_release(&fields);
}

void on_act(struct engine *e, const struct on_watched *w, const char *value)
{
    struct act a = { .engine = e, .watched = w };

    snprintf(a.by, sizeof a.by, "on-rule %u", w->number);
    snprintf(a.why, sizeof a.why, "%s: %s (it is %s)", a.by, w->rule.when, value);
    metrics_mark(&e->metrics);
    tell(&a, value);
    acts[w->rule.verb](&a);
    engine_want_turn(e);
}
