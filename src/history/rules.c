#include "history/rules.h"

#include "base/message.h"
#include "base/units.h"
#include "base/utf8.h"
#include "engine/rule_trial.h"
#include "history/json_print.h"
#include "history/stored_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_COLUMNS 200

/* What is meant without a rule; NULL: nothing is told of it. */
static const char *const meanings[ANSWER_USUAL_COUNT] = {
    [ANSWER_USUAL_NOT_READY] = "not ready: would be asked for again",
    [ANSWER_USUAL_LIMIT] = "a limit of requests was met: would hold the host",
    [ANSWER_USUAL_BUSY] = "an error with Retry-After: would hold the host",
    [ANSWER_USUAL_WRONG_TYPE] = "no JSON, and not meant to be: would fail",
};

/* --- printing ------------------------------------------------------------------------------------------ */

static void print_examples(const struct rule_trial_line *line)
{
    char key[4 * RULE_TRIAL_KEY + 4];

    for (size_t i = 0; i < line->example_count; i++) {
        const struct rule_trial_example *example = &line->examples[i];

        utf8_display(key, sizeof key, str_view(example->key), RULE_TRIAL_KEY);
        printf("            id %" PRIu64 ", key %s, HTTP %d%s\n", example->id, key, example->status,
               example->has_failed ? ", failed" : "");
    }
}

static void print_line(const struct rule_trial_line *line, const char *what, const char *text)
{
    char shown[4 * SHOWN_COLUMNS + 4];

    utf8_display(shown, sizeof shown, str_view(text), SHOWN_COLUMNS);
    printf("%10" PRIu64 "  %s%s%s\n", line->count, what, shown[0] ? ": " : "", shown);
    print_examples(line);
}

static void print_trial(const struct rulebook *book, const struct rule_trial *trial)
{
    char name[RULEBOOK_NAME_MAX];

    printf("%" PRIu64 " stored answer%s, %" PRIu64 " of %s failed\n", trial->answers,
           units_plural(trial->answers), trial->failures, trial->answers == 1 ? "it" : "them");
    for (size_t i = 0; i < rulebook_count(book); i++) {
        rulebook_name(book, i, name);
        print_line(&trial->rules[i], name, rulebook_rule(book, i)->text);
    }
    print_line(&trial->none, "no rule", "");
    for (int i = 0; i < ANSWER_USUAL_COUNT; i++) {
        if (meanings[i] && trial->usual[i].count) {
            printf("%10" PRIu64 "  of these %s\n", trial->usual[i].count, meanings[i]);
            print_examples(&trial->usual[i]);
        }
    }
    if (trial->unsure) {
        printf("%10" PRIu64 "  of all: some rule could not be told: a run keeps the headers of "
               "failed answers only, and 4 KiB of their bodies\n",
               trial->unsure);
    }
    if (trial->unknown) {
        printf("%10" PRIu64 "  more failures have no answer that was kept\n", trial->unknown);
    }
}

static void write_line(struct json_writer *w, const struct rule_trial_line *line)
{
    json_write_uint(w, "count", line->count);
    json_write_array(w, "examples");
    for (size_t i = 0; i < line->example_count; i++) {
        const struct rule_trial_example *example = &line->examples[i];

        json_write_object(w, NULL);
        json_write_uint(w, "id", example->id);
        json_write_text(w, "key", str_view(example->key));
        json_write_int(w, "status", example->status);
        json_write_bool(w, "failed", example->has_failed);
        json_write_object_end(w);
    }
    json_write_array_end(w);
    json_write_object_end(w);
}

static void write_rule(struct json_writer *w, const struct rulebook *book, size_t index,
                       const struct rule_trial_line *line)
{
    const struct answer_rule *rule = rulebook_rule(book, index);
    char name[RULEBOOK_NAME_MAX];

    rulebook_name(book, index, name);
    json_write_line(w, 2);
    json_write_object(w, NULL);
    json_write_text(w, "name", str_view(name));
    json_write_text(w, "rule", str_view(rule->text));
    json_write_text(w, "do", str_view(answer_actions[rule->action].name));
    write_line(w, line);
}

static void print_trial_json(const struct rulebook *book, const struct rule_trial *trial)
{
    static const char *const words[ANSWER_USUAL_COUNT] = {
        [ANSWER_USUAL_NONE] = "status",           [ANSWER_USUAL_NOT_READY] = "not-ready",
        [ANSWER_USUAL_LIMIT] = "limit",           [ANSWER_USUAL_BUSY] = "busy",
        [ANSWER_USUAL_WRONG_TYPE] = "wrong-type",
    };
    struct buf text = { 0 };
    struct json_writer w = json_write_begin(&text);

    json_write_object(&w, NULL);
    json_write_uint(&w, "answers", trial->answers);
    json_write_uint(&w, "failures", trial->failures);
    json_write_uint(&w, "unsure", trial->unsure);
    json_write_uint(&w, "unknown", trial->unknown);
    json_write_line(&w, 1);
    json_write_array(&w, "rules");
    for (size_t i = 0; i < rulebook_count(book); i++) {
        write_rule(&w, book, i, &trial->rules[i]);
    }
    json_write_array_end(&w);
    json_write_line(&w, 1);
    json_write_object(&w, "none");
    write_line(&w, &trial->none);
    json_write_line(&w, 1);
    json_write_object(&w, "means");
    for (int i = 0; i < ANSWER_USUAL_COUNT; i++) {
        json_write_object(&w, words[i]);
        write_line(&w, &trial->usual[i]);
    }
    json_write_object_end(&w);
    json_write_object_end(&w);
    json_print(stdout, &w);
    printf("\n");
    buf_release(&text);
}

/* --- trying ----------------------------------------------------------------------------------------------- */

static void on_damaged(void *context, const struct err *err)
{
    *(bool *)context = true;
    message_error(err);
}

/* By their names; one alone is the other one alone. */
static uint32_t *map_endpoints(const struct job *from, const struct job *to)
{
    uint32_t *map = calloc(from->endpoint_count + 1, sizeof *map);

    for (size_t i = 0; map && i < from->endpoint_count; i++) {
        map[i] = from->endpoint_count == 1 && to->endpoint_count == 1 ? 0 : RULEBOOK_EVERY;
        for (uint32_t k = 0; k < to->endpoint_count; k++) {
            const char *name = to->endpoints[k].name;

            if (name && strcmp(from->endpoints[i].name, name) == 0) {
                map[i] = k;
            }
        }
    }
    return map;
}

static enum result try_rules(struct run_reader *reader, const struct job *stored,
                             const struct job *job, bool json, bool *damaged, struct err *err)
{
    uint32_t *endpoints = map_endpoints(stored, job);
    struct rule_trial trial;
    struct rulebook *book = NULL;
    enum result result =
        endpoints ? rulebook_new(&book, job, err) : err_nomem(err, "trying the rules");

    if (result == RESULT_OK) {
        const struct rule_trial_question question = { .book = book,
                                                      .endpoints = endpoints,
                                                      .endpoint_count = stored->endpoint_count,
                                                      .job = stored,
                                                      .damaged = on_damaged,
                                                      .context = damaged };

        result = rule_trial_run(reader, &question, &trial, err);
    }
    if (result == RESULT_OK) {
        if (json) {
            print_trial_json(book, &trial);
        } else {
            print_trial(book, &trial);
        }
        rule_trial_release(&trial);
    }
    rulebook_free(book);
    free(endpoints);
    return result;
}

/* They go before those of the job, and take the place of an earlier command line's. */
static enum result add_answers(struct job *job, const struct rules_question *question,
                               struct err *err)
{
    enum result result = RESULT_OK;

    if (question->answer_count) {
        answer_rules_drop_first(&job->answers);
    }
    for (size_t i = 0; i < question->answer_count && result == RESULT_OK; i++) {
        result = job_add_answer(job, str_view(question->answers[i]), err);
        if (result != RESULT_OK) {
            err_prefix(err, "--answer");
        }
    }
    return result;
}

enum result rules_print(struct run_reader *reader, const struct rules_question *question,
                        bool *is_damaged, struct err *err)
{
    struct job stored;
    struct job *job = question->job ? question->job : &stored;
    enum result result = stored_job_read_without_secrets(&reader->dir, &stored, err);

    *is_damaged = false;
    if (result != RESULT_OK) {
        return result;
    }
    result = add_answers(job, question, err);
    if (result == RESULT_OK) {
        result = try_rules(reader, &stored, job, question->json, is_damaged, err);
    }
    job_release(&stored);
    return result;
}
