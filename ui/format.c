#include "ui/format.h"

#include "base/clock.h"
#include "base/units.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void format_age(uint64_t us, char text[FORMAT_MAX])
{
    uint64_t s = us / US_PER_S;

    if (s < 100) {
        snprintf(text, FORMAT_MAX, "%u.%us", (unsigned)s, (unsigned)(us / 100000 % 10));
    } else if (s < 600) {
        snprintf(text, FORMAT_MAX, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
    } else if (s < 6000) {
        snprintf(text, FORMAT_MAX, "%um", (unsigned)(s / 60));
    } else if (s < 36000) {
        snprintf(text, FORMAT_MAX, "%uh%02um", (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
    } else {
        snprintf(text, FORMAT_MAX, "%lluh", (unsigned long long)(s / 3600));
    }
}

void format_size(uint64_t bytes, char text[FORMAT_MAX])
{
    char long_form[UNITS_TEXT_MAX];

    units_format_count(bytes, long_form);
    for (char *p = long_form; *p; p++) {
        *p = *p == 'k' ? 'K' : *p;
    }
    snprintf(text, FORMAT_MAX, "%s", long_form);
}

void format_ms(uint64_t us, char text[FORMAT_MAX])
{
    if (us > 0 && us < US_PER_MS / 2) {
        snprintf(text, FORMAT_MAX, "<1"); /* answers from next door: a 0 would look like none */
    } else if (us) {
        snprintf(text, FORMAT_MAX, "%llu", (unsigned long long)((us + 500) / US_PER_MS));
    } else {
        snprintf(text, FORMAT_MAX, "-");
    }
}

void format_rate(double per_s, char text[FORMAT_MAX])
{
    if (!(per_s > 0)) {
        per_s = 0;
    }
    if (per_s > 1e12) {
        per_s = 1e12;
    }
    snprintf(text, FORMAT_MAX, per_s < 999.95 ? "%.1f" : "%.0f", per_s);
}

void format_bytes_rate(double per_s, char text[FORMAT_MAX])
{
    double value = per_s > 0 ? per_s / 1e6 : 0;

    if (value > 1e9) {
        value = 1e9;
    }
    snprintf(text, FORMAT_MAX, value < 99.95 ? "%.1f MB/s" : "%.0f MB/s", value);
}

/* One end of the range: coarse, since nobody knows an ETA to the second. */
static void format_coarse(uint64_t us, char text[FORMAT_MAX])
{
    uint64_t s = (us + US_PER_S / 2) / US_PER_S;

    if (s < 10) {
        snprintf(text, FORMAT_MAX, "%llus", (unsigned long long)s);
    } else if (s < 120) {
        snprintf(text, FORMAT_MAX, "%llus", (unsigned long long)((s + 2) / 5 * 5));
    } else if (s < 3570) {
        snprintf(text, FORMAT_MAX, "%llum", (unsigned long long)((s + 30) / 60));
    } else if (s < 36000) {
        uint64_t minutes = (s + 150) / 300 * 5;

        snprintf(text, FORMAT_MAX, "%lluh%02llum", (unsigned long long)(minutes / 60),
                 (unsigned long long)(minutes % 60));
    } else if (s < 172800) {
        snprintf(text, FORMAT_MAX, "%lluh", (unsigned long long)((s + 1800) / 3600));
    } else {
        snprintf(text, FORMAT_MAX, "%llud", (unsigned long long)((s + 43200) / 86400));
    }
}

void format_eta(bool known, uint64_t low_us, uint64_t high_us, char text[FORMAT_MAX])
{
    char low[FORMAT_MAX], high[FORMAT_MAX];
    size_t length;

    if (!known || low_us > high_us) {
        snprintf(text, FORMAT_MAX, "--");
        return;
    }
    format_coarse(low_us, low);
    format_coarse(high_us, high);
    length = strlen(low);
    if (strcmp(low, high) == 0) {
        snprintf(text, FORMAT_MAX, "%s", high);
        return;
    }
    /* "12m-15m" says its unit once: "12-15m". Hours keep theirs: "1h10-1h30m", "2m-1h10m". */
    if (low[length - 1] == high[strlen(high) - 1] && !strchr(low, 'h') == !strchr(high, 'h')) {
        low[length - 1] = '\0';
    }
    snprintf(text, FORMAT_MAX, "%.20s-%.20s", low, high);
}

void format_clock(int64_t wall_us, char text[FORMAT_MAX])
{
    time_t seconds = (time_t)(wall_us / (int64_t)US_PER_S);
    struct tm local;

    if (!localtime_r(&seconds, &local)) {
        snprintf(text, FORMAT_MAX, "--:--:--");
        return;
    }
    snprintf(text, FORMAT_MAX, "%02d:%02d:%02d", local.tm_hour, local.tm_min, local.tm_sec);
}

void format_percent(uint64_t part, uint64_t whole, char text[FORMAT_MAX])
{
    double percent;

    if (whole == 0) {
        snprintf(text, FORMAT_MAX, "--");
        return;
    }
    percent = 100.0 * (double)part / (double)whole;
    if (part < whole && percent > 99.9) {
        percent = 99.9;
    }
    if (percent > 100) {
        percent = 100;
    }
    snprintf(text, FORMAT_MAX, "%.1f%%", percent);
}
