#include "engine/report_on.h"

#include "base/units.h"
#include "engine/engine_state.h"

#include <stdio.h>

void report_add_on(struct engine *e, struct report *r)
{
    r->on_count = 0;
    for (size_t i = 0; i < e->on.count && i < SNAPSHOT_ON_MAX; i++) {
        const struct on_watched *w = &e->on.list[i];
        struct report_on *out = &r->on[r->on_count++];

        *out = (struct report_on){ .number = w->number, .fired = w->state.fired };
        snprintf(out->rule, sizeof out->rule, "%s: %s", w->rule.when, w->rule.act);
    }
}

void report_on_snapshot(const struct engine *e, struct snapshot *s)
{
    for (size_t i = 0; i < e->on.count && i < SNAPSHOT_ON_MAX; i++) {
        const struct on_watched *w = &e->on.list[i];
        struct snapshot_on *out = &s->ons[s->on_count++];

        out->number = w->number;
        out->fired = w->state.fired;
        out->holds = w->state.is_true;
        out->is_added = w->is_added;
        snprintf(out->value, sizeof out->value, "%s", w->value);
        snprintf(out->rule, sizeof out->rule, "%s: %s", w->rule.when, w->rule.act);
    }
}

enum result report_on(const struct report *r, struct buf *out)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < r->on_count && result == RESULT_OK; i++) {
        const struct report_on *on = &r->on[i];

        if (on->fired) {
            result = buf_printf(out, "on-rule %u fired %llu time%s: %s\n", on->number,
                                (unsigned long long)on->fired, units_plural(on->fired), on->rule);
        }
    }
    return result;
}

void report_on_json(const struct report *r, cJSON *root)
{
    cJSON *list = cJSON_AddArrayToObject(root, "on");

    for (size_t i = 0; i < r->on_count; i++) {
        cJSON *item = cJSON_CreateObject();

        cJSON_AddNumberToObject(item, "number", r->on[i].number);
        cJSON_AddStringToObject(item, "rule", r->on[i].rule);
        cJSON_AddNumberToObject(item, "fired", (double)r->on[i].fired);
        cJSON_AddItemToArray(list, item);
    }
}
