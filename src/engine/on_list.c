#include "engine/on_list.h"

#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum result put(struct engine *e, const struct on_rule *rule, bool is_added, struct err *err)
{
    struct on_list *on = &e->on;
    struct on_watched *list, *w;
    enum result result;

    if (on->count == ON_RULES_MAX) {
        return err_set(err, RESULT_LIMIT, "E-ON2", "more than %d rules by event", ON_RULES_MAX);
    }
    list = reallocarray(on->list, on->count + 1, sizeof *list);
    if (!list) {
        return err_nomem(err, "adding a rule");
    }
    on->list = list;
    w = &list[on->count];
    *w = (struct on_watched){ .number = on->last_number + 1, .is_added = is_added, .rule = *rule };
    result = on_counts_init(&w->counts, rule, engine_now_us(e), err);
    if (result == RESULT_OK) {
        on->last_number++;
        on->count++;
    }
    return result;
}

enum result on_list_init(struct engine *e, struct err *err)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < e->job->on.count && result == RESULT_OK; i++) {
        result = put(e, &e->job->on.list[i], false, err);
    }
    return result;
}

void on_list_release(struct engine *e)
{
    for (size_t i = 0; i < e->on.count; i++) {
        on_counts_release(&e->on.list[i].counts);
    }
    free(e->on.list);
    e->on.list = NULL;
    e->on.count = 0;
}

/* What a user's words are worth to events.jsonl: the rule as text, without secrets. */
static void note(struct engine *e, const char *kind, const struct on_watched *w, const char *words)
{
    struct buf fields = { 0 };

    if (buf_printf(&fields, ",\"on\":%u", w->number) == RESULT_OK &&
        events_put_text(&e->events, &fields, "when", str_view(w->rule.when)) == RESULT_OK &&
        events_put_text(&e->events, &fields, "do", str_view(w->rule.act)) == RESULT_OK) {
        events_add(&e->events, EVENT_NOTICE, kind, buf_cstr(&fields), "on-rule %u %s: %s: %s",
                   w->number, words, w->rule.when, w->rule.act);
    }
    buf_release(&fields);
}

bool on_list_add(struct engine *e, struct str line, char reply[CONTROL_REPLY_MAX])
{
    struct on_rule rule;
    struct err err;

    if (on_rule_parse_line(&rule, line, &err) != RESULT_OK) {
        snprintf(reply, CONTROL_REPLY_MAX, "%s", err.text);
        return false;
    }
    for (size_t i = 0; i < e->on.count; i++) {
        if (on_rule_is_same(&e->on.list[i].rule, &rule)) {
            snprintf(reply, CONTROL_REPLY_MAX, "that is on-rule %u already", e->on.list[i].number);
            return false;
        }
    }
    if (put(e, &rule, true, &err) != RESULT_OK) {
        snprintf(reply, CONTROL_REPLY_MAX, "%s", err.text);
        return false;
    }
    note(e, "on-added", &e->on.list[e->on.count - 1], "added, for this session");
    snprintf(reply, CONTROL_REPLY_MAX, "on-rule %u, for this session: the job file keeps its own",
             e->on.last_number);
    return true;
}

bool on_list_remove(struct engine *e, uint64_t number, char reply[CONTROL_REPLY_MAX])
{
    struct on_list *on = &e->on;

    for (size_t i = 0; i < on->count; i++) {
        struct on_watched *w = &on->list[i];

        if (w->number == number) {
            note(e, "on-removed", w, "removed, for this session");
            snprintf(reply, CONTROL_REPLY_MAX, "on-rule %u is gone, for this session", w->number);
            on_counts_release(&w->counts);
            memmove(w, w + 1, (on->count - i - 1) * sizeof *w);
            on->count--;
            return true;
        }
    }
    snprintf(reply, CONTROL_REPLY_MAX, "there is no on-rule %llu; on lists them",
             (unsigned long long)number);
    return false;
}
