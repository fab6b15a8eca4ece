#include "base/timestamp.h"

#include "base/clock.h"
#include "base/little.h"

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* `count` digits at *p, as a number; *p moves past them. */
static bool take_number(const char **p, const char *end, int count, unsigned *number)
{
    if (end - *p < count) {
        return false;
    }
    for (*number = 0; count; count--, ++*p) {
        if (!is_digit(**p)) {
            return false;
        }
        *number = *number * 10 + (unsigned)(**p - '0');
    }
    return true;
}

static bool take_char(const char **p, const char *end, char c)
{
    bool is_there = *p < end && **p == c;

    *p += is_there;
    return is_there;
}

#define COMMON_LEN 19       /* of "2026-11-21T04:15:00" */
#define DAYS_TO_1970 719528 /* from 0000-01-01 */

struct date {
    unsigned year, month, day;
};

static bool is_date(const struct date *date)
{
    return date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= clock_days_of_month(date->year, date->month);
}

static inline int64_t days_us(const struct date *date)
{
    return clock_days_from_civil(date->year, date->month, date->day) * 86400 * (int64_t)US_PER_S;
}

static bool take_date(const char **p, const char *end, struct date *date)
{
    if (!take_number(p, end, 4, &date->year) || !take_char(p, end, '-') ||
        !take_number(p, end, 2, &date->month) || !take_char(p, end, '-') ||
        !take_number(p, end, 2, &date->day)) {
        return false;
    }
    return is_date(date);
}

/* ".123456"; digits past the microsecond are cut off, which `is_cut` notes unless they are zeros. */
static bool take_fraction(const char **p, const char *end, int64_t *us, bool *is_cut)
{
    const char *first = *p;
    int64_t unit = 100000;

    for (; *p < end && is_digit(**p); ++*p, unit /= 10) {
        *is_cut |= unit == 0 && **p != '0';
        *us += unit * (**p - '0');
    }
    return *p > first;
}

static bool take_time(const char **p, const char *end, int64_t *us, bool *is_cut)
{
    unsigned hour, minute, second = 0;
    bool seconds;

    if (!take_number(p, end, 2, &hour) || !take_char(p, end, ':') ||
        !take_number(p, end, 2, &minute)) {
        return false;
    }
    seconds = take_char(p, end, ':');
    if (seconds && !take_number(p, end, 2, &second)) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    *us += ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * (int64_t)US_PER_S;
    return !seconds || !take_char(p, end, '.') || take_fraction(p, end, us, is_cut);
}

/* "Z", "+01:00", "+0100", "+01", or nothing. */
static bool take_offset(const char **p, const char *end, int64_t *us)
{
    unsigned hours, minutes = 0;
    bool west;

    if (*p == end || ((**p == 'Z' || **p == 'z') && ++*p)) {
        return true;
    }
    if (**p != '+' && **p != '-') {
        return false;
    }
    west = *(*p)++ == '-';
    if (!take_number(p, end, 2, &hours)) {
        return false;
    }
    if (*p < end && (take_char(p, end, ':'), !take_number(p, end, 2, &minutes))) {
        return false;
    }
    if (hours > 23 || minutes > 59) {
        return false;
    }
    *us += (west ? 1 : -1) * ((int64_t)hours * 3600 + (int64_t)minutes * 60) * (int64_t)US_PER_S;
    return true;
}

/* A pattern's zeros stand for digits, its other bytes for themselves. XOR leaves digits from 0 to 9 and
 * else zeros; `margin` has 0x76 or 0x7F there, so that the top bit of some sum shows what is
 * anything else. (A byte with a top bit of its own may spoil the sum above it, but has shown already.) */
static inline uint64_t unlike(uint64_t rest, uint64_t margin)
{
    return ((rest + margin) | rest) & UINT64_C(0x8080808080808080);
}

/* Two digits as a number, at the place of the first. */
static inline unsigned pair(uint64_t pairs, int place)
{
    return (unsigned)(pairs >> 8 * place) & 0xFF;
}

/* Days before each month and at the end: of a common year, and of a leap year. */
static const unsigned short days_before[2][13] = {
    { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 },
    { 0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366 },
};

/* What nearly all timestamps begin with, "2026-11-21T04:15:00", in three words. False means only that it
 * is something else. Years are counted by the century, as their digits come in pairs. */
static inline bool read_common(const char *p, int64_t *us)
{
    uint64_t date = little_get_u64(p) ^ UINT64_C(0x2D30302D30303030);      /* "0000-00-" */
    uint64_t time = little_get_u64(p + 8) ^ UINT64_C(0x30303A3030543030);  /* "00T00:00" */
    uint64_t rest = (little_get_u64(p + COMMON_LEN - 8) >> 40) ^ 0x30303A; /* ":00" */
    uint64_t dates = date * 10 + (date >> 8), times = time * 10 + (time >> 8);
    unsigned century = pair(dates, 0), year = pair(dates, 2), month = pair(dates, 5) - 1,
             day = pair(times, 0) - 1, hour = pair(times, 3), minute = pair(times, 6),
             second = pair(rest * 10 + (rest >> 8), 1);
    const unsigned short *before = days_before[((year ? year : century) & 3) == 0];
    unsigned days;

    if (unlike(date, UINT64_C(0x7F76767F76767676)) | unlike(time, UINT64_C(0x76767F76767F7676)) |
        unlike(rest, 0x76767F)) {
        return false;
    }
    if (month > 11 || hour > 23 || minute > 59 || second > 59 ||
        day >= (unsigned)(before[month + 1] - before[month])) {
        return false;
    }
    /* A century has 24 leap years besides its first year, which is one in every fourth century. */
    days = century * 36524 + (century + 3) / 4 + year * 365 + (year + 3) / 4 -
           (year > 0 && (century & 3)) + before[month] + day;
    *us = (((int64_t)days - DAYS_TO_1970) * 86400 + (int64_t)(hour * 3600 + minute * 60 + second)) *
          (int64_t)US_PER_S;
    return true;
}

/* Any form; kept out of timestamp_read, which so has little to set up. */
__attribute__((noinline)) static bool read_any(struct str text, int64_t *us, bool *is_cut)
{
    const char *p = text.data, *end = p + text.len;
    struct date date;

    if (text.len >= COMMON_LEN && read_common(p, us)) {
        p += COMMON_LEN;
        return (!take_char(&p, end, '.') || take_fraction(&p, end, us, is_cut)) &&
               take_offset(&p, end, us) && p == end;
    }
    if (!take_date(&p, end, &date)) {
        return false;
    }
    *us = days_us(&date);
    if (p == end) {
        return true;
    }
    if (*p != 'T' && *p != 't' && *p != ' ') {
        return false;
    }
    p++;
    return take_time(&p, end, us, is_cut) && take_offset(&p, end, us) && p == end;
}

bool timestamp_read(struct str text, int64_t *us)
{
    bool is_cut = false;

    return (text.len == COMMON_LEN + 1 && text.data[COMMON_LEN] == 'Z' &&
            read_common(text.data, us)) ||
           (read_any(text, us, &is_cut) && !is_cut);
}

bool timestamp_parse_up(struct str text, int64_t *us)
{
    bool is_cut = false;

    if (text.len < TIMESTAMP_TEXT_MIN || text.len > TIMESTAMP_TEXT_MAX ||
        !read_any(text, us, &is_cut)) {
        return false;
    }
    *us += is_cut;
    return true;
}
