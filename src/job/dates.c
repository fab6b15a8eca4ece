#include "job/dates.h"

#include "base/clock.h"
#include "base/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_US (INT64_C(86400) * (int64_t)US_PER_S)
#define DAY_WORDS "a date such as 2026-01-31, or today, yesterday, -7d, month-start, year-start"
#define STEP_MAX 100000 /* days, weeks, months or years */

struct civil {
    int64_t year;
    unsigned month, day; /* from 1 */
};

static int64_t day_of(struct civil c)
{
    return clock_days_from_civil(c.year, c.month, c.day);
}

static struct civil civil_of(int64_t day)
{
    struct civil c;

    clock_civil_from_days(day, &c.year, &c.month, &c.day);
    return c;
}

static bool parse_part(struct str text, size_t at, size_t len, uint64_t *number)
{
    return str_to_u64((struct str){ text.data + at, len }, number);
}

/* A date alone; not of the year 0, which no calendar of people has. */
static bool parse_date(struct str text, int64_t *day)
{
    int64_t us;

    if (text.len != TIMESTAMP_TEXT_MIN || !timestamp_parse(text, &us) ||
        str_starts(text, STR("0000"))) {
        return false;
    }
    *day = us / DAY_US - (us % DAY_US < 0);
    return true;
}

static bool parse_step(struct str text, struct dates *dates)
{
    static const struct {
        struct str name;
        unsigned days, months;
    } units[] = {
        { STR_INIT("d"), 1, 0 },      { STR_INIT("w"), 7, 0 },  { STR_INIT("month"), 0, 1 },
        { STR_INIT("months"), 0, 1 }, { STR_INIT("mo"), 0, 1 }, { STR_INIT("y"), 0, 12 },
    };
    struct str unit = text;
    uint64_t number;
    size_t digits = 0;

    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9') {
        digits++;
    }
    unit.data += digits;
    unit.len -= digits;
    if (!parse_part(text, 0, digits, &number) || !number || number > STEP_MAX) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_equal(unit, units[i].name)) {
            dates->days = (unsigned)number * units[i].days;
            dates->months = (unsigned)number * units[i].months;
            return true;
        }
    }
    return false;
}

int64_t dates_at(const struct dates *dates, uint64_t index)
{
    struct civil c;
    int64_t months;
    unsigned days;

    if (dates->days) {
        return dates->first + (int64_t)(index * dates->days);
    }
    c = civil_of(dates->first);
    months = (int64_t)c.month - 1 + (int64_t)(index * dates->months);
    c.year += months / 12;
    c.month = (unsigned)(months % 12) + 1;
    days = clock_days_of_month(c.year, c.month);
    c.day = c.day < days ? c.day : days;
    return day_of(c);
}

/* So many days, weeks, months or years before. */
static int64_t day_before(int64_t today, const struct dates *step)
{
    struct civil c = civil_of(today);
    int64_t months = c.year * 12 + (int64_t)c.month - 1 - (int64_t)step->months;
    unsigned days;

    if (step->days) {
        return today - (int64_t)step->days;
    }
    c.year = months / 12;
    c.month = (unsigned)(months % 12) + 1;
    days = clock_days_of_month(c.year, c.month);
    c.day = c.day < days ? c.day : days;
    return day_of(c);
}

static bool parse_word(struct str text, int64_t today, int64_t *day)
{
    struct civil c = civil_of(today);
    struct dates step = { .days = 0 };

    if (str_equal(text, STR("today"))) {
        *day = today;
    } else if (str_equal(text, STR("yesterday"))) {
        *day = today - 1;
    } else if (str_equal(text, STR("month-start"))) {
        c.day = 1;
        *day = day_of(c);
    } else if (str_equal(text, STR("year-start"))) {
        c.month = c.day = 1;
        *day = day_of(c);
    } else if (text.len > 1 && text.data[0] == '-' &&
               parse_step((struct str){ text.data + 1, text.len - 1 }, &step) &&
               step.months < 1900 * 12) { /* no further than calendars go */
        *day = day_before(today, &step);
    } else {
        return false;
    }
    return true;
}

bool dates_is_word(struct str text)
{
    int64_t day;

    return parse_word(text, 0, &day);
}

bool dates_parse_day(struct str text, int64_t today, int64_t *day)
{
    return parse_date(text, day) || parse_word(text, today, day);
}

enum result dates_parse(struct dates *dates, struct str from, struct str to, struct str step,
                        int64_t today, struct err *err)
{
    *dates = (struct dates){ .days = 1 };
    if (!dates_parse_day(from, today, &dates->first)) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"from\": want " DAY_WORDS);
    }
    if (!dates_parse_day(to, today, &dates->last)) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"to\": want " DAY_WORDS);
    }
    if (dates->last < dates->first) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"to\" is before \"from\"");
    }
    if (step.data && !parse_step(step, dates)) {
        return err_set(err, RESULT_INVALID, "E-CFG2",
                       "\"step\": want days, weeks, months or years: 1d, 2w, 1mo, 1y");
    }
    if (dates->days) {
        dates->count = (uint64_t)(dates->last - dates->first) / dates->days + 1;
        return RESULT_OK;
    }
    while (dates_at(dates, dates->count) <= dates->last) { /* at most 120,000 months */
        dates->count++;
    }
    return RESULT_OK;
}

enum result dates_parse_instant(struct str text, int64_t *us, struct err *err)
{
    int64_t day;
    struct str rest = text.len > TIMESTAMP_TEXT_MIN ? (struct str){ text.data + TIMESTAMP_TEXT_MIN,
                                                                    text.len - TIMESTAMP_TEXT_MIN }
                                                    : STR_NONE;
    bool has_zone =
        rest.len && (memchr(rest.data, '+', rest.len) || memchr(rest.data, '-', rest.len) ||
                     strchr("Zz", rest.data[rest.len - 1]));

    if (!parse_date((struct str){ text.data, text.len - rest.len }, &day) ||
        !timestamp_parse(text, us) || (rest.len && !has_zone)) {
        return err_set(err, RESULT_INVALID, "E-CFG2",
                       "want a time such as 2026-11-21T18:00:00Z or 2026-11-21T18:00:00+02:00");
    }
    return RESULT_OK;
}

void dates_format_instant(int64_t us, char text[DATES_INSTANT_MAX])
{
    int64_t seconds = us / 1000000, day = seconds / 86400, rest = seconds % 86400;
    struct civil c;

    if (rest < 0) {
        rest += 86400;
        day--;
    }
    c = civil_of(day);
    snprintf(text, DATES_INSTANT_MAX, "%04d-%02u-%02uT%02d:%02d:%02dZ", (int)c.year, c.month, c.day,
             (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
}

enum result dates_check_format(struct str format, struct err *err)
{
    for (size_t i = 0; i < format.len; i++) {
        if (format.data[i] != '%') {
            continue;
        }
        i++;
        if (i == format.len || !format.data[i] || !strchr("Ymdjys%", format.data[i])) {
            return err_set(err, RESULT_INVALID, "E-CFG2",
                           "\"format\": want %%Y, %%m, %%d, %%j, %%y, %%s or %%%% after a \"%%\"");
        }
    }
    return RESULT_OK;
}

static enum result format_part(int64_t day, char part, struct buf *out)
{
    struct civil c = civil_of(day);

    switch (part) {
    case 'Y':
        return buf_printf(out, "%04" PRId64, c.year);
    case 'y':
        return buf_printf(out, "%02" PRId64, c.year % 100);
    case 'm':
        return buf_printf(out, "%02u", c.month);
    case 'd':
        return buf_printf(out, "%02u", c.day);
    case 'j':
        return buf_printf(out, "%03" PRId64, day - day_of((struct civil){ c.year, 1, 1 }) + 1);
    case 's':
        return buf_printf(out, "%" PRId64, day * 86400);
    default:
        return buf_append_char(out, part);
    }
}

enum result dates_format(int64_t day, struct str format, struct buf *out)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < format.len && result == RESULT_OK; i++) {
        if (format.data[i] == '%' && i + 1 < format.len) {
            result = format_part(day, format.data[++i], out);
        } else {
            result = buf_append_char(out, format.data[i]);
        }
    }
    return result;
}
