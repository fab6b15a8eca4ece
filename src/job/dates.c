#include "job/dates.h"

#include "base/clock.h"
#include "base/timestamp.h"
#include "base/zone.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_US (INT64_C(86400) * (int64_t)US_PER_S)
#define DAY_S INT64_C(86400)
#define DAY_WORDS "a date such as 2026-01-31, or today, yesterday, -7d, month-start, year-start"
#define STEP_MAX 100000 /* minutes, hours, days, weeks, months or years */

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
        unsigned days, months, seconds;
    } units[] = {
        { STR_INIT("d"), 1, 0, 0 },     { STR_INIT("w"), 7, 0, 0 },
        { STR_INIT("month"), 0, 1, 0 }, { STR_INIT("months"), 0, 1, 0 },
        { STR_INIT("mo"), 0, 1, 0 },    { STR_INIT("y"), 0, 12, 0 },
        { STR_INIT("h"), 0, 0, 3600 },  { STR_INIT("min"), 0, 0, 60 },
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
            dates->seconds = number * units[i].seconds;
            return true;
        }
    }
    return false;
}

/* The day that step `index` begins with; at `count` it is what would come next. */
static int64_t day_at(const struct dates *dates, uint64_t index)
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
               parse_step((struct str){ text.data + 1, text.len - 1 }, &step) && !step.seconds &&
               step.months < 1900 * 12) { /* no further than calendars go */
        *day = day_before(today, &step);
    } else {
        return false;
    }
    return true;
}

bool dates_step_by_clock(struct str step)
{
    struct dates dates = { .days = 0 };

    return step.data && parse_step(step, &dates) && dates.seconds;
}

bool dates_parse_clock_word(struct str text, int64_t now_s, int64_t *utc_s)
{
    struct dates step = { .days = 0 };
    int64_t unit;

    if (str_equal(text, STR("hour-start"))) {
        *utc_s = now_s - now_s % 3600;
        return true;
    }
    if (text.len < 2 || text.data[0] != '-' ||
        !parse_step((struct str){ text.data + 1, text.len - 1 }, &step) || !step.seconds) {
        return false;
    }
    unit = text.data[text.len - 1] == 'h' ? 3600 : 60;
    *utc_s = now_s - now_s % unit - (int64_t)step.seconds;
    return true;
}

bool dates_is_word(struct str text)
{
    int64_t when;

    return parse_word(text, 0, &when) || dates_parse_clock_word(text, 0, &when);
}

bool dates_parse_day(struct str text, int64_t today, int64_t *day)
{
    return parse_date(text, day) || parse_word(text, today, day);
}

static int64_t day_in(const struct zone *zone, int64_t utc_s)
{
    int64_t local = utc_s + zone_offset(zone, utc_s);

    return local / DAY_S - (local % DAY_S < 0);
}

static int64_t midnight(const struct zone *zone, int64_t day)
{
    return zone_utc(zone, day * DAY_S);
}

/* `ends`: of a day it is the end that counts. */
static bool parse_moment(const struct dates_given *given, struct str text, bool ends,
                         int64_t *utc_s)
{
    int64_t day, us;

    if (dates_parse_day(text, day_in(given->zone, given->now_s), &day)) {
        *utc_s = midnight(given->zone, day + ends);
        return true;
    }
    if (dates_parse_instant(text, &us, NULL) == RESULT_OK) {
        *utc_s = us / (int64_t)US_PER_S - (us % (int64_t)US_PER_S < 0);
        return true;
    }
    return dates_parse_clock_word(text, given->now_s, utc_s);
}

static enum result parse_by_clock(struct dates *d, const struct dates_given *given, struct err *err)
{
    if (!parse_moment(given, given->from, false, &d->begin_s)) {
        return err_set(err, RESULT_INVALID, "E-CFG2",
                       "\"from\": want " DAY_WORDS ", -6h, hour-start, or a time such as "
                       "2026-01-31T18:00:00Z");
    }
    if (!parse_moment(given, given->to, true, &d->end_s)) {
        return err_set(err, RESULT_INVALID, "E-CFG2",
                       "\"to\": want " DAY_WORDS ", -1h, hour-start, or a time such as "
                       "2026-01-31T18:00:00Z");
    }
    if (d->end_s <= d->begin_s) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"to\" is not after \"from\"");
    }
    d->count = ((uint64_t)(d->end_s - d->begin_s) + d->seconds - 1) / d->seconds;
    return RESULT_OK;
}

/* Who names an hour wants steps of hours. */
static enum result refuse_day(const char *name, struct str text, struct err *err)
{
    int64_t when;

    return dates_parse_clock_word(text, 0, &when) ||
                   dates_parse_instant(text, &when, NULL) == RESULT_OK
               ? err_set(err, RESULT_INVALID, "E-CFG2",
                         "\"%s\" is a time, but \"step\" goes by days: give a \"step\" such as "
                         "\"1h\" or \"15min\", or want " DAY_WORDS,
                         name)
               : err_set(err, RESULT_INVALID, "E-CFG2", "\"%s\": want " DAY_WORDS, name);
}

static enum result parse_by_calendar(struct dates *d, const struct dates_given *given,
                                     struct err *err)
{
    int64_t today = day_in(given->zone, given->now_s);

    if (!dates_parse_day(given->from, today, &d->first)) {
        return refuse_day("from", given->from, err);
    }
    if (!dates_parse_day(given->to, today, &d->last)) {
        return refuse_day("to", given->to, err);
    }
    if (d->last < d->first) {
        return err_set(err, RESULT_INVALID, "E-CFG2", "\"to\" is before \"from\"");
    }
    if (d->days) {
        d->count = (uint64_t)(d->last - d->first) / d->days + 1;
        return RESULT_OK;
    }
    while (day_at(d, d->count) <= d->last) { /* at most 120,000 months */
        d->count++;
    }
    return RESULT_OK;
}

enum result dates_parse(struct dates *dates, const struct dates_given *given, struct err *err)
{
    *dates = (struct dates){ .zone = given->zone, .days = 1 };
    if (given->step.data && !parse_step(given->step, dates)) {
        return err_set(
            err, RESULT_INVALID, "E-CFG2",
            "\"step\": want minutes, hours, days, weeks, months or years: 15min, 6h, 1d, "
            "2w, 1mo, 1y");
    }
    return dates->seconds ? parse_by_clock(dates, given, err)
                          : parse_by_calendar(dates, given, err);
}

/* --- steps --------------------------------------------------------------------------------------------- */

static int64_t next_by_clock(const struct dates *d, uint64_t index)
{
    int64_t next = d->begin_s + (int64_t)((index + 1) * d->seconds);

    return next < d->end_s ? next : d->end_s;
}

static int64_t last_day(const struct dates *d, uint64_t index)
{
    int64_t last = day_at(d, index + 1) - 1;

    return last < d->last ? last : d->last;
}

struct dates_window dates_window(const struct dates *d, uint64_t index)
{
    if (d->seconds) {
        return (struct dates_window){ d->begin_s + (int64_t)(index * d->seconds),
                                      next_by_clock(d, index) };
    }
    return (struct dates_window){ midnight(d->zone, day_at(d, index)),
                                  midnight(d->zone, last_day(d, index) + 1) };
}

int64_t dates_window_utc(const struct dates *d, const struct dates_window *w, enum dates_part part)
{
    switch (part) {
    case DATES_LAST:
        return d->seconds ? w->next_s - 1 : midnight(d->zone, day_in(d->zone, w->next_s) - 1);
    case DATES_NEXT:
        return w->next_s;
    case DATES_BEGIN:
        break;
    }
    return w->begin_s;
}

int64_t dates_utc(const struct dates *d, uint64_t index, enum dates_part part)
{
    struct dates_window window = dates_window(d, index);

    return dates_window_utc(d, &window, part);
}

bool dates_halve(const struct dates *d, const struct dates_window *w, struct dates_window halves[2])
{
    int64_t middle_s = w->begin_s + (w->next_s - w->begin_s) / 2;

    if (!d->seconds) {
        int64_t first = day_in(d->zone, w->begin_s), next = day_in(d->zone, w->next_s);

        middle_s = midnight(d->zone, first + (next - first) / 2);
    }
    halves[0] = (struct dates_window){ w->begin_s, middle_s };
    halves[1] = (struct dates_window){ middle_s, w->next_s };
    return middle_s > w->begin_s && middle_s < w->next_s;
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
        if (i == format.len || !format.data[i] || !strchr("YmdjyHMSzs%", format.data[i])) {
            return err_set(err, RESULT_INVALID, "E-CFG2",
                           "\"format\": want %%Y, %%m, %%d, %%j, %%y, %%H, %%M, %%S, %%z, %%s or "
                           "%%%% after a \"%%\"");
        }
    }
    return RESULT_OK;
}

struct str dates_usual_format(const struct dates *dates)
{
    return !dates->seconds ? STR("%Y-%m-%d")
           : dates->zone   ? STR("%Y-%m-%dT%H:%M:%S%z")
                           : STR("%Y-%m-%dT%H:%M:%SZ");
}

/* A moment, taken apart as a zone's clock and calendar show it. */
struct shown {
    int64_t utc_s, day;
    struct civil civil;
    int seconds; /* of the day */
    int32_t offset;
};

static struct shown shown_in(const struct zone *zone, int64_t utc_s)
{
    struct shown s = { .utc_s = utc_s,
                       .offset = zone_offset(zone, utc_s),
                       .day = day_in(zone, utc_s) };

    s.civil = civil_of(s.day);
    s.seconds = (int)(utc_s + s.offset - s.day * DAY_S);
    return s;
}

static enum result format_offset(int32_t offset, struct buf *out)
{
    int32_t size = offset < 0 ? -offset : offset;

    return buf_printf(out, "%c%02d:%02d", offset < 0 ? '-' : '+', (int)(size / 3600),
                      (int)(size / 60 % 60));
}

static enum result format_part(const struct shown *s, char part, struct buf *out)
{
    switch (part) {
    case 'Y':
        return buf_printf(out, "%04" PRId64, s->civil.year);
    case 'y':
        return buf_printf(out, "%02" PRId64, s->civil.year % 100);
    case 'm':
        return buf_printf(out, "%02u", s->civil.month);
    case 'd':
        return buf_printf(out, "%02u", s->civil.day);
    case 'j':
        return buf_printf(out, "%03" PRId64,
                          s->day - day_of((struct civil){ s->civil.year, 1, 1 }) + 1);
    case 'H':
        return buf_printf(out, "%02d", s->seconds / 3600);
    case 'M':
        return buf_printf(out, "%02d", s->seconds / 60 % 60);
    case 'S':
        return buf_printf(out, "%02d", s->seconds % 60);
    case 'z':
        return format_offset(s->offset, out);
    case 's':
        return buf_printf(out, "%" PRId64, s->utc_s);
    default:
        return buf_append_char(out, part);
    }
}

enum result dates_format(const struct zone *zone, int64_t utc_s, struct str format, struct buf *out)
{
    struct shown shown = shown_in(zone, utc_s);
    enum result result = RESULT_OK;

    for (size_t i = 0; i < format.len && result == RESULT_OK; i++) {
        if (format.data[i] == '%' && i + 1 < format.len) {
            result = format_part(&shown, format.data[++i], out);
        } else {
            result = buf_append_char(out, format.data[i]);
        }
    }
    return result;
}
