#include "cmd/options.h"

#include "base/units.h"

#include <string.h>

#define NEAREST_NAME_MAX 32 /* bytes that str_distance compares */

/* Names that other programs have for what is here, by habit of the fingers. */
static const struct {
    const char *theirs, *ours;
} synonyms[] = {
    { "concurrency", "cap" },
    { "concurrent", "cap" },
    { "parallel", "cap" },
    { "parallel-max", "cap" },
    { "connections", "cap" },
    { "jobs", "cap" },
    { "threads", "cap" },
    { "workers", "cap" },
    { "max-concurrency", "cap" },
    { "retry", "retries" },
    { "tries", "retries" },
    { "max-retries", "retries" },
    { "attempts", "retries" },
    { "max-attempts", "retries" },
    { "retry-delay", "backoff" },
    { "retry-max-time", "max-wait" },
    { "timeout", "max-time" },
    { "max-size", "max-body" },
    { "max-filesize", "max-body" },
    { "limit-rate", "rate" },
    { "rps", "rate" },
    { "qps", "rate" },
    { "method", "request" },
    { "body", "data" },
    { "data-binary", "data" },
    { "data-raw", "data" },
    { "headers", "header" },
    { "input-file", "input" },
    { "urls", "input" },
    { "file", "input" },
    { "output-dir", "output" },
    { "dir", "output" },
    { "out", "output" },
    { "no-glob", "globoff" },
    { "no-check-certificate", "insecure" },
    { "ca-certificate", "cacert" },
    { "force", "fresh" },
    { "restart", "fresh" },
    { "quiet", "plain" },
    { "no-tui", "plain" },
    { "record-path", "records" },
    { "delay", "latency" },
};

/* A row and where it stands. */
struct place {
    const struct option_row *row;
    const struct option_group *group;
    unsigned index; /* its bit in options_given */
};

static bool next_row(const struct option_table *table, struct place *place)
{
    const struct option_group *end = table->groups + table->group_count;

    if (!place->group) {
        place->group = table->groups;
        place->row = table->group_count ? place->group->rows : NULL;
        place->index = 0;
    } else {
        place->row++;
        place->index++;
    }
    while (place->group < end && place->row == place->group->rows + place->group->count) {
        place->group++;
        place->row = place->group < end ? place->group->rows : NULL;
    }
    return place->group < end;
}

static bool find_name(const struct option_table *table, struct str name, struct place *place)
{
    *place = (struct place){ 0 };
    while (next_row(table, place)) {
        if (str_equal(str_view(place->row->name), name)) {
            return true;
        }
    }
    return false;
}

static bool find_letter(const struct option_table *table, char letter, struct place *place)
{
    *place = (struct place){ 0 };
    while (next_row(table, place)) {
        if (letter && place->row->letter == letter) {
            return true;
        }
    }
    return false;
}

static bool is_given(const struct options_given *given, const struct place *place)
{
    return given->rows[place->index / 64] >> place->index % 64 & 1;
}

bool options_have(const struct option_table *table, const struct options_given *given,
                  const char *name)
{
    struct place place;

    return find_name(table, str_view(name), &place) && is_given(given, &place);
}

/* How far a word may be from what it is taken for: a letter in three. */
static unsigned tolerance(struct str word)
{
    return word.len < 3 ? 0 : (unsigned)(word.len < 9 ? word.len / 3 : 3);
}

/* Less is nearer; above the word's tolerance means: not near. The start of a name is as near as can be. */
static unsigned nearness(struct str word, const char *name)
{
    struct str other = str_view(name);

    if (word.len >= 3 && str_starts(other, word)) {
        return 0;
    }
    return word.len > NEAREST_NAME_MAX ? NEAREST_NAME_MAX : str_distance(word, other);
}

const char *options_nearest(struct str word, const char *const *words)
{
    unsigned best = tolerance(word) + 1;
    const char *nearest = NULL;

    for (; *words; words++) {
        unsigned distance = nearness(word, *words);

        if (distance < best) {
            best = distance;
            nearest = *words;
        }
    }
    return nearest;
}

static const char *nearest_option(const struct option_table *table, struct str word)
{
    unsigned best = tolerance(word) + 1, distance;
    const char *nearest = NULL;
    struct place place = { 0 };

    while (next_row(table, &place)) {
        distance = nearness(word, place.row->name);
        if (distance < best) {
            best = distance;
            nearest = place.row->name;
        }
    }
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++) {
        distance = nearness(word, synonyms[i].theirs);
        if (distance < best && find_name(table, str_view(synonyms[i].ours), &place)) {
            best = distance;
            nearest = synonyms[i].ours;
        }
    }
    return nearest;
}

static enum result unknown_option(const struct option_table *table, struct str name,
                                  struct err *err)
{
    const char *nearest = nearest_option(table, name);
    int shown = (int)(name.len < 64 ? name.len : 64);

    if (nearest) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "unknown option --%.*s (did you mean --%s?)",
                       shown, name.data, nearest);
    }
    return err_set(err, RESULT_INVALID, "E-ARG1", "unknown option --%.*s; see scrapetop %s --help",
                   shown, name.data, table->command);
}

/* "2%" or "0.02". */
static enum result parse_fraction(struct str text, double *fraction, struct err *err)
{
    struct str digits = text;
    double value = 0, place = 1;
    bool percent = text.len && text.data[text.len - 1] == '%', point = false;
    size_t count = 0;

    digits.len -= percent;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.data[i];

        if (c == '.' && !point) {
            point = true;
        } else if (c >= '0' && c <= '9') {
            place = point ? place / 10 : place;
            value = point ? value + place * (c - '0') : value * 10 + (c - '0');
            count++;
        } else {
            count = 0;
            break;
        }
    }
    value = percent ? value / 100 : value;
    if (!count || !(value <= 1)) {
        return err_set(err, RESULT_INVALID, "E-ARG5",
                       "\"%.*s\" is not a fraction; want for example 2%% or 0.02", STR_ARG(text));
    }
    *fraction = value;
    return RESULT_OK;
}

static enum result check_low(uint64_t value, const struct option_row *row, struct err *err)
{
    return value >= row->low ? RESULT_OK
                             : err_set(err, RESULT_INVALID, "E-ARG5", "must be above zero");
}

static enum result set_value(const struct option_row *row, void *group_struct, const char *value,
                             struct err *err)
{
    void *at = (char *)group_struct + row->offset;
    struct str text = str_view(value);
    uint64_t count;
    enum result result;

    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)at = true;
        return RESULT_OK;
    case OPTION_TEXT:
        if (!text.len) {
            return err_set(err, RESULT_INVALID, "E-ARG1", "want %s, got nothing", row->value);
        }
        *(const char **)at = value;
        return RESULT_OK;
    case OPTION_COUNT:
        result = units_parse_count(text, row->low, row->high, &count, err);
        if (result == RESULT_OK) {
            *(unsigned *)at = (unsigned)count;
        }
        return result;
    case OPTION_NUMBER:
        return units_parse_count(text, row->low, row->high, at, err);
    case OPTION_TIME:
        result = units_parse_time(text, at, err);
        return result == RESULT_OK ? check_low(*(uint64_t *)at, row, err) : result;
    case OPTION_SIZE:
        result = units_parse_size(text, at, err);
        return result == RESULT_OK ? check_low(*(uint64_t *)at, row, err) : result;
    case OPTION_RATE:
        return units_parse_rate(text, at, err);
    case OPTION_FRACTION:
        return parse_fraction(text, at, err);
    case OPTION_CALL:
        break;
    }
    return row->set(group_struct, value, err);
}

/* One parse: where it stands in argv, and what it fills. */
struct parse {
    const struct option_table *table;
    int argc, at;
    char **argv;
    void *target;
    struct options_given *given;
    struct err *err;
};

static enum result take_row(struct parse *p, const struct place *place, const char *value)
{
    enum result result;

    if (is_given(p->given, place) && !place->row->repeats) {
        return err_set(p->err, RESULT_INVALID, "E-ARG1", "option --%s is given twice",
                       place->row->name);
    }
    p->given->rows[place->index / 64] |= UINT64_C(1) << place->index % 64;
    result = set_value(place->row, (char *)p->target + place->group->offset, value, p->err);
    if (result != RESULT_OK) {
        err_prefix(p->err, "--%s", place->row->name);
    }
    return result;
}

/* A word that is an option of this very table is no value of another: somebody forgot one. */
static bool looks_like_option(const struct option_table *table, const char *word)
{
    struct place place;

    if (word[0] != '-' || !word[1]) {
        return false;
    }
    return word[1] == '-' ? find_name(table, str_view(word + 2), &place)
                          : !word[2] && find_letter(table, word[1], &place);
}

static enum result take_next_word(struct parse *p, const struct place *place)
{
    const struct option_row *row = place->row;
    const char *next = p->at + 1 < p->argc ? p->argv[p->at + 1] : NULL;

    if (!next) {
        return err_set(p->err, RESULT_INVALID, "E-ARG1", "option --%s wants %s", row->name,
                       row->value);
    }
    if (looks_like_option(p->table, next)) {
        return err_set(p->err, RESULT_INVALID, "E-ARG1",
                       "option --%s wants %s, but %s follows; if that is meant: --%s=%s", row->name,
                       row->value, next, row->name, next);
    }
    p->at++;
    return take_row(p, place, next);
}

static enum result take_long(struct parse *p, const char *word)
{
    struct str value = str_view(word);
    struct str name = str_cut(&value, '=');
    struct place place;

    if (str_equal(name, STR("help"))) {
        p->given->help = true;
        return RESULT_OK;
    }
    if (!find_name(p->table, name, &place)) {
        return unknown_option(p->table, name, p->err);
    }
    if (!place.row->value) {
        return value.data ? err_set(p->err, RESULT_INVALID, "E-ARG1", "option --%s takes no value",
                                    place.row->name)
                          : take_row(p, &place, NULL);
    }
    return value.data ? take_row(p, &place, value.data) : take_next_word(p, &place);
}

/* The letters after one dash: flags, the last of which may be an option with its value. */
static enum result take_letters(struct parse *p, const char *letters)
{
    enum result result = RESULT_OK;

    for (; *letters && result == RESULT_OK && !p->given->help; letters++) {
        struct place place;

        if (*letters == 'h') {
            p->given->help = true;
        } else if (!find_letter(p->table, *letters, &place)) {
            return err_set(p->err, RESULT_INVALID, "E-ARG1",
                           "unknown option -%c; see scrapetop %s --help", *letters,
                           p->table->command);
        } else if (!place.row->value) {
            result = take_row(p, &place, NULL);
        } else {
            return letters[1] ? take_row(p, &place, letters + 1) : take_next_word(p, &place);
        }
    }
    return result;
}

static enum result take_operand(struct parse *p, const char *word)
{
    if (!p->table->operand) {
        return err_set(p->err, RESULT_INVALID, "E-ARG1",
                       "\"%.64s\": scrapetop %s takes options only", word, p->table->command);
    }
    return p->table->operand(p->target, word, p->err);
}

enum result options_parse(const struct option_table *table, int argc, char **argv, void *target,
                          struct options_given *given, struct err *err)
{
    struct parse p = { table, argc, 1, argv, target, given, err };
    bool options_ended = false;
    enum result result = RESULT_OK;

    *given = (struct options_given){ 0 };
    for (; p.at < argc && result == RESULT_OK && !given->help; p.at++) {
        const char *word = argv[p.at];

        if (options_ended || word[0] != '-' || !word[1]) {
            result = take_operand(&p, word);
        } else if (strcmp(word, "--") == 0) {
            options_ended = true;
        } else if (word[1] == '-') {
            result = take_long(&p, word + 2);
        } else {
            result = take_letters(&p, word + 1);
        }
    }
    return result;
}
