#include "plan/on_state.h"

#include <stdlib.h>

/* --- counting ----------------------------------------------------------------------------------------------- */

enum result on_counts_init(struct on_counts *c, const struct on_rule *rule, uint64_t now_us,
                           struct err *err)
{
    *c = (struct on_counts){ .slot_us = rule->over_us / ON_SLOTS, .began_us = now_us };
    if (on_measures[rule->measure].kind == ON_KIND_LATENCY) {
        c->latency = calloc(ON_LATENCY_SLOTS, sizeof *c->latency);
        if (!c->latency) {
            return err_nomem(err, "preparing a rule");
        }
    }
    return RESULT_OK;
}

void on_counts_release(struct on_counts *c)
{
    free(c->latency);
    c->latency = NULL;
}

/* Slots that are over make room. */
static void go_to(struct on_counts *c, uint64_t now_us)
{
    const uint64_t part = ON_SLOTS / ON_LATENCY_SLOTS;
    uint64_t number = now_us > c->began_us ? (now_us - c->began_us) / c->slot_us : 0;

    if (number > c->number + ON_SLOTS) {
        c->number = number - ON_SLOTS; /* all of them are over */
    }
    while (c->number < number) {
        c->number++;
        c->hits[c->number % ON_SLOTS] = c->all[c->number % ON_SLOTS] = 0;
        if (c->latency && c->number % part == 0) {
            hist_reset(&c->latency[c->number / part % ON_LATENCY_SLOTS]);
        }
    }
}

void on_counts_add(struct on_counts *c, bool is_hit, uint64_t now_us)
{
    go_to(c, now_us);
    c->all[c->number % ON_SLOTS]++;
    c->hits[c->number % ON_SLOTS] += is_hit;
}

void on_counts_latency(struct on_counts *c, uint64_t latency_us, uint64_t now_us)
{
    const uint64_t part = ON_SLOTS / ON_LATENCY_SLOTS;

    go_to(c, now_us);
    if (c->latency) {
        hist_record(&c->latency[c->number / part % ON_LATENCY_SLOTS], latency_us);
    }
}

static bool percentile(const struct on_counts *c, enum on_measure measure, double *value)
{
    double percent = measure == ON_P50 ? 50 : measure == ON_P95 ? 95 : 99;
    struct hist all;

    hist_reset(&all);
    for (int i = 0; c->latency && i < ON_LATENCY_SLOTS; i++) {
        hist_add(&all, &c->latency[i]);
    }
    *value = (double)hist_percentile_us(&all, percent);
    return all.count >= ON_EVIDENCE_MIN;
}

bool on_counts_value(struct on_counts *c, const struct on_rule *rule, uint64_t now_us,
                     double *value)
{
    uint64_t hits = 0, all = 0;
    bool is_low = rule->compare == ON_BELOW || rule->compare == ON_AT_MOST;
    bool is_whole;

    go_to(c, now_us);
    is_whole = c->number >= ON_SLOTS;
    if (on_measures[rule->measure].kind == ON_KIND_LATENCY) {
        return percentile(c, rule->measure, value);
    }
    for (int i = 0; i < ON_SLOTS; i++) {
        hits += c->hits[i];
        all += c->all[i];
    }
    if (on_measures[rule->measure].unit == ON_UNIT_RATE) {
        *value = (double)all * 1e6 / (double)(c->slot_us * ON_SLOTS);
        return is_whole || !is_low;
    }
    if (!rule->is_share) {
        *value = (double)hits;
        return is_whole || !is_low;
    }
    *value = all ? (double)hits / (double)all : 0;
    return all >= ON_EVIDENCE_MIN;
}

/* --- firing --------------------------------------------------------------------------------------------------- */

static bool holds(const struct on_rule *rule, double value)
{
    switch (rule->compare) {
    case ON_ABOVE:
        return value > rule->limit;
    case ON_AT_LEAST:
        return value >= rule->limit;
    case ON_BELOW:
        return value < rule->limit;
    default:
        return value <= rule->limit;
    }
}

static uint64_t patience_us(const struct on_state *s, const struct on_rule *rule)
{
    uint64_t us = ON_RETRY_US;

    if (rule->verb != ON_DO_RETRY || !s->fired) {
        return rule->for_us;
    }
    for (uint64_t i = 1; i < s->fired && us < ON_RETRY_MAX_US; i++) {
        us *= 2;
    }
    us = us < ON_RETRY_MAX_US ? us : ON_RETRY_MAX_US;
    return us > rule->for_us ? us : rule->for_us;
}

bool on_state_look(struct on_state *s, const struct on_rule *rule, const double *value,
                   uint64_t now_us)
{
    bool is_gap = s->looked_us && now_us - s->looked_us > ON_GAP_US;

    s->looked_us = now_us;
    if (!value || !holds(rule, *value)) {
        s->is_true = s->has_fired = false;
        return false;
    }
    if (!s->is_true || is_gap) {
        s->since_us = now_us;
    }
    s->is_true = true;
    if (s->has_fired || now_us - s->since_us < patience_us(s, rule)) {
        return false;
    }
    s->has_fired = true;
    s->fired++;
    return true;
}
