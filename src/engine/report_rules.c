#include "engine/report_rules.h"

#include "base/units.h"
#include "engine/engine_state.h"
#include "engine/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SHOWN 200

void report_add_rules(struct engine *e, struct report *r)
{
    size_t count = e->rules.book ? rulebook_count(e->rules.book) : 0;

    memcpy(r->meant, e->rules.usual_counts, sizeof r->meant);
    r->rules = count ? calloc(count, sizeof *r->rules) : NULL;
    for (size_t i = 0; r->rules && i < count; i++) {
        const struct answer_rule *rule = rulebook_rule(e->rules.book, i);
        struct report_rule *out = &r->rules[i];

        rulebook_name(e->rules.book, i, out->name);
        out->text = str_dup(str_view(rule->text));
        out->action = rule->action;
        out->count = e->rules.counts[i];
        r->rule_count++;
    }
}

void report_release_rules(struct report *r)
{
    for (size_t i = 0; i < r->rule_count; i++) {
        free(r->rules[i].text);
    }
    free(r->rules);
    r->rules = NULL;
    r->rule_count = 0;
}

/* What is said of those that no rule speaks of; NULL: nothing, other lines tell it. */
static const struct {
    const char *words, *name, *action;
} meanings[ANSWER_USUAL_COUNT] = {
    [ANSWER_USUAL_NOT_READY] = { "were not ready, and asked for again", "not ready", "again" },
    [ANSWER_USUAL_LIMIT] = { "told in their body that a limit of requests was met", "limit",
                             "hold" },
    [ANSWER_USUAL_BUSY] = { "were an error with Retry-After", "busy", "hold" },
    [ANSWER_USUAL_WRONG_TYPE] = { "were no JSON and not meant to be", "wrong type", "retry" },
};

static void add_rule(struct snapshot *s, const char *name, const char *action, const char *text,
                     uint64_t count)
{
    struct snapshot_rule *out = &s->rules[s->rule_count];

    if (s->rule_count == SNAPSHOT_RULES_MAX) {
        return;
    }
    s->rule_count++;
    out->count = count;
    snprintf(out->name, sizeof out->name, "%s", name);
    snprintf(out->action, sizeof out->action, "%s", action);
    snprintf(out->text, sizeof out->text, "%s", text);
}

void report_rules_snapshot(const struct engine *e, struct snapshot *s)
{
    char name[RULEBOOK_NAME_MAX];

    for (int with = 1; with >= 0;
         with--) { /* those that have met answers find room before the others */
        for (size_t i = 0; i < rulebook_count(e->rules.book); i++) {
            const struct answer_rule *rule = rulebook_rule(e->rules.book, i);

            if ((e->rules.counts[i] > 0) == with) {
                rulebook_name(e->rules.book, i, name);
                add_rule(s, name, answer_actions[rule->action].name, rule->text,
                         e->rules.counts[i]);
            }
        }
        for (int i = 0; with && i < ANSWER_USUAL_COUNT; i++) {
            if (e->rules.usual_counts[i] && meanings[i].name) {
                add_rule(s, meanings[i].name, meanings[i].action, "", e->rules.usual_counts[i]);
            }
        }
    }
}

enum result report_rules(const struct report *r, struct buf *out)
{
    enum result result = RESULT_OK;
    bool is_any_idle = false;

    for (size_t i = 0; i < r->rule_count && result == RESULT_OK; i++) {
        const struct report_rule *rule = &r->rules[i];

        if (rule->count) {
            result = buf_printf(out, "%llu answer%s met %s: %.*s\n",
                                (unsigned long long)rule->count, units_plural(rule->count),
                                rule->name, TEXT_SHOWN, rule->text ? rule->text : "");
        }
    }
    for (size_t i = 0; r->attempts && i < r->rule_count && result == RESULT_OK; i++) {
        const struct report_rule *rule = &r->rules[i];

        if (!rule->count) {
            result = buf_printf(out, "%s%s (%.*s)", is_any_idle ? ", " : "no answer met ",
                                rule->name, TEXT_SHOWN, rule->text ? rule->text : "");
            is_any_idle = true;
        }
    }
    if (is_any_idle && result == RESULT_OK) {
        result = buf_append_char(out, '\n');
    }
    for (int i = 0; i < ANSWER_USUAL_COUNT && result == RESULT_OK; i++) {
        if (r->meant[i] && meanings[i].words) {
            result = buf_printf(out, "%llu answer%s %s\n", (unsigned long long)r->meant[i],
                                units_plural(r->meant[i]), meanings[i].words);
        }
    }
    return result;
}

static void add_item(cJSON *list, const char *name, const char *text, const char *action,
                     uint64_t count)
{
    cJSON *item = cJSON_CreateObject();

    cJSON_AddStringToObject(item, "name", name);
    if (text) {
        cJSON_AddStringToObject(item, "rule", text);
    } else {
        cJSON_AddNullToObject(item, "rule");
    }
    cJSON_AddStringToObject(item, "do", action);
    cJSON_AddNumberToObject(item, "count", (double)count);
    cJSON_AddItemToArray(list, item);
}

void report_rules_json(const struct report *r, cJSON *root)
{
    cJSON *list = cJSON_AddArrayToObject(root, "rules");

    for (size_t i = 0; i < r->rule_count; i++) {
        const struct report_rule *rule = &r->rules[i];

        add_item(list, rule->name, rule->text, answer_actions[rule->action].name, rule->count);
    }
    for (int i = 0; i < ANSWER_USUAL_COUNT; i++) {
        if (r->meant[i] && meanings[i].words) {
            add_item(list, meanings[i].name, NULL, meanings[i].action, r->meant[i]);
        }
    }
}
