#include "plan/rulebook.h"

#include "base/json_scan.h"
#include "base/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    const struct answer_rule *rule; /* the job's */
    uint32_t endpoint;
    struct json_pointer at; /* of rule->at */
    struct pattern *pattern;
};

struct rulebook {
    const struct job *job;
    size_t first_count; /* the command line's */
    size_t count;
    struct line lines[];
};

/* --- made of a job ------------------------------------------------------------------------------------- */

static size_t count_rules(const struct job *job)
{
    size_t count = job->answers.count;

    for (size_t i = 0; i < job->endpoint_count; i++) {
        count += job->endpoints[i].answers.count;
    }
    return count;
}

static enum result add_line(struct rulebook *book, const struct answer_rule *rule,
                            uint32_t endpoint, struct err *err)
{
    struct line *line = &book->lines[book->count++];
    enum result result = RESULT_OK;

    line->rule = rule;
    line->endpoint = endpoint;
    if (rule->at.name) {
        result = json_pointer_parse(&line->at, str_view(rule->at.name), err);
    }
    if (result == RESULT_OK && rule->pattern) {
        result = pattern_new(&line->pattern, str_view(rule->pattern), err);
    }
    return result;
}

static enum result add_all(struct rulebook *book, const struct job *job, struct err *err)
{
    const struct answer_rules *all = &job->answers;
    enum result result = RESULT_OK;

    for (size_t i = 0; i < all->count && result == RESULT_OK; i++) {
        if (all->list[i].is_first) {
            result = add_line(book, &all->list[i], RULEBOOK_EVERY, err);
        }
    }
    book->first_count = book->count;
    for (uint32_t e = 0; e < job->endpoint_count; e++) {
        const struct answer_rules *own = &job->endpoints[e].answers;

        for (size_t i = 0; i < own->count && result == RESULT_OK; i++) {
            result = add_line(book, &own->list[i], e, err);
        }
    }
    for (size_t i = 0; i < all->count && result == RESULT_OK; i++) {
        if (!all->list[i].is_first) {
            result = add_line(book, &all->list[i], RULEBOOK_EVERY, err);
        }
    }
    return result;
}

enum result rulebook_new(struct rulebook **made, const struct job *job, struct err *err)
{
    size_t count = count_rules(job);
    struct rulebook *book = calloc(1, sizeof *book + count * sizeof book->lines[0]);
    enum result result;

    if (!book) {
        return err_nomem(err, "preparing the rules");
    }
    book->job = job;
    result = add_all(book, job, err);
    if (result != RESULT_OK) {
        rulebook_free(book);
        return result;
    }
    *made = book;
    return RESULT_OK;
}

void rulebook_free(struct rulebook *book)
{
    if (book) {
        for (size_t i = 0; i < book->count; i++) {
            pattern_free(book->lines[i].pattern);
        }
        free(book);
    }
}

size_t rulebook_count(const struct rulebook *book)
{
    return book->count;
}

const struct answer_rule *rulebook_rule(const struct rulebook *book, size_t index)
{
    return book->lines[index].rule;
}

void rulebook_name(const struct rulebook *book, size_t index, char name[RULEBOOK_NAME_MAX])
{
    const struct line *line = &book->lines[index];
    size_t number = 1;

    for (size_t i = index; i-- > (index < book->first_count ? 0 : book->first_count);) {
        number += book->lines[i].endpoint == line->endpoint;
    }
    if (index < book->first_count) {
        snprintf(name, RULEBOOK_NAME_MAX, "--answer %zu", number);
    } else if (line->endpoint != RULEBOOK_EVERY && book->job->endpoint_count > 1) {
        snprintf(name, RULEBOOK_NAME_MAX, "%s rule %zu", book->job->endpoints[line->endpoint].name,
                 number);
    } else {
        snprintf(name, RULEBOOK_NAME_MAX, "rule %zu", number);
    }
}

static bool is_for(const struct line *line, uint32_t endpoint)
{
    return line->endpoint == RULEBOOK_EVERY || line->endpoint == endpoint;
}

bool rulebook_reads_bodies(const struct rulebook *book, uint32_t endpoint)
{
    for (size_t i = 0; i < book->count; i++) {
        const struct answer_rule *rule = book->lines[i].rule;

        if (is_for(&book->lines[i], endpoint) &&
            (rule->action == ANSWER_OK || rule->at.name || rule->bodies ||
             (rule->wait.name && !rule->wait.is_header) ||
             (rule->url.name && !rule->url.is_header) || rule->then.name)) {
            return true;
        }
    }
    return false;
}

static size_t add_header(const struct answer_place *place, const char **names, size_t count)
{
    if (!place->name || !place->is_header) {
        return count;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], place->name) == 0) {
            return count;
        }
    }
    names[count] = place->name;
    return count + 1;
}

size_t rulebook_headers(const struct rulebook *book, uint32_t endpoint, const char **names)
{
    size_t count = 0;

    for (size_t i = 0; i < book->count; i++) {
        const struct answer_rule *rule = book->lines[i].rule;

        if (is_for(&book->lines[i], endpoint)) {
            count = add_header(&rule->header, names, count);
            count = add_header(&rule->wait, names, count);
            count = add_header(&rule->url, names, count);
            count = add_header(&rule->then, names, count);
        }
    }
    return count;
}

#define PLACES_OF_RULE 4

size_t rulebook_header_room(const struct rulebook *book)
{
    size_t room = 0;

    for (size_t i = 0; i < book->count; i++) {
        room += PLACES_OF_RULE *
                (book->lines[i].endpoint == RULEBOOK_EVERY ? book->job->endpoint_count : 1);
    }
    return room;
}

/* --- one rule and one answer ---------------------------------------------------------------------------- */

enum met { MISSED, MET, UNKNOWN };

static enum met status_is_met(const struct answer_rule *rule, int status)
{
    for (size_t i = 0; i < rule->status_count; i++) {
        if (status >= rule->statuses[i].low && status <= rule->statuses[i].high) {
            return MET;
        }
    }
    return rule->status_count || (status >= 300 && status <= 399) ? MISSED : MET;
}

static struct str head_of(struct str text)
{
    text.len = text.len < ANSWER_HEAD_BYTES ? text.len : ANSWER_HEAD_BYTES;
    return text;
}

/* Of a header. */
static bool text_is_met(const struct line *line, struct str text)
{
    const struct answer_rule *rule = line->rule;

    if (rule->test == ANSWER_TEST_MATCHES) {
        return pattern_matches(line->pattern, head_of(text));
    }
    for (size_t i = 0; rule->test == ANSWER_TEST_IS && i < rule->value_count; i++) {
        if (str_equal(str_trim(text), str_view(rule->values[i].text))) {
            return true;
        }
    }
    return rule->test == ANSWER_TEST_PRESENT;
}

static enum met header_is_met(const struct line *line, const struct answer_view *a)
{
    const struct answer_rule *rule = line->rule;
    struct str name = str_view(rule->header.name), value;
    bool is_there = false;

    if (str_equal(name, STR("content-type")) && a->content_type.data) {
        return rule->test != ANSWER_TEST_ABSENT && text_is_met(line, a->content_type) ? MET
                                                                                      : MISSED;
    }
    if (!a->header) {
        return UNKNOWN;
    }
    for (unsigned n = 0; (value = a->header(a->context, name, n)).data; n++) {
        is_there = true;
        if (rule->test != ANSWER_TEST_ABSENT && text_is_met(line, value)) {
            return MET;
        }
    }
    return rule->test == ANSWER_TEST_ABSENT && !is_there ? MET : MISSED;
}

/* Told by its text: 429 and "429" are the same, 1 and 1.0 are not. */
static bool value_is(struct str value, const struct answer_value *wanted)
{
    struct str text = str_view(wanted->text);
    struct str raw = json_string_raw(value);

    if (wanted->is_null || json_type_of(value) == JSON_NULL) {
        return wanted->is_null && json_type_of(value) == JSON_NULL;
    }
    if (raw.data) {
        return json_raw_equal(raw, text);
    }
    if (json_type_of(value) == JSON_OBJECT || json_type_of(value) == JSON_ARRAY) {
        return false;
    }
    return str_equal(str_trim(value), text);
}

/* A text that memory fails for is not found. */
static bool value_matches(const struct line *line, struct str value)
{
    struct str raw = json_string_raw(value);
    struct buf plain = { 0 };
    bool is_met;

    if (!raw.data) {
        return pattern_matches(line->pattern, head_of(str_trim(value)));
    }
    raw = head_of(raw); /* an escape that its end cuts is read as it can be */
    is_met = json_unescape(&plain, raw, NULL) == RESULT_OK &&
             pattern_matches(line->pattern, buf_view(&plain));
    buf_release(&plain);
    return is_met;
}

struct search {
    const struct line *line;
    bool is_met;
};

/* Of several that a `*` leads to one will do. */
static bool visit_value(void *context, const struct json_match *match)
{
    struct search *s = context;
    const struct answer_rule *rule = s->line->rule;

    switch (rule->test) {
    case ANSWER_TEST_PRESENT:
    case ANSWER_TEST_ABSENT:
        s->is_met = json_type_of(match->value) != JSON_NULL;
        break;
    case ANSWER_TEST_IS:
        for (size_t i = 0; i < rule->value_count && !s->is_met; i++) {
            s->is_met = value_is(match->value, &rule->values[i]);
        }
        break;
    case ANSWER_TEST_MATCHES:
        s->is_met = value_matches(s->line, match->value);
        break;
    }
    return !s->is_met;
}

/* "" is the whole body, which need not be JSON. Of one that is cut what is not in its head may come yet. */
static enum met body_is_met(const struct line *line, const struct answer_view *a)
{
    struct search s = { line, false };
    bool wants_absent = line->rule->test == ANSWER_TEST_ABSENT;

    if (!line->at.count && !a->is_json) {
        bool is_there = str_trim(a->body).len > 0;

        s.is_met = is_there && (wants_absent || text_is_met(line, a->body));
        return s.is_met != wants_absent ? MET : a->is_cut && !wants_absent ? UNKNOWN : MISSED;
    }
    if (a->is_cut) {
        return UNKNOWN;
    }
    if (a->is_json) {
        json_pointer_each(a->body, &line->at, visit_value, &s);
    }
    return s.is_met != wants_absent ? MET : MISSED;
}

static enum met is_met(const struct line *line, const struct answer_view *a)
{
    const struct answer_rule *rule = line->rule;
    enum met met = status_is_met(rule, a->status), header = MET;

    if (met == MET && rule->bodies && !(rule->bodies >> answer_body_of(a) & 1)) {
        met = MISSED;
    }
    if (met == MET && rule->at.name) {
        met = body_is_met(line, a);
    }
    if (met != MISSED && rule->header.name) {
        header = header_is_met(line, a);
    }
    return header == MET ? met : header == MISSED ? MISSED : UNKNOWN;
}

size_t rulebook_match(const struct rulebook *book, uint32_t endpoint, const struct answer_view *a,
                      bool *unsure)
{
    for (size_t i = 0; i < book->count; i++) {
        enum met met = is_for(&book->lines[i], endpoint) ? is_met(&book->lines[i], a) : MISSED;

        if (met == MET) {
            return i;
        }
        if (met == UNKNOWN && unsure) {
            *unsure = true;
        }
    }
    return RULEBOOK_NONE;
}

size_t rulebook_match_result(const struct rulebook *book, uint32_t endpoint,
                             const struct answer_view *a)
{
    struct buf text = { .max = JOB_URL_MAX };
    size_t found = RULEBOOK_NONE;

    for (size_t i = 0; i < book->count && found == RULEBOOK_NONE; i++) {
        const struct answer_rule *rule = book->lines[i].rule;

        if (is_for(&book->lines[i], endpoint) && rule->then.name &&
            answer_text_at(a, &rule->then, &text)) {
            found = i;
        }
    }
    buf_release(&text);
    return found;
}
