#include "table/moment_text.h"

#include "base/clock.h"
#include "base/timestamp.h"

#include <stdio.h>

#define US_PER_DAY (INT64_C(86400) * (int64_t)US_PER_S)

struct str moment_text_day(int64_t days, char text[MOMENT_TEXT_MAX])
{
    unsigned month, day;
    int64_t year;
    int len;

    clock_civil_from_days(days, &year, &month, &day);
    len = snprintf(text, MOMENT_TEXT_MAX, "%04lld-%02u-%02u", (long long)year, month, day);
    return (struct str){ text, (size_t)len };
}

struct str moment_text_time(int64_t us, char text[MOMENT_TEXT_MAX])
{
    int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0), rest = us - days * US_PER_DAY;
    struct str day = moment_text_day(days, text);
    int len = snprintf(text + day.len, MOMENT_TEXT_MAX - day.len, "T%02lld:%02lld:%02lld.%06lldZ",
                       (long long)(rest / 3600000000), (long long)(rest / 60000000 % 60),
                       (long long)(rest / 1000000 % 60), (long long)(rest % 1000000));

    return (struct str){ text, day.len + (size_t)len };
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
