#include "base/since_value.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_scan.h"
#include "base/timestamp.h"
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NANOS 1000000000
#define NANO_DIGITS 9
#define DAY_S 86400
#define DAY_LENGTH 10           /* 2026-01-31 */
#define MINUTE_LENGTH 16        /* 2026-01-31T12:00 */
#define SECOND_LENGTH 19        /* 2026-01-31T12:00:00 */
#define YEAR_1_S (-62135596800) /* 0001-01-01 */
/* Of numbers that are times: seconds until the year 5138, milliseconds, microseconds,
 * nanoseconds. */
#define SECONDS_END INT64_C(100000000000)
#define MILLIS_END INT64_C(100000000000000)
#define MICROS_END INT64_C(100000000000000000)

/* --- reading ---------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t count_digits(struct str text)
{
    size_t n = 0;

    while (n < text.len && is_digit(text.data[n])) {
        n++;
    }
    return n;
}

/* Digits after the point, as 10^-9; what is finer is cut off. */
static uint32_t read_nanos(struct str digits)
{
    uint32_t nanos = 0;

    for (size_t i = 0; i < NANO_DIGITS; i++) {
        nanos = nanos * 10 + (i < digits.len ? (uint32_t)(digits.data[i] - '0') : 0);
    }
    return nanos;
}

static struct str rest(struct str text, size_t from)
{
    return (struct str){ text.data + from, text.len - from };
}

static bool read_whole(struct str digits, bool is_negative, int64_t *whole)
{
    uint64_t number;

    if (!str_to_u64(digits, &number) || number > INT64_MAX) {
        return false;
    }
    *whole = is_negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static bool read_number(struct str text, struct since_value *v)
{
    bool is_negative = text.len && text.data[0] == '-';
    struct str body = rest(text, is_negative), fraction = STR_NONE;
    size_t digits = count_digits(body), after = 0;

    if (digits < body.len && body.data[digits] == '.') {
        fraction = rest(body, digits + 1);
        after = count_digits(fraction);
        fraction.len = after;
    }
    if (!digits || digits + (fraction.data ? after + 1 : 0) != body.len ||
        (fraction.data && !after) ||
        !read_whole((struct str){ body.data, digits }, is_negative, &v->whole)) {
        return false;
    }
    v->kind = SINCE_NUMBER;
    v->nanos = fraction.data ? read_nanos(fraction) : 0;
    if (is_negative && v->nanos) {
        v->whole--;
        v->nanos = NANOS - v->nanos;
    }
    return true;
}

/* Where the point stands and how many digits follow; without one the length of the text. */
static size_t find_fraction(struct str text, size_t *digits)
{
    const char *point = text.len > SECOND_LENGTH ? memchr(text.data, '.', text.len) : NULL;

    *digits = point ? count_digits(rest(text, (size_t)(point - text.data) + 1)) : 0;
    return point ? (size_t)(point - text.data) : text.len;
}

static bool read_time(struct str text, struct since_value *v)
{
    char plain[SINCE_VALUE_MAX];
    size_t digits, at = find_fraction(text, &digits);
    struct str fraction = STR_NONE;
    int64_t us;

    if (text.len >= sizeof plain || (at < text.len && (at != SECOND_LENGTH || !digits))) {
        return false;
    }
    memcpy(plain, text.data, at);
    if (at < text.len) {
        fraction = (struct str){ text.data + at + 1, digits };
        memcpy(plain + at, text.data + at + 1 + digits, text.len - at - 1 - digits);
        at = text.len - 1 - digits;
    }
    if (!timestamp_parse(((struct str){ plain, at }), &us)) {
        return false;
    }
    v->kind = text.len == DAY_LENGTH ? SINCE_DAY : SINCE_MOMENT;
    v->whole = us / (int64_t)US_PER_S - (us % (int64_t)US_PER_S < 0);
    v->nanos = fraction.data ? read_nanos(fraction) : 0;
    return true;
}

bool since_value_parse(struct str json, struct since_value *v)
{
    struct str raw = json_string_raw(json);
    bool is_good = raw.data ? read_number(raw, v) || read_time(raw, v) : read_number(json, v);

    if (!is_good || json.len >= sizeof v->json) {
        return false;
    }
    memcpy(v->json, json.data, json.len);
    v->json[json.len] = '\0';
    return true;
}

bool since_value_parse_typed(struct str text, struct since_value *v)
{
    char json[SINCE_VALUE_MAX];

    if (since_value_parse(text, v)) {
        return true;
    }
    return text.len + 3 <= sizeof json &&
           snprintf(json, sizeof json, "\"%.*s\"", STR_ARG(text)) > 0 &&
           since_value_parse(str_view(json), v);
}

/* --- comparing -------------------------------------------------------------------------------- */

bool since_value_is_like(const struct since_value *a, const struct since_value *b)
{
    return (a->kind == SINCE_NUMBER) == (b->kind == SINCE_NUMBER);
}

int since_value_compare(const struct since_value *a, const struct since_value *b)
{
    if (a->whole != b->whole) {
        return a->whole < b->whole ? -1 : 1;
    }
    return a->nanos < b->nanos ? -1 : a->nanos > b->nanos;
}

/* How many of a number's units are a second. */
static int64_t units_of_second(int64_t number)
{
    int64_t size = number < 0 ? -(number + 1) : number;

    return size < SECONDS_END ? 1 : size < MILLIS_END ? 1000 : size < MICROS_END ? 1000000 : NANOS;
}

bool since_value_us(const struct since_value *v, const struct since_lag *lag, int64_t *us)
{
    int64_t per_s = v->kind == SINCE_NUMBER ? units_of_second(v->whole) : 1;
    int64_t per_us = (int64_t)US_PER_S / per_s;

    if (v->kind == SINCE_NUMBER && !lag->is_time) {
        return false;
    }
    *us = per_us ? v->whole * per_us : v->whole / (per_s / (int64_t)US_PER_S) + 1;
    *us += per_us ? ((int64_t)v->nanos * per_us + NANOS - 1) / NANOS : 0;
    return true;
}

/* --- going back ------------------------------------------------------------------------------- */

struct str since_value_text(const struct since_value *v)
{
    struct str raw = json_string_raw(str_view(v->json));

    return raw.data ? raw : str_view(v->json);
}

static int64_t floor_to(int64_t number, int64_t step)
{
    int64_t left = number % step;

    return number - (left < 0 ? left + step : left);
}

/* "Z" and nothing are UTC. */
static int64_t offset_s(struct str zone)
{
    unsigned hours = 0, minutes = 0;
    char text[8];

    if (zone.len < 3 || zone.len >= sizeof text) {
        return 0;
    }
    snprintf(text, sizeof text, "%.*s", STR_ARG(zone));
    hours = (unsigned)(text[1] - '0') * 10 + (unsigned)(text[2] - '0');
    if (zone.len > 3) {
        const char *at = text + 3 + (text[3] == ':');

        minutes = (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
    }
    return (text[0] == '-' ? -1 : 1) * ((int64_t)hours * 3600 + (int64_t)minutes * 60);
}

struct form {
    bool has_seconds;
    char between; /* day and time */
    size_t digits;
    struct str zone;
};

static struct form form_of(struct str text)
{
    struct form f = { .has_seconds = text.len >= SECOND_LENGTH && text.data[MINUTE_LENGTH] == ':' };
    size_t at = f.has_seconds ? SECOND_LENGTH : MINUTE_LENGTH;

    f.between = text.data[DAY_LENGTH];
    if (at < text.len && text.data[at] == '.') {
        f.digits = count_digits(rest(text, at + 1));
        at += 1 + f.digits;
    }
    f.zone = rest(text, at);
    return f;
}

/* So many digits after the point; nine are known, further ones are zeros. */
static void put_fraction(struct buf *out, uint32_t nanos, size_t digits)
{
    char text[16];

    snprintf(text, sizeof text, "%09" PRIu32, nanos);
    if (digits) {
        (void)!buf_printf(out, ".%.*s", (int)(digits < NANO_DIGITS ? digits : NANO_DIGITS), text);
    }
    for (size_t i = NANO_DIGITS; i < digits; i++) {
        (void)!buf_append_char(out, '0');
    }
}

static void put_day(struct buf *out, int64_t seconds)
{
    int64_t year;
    unsigned month, day;

    clock_civil_from_days(floor_to(seconds, DAY_S) / DAY_S, &year, &month, &day);
    (void)!buf_printf(out, "%04" PRId64 "-%02u-%02u", year, month, day);
}

static void put_moment(struct buf *out, struct str was, int64_t whole, uint32_t nanos)
{
    struct form f = form_of(was);
    int64_t local = whole + offset_s(f.zone), second;

    second = local - floor_to(local, DAY_S);
    put_day(out, local);
    (void)!buf_printf(out, "%c%02d:%02d", f.between, (int)(second / 3600), (int)(second / 60 % 60));
    if (f.has_seconds) {
        (void)!buf_printf(out, ":%02d", (int)(second % 60));
    }
    put_fraction(out, nanos, f.digits);
    (void)!buf_append_str(out, f.zone);
}

static void put_number(struct buf *out, struct str was, int64_t whole, uint32_t nanos)
{
    const char *point = memchr(was.data, '.', was.len);
    size_t digits = point ? was.len - (size_t)(point - was.data) - 1 : 0;

    if (whole < 0 && nanos && digits) { /* -1.75 is kept as -2 and 0.25 */
        (void)!buf_append_char(out, '-');
        whole = -(whole + 1);
        nanos = NANOS - nanos;
    }
    (void)!buf_printf(out, "%" PRId64, whole);
    put_fraction(out, nanos, digits);
}

static bool go_back(int64_t *whole, uint32_t *nanos, int64_t seconds, uint32_t of_nanos)
{
    int64_t borrow = of_nanos > *nanos;

    if (__builtin_sub_overflow(*whole, seconds, whole) ||
        __builtin_sub_overflow(*whole, borrow, whole)) {
        return false;
    }
    *nanos += (uint32_t)borrow * NANOS - of_nanos;
    return true;
}

/* A lag in the units of the number: whole ones, and 10^-9 of them. */
static bool number_back(const struct since_value *v, const struct since_lag *lag, int64_t *whole,
                        uint32_t *nanos)
{
    int64_t per_s = units_of_second(v->whole);

    if (!lag->is_time) {
        return lag->count <= INT64_MAX && go_back(whole, nanos, (int64_t)lag->count, 0);
    }
    if (per_s >= (int64_t)US_PER_S) {
        int64_t units;

        return !__builtin_mul_overflow((int64_t)lag->us, per_s / (int64_t)US_PER_S, &units) &&
               go_back(whole, nanos, units, 0);
    }
    return go_back(whole, nanos, (int64_t)(lag->us / (US_PER_S / (uint64_t)per_s)),
                   (uint32_t)(lag->us % (US_PER_S / (uint64_t)per_s) * 1000 * (uint64_t)per_s));
}

static void put(struct buf *out, const struct since_value *v, int64_t whole, uint32_t nanos)
{
    struct str was = since_value_text(v);
    bool is_text = v->json[0] == '"';

    if (is_text) {
        (void)!buf_append_char(out, '"');
    }
    switch (v->kind) {
    case SINCE_NUMBER:
        put_number(out, was, whole, nanos);
        break;
    case SINCE_MOMENT:
        put_moment(out, was, whole, nanos);
        break;
    case SINCE_DAY:
        put_day(out, whole);
        break;
    }
    if (is_text) {
        (void)!buf_append_char(out, '"');
    }
}

void since_value_back(const struct since_value *v, const struct since_lag *lag,
                      struct since_value *back)
{
    struct buf out = { .max = SINCE_VALUE_MAX };
    int64_t whole = v->whole;
    uint32_t nanos = v->nanos;
    bool is_good;

    *back = *v;
    if (v->kind == SINCE_NUMBER) {
        is_good = number_back(v, lag, &whole, &nanos);
    } else {
        is_good = go_back(&whole, &nanos, (int64_t)(lag->us / US_PER_S),
                          (uint32_t)(lag->us % US_PER_S * 1000)) &&
                  whole >= YEAR_1_S + DAY_S;
    }
    if (!is_good || (!lag->us && !lag->count)) {
        return;
    }
    put(&out, v, whole, nanos);
    if (!since_value_parse(buf_view(&out), back)) {
        *back = *v;
    }
    buf_release(&out);
}
