#include "job/dates.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STEP_MAX 100000 /* days, weeks, months or years */

struct civil {
    int64_t year;
    unsigned month, day; /* from 1 */
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of_month(int64_t year, unsigned month)
{
    static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970-01-01. Years are counted from March, so that the leap day comes last. */
static int64_t day_of(struct civil c)
{
    int64_t year = c.month > 2 ? c.year : c.year - 1;
    int64_t era = year / 400; /* no year before 1 gets here */
    int64_t year_of_era = year - era * 400;
    int64_t month = ((int64_t)c.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + (int64_t)c.day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static struct civil civil_of(int64_t day)
{
    int64_t from_era_0 = day + 719468;
    int64_t era = from_era_0 / 146097;
    int64_t of_era = from_era_0 - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    struct civil c = { .day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1),
                       .month = (unsigned)(month < 10 ? month + 3 : month - 9) };

    c.year = year_of_era + era * 400 + (c.month <= 2);
    return c;
}

static bool parse_part(struct str text, size_t at, size_t len, uint64_t *number)
{
    return str_to_u64((struct str){ text.data + at, len }, number);
}

static bool parse_day(struct str text, int64_t *day)
{
    uint64_t year, month, of_month;

    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !parse_part(text, 0, 4, &year) || !parse_part(text, 5, 2, &month) ||
        !parse_part(text, 8, 2, &of_month) || !year || !month || month > 12 || !of_month ||
        of_month > days_of_month((int64_t)year, (unsigned)month)) {
        return false;
    }
    *day = day_of((struct civil){ (int64_t)year, (unsigned)month, (unsigned)of_month });
    return true;
}

static bool parse_step(struct str text, struct dates *dates)
{
    static const struct {
        struct str name;
        unsigned days, months;
    } units[] = {
        { STR_INIT("d"), 1, 0 },      { STR_INIT("w"), 7, 0 },  { STR_INIT("month"), 0, 1 },
        { STR_INIT("months"), 0, 1 }, { STR_INIT("y"), 0, 12 },
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
    days = days_of_month(c.year, c.month);
    c.day = c.day < days ? c.day : days;
    return day_of(c);
}

enum result dates_parse(struct dates *dates, struct str from, struct str to, struct str step,
                        struct err *err)
{
    *dates = (struct dates){ .days = 1 };
    if (!parse_day(from, &dates->first)) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"from\": want a date such as 2026-01-31");
    }
    if (!parse_day(to, &dates->last)) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"to\": want a date such as 2026-01-31");
    }
    if (dates->last < dates->first) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"to\" is before \"from\"");
    }
    if (step.data && !parse_step(step, dates)) {
        return err_set(err, RESULT_INVALID, "E-CFG2",
                       "\"step\": want days, weeks, months or years: 1d, 2w, 1month, 1y");
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

/* "04:15" or "04:15:00" at the head of `text`: seconds. */
static bool parse_clock(struct str text, size_t len, int64_t *seconds)
{
    uint64_t hours, minutes, of_minute = 0;

    if (text.len < len || text.data[2] != ':' || !parse_part(text, 0, 2, &hours) ||
        !parse_part(text, 3, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    if (len == 8 &&
        (text.data[5] != ':' || !parse_part(text, 6, 2, &of_minute) || of_minute > 59)) {
        return false;
    }
    *seconds = (int64_t)(hours * 3600 + minutes * 60 + of_minute);
    return true;
}

enum result dates_parse_instant(struct str text, int64_t *us, struct err *err)
{
    int64_t day, seconds = 0, offset = 0;
    struct str zone;

    if (!parse_day((struct str){ text.data, text.len < 10 ? text.len : 10 }, &day)) {
        goto fail_form;
    }
    if (text.len > 10) {
        struct str clock = { text.data + 11, text.len - 11 };

        if (text.len < 20 || !strchr("T ", text.data[10]) || !parse_clock(clock, 8, &seconds)) {
            goto fail_form;
        }
        zone = (struct str){ text.data + 19, text.len - 19 };
        if (zone.len == 6 && (zone.data[0] == '+' || zone.data[0] == '-')) {
            if (!parse_clock((struct str){ zone.data + 1, 5 }, 5, &offset)) {
                goto fail_form;
            }
            offset = zone.data[0] == '-' ? -offset : offset;
        } else if (!str_equal(zone, STR("Z"))) {
            goto fail_form;
        }
    }
    *us = (day * 86400 + seconds - offset) * 1000000;
    return RESULT_OK;

fail_form:
    return err_set(err, RESULT_INVALID, "E-CFG2",
                   "want a time such as 2026-11-21T18:00:00Z or 2026-11-21T18:00:00+02:00");
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
                           "\"format\": want %%Y, %%m, %%d, %%j, %%y, %%s or %%%% behind a \"%%\"");
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
