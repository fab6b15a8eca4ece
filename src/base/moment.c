#include "base/moment.h"

#include "base/clock.h"
#include "base/timestamp.h"

#include <string.h>

#define YEARS_AHEAD 50

/* What has been read of a date so far. */
struct parts {
    bool has_weekday, has_day, has_month, has_year, has_time, has_zone;
    bool is_short_year;
    unsigned year, month, day, hour, minute, second;
    int64_t fraction_us, zone_s;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The run of digits or of letters at the head of `*text`, which moves past it. */
static struct str take_run(struct str *text, bool is_kind(char))
{
    struct str run = { text->data, 0 };

    while (run.len < text->len && is_kind(text->data[run.len])) {
        run.len++;
    }
    text->data += run.len;
    text->len -= run.len;
    return run;
}

static unsigned number_of(struct str digits)
{
    unsigned number = 0;

    for (size_t i = 0; i < digits.len && i < 6; i++) {
        number = number * 10 + (unsigned)(digits.data[i] - '0');
    }
    return number;
}

/* The name's place in a list, from 1, when it is one of them or its beginning, at least three letters. */
static unsigned sort_key_of(struct str name, const char *const *names, unsigned count)
{
    for (unsigned i = 0; name.len >= 3 && i < count; i++) {
        struct str whole = str_view(names[i]);

        if (name.len <= whole.len && str_equal_nocase(name, (struct str){ whole.data, name.len })) {
            return i + 1;
        }
    }
    return 0;
}

/* RFC 822's zones; what others have is an offset. */
static bool zone_of(struct str name, int64_t *zone_s)
{
    static const struct {
        struct str name;
        int hours;
    } zones[] = {
        { STR_INIT("GMT"), 0 },  { STR_INIT("UTC"), 0 },  { STR_INIT("UT"), 0 },
        { STR_INIT("Z"), 0 },    { STR_INIT("EST"), -5 }, { STR_INIT("EDT"), -4 },
        { STR_INIT("CST"), -6 }, { STR_INIT("CDT"), -5 }, { STR_INIT("MST"), -7 },
        { STR_INIT("MDT"), -6 }, { STR_INIT("PST"), -8 }, { STR_INIT("PDT"), -7 },
    };

    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        if (str_equal_nocase(name, zones[i].name)) {
            *zone_s = zones[i].hours * 3600;
            return true;
        }
    }
    return false;
}

/* "GMT+0100" is an offset from GMT; "+0000 UTC" says the same twice. */
static bool set_zone(struct parts *p, int64_t zone_s)
{
    if (p->has_zone && p->zone_s && zone_s) {
        return false;
    }
    p->has_zone = true;
    p->zone_s += zone_s;
    return true;
}

static bool read_word(struct str word, struct parts *p)
{
    static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday" };
    static const char *const months[] = { "January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December" };
    unsigned month = sort_key_of(word, months, 12);
    int64_t zone_s;

    if (month) {
        bool is_first = !p->has_month;

        p->has_month = true;
        p->month = month;
        return is_first;
    }
    if (!p->has_weekday && sort_key_of(word, days, 7)) {
        p->has_weekday = true;
        return true;
    }
    return zone_of(word, &zone_s) && set_zone(p, zone_s);
}

/* ":15", ":15:30" or ":15:30.123" after the hour. */
static bool read_time(struct str hour, struct str *text, struct parts *p)
{
    struct str minute, second = STR_NONE;

    text->data++;
    text->len--;
    minute = take_run(text, is_digit);
    if (text->len && text->data[0] == ':') {
        text->data++;
        text->len--;
        second = take_run(text, is_digit);
        if (second.len != 2) {
            return false;
        }
    }
    if (second.data && text->len && text->data[0] == '.') {
        text->data++;
        text->len--;
        p->fraction_us = take_run(text, is_digit).len ? (int64_t)US_PER_S : 0; /* rounded up */
    }
    if (p->has_time || hour.len > 2 || minute.len != 2) {
        return false;
    }
    p->has_time = true;
    p->hour = number_of(hour);
    p->minute = number_of(minute);
    p->second = number_of(second);
    return p->hour < 24 && p->minute < 60 && p->second <= 60; /* a leap second */
}

static bool read_number(struct str digits, struct str *text, struct parts *p)
{
    if (text->len && text->data[0] == ':') {
        return read_time(digits, text, p);
    }
    if (digits.len <= 2 && !p->has_day) {
        p->has_day = true;
        p->day = number_of(digits);
        return true;
    }
    if ((digits.len != 2 && digits.len != 4) || p->has_year) {
        return false;
    }
    p->has_year = true;
    p->is_short_year = digits.len == 2;
    p->year = number_of(digits);
    return true;
}

/* "+0000", "-05:00", "+01" after the time. */
static bool read_offset(struct str *text, struct parts *p)
{
    bool is_west = text->data[0] == '-';
    struct str hours, minutes = STR_NONE;
    int64_t zone_s;

    text->data++;
    text->len--;
    hours = take_run(text, is_digit);
    if (hours.len == 4) {
        minutes = (struct str){ hours.data + 2, 2 };
        hours.len = 2;
    } else if (text->len && text->data[0] == ':') {
        text->data++;
        text->len--;
        minutes = take_run(text, is_digit);
    }
    if (hours.len != 2 || (minutes.data && minutes.len != 2) || number_of(hours) > 23 ||
        number_of(minutes) > 59) {
        return false;
    }
    zone_s = (int64_t)(number_of(hours) * 3600 + number_of(minutes) * 60);
    return set_zone(p, is_west ? -zone_s : zone_s);
}

/* A name of the zone in brackets, which ends the text. */
static bool read_comment(struct str *text)
{
    const char *last = text->data + text->len - 1;
    bool is_whole = *last == ')' && memchr(text->data, ')', text->len) == last;

    *text = STR_NONE;
    return is_whole;
}

static bool read_parts(struct str text, struct parts *p)
{
    while (text.len) {
        char c = text.data[0];
        bool good;

        if (is_letter(c)) {
            good = read_word(take_run(&text, is_letter), p);
        } else if (is_digit(c)) {
            struct str digits = take_run(&text, is_digit);

            good = read_number(digits, &text, p);
        } else if ((c == '+' || c == '-') && p->has_time) {
            good = read_offset(&text, p);
        } else if (c == '(' && p->has_time) {
            good = read_comment(&text);
        } else {
            good = c && strchr(" \t\r\n,-", c);
            text.data++;
            text.len--;
        }
        if (!good) {
            return false;
        }
    }
    return p->has_day && p->has_month && p->has_year && p->has_time;
}

/* RFC 9110 section 5.6.7: what looks more than 50 years ahead is the last year with these digits; so is
 * one at most 50 ahead the next. */
static int64_t full_year(unsigned digits, int64_t wall_us)
{
    int64_t this_year, year;
    unsigned month, day;

    clock_civil_from_days(wall_us / (86400 * (int64_t)US_PER_S), &this_year, &month, &day);
    year = this_year / 100 * 100 + digits;
    if (year > this_year + YEARS_AHEAD) {
        return year - 100;
    }
    return year + 100 <= this_year + YEARS_AHEAD ? year + 100 : year;
}

bool moment_parse_http(struct str text, int64_t wall_us, int64_t *us)
{
    struct parts p = { false };
    int64_t year;

    if (!read_parts(str_trim(text), &p)) {
        return false;
    }
    year = p.is_short_year ? full_year(p.year, wall_us) : p.year;
    if (p.day < 1 || p.day > clock_days_of_month(year, p.month)) {
        return false;
    }
    *us = clock_days_from_civil(year, p.month, p.day) * 86400 + p.hour * 3600 + p.minute * 60 +
          p.second - p.zone_s;
    *us = *us * (int64_t)US_PER_S + p.fraction_us;
    return true;
}

#define BASIC_LEN 15 /* of "20261121T041500" */

/* ISO 8601's form without separators, with them. */
static bool spread_basic(struct str text, char *out, size_t *len)
{
    static const char shape[] = "0000-00-00T00:00:00";
    size_t at = 0;

    if (text.len < BASIC_LEN || text.len > TIMESTAMP_TEXT_MAX - 4 || lower(text.data[8]) != 't') {
        return false;
    }
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        bool is_place = shape[i] == '0' || shape[i] == 'T';

        out[i] = is_place ? text.data[at++] : shape[i];
    }
    memcpy(out + sizeof shape - 1, text.data + at, text.len - at);
    *len = sizeof shape - 1 + text.len - at;
    return true;
}

static bool ends_nocase(struct str text, struct str ending)
{
    return text.len >= ending.len &&
           str_equal_nocase((struct str){ text.data + text.len - ending.len, ending.len }, ending);
}

/* Without what some put after: " UTC", " GMT", "[Europe/Paris]"; a blank before the offset is left out. */
static struct str strip(struct str text, char room[TIMESTAMP_TEXT_MAX])
{
    const char *bracket = memchr(text.data, '[', text.len), *blank;

    if (bracket && text.data[text.len - 1] == ']') {
        text.len = (size_t)(bracket - text.data);
    }
    if (ends_nocase(text, STR("UTC")) || ends_nocase(text, STR("GMT"))) {
        text.len -= 3;
        text = str_trim(text);
    }
    blank = text.len > 11 ? memchr(text.data + 11, ' ', text.len - 11) : NULL;
    if (blank && text.len <= TIMESTAMP_TEXT_MAX) {
        size_t before = (size_t)(blank - text.data);

        memcpy(room, text.data, before);
        memcpy(room + before, blank + 1, text.len - before - 1);
        return (struct str){ room, text.len - 1 };
    }
    return text;
}

/* A time in ISO 8601, with "T" or a blank before the hour, "Z", an offset, " UTC" or nothing after.
 *  A date alone is no moment: it could be any of 50 hours. */
static bool parse_iso(struct str text, int64_t *us)
{
    char room[TIMESTAMP_TEXT_MAX], basic[TIMESTAMP_TEXT_MAX];
    size_t len;

    text = str_trim(text);
    if (text.len <= TIMESTAMP_TEXT_MIN || !is_digit(text.data[0])) {
        return false;
    }
    text = strip(text, room);
    if (spread_basic(text, basic, &len)) {
        text = (struct str){ basic, len };
    }
    return text.len > TIMESTAMP_TEXT_MIN && timestamp_parse_up(text, us);
}

bool moment_parse(struct str text, int64_t wall_us, int64_t *us)
{
    return parse_iso(text, us) || moment_parse_http(text, wall_us, us);
}
