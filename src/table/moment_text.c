#include "table/moment_text.h"

#include "base/clock.h"
#include "base/timestamp.h"

#include <stdio.h>

#define US_PER_DAY (INT64_C(86400) * (int64_t)US_PER_S)

static char *put_digits(char *at, int width, unsigned value)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

struct str moment_text_day(int64_t days, char text[MOMENT_TEXT_MAX])
{
    unsigned month, day;
    int64_t year;
    char *at = text;

    clock_civil_from_days(days, &year, &month, &day);
    if (year >= 0 &&
        year <= 9999) { /* by hand: printf takes ten times as long, and rows have many */
        at = put_digits(at, 4, (unsigned)year);
    } else {
        at += snprintf(text, MOMENT_TEXT_MAX / 2, "%04lld", (long long)year);
    }
    *at++ = '-';
    at = put_digits(at, 2, month);
    *at++ = '-';
    at = put_digits(at, 2, day);
    *at = '\0';
    return (struct str){ text, (size_t)(at - text) };
}

struct str moment_text_time(int64_t us, char text[MOMENT_TEXT_MAX])
{
    bool before = us % US_PER_DAY < 0;
    int64_t days = us / US_PER_DAY - before, rest = us % US_PER_DAY + (before ? US_PER_DAY : 0);
    unsigned seconds = (unsigned)(rest / (int64_t)US_PER_S);
    char *at = text + moment_text_day(days, text).len;

    *at++ = 'T';
    at = put_digits(at, 2, seconds / 3600);
    *at++ = ':';
    at = put_digits(at, 2, seconds / 60 % 60);
    *at++ = ':';
    at = put_digits(at, 2, seconds % 60);
    *at++ = '.';
    at = put_digits(at, 6, (unsigned)(rest % (int64_t)US_PER_S));
    *at++ = 'Z';
    *at = '\0';
    return (struct str){ text, (size_t)(at - text) };
}

bool moment_text_value(const struct type_decision *column, struct str value,
                       char shown[MOMENT_TEXT_MAX], struct str *made)
{
    bool is_day = column->type == TYPE_DATE;
    int64_t unit_us = column->epoch_unit_us, moment;
    bool good = is_day    ? types_date(value, &moment)
                : unit_us ? types_int64(value, &moment)
                          : timestamp_parse(value, &moment);

    if (good && unit_us) {
        good = !__builtin_mul_overflow(moment, unit_us, &moment);
    }
    if (!good) {
        return false;
    }
    *made = is_day ? moment_text_day(moment, shown) : moment_text_time(moment, shown);
    made->len -= column->type == TYPE_LOCAL_TIMESTAMP; /* the Z */
    return true;
}
