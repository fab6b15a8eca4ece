/* Rules as the command line spells them, put before those of the job file. */
#include "job/job_read.h"

#include "job/job_parts.h"

#include <stdlib.h>
#include <string.h>

/* `{"status":404,...}` as `{"first":true,"status":404,...}`. */
static bool put_first(struct answer_rule *rule, struct str words)
{
    struct buf text = { 0 };
    char *json = NULL, *copy = str_dup(str_trim(words));

    if (copy &&
        (rule->is_first || buf_printf(&text, "{\"first\":true%s%s", rule->json[1] == '}' ? "" : ",",
                                      rule->json + 1) == RESULT_OK)) {
        json = rule->is_first ? str_dup(str_view(rule->json)) : str_dup(buf_view(&text));
    }
    buf_release(&text);
    if (!json || !copy) {
        free(json);
        free(copy);
        return false;
    }
    free(rule->json);
    free(rule->text);
    rule->json = json;
    rule->text = copy;
    rule->is_first = true;
    return true;
}

/* One rule into a list of its own, whose place in the job's is after those that came first. */
static enum result read_spelt(struct answer_rules *rules, struct str json, struct str words,
                              struct job_faults *faults, struct err *err)
{
    struct job_reader r = { .path = "" };
    enum result result = RESULT_OK;

    if (job_text_open(&r.text, json, NULL, faults)) {
        job_read_answer_rule(&r, rules, job_text_root(&r.text));
    }
    if (!r.text.no_memory && !faults->count) {
        r.text.no_memory = !put_first(&rules->list[0], words);
    }
    if (r.text.no_memory) {
        result = err_nomem(err, "reading a rule");
    } else if (faults->count) {
        result = RESULT_INVALID;
        if (err) {
            *err = faults->errors[0];
        }
    }
    job_text_release(&r.text);
    return result;
}

static enum result insert(struct answer_rules *to, struct answer_rules *one, struct err *err)
{
    size_t at = 0;

    while (at < to->count && to->list[at].is_first) {
        if (answer_rule_covers(&to->list[at], &one->list[0])) {
            return err_set(err, RESULT_INVALID, "E-ANS1",
                           "can never match: \"%.200s\" takes all that it could, and stands before "
                           "it",
                           to->list[at].text);
        }
        at++;
    }
    if (to->count == ANSWER_RULES_MAX) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "more than %d rules", ANSWER_RULES_MAX);
    }
    if (!answer_rules_add(to)) {
        return err_nomem(err, "reading a rule");
    }
    memmove(&to->list[at + 1], &to->list[at], (to->count - 1 - at) * sizeof to->list[0]);
    to->list[at] = one->list[0];
    one->count = 0;
    return RESULT_OK;
}

enum result job_add_answer(struct job *job, struct str words, struct err *err)
{
    struct job_faults *faults = calloc(1, sizeof *faults);
    struct answer_rules one = { NULL, 0 };
    struct buf json = { 0 };
    enum result result =
        faults ? answer_rule_spell(words, &json, err) : err_nomem(err, "reading a rule");

    if (result == RESULT_OK) {
        result = read_spelt(&one, buf_view(&json), words, faults, err);
    }
    if (result == RESULT_OK) {
        result = insert(&job->answers, &one, err);
    }
    answer_rules_release(&one);
    buf_release(&json);
    free(faults);
    return result;
}
