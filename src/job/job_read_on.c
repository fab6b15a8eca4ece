/*
 * Reading and writing "on", the rules by event of a job file.
 */
#include "job/job.h"

#include "base/json_scan.h"
#include "job/job_put.h"
#include "job/job_read.h"

#include <stddef.h>
#include <stdlib.h>

/* The texts as they stand there. */
struct spelt {
    char *when, *act;
    bool is_typed;
};

enum { ON_KEY_WHEN, ON_KEY_DO, ON_KEY_TYPED };

/* clang-format off */
static const struct job_key on_keys[] = {
    [ON_KEY_WHEN] = { "when", JOB_KEY_TEXT, offsetof(struct spelt, when),
      .help = "MEASURE [in TIME] COMPARISON LIMIT [for TIME]: \"429 > 2% for 60s\", \"p95 in 5m >= 2s\"",
      .schema = JOB_JSON("type": "string", "maxLength": 95, "pattern": "[<>]") },
    [ON_KEY_DO] = { "do", JOB_KEY_TEXT, offsetof(struct spelt, act),
      .help = "@on_verbs",
      .schema = JOB_JSON("type": "string", "maxLength": 95, "pattern": "^ *[a-z]") },
    [ON_KEY_TYPED] = { "typed", JOB_KEY_BOOL, offsetof(struct spelt, is_typed),
      .help = "In job.json: --on has given it, and a later --on replaces it" },
};

const struct job_keys job_on_keys =
    JOB_KEYS("on", on_keys,
             .help = "A rule by event: it fires once, and again only after its comparison has been false.",
             .schema = JOB_JSON("required": ["when", "do"]));
/* clang-format on */

static void take(struct job_reader *r, struct on_rules *rules, const struct spelt *spelt,
                 struct str value)
{
    struct on_rule rule;
    struct err err;

    if (on_rule_parse(&rule, str_view(spelt->when), str_view(spelt->act), &err) != RESULT_OK) {
        err_prefix(&err, "\"on\"");
        job_text_fault_of(&r->text, value, &err);
        return;
    }
    rule.is_typed = spelt->is_typed;
    switch (on_rules_add(rules, &rule, &err)) {
    case RESULT_OK:
        break;
    case RESULT_NOMEM:
        r->text.no_memory = true;
        break;
    default:
        job_text_fault_of(&r->text, value, &err);
        break;
    }
}

static void read_rule(struct job_reader *r, struct on_rules *rules, struct str value)
{
    struct spelt spelt = { NULL, NULL, false };
    size_t faults = r->text.faults->count;
    uint64_t seen = job_read_object(r, &job_on_keys, &spelt, value);

    if (json_type_of(value) == JSON_OBJECT &&
        (!(seen >> ON_KEY_WHEN & 1) || !(seen >> ON_KEY_DO & 1))) {
        job_text_fault(&r->text, value, "E-CFG4", "a rule of \"on\" wants \"when\" and \"do\"");
    }
    if (r->text.faults->count == faults && spelt.when && spelt.act) {
        take(r, rules, &spelt, value);
    }
    free(spelt.when);
    free(spelt.act);
}

void job_read_on(struct job_reader *r, void *target, struct str value)
{
    struct job *job = target;
    struct json_walk walk;
    struct str item;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(
            &r->text, value, "E-CFG2",
            "\"on\": want an array of rules: {\"when\": \"429 > 2%%\", \"do\": \"cap /2\"}");
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item) && !r->text.no_memory) {
        read_rule(r, &job->on, item);
    }
}

bool job_put_on(const struct job_writer *w, struct cJSON *to, const struct job_key *key,
                const void *target)
{
    const struct on_rules *rules = &((const struct job *)target)->on;
    cJSON *array = rules->count ? cJSON_AddArrayToObject(to, key->name) : NULL;

    (void)w;
    for (size_t i = 0; array && i < rules->count; i++) {
        const struct on_rule *rule = &rules->list[i];
        cJSON *item = cjson_add_element(array);

        if (!item || (rule->is_typed && !cJSON_AddTrueToObject(item, "typed")) ||
            !cJSON_AddStringToObject(item, "when", rule->when) ||
            !cJSON_AddStringToObject(item, "do", rule->act)) {
            return false;
        }
    }
    return !rules->count || array;
}

enum result job_add_on(struct job *job, struct str line, struct err *err)
{
    struct on_rule rule;
    enum result result = on_rule_parse_line(&rule, line, err);

    rule.is_typed = true;
    return result == RESULT_OK ? on_rules_add(&job->on, &rule, err) : result;
}
