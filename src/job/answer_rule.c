#include "job/answer_rule.h"

#include "base/buf.h"
#include "base/json_text.h"

#include <stdlib.h>
#include <string.h>

const struct answer_action answer_actions[ANSWER_DO_COUNT] = {
#define ANSWER_ACTION(NAME, name_, ...) [ANSWER_##NAME] = { .name = #name_, __VA_ARGS__ },
    ANSWER_ACTIONS(ANSWER_ACTION, ANSWER_ACTION)
#undef ANSWER_ACTION
};

const char *answer_body_name(enum answer_body body)
{
    static const char *const names[ANSWER_BODY_COUNT] = {
        [ANSWER_BODY_EMPTY] = "empty", [ANSWER_BODY_JSON] = "json", [ANSWER_BODY_HTML] = "html",
        [ANSWER_BODY_XML] = "xml",     [ANSWER_BODY_TEXT] = "text", [ANSWER_BODY_BINARY] = "binary",
    };

    return names[body];
}

static void rule_release(struct answer_rule *rule)
{
    free(rule->text);
    free(rule->json);
    free(rule->statuses);
    free(rule->header.name);
    free(rule->at.name);
    for (size_t i = 0; i < rule->value_count; i++) {
        free(rule->values[i].text);
    }
    free(rule->values);
    free(rule->pattern);
    free(rule->wait.name);
    free(rule->url.name);
    free(rule->then.name);
}

void answer_rules_release(struct answer_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        rule_release(&rules->list[i]);
    }
    free(rules->list);
    *rules = (struct answer_rules){ NULL, 0 };
}

struct answer_rule *answer_rules_add(struct answer_rules *rules)
{
    struct answer_rule *list = reallocarray(rules->list, rules->count + 1, sizeof *list);

    if (!list) {
        return NULL;
    }
    rules->list = list;
    list[rules->count] = (struct answer_rule){ .action = ANSWER_DO_COUNT };
    return &list[rules->count++];
}

void answer_rules_drop_first(struct answer_rules *rules)
{
    size_t kept = 0;

    for (size_t i = 0; i < rules->count; i++) {
        if (rules->list[i].is_first) {
            rule_release(&rules->list[i]);
        } else {
            rules->list[kept++] = rules->list[i];
        }
    }
    rules->count = kept;
}

/* --- one in vain after another --------------------------------------------------------------------- */

/* Every status of `some` is among those of `all`; a range that several of them make up counts as not. */
static bool statuses_cover(const struct answer_rule *all, const struct answer_rule *some)
{
    if (!all->status_count) {
        return true;
    }
    for (size_t i = 0; i < some->status_count; i++) {
        bool is_in = false;

        for (size_t k = 0; k < all->status_count; k++) {
            is_in |= all->statuses[k].low <= some->statuses[i].low &&
                     some->statuses[i].high <= all->statuses[k].high;
        }
        if (!is_in) {
            return false;
        }
    }
    return some->status_count > 0;
}

static bool same_place(const struct answer_place *a, const struct answer_place *b)
{
    return a->name && b->name && strcmp(a->name, b->name) == 0;
}

static bool has_value(const struct answer_rule *rule, const struct answer_value *value)
{
    for (size_t i = 0; i < rule->value_count; i++) {
        if (rule->values[i].is_null == value->is_null &&
            strcmp(rule->values[i].text, value->text) == 0) {
            return true;
        }
    }
    return false;
}

/* The test of `later` says at least as much as that of `earlier`. */
static bool test_covers(const struct answer_rule *earlier, const struct answer_rule *later)
{
    if (earlier->test == ANSWER_TEST_PRESENT) {
        bool has_null = false;

        for (size_t i = 0; later->test == ANSWER_TEST_IS && i < later->value_count; i++) {
            has_null |= later->values[i].is_null;
        }
        return later->test != ANSWER_TEST_ABSENT && !has_null;
    }
    if (earlier->test != later->test) {
        return false;
    }
    if (earlier->test == ANSWER_TEST_MATCHES) {
        return strcmp(earlier->pattern, later->pattern) == 0;
    }
    for (size_t i = 0; earlier->test == ANSWER_TEST_IS && i < later->value_count; i++) {
        if (!has_value(earlier, &later->values[i])) {
            return false;
        }
    }
    return true;
}

static bool places_cover(const struct answer_rule *earlier, const struct answer_rule *later)
{
    if (!earlier->header.name && !earlier->at.name) {
        return true;
    }
    return (!earlier->header.name || same_place(&earlier->header, &later->header)) &&
           (!earlier->at.name || same_place(&earlier->at, &later->at)) &&
           test_covers(earlier, later);
}

bool answer_rule_covers(const struct answer_rule *earlier, const struct answer_rule *later)
{
    bool bodies_cover = !earlier->bodies || (later->bodies && !(later->bodies & ~earlier->bodies));

    return bodies_cover && statuses_cover(earlier, later) && places_cover(earlier, later);
}

/* --- the command line's spelling ------------------------------------------------------------------- */

struct speller {
    struct str rest;
    struct buf *json;
    enum result result;
};

static void add(struct speller *s, struct str text)
{
    if (s->result == RESULT_OK) {
        s->result = buf_append_str(s->json, text);
    }
}

static void add_literal(struct speller *s, struct str text)
{
    if (s->result == RESULT_OK) {
        s->result = json_text_append(s->json, text);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One value, up to a comma or blank, or in quotes. False when its quote is not closed. */
static bool take_value(struct speller *s, struct str *value, bool *is_quoted)
{
    const char *end = s->rest.data + s->rest.len, *at = s->rest.data;

    *is_quoted = at < end && (*at == '"' || *at == '\'');
    if (*is_quoted) {
        char quote = *at++;

        value->data = at;
        at = memchr(at, quote, (size_t)(end - at));
        if (!at) {
            return false;
        }
        value->len = (size_t)(at - value->data);
        at++;
    } else {
        value->data = at;
        while (at < end && !is_blank(*at) && *at != ',') {
            at++;
        }
        value->len = (size_t)(at - value->data);
    }
    s->rest = (struct str){ at, (size_t)(end - at) };
    return true;
}

static bool is_word_of_json(struct str value)
{
    return str_equal(value, STR("true")) || str_equal(value, STR("false")) ||
           str_equal(value, STR("null"));
}

/* A list only where a comma makes one. */
static enum result spell_values(struct speller *s, struct str key, struct err *err)
{
    bool is_matches = str_equal(key, STR("matches")), is_quoted;
    size_t from = s->json->len, count = 0;
    struct str value;

    for (;; count++) {
        if (!take_value(s, &value, &is_quoted)) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "%.*s=: its quote is not closed",
                           STR_ARG(key));
        }
        if (!is_quoted && is_word_of_json(value) && !is_matches) {
            add(s, value);
        } else {
            add_literal(s, value);
        }
        if (!s->rest.len || s->rest.data[0] != ',') {
            break;
        }
        s->rest = (struct str){ s->rest.data + 1, s->rest.len - 1 };
        add(s, STR(","));
    }
    if (s->rest.len && !is_blank(s->rest.data[0])) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "%.*s=: want a blank after the closing quote",
                       STR_ARG(key));
    }
    if (count) {
        add(s, STR("]"));
        if (s->result == RESULT_OK && buf_reserve(s->json, 1) == RESULT_OK) {
            memmove(s->json->data + from + 1, s->json->data + from, s->json->len - from);
            s->json->data[from] = '[';
            s->json->len++;
        } else {
            s->result = RESULT_NOMEM;
        }
    }
    return RESULT_OK;
}

static struct str take_key(struct speller *s)
{
    struct str key = { s->rest.data, 0 };

    while (key.len < s->rest.len && s->rest.data[key.len] != '=' &&
           !is_blank(s->rest.data[key.len])) {
        key.len++;
    }
    s->rest = (struct str){ s->rest.data + key.len, s->rest.len - key.len };
    return key;
}

static enum result spell_words(struct speller *s, struct err *err)
{
    enum result result = RESULT_OK;

    add(s, STR("{"));
    for (s->rest = str_trim(s->rest); s->rest.len && result == RESULT_OK;
         s->rest = str_trim(s->rest)) {
        struct str key = take_key(s);

        if (s->json->len > 1) {
            add(s, STR(","));
        }
        add_literal(s, key);
        add(s, STR(":"));
        if (s->rest.len && s->rest.data[0] == '=') {
            s->rest = (struct str){ s->rest.data + 1, s->rest.len - 1 };
            result = spell_values(s, key, err);
        } else if (str_equal(key, STR("present")) || str_equal(key, STR("absent"))) {
            add(s, STR("true"));
        } else {
            return err_set(err, RESULT_INVALID, "E-ARG1",
                           "\"%.*s\" is no condition; want words such as status=404 do=empty",
                           (int)(key.len < 40 ? key.len : 40), key.data);
        }
    }
    add(s, STR("}"));
    return result;
}

enum result answer_rule_spell(struct str words, struct buf *json, struct err *err)
{
    struct speller s = { .rest = str_trim(words), .json = json };
    enum result result;

    buf_reset(json);
    if (words.len > ANSWER_RULE_BYTES_MAX) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "a rule is over %d bytes",
                       ANSWER_RULE_BYTES_MAX);
    }
    if (s.rest.len && s.rest.data[0] == '{') {
        return buf_append_str(json, s.rest) == RESULT_OK ? RESULT_OK
                                                         : err_nomem(err, "reading a rule");
    }
    result = spell_words(&s, err);
    if (result == RESULT_OK && s.result != RESULT_OK) {
        result = err_nomem(err, "reading a rule");
    }
    return result;
}
