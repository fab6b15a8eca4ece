#include "normalise/types.h"

#include "base/clock.h"
#include "base/timestamp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_OF_DAY INT64_C(86400)
#define NUMBER_TEXT_MAX 64 /* longer numbers are text: no double needs as much */
#define DOUBLE_DIGITS_MAX 17
#define EXACT_DIGITS_MAX 767 /* no double has more */
#define MANTISSA_SURE (UINT64_C(1) << 52)
#define ALWAYS_INLINE static inline __attribute__((always_inline))

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline const char *step_digits(const char *p, const char *end)
{
    while (p < end && is_digit(*p)) {
        p++;
    }
    return p;
}

/* A number in JSON's grammar, taken apart: digits without the point, and the power of ten that the
 * last of them stands for. Zeros at both ends are cut, so that 1.50 and 15e-1 are the same. */
struct decimal {
    bool negative, whole; /* whole: neither point nor exponent */
    bool exact;           /* `mantissa` has all digits */
    uint64_t mantissa;
    unsigned digits; /* that count */
    int64_t exponent;
};

static inline void take_digits(struct decimal *d, const char *first, const char *end,
                               unsigned *zeros)
{
    for (const char *p = first; p < end; p++) {
        if (*p == '0') {
            *zeros += d->digits > 0;
            continue;
        }
        for (; *zeros; --*zeros, d->digits++) {
            d->mantissa = d->digits < 19 ? d->mantissa * 10 : d->mantissa;
        }
        d->mantissa = d->digits < 19 ? d->mantissa * 10 + (uint64_t)(*p - '0') : d->mantissa;
        d->digits++;
    }
}

/* Up to 10^6 either way, which is more than any double: the rest is the same to us. */
static const char *take_exponent(struct decimal *d, const char *p, const char *end)
{
    bool negative = p < end && *p == '-';
    const char *first;
    int64_t value = 0;

    p += p < end && (*p == '-' || *p == '+');
    for (first = p; p < end && is_digit(*p); p++) {
        value = value < 1000000 ? value * 10 + (*p - '0') : value;
    }
    d->exponent += negative ? -value : value;
    return p > first ? p : NULL;
}

static bool parse_decimal(struct str text, struct decimal *d)
{
    const char *p = text.data, *end = p + text.len, *first;
    unsigned zeros = 0;

    *d = (struct decimal){ .whole = true };
    if (p < end && *p == '-') {
        d->negative = true;
        p++;
    }
    first = p;
    p = step_digits(p, end);
    if (p == first || (*first == '0' && p - first > 1)) {
        return false;
    }
    take_digits(d, first, p, &zeros);
    if (p < end && *p == '.') {
        d->whole = false;
        first = ++p;
        p = step_digits(p, end);
        if (p == first) {
            return false;
        }
        take_digits(d, first, p, &zeros);
        d->exponent = -(int64_t)(p - first);
    }
    d->exponent += zeros;
    if (p < end && (*p == 'e' || *p == 'E')) {
        d->whole = false;
        p = take_exponent(d, p + 1, end);
    }
    d->exact = d->digits <= 19;
    return p == end;
}

bool types_is_number(struct str text)
{
    struct decimal d;

    return parse_decimal(text, &d);
}

/* The whole number that `d` is, if int64 holds it; -0 is none, as it would lose its sign. */
static bool decimal_int64(const struct decimal *d, int64_t *value)
{
    uint64_t m = d->mantissa, most = (uint64_t)INT64_MAX + d->negative;

    if (!d->whole || !d->exact || (d->negative && m == 0)) {
        return false;
    }
    for (int64_t i = 0; i < d->exponent && m; i++) {
        if (i >= 19 || m > most / 10) {
            return false;
        }
        m *= 10;
    }
    if (m > most) {
        return false;
    }
    *value = d->negative ? (int64_t)(0 - m) : (int64_t)m;
    return true;
}

static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
#define POWERS_MAX 22 /* the last that a double holds exactly */

/* Whether `value` lies in the middle between `even`, which C prints, and `d`, which is one more in the last digit: as
 * ECMAScript prints it. */
static bool is_halfway(double value, const struct decimal *d, const struct decimal *even)
{
    unsigned digits = d->digits, zeros = digits - even->digits;
    char text[EXACT_DIGITS_MAX + 32];
    const char *tail =
        text + 1 + (value < 0) + digits; /* after the sign, the point and these digits */

    if (d->exponent + zeros != even->exponent ||
        d->mantissa != even->mantissa * (uint64_t)powers[zeros] + 1) {
        return false;
    }
    snprintf(text, sizeof text, "%.*e", (int)digits + 7, value);
    if (*tail != '5' || strncmp(tail + 1, "0000000", 7) != 0) {
        return false; /* nearly always, and for far less */
    }
    snprintf(text, sizeof text, "%.*e", EXACT_DIGITS_MAX - 1, value);
    return tail[1 + strspn(tail + 1, "0")] == 'e';
}

/* Printed with as many digits as the text has, the double must say the same, and more than 17 digits no
 * double tells apart. Or else what it says must be another double: beside a power of two and among the
 * smallest, the shortest text for a double may not be the one nearest to it. So what "%.17g" and
 * ECMAScript print survives, as does the shortest text. */
static bool survives(const struct decimal *d, struct str text, double *value)
{
    char copy[NUMBER_TEXT_MAX + 1], back[NUMBER_TEXT_MAX + 32];
    struct decimal again;

    if (text.len > NUMBER_TEXT_MAX || d->digits > DOUBLE_DIGITS_MAX) {
        return false;
    }
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *value = strtod(copy, NULL); /* LC_NUMERIC is never set, so the point is a point */
    if (isinf(*value) || (*value == 0 && d->mantissa != 0)) {
        return false;
    }
    snprintf(back, sizeof back, "%.*e", (int)d->digits - 1, *value);
    return (parse_decimal(str_view(back), &again) && again.mantissa == d->mantissa &&
            again.digits == d->digits && again.exponent == d->exponent) ||
           strtod(back, NULL) != *value || is_halfway(*value, d, &again);
}

__extension__ typedef unsigned __int128 u128;

static u128 power_of_ten(unsigned places)
{
    u128 power = 1;

    while (places--) {
        power *= 10;
    }
    return power;
}

/* The double nearest to mantissa / 10^places, and whether its digits are the mantissa's, by whole
 * numbers alone: with v = f / 2^shift, v is the nearest if |f 10^places - mantissa 2^shift| is under half
 * of 10^places, and printed to that place v gives the mantissa back if it is under half of 2^shift. False
 * where that is beyond 128 bits, too close to call, or v would be a power of two above it: doubles below
 * such a one lie closer together than is measured here. */
static bool divide_exactly(uint64_t mantissa, unsigned places, double *value, bool *survived)
{
    const u128 power = power_of_ten(places);
    uint64_t fraction;
    u128 want;
    int exponent, shift;

    fraction = (uint64_t)ldexp(frexp((double)mantissa / powers[places], &exponent), 53);
    shift = 53 - exponent;
    if (shift < 1 || shift > 68 || mantissa >> 59) {
        return false;
    }
    want = (u128)mantissa << shift;
    for (int tries = 0; tries < 3; tries++) {
        u128 have = (u128)fraction * power, off = have > want ? have - want : want - have;

        if (fraction >> 53 || !(fraction >> 52) || (fraction == MANTISSA_SURE && have > want)) {
            return false;
        }
        if (2 * off < power) {
            *value = ldexp((double)fraction, -shift);
            *survived = 2 * off < (u128)1 << shift;
            return 2 * off != (u128)1 << shift;
        }
        fraction = have > want ? fraction - 1 : fraction + 1;
    }
    return false;
}

/* While the digits and the power of ten are exact as doubles, one rounding makes the nearest double of
 * them (Clinger, "How to Read Floating Point Numbers Accurately", 1990); below 2^52 that is off by less
 * than half of the last digit, which therefore survives. */
static bool decimal_double(const struct decimal *d, struct str text, double *value)
{
    bool survived;

    if (d->digits == 0) {
        *value = d->negative ? -0.0 : 0.0;
        return true;
    }
    if (d->exact && d->mantissa < MANTISSA_SURE && d->exponent >= -POWERS_MAX &&
        d->exponent <= POWERS_MAX) {
        double m = (double)d->mantissa;

        m = d->exponent < 0 ? m / powers[-d->exponent] : m * powers[d->exponent];
        *value = d->negative ? -m : m;
        return true;
    }
    if (d->digits <= DOUBLE_DIGITS_MAX && d->exponent < 0 && d->exponent >= -POWERS_MAX &&
        divide_exactly(d->mantissa, (unsigned)-d->exponent, value, &survived)) {
        *value = d->negative ? -*value : *value;
        if (survived ||
            d->digits == DOUBLE_DIGITS_MAX) { /* of so many, printing gives the double again */
            return survived;
        }
    }
    return survives(d, text, value);
}

/* Digits with a point among them or none, few enough to be read in one go: what most numbers are. */
struct plain {
    bool negative, point;
    unsigned places; /* after the point */
    uint64_t digits;
};

ALWAYS_INLINE bool parse_plain(struct str text, struct plain *n)
{
    const char *p = text.data, *end = p + text.len, *first;

    *n = (struct plain){ .negative = text.len && *p == '-' };
    p += n->negative;
    if (end - p > 18 || p == end) {
        return false;
    }
    for (first = p; p < end && is_digit(*p); p++) {
        n->digits = n->digits * 10 + (uint64_t)(*p - '0');
    }
    if (p == first || (*first == '0' && p - first > 1)) {
        return false;
    }
    if (p < end && *p == '.') {
        n->point = true;
        for (first = ++p; p < end && is_digit(*p); p++) {
            n->digits = n->digits * 10 + (uint64_t)(*p - '0');
        }
        n->places = (unsigned)(p - first);
        return p == end && n->places > 0;
    }
    return p == end;
}

/* Of digits below MANTISSA_SURE. */
static inline double plain_double(const struct plain *n)
{
    double value = (double)n->digits / powers[n->places];

    return n->negative ? -value : value;
}

bool types_int64(struct str text, int64_t *value)
{
    struct decimal d;
    struct plain n;

    if (parse_plain(text, &n) && !n.point && (n.digits || !n.negative)) {
        *value = n.negative ? -(int64_t)n.digits : (int64_t)n.digits;
        return true;
    }
    return parse_decimal(text, &d) && decimal_int64(&d, value);
}

/* Up to 2^53 all, above it the multiples of a power of two; 2^63 would not come back. */
static inline bool double_holds(int64_t whole)
{
    uint64_t size = whole < 0 ? 0 - (uint64_t)whole : (uint64_t)whole;

    return size <= 2 * MANTISSA_SURE ||
           (size < INT64_MAX / 2 && (int64_t)(double)(int64_t)size == (int64_t)size);
}

bool types_double(struct str text, double *value)
{
    struct decimal d;
    struct plain n;
    int64_t whole;

    if (parse_plain(text, &n) && n.digits < MANTISSA_SURE) {
        *value = plain_double(&n);
        return true;
    }
    if (!parse_decimal(text, &d)) {
        return false;
    }
    /* Of whole numbers as many digits count as there are: what was filed under KIND_INT is none too long. */
    if (decimal_int64(&d, &whole) && double_holds(whole)) {
        *value = (double)whole;
        return true;
    }
    return decimal_double(&d, text, value);
}

/* Of a timestamp with a time of day: +0100, -05:30, Z, which all come after the day's two dashes. */
static inline bool has_offset(struct str text)
{
    char last = text.data[text.len - 1];

    if (last == 'Z' || last == 'z') {
        return true;
    }
    for (size_t i = TIMESTAMP_TEXT_MIN; i < text.len; i++) {
        if (text.data[i] == '+' || text.data[i] == '-') {
            return true;
        }
    }
    return false;
}

/* Of all forms that a timestamp may have, the one of a day is the shortest, and alone so short. */
static inline enum type_kind time_kind(struct str text, int64_t *value)
{
    if (text.len != TIMESTAMP_TEXT_MIN) {
        return has_offset(text) ? KIND_TIME : KIND_LOCAL;
    }
    *value /= SECONDS_OF_DAY * (int64_t)US_PER_S;
    return KIND_DATE;
}

bool types_date(struct str text, int64_t *days)
{
    return timestamp_parse(text, days) && time_kind(text, days) == KIND_DATE;
}

/* --- facts ---------------------------------------------------------------------------------------- */

static void widen(struct type_facts *facts, int64_t low, int64_t high)
{
    bool first = facts->seen[KIND_INT] + facts->seen[KIND_TEXT_INT] == 0;

    facts->low = first || low < facts->low ? low : facts->low;
    facts->high = first || high > facts->high ? high : facts->high;
}

static inline enum type_kind whole_kind(struct type_facts *facts, int64_t whole)
{
    if (!double_holds(whole)) {
        return KIND_WIDE;
    }
    if (whole < facts->low || whole > facts->high) { /* both are 0 before the first */
        widen(facts, whole, whole);
    }
    return KIND_INT;
}

/* KIND_TEXT when it is no number at all. Kept out of number_kind, which so has little to set up. */
__attribute__((noinline)) static enum type_kind
any_number_kind(struct type_facts *facts, struct str text, union type_value *value)
{
    struct decimal d;

    if (!parse_decimal(text, &d)) {
        return KIND_TEXT;
    }
    if (decimal_int64(&d, &value->whole)) {
        return whole_kind(facts, value->whole);
    }
    return decimal_double(&d, text, &value->fraction) ? KIND_DOUBLE : KIND_NUMBER;
}

ALWAYS_INLINE enum type_kind number_kind(struct type_facts *facts, struct str text,
                                         union type_value *value)
{
    struct plain n;

    if (parse_plain(text, &n)) {
        if (!n.point && (n.digits || !n.negative)) {
            value->whole = n.negative ? -(int64_t)n.digits : (int64_t)n.digits;
            return whole_kind(facts, value->whole);
        }
        if (n.digits < MANTISSA_SURE) {
            value->fraction = plain_double(&n);
            return KIND_DOUBLE;
        }
    }
    return any_number_kind(facts, text, value);
}

static enum type_kind string_kind(struct type_facts *facts, struct str text, bool coerce,
                                  union type_value *value)
{
    if (timestamp_parse(text, &value->whole)) {
        return time_kind(text, &value->whole);
    }
    if (coerce && text.len && (is_digit(text.data[0]) || text.data[0] == '-')) {
        switch (number_kind(facts, text, value)) {
        case KIND_INT:
            return KIND_TEXT_INT;
        case KIND_WIDE:
            return KIND_TEXT_WIDE;
        case KIND_DOUBLE:
            return KIND_TEXT_DOUBLE;
        default:
            break;
        }
    }
    return KIND_TEXT;
}

enum type_kind types_note(struct type_facts *facts, enum cell_kind kind, struct str text,
                          bool coerce, union type_value *value)
{
    enum type_kind is = KIND_TEXT;

    switch (kind) {
    case CELL_NULL:
        return is;
    case CELL_BARE:
        is = text.len && (*text.data == 't' || *text.data == 'f') ? KIND_BOOLEAN
             : text.len                                           ? number_kind(facts, text, value)
                                                                  : KIND_TEXT;
        break;
    case CELL_STRING:
        is = string_kind(facts, text, coerce, value);
        break;
    case CELL_ESCAPED: /* a number or timestamp needs no escape */
        break;
    case CELL_JSON:
        is = KIND_JSON;
        break;
    }
    facts->seen[is]++;
    return is;
}

void types_merge(struct type_facts *into, const struct type_facts *from)
{
    if (from->seen[KIND_INT] + from->seen[KIND_TEXT_INT]) {
        widen(into, from->low, from->high);
    }
    for (int i = 0; i < KIND_COUNT; i++) {
        into->seen[i] += from->seen[i];
    }
}

uint64_t types_present(const struct type_facts *facts)
{
    uint64_t count = 0;

    for (int i = 0; i < KIND_COUNT; i++) {
        count += facts->seen[i];
    }
    return count;
}
