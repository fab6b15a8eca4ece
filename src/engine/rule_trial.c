#include "engine/rule_trial.h"

#include "base/json_scan.h"
#include "job/job.h"
#include "plan/retry.h"
#include "store/line.h"

#include <stdio.h>
#include <stdlib.h>

struct trial {
    struct run_reader *reader;
    const struct rule_trial_question *question;
    struct rule_trial *out;
    struct buf line;                    /* of the record at hand, */
    struct buf content_type, body, key; /* and what is unescaped of it */
};

static uint32_t endpoint_of(const struct trial *t, uint32_t stored)
{
    return stored < t->question->endpoint_count ? t->question->endpoints[stored] : RULEBOOK_EVERY;
}

static bool asks_safely(const struct trial *t, uint32_t stored)
{
    const struct job *job = t->question->job;

    return stored >= job->endpoint_count ||
           retry_method_is_idempotent(str_view(job->endpoints[stored].method));
}

static void add(struct rule_trial_line *line, const struct rule_trial_example *example)
{
    line->count++;
    if (line->example_count < RULE_TRIAL_EXAMPLES) {
        line->examples[line->example_count++] = *example;
    }
}

/* `stored`: the number of its endpoint in the run. */
static void look_at(struct trial *t, const struct answer_view *a, uint32_t stored,
                    const struct rule_trial_example *example)
{
    const struct answer_asker asker = { .asks_safely = asks_safely(t, stored) };
    char why[ANSWER_WHY_MAX];
    bool unsure = false;
    size_t rule = rulebook_match(t->question->book, endpoint_of(t, stored), a, &unsure);

    t->out->answers++;
    t->out->failures += example->has_failed;
    t->out->unsure += unsure;
    if (rule != RULEBOOK_NONE) {
        add(&t->out->rules[rule], example);
        return;
    }
    add(&t->out->none, example);
    add(&t->out->usual[answer_usual_of(a, &asker, why)], example);
}

/* --- good answers ------------------------------------------------------------------------------------ */

static enum result unescape(struct buf *to, struct str raw)
{
    buf_reset(to);
    return json_unescape(to, raw, NULL);
}

/* An empty body is stored as null. */
static bool is_empty(const struct line_view *view)
{
    bool has_no_body = view->status == 204 || view->status == 205 || view->status >= 300;

    return has_no_body && view->body_kind == LINE_BODY && str_equal(view->body, STR("null"));
}

static enum result read_texts(struct trial *t, const struct line_view *view)
{
    enum result result = unescape(&t->content_type, view->content_type);

    if (result == RESULT_OK) {
        result = unescape(&t->key, view->key);
    }
    buf_reset(&t->body);
    return result == RESULT_OK && view->body_kind != LINE_BODY ? line_append_body(view, &t->body)
                                                               : result;
}

static void look_at_line(struct trial *t, uint32_t endpoint, const struct line_view *view)
{
    struct rule_trial_example example = { .id = view->id, .status = (int)view->status };
    struct answer_view a = { .status = (int)view->status,
                             .content_type = buf_view(&t->content_type),
                             .body = view->body,
                             .is_json = view->body_kind == LINE_BODY };

    if (is_empty(view)) {
        a.body = STR("");
        a.is_json = false;
    } else if (!a.is_json) { /* that of an error status is kept as a text, though it may be JSON */
        a.body = buf_view(&t->body);
        a.is_json = json_check(a.body, JSON_DEPTH_MAX, NULL);
    }
    snprintf(example.key, sizeof example.key, "%.*s", STR_ARG(buf_view(&t->key)));
    look_at(t, &a, endpoint, &example);
}

static enum result visit_record(void *context, const struct record *record, struct err *err)
{
    struct trial *t = context;
    struct err damage = { .result = RESULT_OK };
    struct line_view view;
    enum result result = segment_read_line(&t->reader->segments, record, &t->line, &view, &damage);

    if (result == RESULT_OK) {
        result = read_texts(t, &view);
        if (result == RESULT_CORRUPT) {
            err_set(&damage, result, "E-SEG2", "the body of request %llu cannot be decoded",
                    (unsigned long long)record->id);
        }
    }
    if (result == RESULT_NOMEM || result == RESULT_LIMIT) {
        return err_nomem(err, "reading an answer");
    }
    if (result == RESULT_OK) {
        look_at_line(t, record->endpoint, &view);
    } else {
        t->question->damaged(t->question->context, &damage);
    }
    return RESULT_OK;
}

/* --- failures ------------------------------------------------------------------------------------------ */

/* "name: value\n" lines. */
static struct str header_of(const void *context, struct str name, unsigned n)
{
    struct str rest = *(const struct str *)context;

    while (rest.len) {
        struct str value = str_cut(&rest, '\n');

        if (str_equal_nocase(str_cut(&value, ':'), name) && n-- == 0) {
            return str_trim(value);
        }
    }
    return STR_NONE;
}

static enum result visit_failed(void *context, const struct failed_row *row, struct err *err)
{
    struct trial *t = context;
    struct rule_trial_example example = { .id = row->id,
                                          .status = row->last.status,
                                          .has_failed = true };
    struct answer_view a = { .status = row->last.status,
                             .body = row->said.body,
                             .header = header_of,
                             .context = &row->said.headers,
                             .wall_us = row->said.at_us,
                             .is_cut = row->said.body_bytes > row->said.body.len };

    (void)err;
    if (!row->said.at_us || !row->last.status) {
        t->out->unknown++;
        return RESULT_OK;
    }
    a.is_json = !a.is_cut && json_check(a.body, JSON_DEPTH_MAX, NULL);
    a.content_type = header_of(&row->said.headers, STR("content-type"), 0);
    snprintf(example.key, sizeof example.key, "%.*s", STR_ARG(row->key));
    look_at(t, &a, row->endpoint, &example);
    return RESULT_OK;
}

enum result rule_trial_run(struct run_reader *reader, const struct rule_trial_question *question,
                           struct rule_trial *out, struct err *err)
{
    struct trial t = { .reader = reader, .question = question, .out = out };
    struct ledger_failed_query failed = { .visit = visit_failed, .context = &t };
    enum result result;

    *out = (struct rule_trial){ .answers = 0 };
    out->rules = calloc(rulebook_count(question->book) + 1, sizeof *out->rules);
    if (!out->rules) {
        return err_nomem(err, "trying the rules");
    }
    result = run_reader_each(reader, LEDGER_DONE, visit_record, &t, err);
    if (result == RESULT_OK) {
        result = ledger_each_failed(reader->ledger, &failed, err);
    }
    buf_release(&t.line);
    buf_release(&t.content_type);
    buf_release(&t.body);
    buf_release(&t.key);
    if (result != RESULT_OK) {
        rule_trial_release(out);
    }
    return result;
}

void rule_trial_release(struct rule_trial *trial)
{
    free(trial->rules);
    trial->rules = NULL;
}
