#include "normalise/timestamp.h"

#include "base/clock.h"

#include <string.h>

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* `count` digits at *p, as a number; *p moves behind them. */
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

#define COMMON_LEN 19 /* of "2026-11-21T04:15:00" */

struct date {
    unsigned year, month, day;
};

static bool is_date(const struct date *date)
{
    static const unsigned char days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return date->month >= 1 && date->month <= 12 && date->day >= 1 &&
           date->day <= days[date->month - 1] &&
           (date->month != 2 || date->day != 29 ||
            (date->year % 4 == 0 && (date->year % 100 || date->year % 400 == 0)));
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

/* ".123456": digits past the microsecond must be zeros. */
static bool take_fraction(const char **p, const char *end, int64_t *us)
{
    const char *first = *p;
    int64_t unit = 100000;

    for (; *p < end && is_digit(**p); ++*p, unit /= 10) {
        if (unit == 0 && **p != '0') {
            return false;
        }
        *us += unit * (**p - '0');
    }
    return *p > first;
}

static bool take_time(const char **p, const char *end, int64_t *us)
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
    return !seconds || !take_char(p, end, '.') || take_fraction(p, end, us);
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

/* Little-endian whatever the machine is: the first byte lowest. */
static inline uint64_t load(const char *p)
{
    uint64_t bytes;

    memcpy(&bytes, p, sizeof bytes);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    return bytes;
}

/* A pattern's zeros stand for digits, its other bytes for themselves. XOR leaves digits from 0 to 9 and
 * else zeros, of which some sum shows the top bit if it is anything else: `margin` has 0x76 or
 * 0x7F there. */
static inline bool is_like(uint64_t rest, uint64_t margin)
{
    const uint64_t tops = UINT64_C(0x8080808080808080);

    return ((((rest & ~tops) + margin) | rest) & tops) == 0;
}

/* Two digits as a number, at the place of the first. */
static inline unsigned pair(uint64_t pairs, int place)
{
    return (unsigned)(pairs >> 8 * place) & 0xFF;
}

/* What nearly all timestamps begin with, "2026-11-21T04:15:00", in three words. False means only that it
 * is something else. */
static inline bool read_common(const char *p, int64_t *us)
{
    uint64_t day = load(p) ^ UINT64_C(0x2D30302D30303030);                 /* "0000-00-" */
    uint64_t time = load(p + 8) ^ UINT64_C(0x30303A3030543030);            /* "00T00:00" */
    uint64_t rest = (load(p + COMMON_LEN - 8) >> 40) ^ UINT64_C(0x30303A); /* ":00" */
    uint64_t dates = day * 10 + (day >> 8), times = time * 10 + (time >> 8);
    struct date date = { pair(dates, 0) * 100 + pair(dates, 2), pair(dates, 5), pair(times, 0) };
    unsigned hour = pair(times, 3), minute = pair(times, 6),
             second = pair(rest * 10 + (rest >> 8), 1);

    if (!is_like(day, UINT64_C(0x7F76767F76767676)) ||
        !is_like(time, UINT64_C(0x76767F76767F7676)) || !is_like(rest, UINT64_C(0x76767F)) ||
        hour > 23 || minute > 59 || second > 59 || date.month - 1 > 11 ||
        (date.day - 1 > 27 && !is_date(&date))) { /* months have 28 days at least */
        return false;
    }
    *us = days_us(&date) + (int64_t)(hour * 3600 + minute * 60 + second) * (int64_t)US_PER_S;
    return true;
}

/* Any form; kept out of timestamp_parse, which so has little to set up. */
__attribute__((noinline)) static bool read_any(struct str text, int64_t *us)
{
    const char *p = text.data, *end = p + text.len;
    struct date date;

    if (text.len >= COMMON_LEN && read_common(p, us)) {
        p += COMMON_LEN;
        return (!take_char(&p, end, '.') || take_fraction(&p, end, us)) &&
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
    return take_time(&p, end, us) && take_offset(&p, end, us) && p == end;
}

bool timestamp_parse(struct str text, int64_t *us)
{
    /* Most strings are told apart by their fifth byte. */
    if (text.len < 10 || text.len > 40 || text.data[4] != '-') {
        return false;
    }
    return (text.len == COMMON_LEN + 1 && text.data[COMMON_LEN] == 'Z' &&
            read_common(text.data, us)) ||
           read_any(text, us);
}
