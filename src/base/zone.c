#include "base/zone.h"

#include "base/buf.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "/usr/share/zoneinfo"
#define NAME_MAX_BYTES 64
#define FILE_MAX ((size_t)256 << 10)
#define HEADER_BYTES 44
#define CHANGES_MAX 10000U
#define DAY_S INT64_C(86400)
#define HOUR_S INT64_C(3600)
#define RULE_HOURS_MAX 167 /* RFC 9636, section 3.3.1 */

enum day_kind {
    DAY_WEEKDAY,    /* M3.5.0: the fifth (or last) Sunday of March */
    DAY_NO_LEAP,    /* J60: 1 to 365, February 29 is never counted */
    DAY_FROM_NOUGHT /* 59: 0 to 365 */
};

/* A day of every year, and the time of the local clock then. */
struct rule {
    enum day_kind kind;
    unsigned month, week, number; /* `number`: the weekday, or the day */
    int64_t time_s;
};

/* What is in force after the last change. */
struct footer {
    bool is_there, has_summer;
    int32_t offset, summer_offset;
    struct rule begins, ends; /* summer time */
};

struct change {
    int64_t utc_s;
    int32_t offset; /* from then on */
};

struct zone {
    int32_t first_offset; /* before the first change */
    struct footer footer;
    size_t count;
    struct change changes[];
};

/* --- the rule ------------------------------------------------------------------------------------------ */

static bool take(struct str *text, char byte)
{
    if (!text->len || text->data[0] != byte) {
        return false;
    }
    text->data++;
    text->len--;
    return true;
}

static bool take_number(struct str *text, unsigned most, unsigned *number)
{
    size_t digits = 0;

    *number = 0;
    while (digits < text->len && digits < 3 && text->data[digits] >= '0' &&
           text->data[digits] <= '9') {
        *number = *number * 10 + (unsigned)(text->data[digits++] - '0');
    }
    text->data += digits;
    text->len -= digits;
    return digits && *number <= most;
}

/* "-1", "+05:30", "2:00:00" */
static bool take_time(struct str *text, unsigned hours_max, int64_t *seconds)
{
    bool is_negative = take(text, '-');
    unsigned hours, minutes = 0, rest = 0;

    if (!is_negative) {
        (void)take(text, '+');
    }
    if (!take_number(text, hours_max, &hours) ||
        (take(text, ':') && (!take_number(text, 59, &minutes) ||
                             (take(text, ':') && !take_number(text, 59, &rest))))) {
        return false;
    }
    *seconds = hours * HOUR_S + minutes * 60 + rest;
    *seconds = is_negative ? -*seconds : *seconds;
    return true;
}

/* "CET" or "<+0330>" */
static bool take_name(struct str *text)
{
    bool is_quoted = take(text, '<');
    size_t len = 0;

    while (len < text->len &&
           (is_quoted ? text->data[len] != '>' : !strchr("+-0123456789,", text->data[len]))) {
        len++;
    }
    text->data += len;
    text->len -= len;
    return len >= 3 && (!is_quoted || take(text, '>'));
}

/* POSIX counts offsets to the west. */
static bool take_offset(struct str *text, int32_t *offset)
{
    int64_t west;

    if (!take_time(text, 24, &west)) {
        return false;
    }
    *offset = (int32_t)-west;
    return true;
}

static bool take_rule(struct str *text, struct rule *rule)
{
    bool is_day;

    *rule = (struct rule){ .kind = DAY_FROM_NOUGHT, .time_s = 2 * HOUR_S };
    if (take(text, 'M')) {
        rule->kind = DAY_WEEKDAY;
        is_day = take_number(text, 12, &rule->month) && rule->month && take(text, '.') &&
                 take_number(text, 5, &rule->week) && rule->week && take(text, '.') &&
                 take_number(text, 6, &rule->number);
    } else if (take(text, 'J')) {
        rule->kind = DAY_NO_LEAP;
        is_day = take_number(text, 365, &rule->number) && rule->number;
    } else {
        is_day = take_number(text, 365, &rule->number);
    }
    return is_day && (!take(text, '/') || take_time(text, RULE_HOURS_MAX, &rule->time_s));
}

/* "CET-1CEST,M3.5.0,M10.5.0/3", or nothing. */
static bool read_footer(struct str text, struct footer *footer)
{
    if (!text.len) {
        return true;
    }
    footer->is_there = true;
    if (!take_name(&text) || !take_offset(&text, &footer->offset)) {
        return false;
    }
    if (!text.len) {
        return true;
    }
    footer->has_summer = true;
    footer->summer_offset = footer->offset + (int32_t)HOUR_S;
    if (!take_name(&text) ||
        (text.len && text.data[0] != ',' && !take_offset(&text, &footer->summer_offset))) {
        return false;
    }
    return take(&text, ',') && take_rule(&text, &footer->begins) && take(&text, ',') &&
           take_rule(&text, &footer->ends) && !text.len;
}

/* 0 is Sunday; 1970-01-01 was a Thursday. */
static unsigned weekday_of(int64_t day)
{
    return (unsigned)(((day + 4) % 7 + 7) % 7);
}

/* Days since 1970-01-01. */
static int64_t rule_day(const struct rule *rule, int64_t year)
{
    int64_t first = clock_days_from_civil(year, rule->kind == DAY_WEEKDAY ? rule->month : 1, 1);
    bool is_leap = clock_days_of_month(year, 2) == 29;
    int64_t day;

    switch (rule->kind) {
    case DAY_NO_LEAP:
        return first + rule->number - 1 + (is_leap && rule->number >= 60);
    case DAY_FROM_NOUGHT:
        return first + rule->number;
    case DAY_WEEKDAY:
        break;
    }
    day = first + (rule->number + 7 - weekday_of(first)) % 7 + 7 * (rule->week - 1);
    return day < first + clock_days_of_month(year, rule->month) ? day : day - 7;
}

static int32_t footer_offset(const struct footer *f, int64_t utc_s)
{
    int64_t local = utc_s + f->offset, year, begins, ends;
    unsigned month, day;
    bool is_summer;

    if (!f->has_summer) {
        return f->offset;
    }
    clock_civil_from_days(local / DAY_S - (local % DAY_S < 0), &year, &month, &day);
    begins = rule_day(&f->begins, year) * DAY_S + f->begins.time_s - f->offset;
    ends = rule_day(&f->ends, year) * DAY_S + f->ends.time_s - f->summer_offset;
    is_summer = begins < ends ? utc_s >= begins && utc_s < ends : utc_s >= begins || utc_s < ends;
    return is_summer ? f->summer_offset : f->offset;
}

/* --- the file ------------------------------------------------------------------------------------------ */

struct block {
    const uint8_t *times, *types, *offsets; /* the parts that are of interest */
    size_t change_count, type_count, time_bytes;
    size_t bytes; /* of all parts */
};

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_time(const struct block *b, size_t index)
{
    const uint8_t *at = b->times + index * b->time_bytes;

    return b->time_bytes == 4 ? (int32_t)read_u32(at)
                              : (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

static bool is_header(struct str file)
{
    return file.len >= HEADER_BYTES && memcmp(file.data, "TZif", 4) == 0;
}

/* A header and what follows it; false when the file is shorter than that. */
static bool read_block(struct str file, size_t time_bytes, struct block *b)
{
    const uint8_t *at = (const uint8_t *)file.data;
    uint64_t is_utc, is_std, leaps, changes, types, chars, bytes;

    if (!is_header(file)) {
        return false;
    }
    is_utc = read_u32(at + 20);
    is_std = read_u32(at + 24);
    leaps = read_u32(at + 28);
    changes = read_u32(at + 32);
    types = read_u32(at + 36);
    chars = read_u32(at + 40);
    bytes = HEADER_BYTES + changes * (time_bytes + 1) + types * 6 + chars +
            leaps * (time_bytes + 4) + is_std + is_utc;
    if (changes > CHANGES_MAX || !types || types > 256 || bytes > file.len) {
        return false;
    }
    *b = (struct block){ .times = at + HEADER_BYTES,
                         .change_count = changes,
                         .type_count = types,
                         .time_bytes = time_bytes,
                         .bytes = bytes };
    b->types = b->times + changes * time_bytes;
    b->offsets = b->types + changes;
    return true;
}

static int32_t type_offset(const struct block *b, size_t type)
{
    return (int32_t)read_u32(b->offsets + type * 6);
}

/* An offset of more than a day is none, and times that do not rise cannot be looked up. */
static bool read_changes(const struct block *b, struct zone *z)
{
    for (size_t i = 0; i < b->change_count; i++) {
        if (b->types[i] >= b->type_count || (i && read_time(b, i) <= read_time(b, i - 1))) {
            return false;
        }
        z->changes[i] = (struct change){ read_time(b, i), type_offset(b, b->types[i]) };
    }
    for (size_t i = 0; i < b->type_count; i++) {
        if (type_offset(b, i) < -DAY_S || type_offset(b, i) > DAY_S) {
            return false;
        }
    }
    z->first_offset = type_offset(b, 0);
    return true;
}

/* From version 2 on, the whole is there a second time, with 64 bits, and a rule between two line feeds. */
static bool find_block(struct str *file, struct block *b, struct str *rule)
{
    *rule = STR_NONE;
    if (!read_block(*file, 4, b)) {
        return false;
    }
    if (file->data[4] == '\0') {
        return true;
    }
    file->data += b->bytes;
    file->len -= b->bytes;
    if (!read_block(*file, 8, b)) {
        return false;
    }
    *rule = (struct str){ file->data + b->bytes, file->len - b->bytes };
    if (!take(rule, '\n') || !rule->len || rule->data[rule->len - 1] != '\n') {
        return false;
    }
    rule->len--;
    return true;
}

enum result zone_read(struct zone **zone, struct str file, struct err *err)
{
    struct block block;
    struct str rule;
    struct zone *z = NULL;
    bool is_good = find_block(&file, &block, &rule);

    *zone = NULL;
    if (is_good) {
        z = calloc(1, sizeof *z + block.change_count * sizeof *z->changes);
        if (!z) {
            return err_nomem(err, "reading a time zone");
        }
        z->count = block.change_count;
        is_good = read_changes(&block, z) && read_footer(rule, &z->footer);
    }
    if (!is_good) {
        free(z);
        return err_set(err, RESULT_INVALID, "E-CFG2", "it is no time zone file");
    }
    *zone = z;
    return RESULT_OK;
}

/* No path but one below the folder of zones. */
static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("_+-/", c)))) {
            return false;
        }
    }
    return name.len && name.len <= NAME_MAX_BYTES && name.data[0] != '/';
}

static enum result read_file(const char *path, struct buf *file)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    enum result result = RESULT_NOT_FOUND;

    if (fd < 0) {
        return result;
    }
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
        (size_t)st.st_size <= FILE_MAX) {
        result = buf_reserve(file, (size_t)st.st_size);
        if (result == RESULT_OK) {
            ssize_t got = read(fd, file->data, (size_t)st.st_size);

            file->len = got > 0 ? (size_t)got : 0;
        }
    }
    close(fd);
    return result;
}

enum result zone_open(struct zone **zone, struct str name, struct err *err)
{
    const char *folder = getenv("TZDIR");
    struct buf path = { 0 }, file = { 0 };
    enum result result = RESULT_NOT_FOUND;

    *zone = NULL;
    if (str_equal(name, STR("UTC"))) {
        return RESULT_OK;
    }
    if (is_name(name)) {
        result = buf_printf(&path, "%s/%.*s", folder && *folder ? folder : FOLDER, STR_ARG(name));
        result = result == RESULT_OK && buf_cstr(&path) ? read_file(buf_cstr(&path), &file)
                                                        : RESULT_NOMEM;
    }
    if (result == RESULT_OK) {
        result = zone_read(zone, buf_view(&file), err);
        if (result == RESULT_INVALID) {
            err_prefix(err, "%s", buf_cstr(&path));
        }
    } else if (result == RESULT_NOMEM) {
        result = err_nomem(err, "reading a time zone");
    } else {
        result = err_set(err, RESULT_INVALID, "E-CFG2",
                         "\"zone\": there is no time zone of that name in " FOLDER
                         "; want one such as Europe/Berlin (Debian's package tzdata has them)");
    }
    buf_release(&path);
    buf_release(&file);
    return result;
}

void zone_free(struct zone *zone)
{
    free(zone);
}

/* --- offsets ------------------------------------------------------------------------------------------- */

int32_t zone_offset(const struct zone *z, int64_t utc_s)
{
    size_t low = 0, high = z ? z->count : 0;

    if (!z) {
        return 0;
    }
    while (low < high) { /* the number of changes up to that moment */
        size_t middle = low + (high - low) / 2;

        if (z->changes[middle].utc_s <= utc_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == z->count && z->footer.is_there) {
        return footer_offset(&z->footer, utc_s);
    }
    return low ? z->changes[low - 1].offset : z->first_offset;
}

int64_t zone_utc(const struct zone *z, int64_t local_s)
{
    int32_t before = zone_offset(z, local_s - DAY_S), after = zone_offset(z, local_s + DAY_S);

    if (zone_offset(z, local_s - before) != before && zone_offset(z, local_s - after) == after) {
        return local_s - after;
    }
    return local_s - before;
}
