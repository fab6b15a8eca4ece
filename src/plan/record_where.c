#include "plan/record_where.h"

#include "job/dates.h"
#include "plan/records.h"

#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)
#define ORDER_SIGNS "=!<>"

/* --- reading what was typed ---------------------------------------------------------------------------- */

struct reading {
    struct str whole, left;
    int64_t now_s;
    struct err *err;
};

static enum result refuse(const struct reading *r, const char *why)
{
    return err_set(r->err, RESULT_INVALID, "E-WHERE1",
                   "\"%.*s\": %s; it may be '/status = open', with =, !=, <, <=, > or >=, '/draft' "
                   "(there, and not false), '!/closed_at', and several of these with \" and \"",
                   STR_ARG(r->whole), why);
}

static enum result read_pointer(struct reading *r, struct where_term *term)
{
    size_t len = 0;

    if (str_starts(r->left, STR("!"))) {
        term->order = WHERE_NOT_THERE;
        r->left = str_trim((struct str){ r->left.data + 1, r->left.len - 1 });
    }
    while (len < r->left.len && !strchr(" " ORDER_SIGNS, r->left.data[len])) {
        len++;
    }
    if (!len || r->left.data[0] != '/') {
        return refuse(r, "want a JSON Pointer into the record first");
    }
    if (json_pointer_parse(&term->pointer, (struct str){ r->left.data, len }, r->err) !=
        RESULT_OK) {
        return RESULT_INVALID;
    }
    r->left = str_trim((struct str){ r->left.data + len, r->left.len - len });
    return RESULT_OK;
}

/* The longer ones first. */
static bool read_order(struct reading *r, enum where_order *order)
{
    static const struct {
        struct str sign;
        enum where_order order;
    } signs[] = {
        { STR_INIT("=="), WHERE_EQUAL },   { STR_INIT("!="), WHERE_UNEQUAL },
        { STR_INIT("<="), WHERE_AT_MOST }, { STR_INIT(">="), WHERE_AT_LEAST },
        { STR_INIT("="), WHERE_EQUAL },    { STR_INIT("<"), WHERE_LESS },
        { STR_INIT(">"), WHERE_MORE },
    };

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (str_starts(r->left, signs[i].sign)) {
            *order = signs[i].order;
            r->left = str_trim(
                (struct str){ r->left.data + signs[i].sign.len, r->left.len - signs[i].sign.len });
            return true;
        }
    }
    return false;
}

/* Up to " and ", or the end. */
static struct str take_bare(struct reading *r)
{
    static const struct str and = STR_INIT(" and ");
    const char *next = r->left.len ? memmem(r->left.data, r->left.len, and.data, and.len) : NULL;
    struct str value = { r->left.data, next ? (size_t)(next - r->left.data) : r->left.len };

    r->left = (struct str){ r->left.data + value.len, r->left.len - value.len };
    return str_trim(value);
}

/* At a quote: up to the one that ends it. False: there is none, or something stands after it. */
static bool take_quoted(struct reading *r, struct str *literal)
{
    size_t len = 1;

    while (len < r->left.len && r->left.data[len] != '"') {
        len += r->left.data[len] == '\\' ? 2 : 1;
    }
    if (len >= r->left.len) {
        return false;
    }
    *literal = (struct str){ r->left.data, len + 1 };
    r->left = (struct str){ r->left.data + len + 1, r->left.len - len - 1 };
    return json_check(*literal, 1, NULL) && (!r->left.len || r->left.data[0] == ' ');
}

static enum result keep_value(const struct reading *r, struct where_term *term, struct str value)
{
    if (value.len > sizeof term->value) {
        return refuse(r, "its value is over 256 bytes");
    }
    if (value.len) { /* an empty one may be nowhere */
        memcpy(term->value, value.data, value.len);
    }
    term->value_len = value.len;
    return RESULT_OK;
}

/* A day in words, or a moment, as JSON has it. */
static bool date_of(struct str text, int64_t now_s, struct buf *json)
{
    int64_t second, day;

    if (!dates_is_word(text)) {
        return false;
    }
    if (dates_parse_clock_word(text, now_s, &second)) {
        return buf_printf(json, "%lld", (long long)second) == RESULT_OK;
    }
    day = now_s / DAY_S - (now_s % DAY_S < 0);
    return dates_parse_day(text, day, &day) &&
           buf_printf(json, "%lld", (long long)(day * DAY_S)) == RESULT_OK;
}

static bool has(struct str text, struct str part)
{
    return memmem(text.data, text.len, part.data, part.len) != NULL;
}

static bool ends_in_and(struct str text)
{
    static const struct str and = STR_INIT(" and");

    return text.len >= and.len && memcmp(text.data + text.len - and.len, and.data, and.len) == 0;
}

static enum result read_value(struct reading *r, struct where_term *term)
{
    struct buf text = { .max = RECORD_WHERE_VALUE_MAX };
    struct str value;
    enum result result;

    if (str_starts(r->left, STR("\""))) {
        term->is_text = true;
        if (!take_quoted(r, &value)) {
            return refuse(r, "its value in quotes is no text as JSON has it");
        }
        if (json_unescape(&text, json_string_raw(value), NULL) != RESULT_OK) {
            buf_release(&text);
            return refuse(r, "its value is over 256 bytes");
        }
        result = keep_value(r, term, buf_view(&text));
        buf_release(&text);
        return result;
    }
    value = take_bare(r);
    if (!value.len || ends_in_and(value)) {
        return refuse(r, "want a value; \"\" is the empty text");
    }
    if (has(value, STR(" or /")) || has(value, STR(" or !"))) {
        return refuse(r, "alternatives are conditions of their own: give the option again");
    }
    if (date_of(value, r->now_s, &text)) {
        term->is_like = since_value_parse(buf_view(&text), &term->typed);
        term->typed.kind = SINCE_MOMENT;
    } else {
        term->is_like = since_value_parse_typed(value, &term->typed);
    }
    buf_release(&text);
    return keep_value(r, term, value);
}

static enum result read_term(struct reading *r, struct where_term *term)
{
    enum result result = read_pointer(r, term);
    enum where_order order;

    if (result == RESULT_OK && read_order(r, &order)) {
        if (term->order == WHERE_NOT_THERE) {
            return refuse(r, "want either \"!\" before the pointer or a comparison");
        }
        term->order = order;
        result = read_value(r, term);
    }
    r->left = str_trim(r->left);
    return result;
}

enum result record_where_add(struct record_where *where, struct str text, int64_t now_s,
                             struct err *err)
{
    struct reading r = { .whole = text, .left = str_trim(text), .now_s = now_s, .err = err };
    enum result result;
    bool begins = true;

    for (;;) {
        struct where_term *term = &where->terms[where->count];

        if (where->count == RECORD_WHERE_TERMS_MAX) {
            return refuse(&r, "there are more than 16 conditions");
        }
        memset(term, 0, sizeof *term);
        term->begins = begins;
        result = read_term(&r, term);
        if (result != RESULT_OK) {
            return result;
        }
        where->count++;
        if (!r.left.len) {
            return RESULT_OK;
        }
        if (!str_starts(r.left, STR("and "))) {
            return refuse(&r, "want \" and \" between conditions");
        }
        r.left = str_trim((struct str){ r.left.data + 4, r.left.len - 4 });
        begins = false;
    }
}

/* --- looking at records ---------------------------------------------------------------------------------- */

static bool is_in_order(enum where_order order, int compared)
{
    switch (order) {
    case WHERE_EQUAL:
        return compared == 0;
    case WHERE_UNEQUAL:
        return compared != 0;
    case WHERE_LESS:
        return compared < 0;
    case WHERE_AT_MOST:
        return compared <= 0;
    case WHERE_MORE:
        return compared > 0;
    case WHERE_AT_LEAST:
        return compared >= 0;
    case WHERE_THERE:
    case WHERE_NOT_THERE:
        break;
    }
    return false;
}

/* Of numbers with an exponent, or larger than 64 bits. False: one of them is none. */
static bool compare_numbers(struct str a, struct str b, int *compared)
{
    char texts[2][RECORD_WHERE_VALUE_MAX + 1];
    double numbers[2];
    const struct str both[2] = { a, b };

    for (int i = 0; i < 2; i++) {
        if (both[i].len >= sizeof texts[i] || json_type_of(both[i]) != JSON_NUMBER ||
            !json_check(both[i], 1, NULL)) {
            return false;
        }
        memcpy(texts[i], both[i].data, both[i].len);
        texts[i][both[i].len] = '\0';
        numbers[i] = strtod(texts[i], NULL);
    }
    *compared = (numbers[0] > numbers[1]) - (numbers[0] < numbers[1]);
    return true;
}

static bool is_equal(const struct where_term *term, struct str value)
{
    struct str wanted = { term->value, term->value_len };

    if (json_type_of(value) == JSON_STRING) {
        return json_raw_equal(json_string_raw(value), wanted);
    }
    return !term->is_text && str_equal(str_trim(value), wanted);
}

/* Numbers that are times are as large as seconds, milliseconds, microseconds or nanoseconds since 1970 are. */
static bool compare_likes(const struct where_term *term, struct str value, int *compared)
{
    static const struct since_lag time = { .is_time = true };
    struct since_value v;
    int64_t us[2];

    if (!term->is_like || !since_value_parse(value, &v)) {
        return false;
    }
    if (since_value_is_like(&v, &term->typed)) {
        *compared = since_value_compare(&v, &term->typed);
        return true;
    }
    if (!since_value_us(&v, &time, &us[0]) || !since_value_us(&term->typed, &time, &us[1])) {
        return false;
    }
    *compared = (us[0] > us[1]) - (us[0] < us[1]);
    return true;
}

static bool meets(const struct where_term *term, struct str value)
{
    enum json_type type = json_type_of(value);
    int compared;

    if (term->order == WHERE_THERE || term->order == WHERE_NOT_THERE) {
        return type != JSON_NONE && type != JSON_NULL && !str_equal(str_trim(value), STR("false"));
    }
    if (!term->is_text &&
        (compare_likes(term, value, &compared) ||
         compare_numbers(value, (struct str){ term->value, term->value_len }, &compared))) {
        return is_in_order(term->order, compared);
    }
    return term->order == WHERE_EQUAL     ? is_equal(term, value)
           : term->order == WHERE_UNEQUAL ? !is_equal(term, value)
                                          : false;
}

struct look {
    const struct where_term *term;
    bool is_met;
};

static bool look_at(void *context, const struct json_match *match)
{
    struct look *look = context;

    look->is_met = meets(look->term, match->value);
    return !look->is_met;
}

static bool term_holds(const struct where_term *term, struct str record)
{
    struct look look = { .term = term };

    if (!json_pointer_each(record, &term->pointer, look_at, &look)) {
        look.is_met = meets(term, STR("null"));
    }
    return look.is_met != (term->order == WHERE_NOT_THERE);
}

bool record_where_holds(const struct record_where *where, struct str record)
{
    bool holds = false;

    for (size_t i = 0; i < where->count; i++) {
        if (where->terms[i].begins && holds) {
            return true;
        }
        holds = (where->terms[i].begins || holds) && term_holds(&where->terms[i], record);
    }
    return holds;
}

struct any {
    const struct record_where *where;
    bool holds;
};

static bool visit(void *context, const struct record_view *record)
{
    struct any *any = context;

    any->holds = record_where_holds(any->where, record->value);
    return !any->holds;
}

bool record_where_any(const struct record_where *where, struct str body,
                      const struct json_pointer *records)
{
    struct any any = { .where = where };

    (void)records_each(body, records, visit, &any);
    return any.holds;
}
