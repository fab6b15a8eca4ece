#include "engine/on_watch.h"

#include "engine/answer.h"
#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/on_act.h"
#include "engine/on_measure.h"

#include <stdlib.h>

void on_watch_answer(struct engine *e, const struct answer *a)
{
    if (a->is_asleep || a->outcome == OUTCOME_CANCELLED) {
        return;
    }
    e->on.answered_us = a->ended_us;
    e->on.rested_us = 0;
    for (size_t i = 0; i < e->on.count; i++) {
        struct on_watched *w = &e->on.list[i];
        enum on_kind kind = on_measures[w->rule.measure].kind;

        if (kind == ON_KIND_ANSWERS) {
            on_counts_add(&w->counts, on_measure_counts(&w->rule, a), a->ended_us);
        } else if (kind == ON_KIND_LATENCY && a->latency_us) {
            on_counts_latency(&w->counts, a->latency_us, a->ended_us);
        }
    }
}

void on_watch_settled(struct engine *e, const struct settled *s)
{
    uint64_t now_us = e->on.count ? engine_now_us(e) : 0;

    for (size_t i = 0; i < e->on.count; i++) {
        struct on_watched *w = &e->on.list[i];

        if (on_measures[w->rule.measure].kind == ON_KIND_ENDED) {
            on_counts_add(&w->counts, !s->is_ok, now_us);
        }
    }
}

static bool wants_snapshot(const struct engine *e)
{
    for (size_t i = 0; i < e->on.count; i++) {
        if (on_measures[e->on.list[i].rule.measure].kind == ON_KIND_NOW) {
            return true;
        }
    }
    return false;
}

static void look_at(struct engine *e, struct on_watched *w, const struct snapshot *now,
                    uint64_t now_us)
{
    double value = 0;
    bool is_known = on_measure_value(e, w, now, now_us, &value);

    w->value[0] = '\0';
    if (is_known) {
        on_rule_format_value(&w->rule, value, w->value);
    }
    if (on_state_look(&w->state, &w->rule, is_known ? &value : NULL, now_us)) {
        on_act(e, w, w->value);
    }
}

void on_watch_tick(struct engine *e, uint64_t now_us)
{
    struct snapshot *now = NULL;

    if (!e->pace.is_paused) {
        e->on.rested_us += on_measure_pause_us(e, now_us);
        e->on.paused_at_us = 0;
    } else if (!e->on.paused_at_us) {
        e->on.paused_at_us = now_us;
    }
    if (!e->on.count || e->phase != ENGINE_RUNNING || now_us < e->on.due_us) {
        return;
    }
    e->on.due_us = now_us + ON_LOOK_US;
    if (wants_snapshot(e)) {
        now = malloc(sizeof *now); /* without memory those rules are looked at later */
    }
    if (now) {
        engine_snapshot(e, now);
    }
    /* One that ends the run is the last. None adds or removes any. */
    for (size_t i = 0; i < e->on.count && e->phase == ENGINE_RUNNING; i++) {
        look_at(e, &e->on.list[i], now, now_us);
    }
    free(now);
}
