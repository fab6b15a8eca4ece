/* Every zone of this system, at changes and between, as libc has it; and files that are none. */
#include "base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FOLDER "/usr/share/zoneinfo/"
#define STEP_S (37 * 3600 + 11)      /* so that all hours of the day are met */
#define FIRST_S INT64_C(-2208988800) /* 1900 */
#define LAST_S INT64_C(4102444800)   /* 2100 */

static size_t zones_seen;

static void compare(const struct zone *zone, const char *name)
{
    for (int64_t at = FIRST_S; at < LAST_S; at += STEP_S * 7) {
        time_t time = (time_t)at;
        struct tm local;

        localtime_r(&time, &local);
        if (zone_offset(zone, at) != local.tm_gmtoff) {
            fail_msg("%s at %lld: %d, libc %ld", name, (long long)at, zone_offset(zone, at),
                     local.tm_gmtoff);
        }
    }
}

/* Back from what the clock shows: the same moment, or the earlier one that shows the same. */
static void compare_back(const struct zone *zone, const char *name)
{
    for (int64_t at = FIRST_S; at < LAST_S; at += INT64_C(86400) * 9 + 1800) {
        int64_t shown = at + zone_offset(zone, at), back = zone_utc(zone, shown);

        if (back > at || back + zone_offset(zone, back) != shown) {
            fail_msg("%s at %lld: back at %lld", name, (long long)at, (long long)back);
        }
    }
}

static int visit(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    const char *name = path + sizeof FOLDER - 1;
    struct zone *zone;
    struct err err;

    (void)st;
    (void)at;
    if (kind != FTW_F || strstr(name, "right/") || strchr(name, '.') ||
        zone_open(&zone, str_view(name), &err) != RESULT_OK) {
        return 0; /* leap seconds, tables, the reading of which the next test is about */
    }
    setenv("TZ", name, 1);
    tzset();
    compare(zone, name);
    compare_back(zone, name);
    zone_free(zone);
    zones_seen++;
    return 0;
}

static void zone__is_as_libc_has_it__for_every_zone(void **state)
{
    (void)state;
    nftw(FOLDER, visit, 16, FTW_PHYS);
    if (!zones_seen) {
        skip(); /* no tzdata here */
    }
    assert_true(zones_seen > 100);
}

#define BE32(n) (char)((n) >> 24), (char)((n) >> 16), (char)((n) >> 8), (char)(n)
#define HEADER(version, changes, types, chars)                                                     \
    'T', 'Z', 'i', 'f', version, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, BE32(0), BE32(0),    \
        BE32(0), BE32(changes), BE32(types), BE32(chars)

static enum result read(const char *file, size_t len, struct zone **zone)
{
    struct err err;

    return zone_read(zone, (struct str){ file, len }, &err);
}

static void zone__follows_its_rule__in_all_its_forms(void **state)
{
    static const struct {
        const char *rule;
        int64_t utc_s;
        int32_t offset;
    } rows[] = {
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1774745999, 3600 }, /* 2026-03-29T00:59:59Z */
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1774746000, 7200 },
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1792889999, 7200 }, /* 2026-10-25T00:59:59Z */
        { "CET-1CEST,M3.5.0,M10.5.0/3", 1792890000, 3600 },
        { "AEST-10AEDT,M10.1.0,M4.1.0/3", 1767225600, 39600 }, /* summer in January */
        { "<+0330>-3:30", 0, 12600 },
        { "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", 1774745999, -10800 }, /* a time of the day before */
        { "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", 1774746000, -7200 },
        { "AAA0BBB,J60/0,J300/0", 1835481600,
          3600 }, /* 2028-03-01, a leap year: J60 all the same */
        { "AAA0BBB,J60/0,J300/0", 1835481599, 0 },
        { "AAA0BBB,59/0,299/0", 1835395200, 3600 }, /* 2028-02-29 is day 59 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static const char first[] = { HEADER('2', 0, 1, 4), BE32(0), 0, 0, 'X', 'Y', 'Z', 0 };
        char file[512];
        size_t len = sizeof first;
        struct zone *zone;

        memcpy(file, first, len);
        memcpy(file + len, first, sizeof first);
        len += sizeof first;
        len += (size_t)snprintf(file + len, sizeof file - len, "\n%s\n", rows[i].rule);
        assert_int_equal(read(file, len, &zone), RESULT_OK);
        if (zone_offset(zone, rows[i].utc_s) != rows[i].offset) {
            fail_msg("%s at %lld: %d", rows[i].rule, (long long)rows[i].utc_s,
                     zone_offset(zone, rows[i].utc_s));
        }
        zone_free(zone);
    }
}

static void zone__goes_on_as_later__where_the_clock_is_put_forward(void **state)
{
    struct zone *zone;
    struct err err;

    (void)state;
    if (zone_open(&zone, STR("Europe/Berlin"), &err) != RESULT_OK) {
        skip();
    }
    assert_int_equal(zone_utc(zone, 1774751400), 1774747800); /* 02:30 is not there: 03:30 CEST */
    assert_int_equal(zone_utc(zone, 1792895400), 1792888200); /* 02:30 is there twice: the first */
    zone_free(zone);
}

static void zone_read__refuses__what_is_no_zone(void **state)
{
    static const char many[] = { HEADER('2', 0x7fffffff, 1, 0) };
    static const char no_type[] = { HEADER('\0', 0, 0, 0) };
    static const char falls[] = { HEADER('\0', 2, 1, 0), BE32(9), BE32(8), 0, 0, BE32(0), 0, 0 };
    static const char wrong_type[] = { HEADER('\0', 1, 1, 0), BE32(9), 7, BE32(0), 0, 0 };
    static const char days[] = { HEADER('\0', 0, 1, 0), BE32(90000), 0, 0 };
    static const char good[] = { HEADER('\0', 1, 1, 0), BE32(9), 0, BE32(3600), 0, 0 };
    static const struct {
        const char *bytes;
        size_t len;
    } files[] = {
        { "", 0 },
        { "TZif", 4 },
        { many, sizeof many },
        { no_type, sizeof no_type },
        { falls, sizeof falls },
        { wrong_type, sizeof wrong_type },
        { days, sizeof days },
        { good, sizeof good - 1 },
    };
    struct zone *zone;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_int_equal(read(files[i].bytes, files[i].len, &zone), RESULT_INVALID);
    }
    assert_int_equal(read(good, sizeof good, &zone), RESULT_OK);
    zone_free(zone);
}

static void zone_open__refuses__names_that_are_paths(void **state)
{
    static const char *const names[] = { "",       "/etc/passwd",  "../../../etc/passwd",
                                         "Europe", "Europe/Berln", "a\nb" };
    struct zone *zone;
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(zone_open(&zone, str_view(names[i]), &err), RESULT_INVALID);
        assert_string_equal(err.code, "E-CFG2");
    }
    assert_int_equal(zone_open(&zone, STR("UTC"), &err), RESULT_OK);
    assert_null(zone);
    assert_int_equal(zone_offset(NULL, 0), 0);
    assert_int_equal(zone_utc(NULL, 5), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zone__is_as_libc_has_it__for_every_zone),
        cmocka_unit_test(zone__follows_its_rule__in_all_its_forms),
        cmocka_unit_test(zone__goes_on_as_later__where_the_clock_is_put_forward),
        cmocka_unit_test(zone_read__refuses__what_is_no_zone),
        cmocka_unit_test(zone_open__refuses__names_that_are_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
