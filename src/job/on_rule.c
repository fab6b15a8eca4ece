#include "job/on_rule.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "job/job_hint.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 40 /* of a word that is not understood */
#define COUNT_MAX 1e15
#define FACTOR_MAX 100
#define CAP_MAX 100000

const struct on_measure_row on_measures[ON_MEASURE_COUNT] = {
#define ON_MEASURE(NAME, word_, kind_, unit_, help_)                                               \
    [ON_##NAME] = {                                                                                \
        .word = (word_), .kind = ON_KIND_##kind_, .unit = ON_UNIT_##unit_, .help = (help_)         \
    },
    ON_MEASURES(ON_MEASURE)
#undef ON_MEASURE
};

const struct on_verb_row on_verbs[ON_VERB_COUNT] = {
#define ON_VERB(NAME, name, word_, takes, help_)                                                   \
    [ON_DO_##NAME] = { .word = (word_), .argument = ON_TAKES_##takes, .help = (help_) },
    ON_VERBS(ON_VERB)
#undef ON_VERB
};

__attribute__((format(printf, 2, 3))) static enum result refuse(struct err *err, const char *format,
                                                                ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return err_set(err, RESULT_INVALID, "E-ON1", "%s", text);
}

static int shown(struct str word)
{
    return (int)(word.len < SHOWN ? word.len : SHOWN);
}

static struct str cut_word(struct str *rest)
{
    struct str trimmed = str_trim(*rest), word = str_cut(&trimmed, ' ');

    *rest = str_trim(trimmed);
    return word;
}

/* --- what is measured ------------------------------------------------------------------------------------- */

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* "429" is itself, "5xx" is 500 to 599. */
static bool read_status(struct str word, struct on_rule *rule)
{
    unsigned digits[3];

    if (word.len != 3 || word.data[0] < '1' || word.data[0] > '5') {
        return false;
    }
    if ((word.data[1] | 0x20) == 'x' && (word.data[2] | 0x20) == 'x') {
        rule->low = (unsigned)(word.data[0] - '0') * 100;
        rule->high = rule->low + 99;
        return true;
    }
    for (int i = 0; i < 3; i++) {
        if (word.data[i] < '0' || word.data[i] > '9') {
            return false;
        }
        digits[i] = (unsigned)(word.data[i] - '0');
    }
    rule->low = rule->high = digits[0] * 100 + digits[1] * 10 + digits[2];
    return true;
}

static enum result read_measure(struct on_rule *rule, struct str *rest, struct err *err)
{
    struct job_hint hint;
    char meant[JOB_HINT_MAX];
    struct str word = { rest->data, 0 };

    while (word.len < rest->len && is_word_byte(rest->data[word.len])) {
        word.len++;
    }
    *rest = str_trim((struct str){ rest->data + word.len, rest->len - word.len });
    if (read_status(word, rule)) {
        rule->measure = ON_STATUS;
        return RESULT_OK;
    }
    hint = job_hint_for(word);
    for (int i = ON_STATUS + 1; i < ON_MEASURE_COUNT; i++) {
        if (str_equal(word, str_view(on_measures[i].word))) {
            rule->measure = (enum on_measure)i;
            return RESULT_OK;
        }
        job_hint_offer(&hint, str_view(on_measures[i].word));
    }
    job_hint_print(&hint, meant);
    return refuse(err,
                  "\"%.*s\" is nothing that is measured%s; want a status (429, 5xx) or a word such "
                  "as failed, refused, rate, p95, idle, disk_free (scrapetop(1), RULES BY EVENT)",
                  shown(word), word.len ? word.data : "", meant);
}

/* "in 10s", of what is counted over a time. */
static enum result read_over(struct on_rule *rule, struct str *rest, struct err *err)
{
    struct str after = *rest, time;

    rule->over_us = ON_OVER_US;
    if (!str_equal(cut_word(&after), STR("in"))) {
        return RESULT_OK;
    }
    if (on_measures[rule->measure].kind == ON_KIND_NOW) {
        return refuse(err, "\"%s in\": this is not counted over a time, but true at the moment",
                      on_measures[rule->measure].word);
    }
    time = cut_word(&after);
    if (units_parse_time(time, &rule->over_us, NULL) != RESULT_OK ||
        rule->over_us < ON_OVER_LEAST_US || rule->over_us > ON_OVER_MOST_US) {
        return refuse(err, "\"in %.*s\": want a time from 1s to 1d, such as 10s or 5m", shown(time),
                      time.data);
    }
    *rest = after;
    return RESULT_OK;
}

/* --- limits -------------------------------------------------------------------------------------------------- */

static enum result read_compare(struct on_rule *rule, struct str *rest, struct err *err)
{
    size_t len = rest->len && strchr("<>", rest->data[0]) ? 1 : 0;

    if (!len) {
        return refuse(err, "after \"%.*s\" want >, >=, < or <= and a limit",
                      (int)strcspn(rule->when, "<>="), rule->when);
    }
    len += rest->len > 1 && rest->data[1] == '=';
    rule->compare = rest->data[0] == '>' ? (len == 1 ? ON_ABOVE : ON_AT_LEAST)
                                         : (len == 1 ? ON_BELOW : ON_AT_MOST);
    *rest = str_trim((struct str){ rest->data + len, rest->len - len });
    return RESULT_OK;
}

/* "20", "2.5", "10k"; nothing that strtod takes besides. */
static bool read_number(struct str text, double *number)
{
    char digits[32], *end;
    double factor = 1;

    if (text.len && strchr("kMG", text.data[text.len - 1])) {
        factor = text.data[text.len - 1] == 'k' ? 1e3 : text.data[text.len - 1] == 'M' ? 1e6 : 1e9;
        text.len--;
    }
    if (!text.len || text.len >= sizeof digits) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((text.data[i] < '0' || text.data[i] > '9') && text.data[i] != '.') {
            return false;
        }
    }
    snprintf(digits, sizeof digits, "%.*s", STR_ARG(text));
    *number = strtod(digits, &end) * factor;
    return !*end && digits[0] != '.' && isfinite(*number) && *number <= COUNT_MAX;
}

static bool read_part(struct on_rule *rule, struct str text)
{
    rule->is_share = text.len && text.data[text.len - 1] == '%';
    text.len -= rule->is_share;
    if (!read_number(text, &rule->limit)) {
        return false;
    }
    if (rule->is_share) {
        rule->limit /= 100;
    }
    return !rule->is_share || rule->limit <= 1;
}

/* "0/s" is a limit, though no rate to ask with. */
static bool read_rate(struct on_rule *rule, struct str text)
{
    char one[ON_TEXT_MAX]; /* "1/s" for "0/s" */
    struct rate rate;

    if (str_equal(text, STR("0")) || str_starts(text, STR("0/"))) {
        snprintf(one, sizeof one, "1%.*s", (int)text.len - 1, text.data + 1);
        rule->limit = 0;
        return text.len == 1 || units_parse_rate(str_view(one), &rate, NULL) == RESULT_OK;
    }
    if (units_parse_rate(text, &rate, NULL) != RESULT_OK || !rate.per_us) {
        return false;
    }
    rule->limit = rate.requests * (double)US_PER_S / (double)rate.per_us;
    return true;
}

static bool read_limit(struct on_rule *rule, struct str text)
{
    uint64_t whole = 0;
    bool is_good = false;

    switch (on_measures[rule->measure].unit) {
    case ON_UNIT_PART:
        return read_part(rule, text);
    case ON_UNIT_COUNT:
        return read_number(text, &rule->limit);
    case ON_UNIT_RATE:
        return read_rate(rule, text);
    case ON_UNIT_TIME:
        is_good = units_parse_time(text, &whole, NULL) == RESULT_OK;
        break;
    case ON_UNIT_SIZE:
        is_good = units_parse_size(text, &whole, NULL) == RESULT_OK;
        break;
    }
    rule->limit = (double)whole;
    return is_good;
}

static const char *limit_wanted(const struct on_rule *rule)
{
    static const char *const wanted[] = {
        [ON_UNIT_PART] = "a part (2%, at most 100%) or a number (20)",
        [ON_UNIT_COUNT] = "a number, such as 100 or 10k",
        [ON_UNIT_RATE] = "a rate, such as 5/s or 600/m",
        [ON_UNIT_TIME] = "a time, such as 800ms or 2m",
        [ON_UNIT_SIZE] = "a size, such as 500M or 2G",
    };

    return wanted[on_measures[rule->measure].unit];
}

static enum result read_for(struct on_rule *rule, struct str rest, struct err *err)
{
    struct str word = cut_word(&rest), time;

    if (!word.len) {
        return RESULT_OK;
    }
    time = cut_word(&rest);
    if (!str_equal(word, STR("for")) || rest.len) {
        return refuse(err, "\"%.*s\" after the limit: want nothing, or \"for\" and a time",
                      shown(word), word.data);
    }
    if (units_parse_time(time, &rule->for_us, NULL) != RESULT_OK) {
        return refuse(err, "\"for %.*s\": want a time, such as 60s or 5m", shown(time),
                      time.len ? time.data : "");
    }
    return RESULT_OK;
}

static enum result read_when(struct on_rule *rule, struct err *err)
{
    struct str rest = str_view(rule->when), limit;
    enum result result = read_measure(rule, &rest, err);

    if (result == RESULT_OK) {
        result = read_over(rule, &rest, err);
    }
    if (result == RESULT_OK) {
        result = read_compare(rule, &rest, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    limit = cut_word(&rest);
    if (!read_limit(rule, limit)) {
        return refuse(err, "the limit \"%.*s\": want %s", shown(limit), limit.len ? limit.data : "",
                      limit_wanted(rule));
    }
    return read_for(rule, rest, err);
}

/* --- what is done ---------------------------------------------------------------------------------------------- */

static enum result read_cap(struct on_rule *rule, struct str text, struct err *err)
{
    bool is_step = text.len && strchr("+-/*", text.data[0]);
    bool is_factor = is_step && strchr("/*", text.data[0]);
    struct str digits = { text.data + is_step, text.len - is_step };
    uint64_t number;

    if (!text.len || units_parse_count(digits, is_factor ? 2 : 1, is_factor ? FACTOR_MAX : CAP_MAX,
                                       &number, NULL) != RESULT_OK) {
        return refuse(err,
                      "\"cap %.*s\": want cap 20, cap +5, cap -5, cap /2 or cap *2; pause starts "
                      "nothing",
                      shown(text), text.len ? text.data : "");
    }
    rule->operation = is_step ? text.data[0] : '=';
    rule->number = (unsigned)number;
    return RESULT_OK;
}

static enum result read_argument(struct on_rule *rule, struct str text, struct err *err)
{
    const struct on_verb_row *verb = &on_verbs[rule->verb];
    struct rate rate;
    struct err why;

    snprintf(rule->argument, sizeof rule->argument, "%.*s", STR_ARG(text));
    switch (verb->argument) {
    case ON_TAKES_CAP:
        return read_cap(rule, text, err);
    case ON_TAKES_RATE:
        return units_parse_rate(text, &rate, &why) == RESULT_OK
                   ? RESULT_OK
                   : refuse(err, "\"rate\": %s", why.text);
    case ON_TAKES_TEXT:
        return text.len ? RESULT_OK : refuse(err, "\"%s\": want what is to be said", verb->word);
    default:
        break;
    }
    return text.len ? refuse(err, "\"%s\" takes nothing after it, but has \"%.*s\"", verb->word,
                             shown(text), text.data)
                    : RESULT_OK;
}

static enum result read_act(struct on_rule *rule, struct err *err)
{
    struct str rest = str_view(rule->act), word = cut_word(&rest);
    struct job_hint hint = job_hint_for(word);
    char meant[JOB_HINT_MAX], all[160] = "";

    for (int i = 0; i < ON_VERB_COUNT; i++) {
        size_t used = strlen(all);

        if (str_equal(word, str_view(on_verbs[i].word))) {
            rule->verb = (enum on_verb)i;
            return read_argument(rule, rest, err);
        }
        job_hint_offer(&hint, str_view(on_verbs[i].word));
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", on_verbs[i].word);
    }
    job_hint_print(&hint, meant);
    return refuse(err, "\"%.*s\" is nothing that a rule does%s; want one of %s", shown(word),
                  word.len ? word.data : "", meant, all);
}

/* --- a rule as a whole -------------------------------------------------------------------------------------------- */

/* One line of text that may be shown. */
static enum result take_text(char to[ON_TEXT_MAX], const char *what, struct str text,
                             struct err *err)
{
    text = str_trim(text);
    if (!text.len) {
        return refuse(err, "a rule has no \"%s\"", what);
    }
    if (text.len >= ON_TEXT_MAX) {
        return refuse(err, "\"%s\" is longer than %d bytes", what, ON_TEXT_MAX - 1);
    }
    for (size_t at = 0, len; at < text.len; at += len) {
        uint32_t code;

        len = utf8_decode((struct str){ text.data + at, text.len - at }, &code);
        if (!len || !utf8_is_safe(code)) {
            return refuse(err, "\"%s\" holds a byte that is no text", what);
        }
    }
    snprintf(to, ON_TEXT_MAX, "%.*s", STR_ARG(text));
    return RESULT_OK;
}

enum result on_rule_parse(struct on_rule *rule, struct str when, struct str act, struct err *err)
{
    enum result result;

    *rule = (struct on_rule){ .operation = '=' };
    result = take_text(rule->when, "when", when, err);
    if (result == RESULT_OK) {
        result = take_text(rule->act, "do", act, err);
    }
    if (result == RESULT_OK) {
        result = read_when(rule, err);
    }
    return result == RESULT_OK ? read_act(rule, err) : result;
}

enum result on_rule_parse_line(struct on_rule *rule, struct str line, struct err *err)
{
    const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
    size_t at = colon ? (size_t)(colon - line.data) : 0;

    if (!colon) {
        return refuse(err, "want WHEN: DO, such as '429 > 2%% for 60s: cap /2'");
    }
    return on_rule_parse(rule, (struct str){ line.data, at },
                         (struct str){ colon + 1, line.len - at - 1 }, err);
}

bool on_rule_is_same(const struct on_rule *a, const struct on_rule *b)
{
    return strcmp(a->when, b->when) == 0 && strcmp(a->act, b->act) == 0;
}

void on_rule_format_value(const struct on_rule *rule, double value, char text[UNITS_TEXT_MAX])
{
    switch (on_measures[rule->measure].unit) {
    case ON_UNIT_TIME:
        units_format_time((uint64_t)value, text);
        break;
    case ON_UNIT_SIZE:
        units_format_bytes((uint64_t)value, text);
        break;
    case ON_UNIT_RATE:
        snprintf(text, UNITS_TEXT_MAX, "%.3g/s", value);
        break;
    default:
        if (rule->is_share) {
            snprintf(text, UNITS_TEXT_MAX, "%.3g %%", value * 100);
        } else {
            units_format_whole((uint64_t)value, text);
        }
        break;
    }
}

/* --- a list ------------------------------------------------------------------------------------------------------ */

enum result on_rules_add(struct on_rules *rules, const struct on_rule *rule, struct err *err)
{
    struct on_rule *list;

    for (size_t i = 0; i < rules->count; i++) {
        if (on_rule_is_same(&rules->list[i], rule)) {
            return RESULT_OK;
        }
    }
    if (rules->count == ON_RULES_MAX) {
        return err_set(err, RESULT_LIMIT, "E-ON2", "more than %d rules by event", ON_RULES_MAX);
    }
    list = reallocarray(rules->list, rules->count + 1, sizeof *list);
    if (!list) {
        return err_nomem(err, "reading a rule");
    }
    rules->list = list;
    list[rules->count++] = *rule;
    return RESULT_OK;
}

void on_rules_drop_typed(struct on_rules *rules)
{
    size_t kept = 0;

    for (size_t i = 0; i < rules->count; i++) {
        if (!rules->list[i].is_typed) {
            rules->list[kept++] = rules->list[i];
        }
    }
    rules->count = kept;
}

void on_rules_release(struct on_rules *rules)
{
    free(rules->list);
    *rules = (struct on_rules){ NULL, 0 };
}
