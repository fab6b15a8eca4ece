#include "base/units.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TIME_MAX_US (UINT64_C(3650) * 86400 * US_PER_S)

/* Decimal digits with an optional fraction at the head of `*text`, which moves past them. Read by
 * hand, not by strtod: that depends on the locale and takes "inf", hex and exponents. */
static bool take_number(struct str *text, double *number)
{
    double value = 0, place = 1;
    size_t i = 0;
    bool digits = false;

    for (; i < text->len && text->data[i] >= '0' && text->data[i] <= '9'; i++) {
        value = value * 10 + (text->data[i] - '0');
        digits = true;
    }
    if (i < text->len && text->data[i] == '.') {
        for (i++; i < text->len && text->data[i] >= '0' && text->data[i] <= '9'; i++) {
            place /= 10;
            value += place * (text->data[i] - '0');
            digits = true;
        }
    }
    text->data += i;
    text->len -= i;
    *number = value;
    return digits;
}

static bool take_time_unit(struct str *text, double *unit_us)
{
    static const struct {
        struct str name;
        double us;
    } units[] = {
        { STR_INIT("ms"), 1e3 }, { STR_INIT("us"), 1 },     { STR_INIT("s"), 1e6 },
        { STR_INIT("m"), 60e6 }, { STR_INIT("h"), 3600e6 }, { STR_INIT("d"), 86400e6 },
    };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_starts(*text, units[i].name)) {
            text->data += units[i].name.len;
            text->len -= units[i].name.len;
            *unit_us = units[i].us;
            return true;
        }
    }
    return false;
}

enum result units_parse_time(struct str text, uint64_t *us, struct err *err)
{
    struct str rest = text;
    double total = 0, last_unit = INFINITY;

    while (rest.len || total == 0) {
        double number, unit = 1e6;

        if (!take_number(&rest, &number) || (rest.len && !take_time_unit(&rest, &unit)) ||
            !(unit < last_unit)) {
            return err_set(err, RESULT_INVALID, "E-ARG2",
                           "\"%.*s\" is not a time; want for example 30, 250ms, 30s, 5m or 1h30m",
                           STR_ARG(text));
        }
        total += number * unit;
        last_unit = unit;
        if (!rest.len) {
            break;
        }
    }
    if (!(total <= (double)TIME_MAX_US)) {
        return err_set(err, RESULT_LIMIT, "E-ARG2", "\"%.*s\" is longer than ten years",
                       STR_ARG(text));
    }
    *us = (uint64_t)(total + 0.5);
    return RESULT_OK;
}

enum result units_parse_size(struct str text, uint64_t *bytes, struct err *err)
{
    static const char letters[] = "kMGT";
    struct str rest = text;
    double number;
    const char *letter;

    if (!take_number(&rest, &number)) {
        goto fail_form;
    }
    if (rest.len && rest.data[0] != 'B') {
        letter = strchr(letters, rest.data[0] == 'K' ? 'k' : rest.data[0]);
        if (!letter || !*letter) {
            goto fail_form;
        }
        number *= pow(1024, (double)(letter - letters) + 1);
        rest.data++;
        rest.len--;
    }
    if (rest.len && !str_equal(rest, STR("B")) && !str_equal(rest, STR("iB"))) {
        goto fail_form;
    }
    if (!(number < 9e18)) {
        return err_set(err, RESULT_LIMIT, "E-ARG3", "size \"%.*s\" is too large", STR_ARG(text));
    }
    *bytes = (uint64_t)(number + 0.5);
    return RESULT_OK;

fail_form:
    return err_set(err, RESULT_INVALID, "E-ARG3",
                   "\"%.*s\" is not a size; want for example 500, 10k, 64M or 2G", STR_ARG(text));
}

enum result units_parse_rate(struct str text, struct rate *rate, struct err *err)
{
    struct str rest = text;
    double number;
    uint64_t per_us = US_PER_S;

    if (str_equal(text, STR("off"))) {
        *rate = (struct rate){ 0, 0 };
        return RESULT_OK;
    }
    if (!take_number(&rest, &number) || !(number < 1e9)) {
        goto fail_form;
    }
    if (rest.len) {
        if (rest.data[0] != '/' || rest.len < 2) {
            goto fail_form;
        }
        rest.data++;
        rest.len--;
        if (rest.data[0] >= '0' && rest.data[0] <= '9') {
            if (units_parse_time(rest, &per_us, NULL) != RESULT_OK) {
                goto fail_form;
            }
        } else {
            double unit;

            if (!take_time_unit(&rest, &unit) || rest.len) {
                goto fail_form;
            }
            per_us = (uint64_t)unit;
        }
    }
    if (!(number > 0) || per_us == 0) {
        return err_set(err, RESULT_INVALID, "E-ARG4",
                       "rate \"%.*s\" allows nothing; want above 0, or \"off\"", STR_ARG(text));
    }
    *rate = (struct rate){ number, per_us };
    return RESULT_OK;

fail_form:
    return err_set(err, RESULT_INVALID, "E-ARG4",
                   "\"%.*s\" is not a rate; want for example 10/s, 5/15s, 600/m or off",
                   STR_ARG(text));
}

enum result units_parse_count(struct str text, uint64_t low, uint64_t high, uint64_t *count,
                              struct err *err)
{
    uint64_t value;

    if (!str_to_u64(text, &value) || value < low || value > high) {
        return err_set(err, RESULT_INVALID, "E-ARG5",
                       "\"%.*s\" is not a whole number from %llu to %llu", STR_ARG(text),
                       (unsigned long long)low, (unsigned long long)high);
    }
    *count = value;
    return RESULT_OK;
}

const char *units_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

double units_figure(double value)
{
    double scale = fabs(value) < 1 ? 1e6 : 1e3;

    return !isfinite(value) ? 0 : fabs(value) < 1e12 ? round(value * scale) / scale : value;
}

static uint64_t nearest(uint64_t count, uint64_t unit)
{
    return count / unit + (count % unit >= (unit + 1) / 2);
}

/* Rounds before it picks the unit: a wait of two hours is not "1h59m" a moment after it began. */
void units_format_time(uint64_t us, char text[UNITS_TEXT_MAX])
{
    unsigned long long ms = nearest(us, US_PER_MS), tenths = nearest(us, US_PER_S / 10);
    unsigned long long s = nearest(us, US_PER_S), minutes = nearest(s, 60),
                       hours = nearest(s, 3600);

    if (us && !ms) {
        snprintf(text, UNITS_TEXT_MAX, "<1 ms"); /* a 0 would look like none */
    } else if (ms < 1000) {
        snprintf(text, UNITS_TEXT_MAX, "%llu ms", ms);
    } else if (tenths < 600) {
        snprintf(text, UNITS_TEXT_MAX, "%llu.%llus", tenths / 10, tenths % 10);
    } else if (s < 3600) {
        snprintf(text, UNITS_TEXT_MAX, "%llum%02llus", s / 60, s % 60);
    } else if (minutes < UINT64_C(1440)) {
        snprintf(text, UNITS_TEXT_MAX, "%lluh%02llum", minutes / 60, minutes % 60);
    } else {
        snprintf(text, UNITS_TEXT_MAX, "%llud%02lluh", hours / 24, hours % 24);
    }
}

void units_format_countdown(uint64_t us, char text[UNITS_TEXT_MAX])
{
    uint64_t s = us / US_PER_S + (us % US_PER_S != 0); /* never shows 0:00 while waiting */

    if (s < 3600) {
        snprintf(text, UNITS_TEXT_MAX, "%llu:%02llu", (unsigned long long)(s / 60),
                 (unsigned long long)(s % 60));
    } else {
        snprintf(text, UNITS_TEXT_MAX, "%llu:%02llu:%02llu", (unsigned long long)(s / 3600),
                 (unsigned long long)(s / 60 % 60), (unsigned long long)(s % 60));
    }
}

/* Three figures and a letter: 999, 1.25k, 61.2k, 612k. Rounds before it picks the step, so that
 * 999,999 is "1.00M" and never "1000k". */
static void format_scaled(uint64_t number, const char *separator, const char *unit,
                          const char *const *letters, char text[UNITS_TEXT_MAX])
{
    double value = (double)number;
    int step = 0, decimals;

    if (number < 1000) {
        snprintf(text, UNITS_TEXT_MAX, "%llu%s%s", (unsigned long long)number, separator, unit);
        return;
    }
    while (value >= 999.5 && step < 6) {
        value /= 1000;
        step++;
    }
    decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(text, UNITS_TEXT_MAX, "%.*f%s%s%s", decimals, value, separator, letters[step], unit);
}

void units_format_bytes(uint64_t bytes, char text[UNITS_TEXT_MAX])
{
    static const char *const letters[] = { "", "K", "M", "G", "T", "P", "E" };

    format_scaled(bytes, " ", "B", letters, text);
}

void units_format_count(uint64_t count, char text[UNITS_TEXT_MAX])
{
    static const char *const letters[] = { "", "k", "M", "G", "T", "P", "E" };

    format_scaled(count, "", "", letters, text);
}

void units_format_whole(uint64_t count, char text[UNITS_TEXT_MAX])
{
    char digits[UNITS_TEXT_MAX];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *to = text;

    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits[i];
    }
    *to = '\0';
}

/* The shortest decimal that is exact to nine places; "%g" would change to exponents, which
 * units_parse_rate does not take. */
static int format_number(double number, char *text, size_t size)
{
    int len = snprintf(text, size, "%.9f", number);

    while (len > 0 && text[len - 1] == '0') {
        len--;
    }
    if (len > 0 && text[len - 1] == '.') {
        len--;
    }
    text[len] = '\0';
    return len;
}

void units_format_rate(struct rate rate, char text[UNITS_TEXT_MAX])
{
    static const struct {
        uint64_t us;
        const char *name;
    } units[] = { { US_PER_S, "s" }, { US_PER_MS, "ms" }, { 1, "us" } };
    int len;
    size_t unit = 0;

    if (rate.per_us == 0) {
        snprintf(text, UNITS_TEXT_MAX, "off");
        return;
    }
    len = format_number(rate.requests, text, UNITS_TEXT_MAX);
    if (rate.per_us == US_PER_S || rate.per_us == 60 * US_PER_S || rate.per_us == 3600 * US_PER_S) {
        snprintf(text + len, (size_t)(UNITS_TEXT_MAX - len), "/%s",
                 rate.per_us == US_PER_S        ? "s"
                 : rate.per_us == 60 * US_PER_S ? "m"
                                                : "h");
        return;
    }
    while (rate.per_us % units[unit].us != 0) {
        unit++;
    }
    snprintf(text + len, (size_t)(UNITS_TEXT_MAX - len), "/%llu%s",
             (unsigned long long)(rate.per_us / units[unit].us), units[unit].name);
}
