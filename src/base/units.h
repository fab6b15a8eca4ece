/**
 * Quantities as people type and read them: "1h30m", "64M", "10/s"; "1.3 MB/s".
 *
 * One parser and one printer for every option, job file and screen. Parsers take the whole text
 * or nothing and say what they wanted; printers write into the caller's buffer, always terminated.
 *
 * Units  microseconds, bytes, requests.
 */
#ifndef SCRAPETOP_BASE_UNITS_H
#define SCRAPETOP_BASE_UNITS_H

#include "base/err.h"
#include "base/str.h"

#define UNITS_TEXT_MAX 48

struct rate {
    double requests; /* allowed within ... */
    uint64_t per_us; /* ... this long; 0: no limit */
};

/** "30" (seconds), "250ms", "30s", "5m", "1h30m", "2d", "1.5s"; at most 10 years. */
MUST_CHECK enum result units_parse_time(struct str text, uint64_t *us, struct err *err);

/** "100", "10k", "64M", "2G" (powers of 1024; a "B" or "iB" after is accepted). */
MUST_CHECK enum result units_parse_size(struct str text, uint64_t *bytes, struct err *err);

/** "10/s", "5/15s", "600/m", "10" (per second), "off". Zero is refused: pausing is the cap's job. */
MUST_CHECK enum result units_parse_rate(struct str text, struct rate *rate, struct err *err);

/** A whole number within [low, high]. */
MUST_CHECK enum result units_parse_count(struct str text, uint64_t low, uint64_t high,
                                         uint64_t *count, struct err *err);

/** "s" but for one: of "1 row", "2 rows". */
const char *units_plural(uint64_t count);

/** A measured figure as JSON shows it: six decimals below 1, three from there on; 0 for what is not finite. */
double units_figure(double value);

/** "850 ms", "7.0s", "4m12s", "1h30m", "3d04h": rounded to the nearest. */
void units_format_time(uint64_t us, char text[UNITS_TEXT_MAX]);

/** Clock form for countdowns: "0:03", "12:41", "1:02:03". */
void units_format_countdown(uint64_t us, char text[UNITS_TEXT_MAX]);

/** "0 B", "18.2 KB", "1.3 MB": steps of 1000, three figures. */
void units_format_bytes(uint64_t bytes, char text[UNITS_TEXT_MAX]);

/** "999", "1,000", "12,345,678": every figure of it. */
void units_format_whole(uint64_t count, char text[UNITS_TEXT_MAX]);

/** "999", "61.2k", "1.25M". */
void units_format_count(uint64_t count, char text[UNITS_TEXT_MAX]);

/** "10/s", "5/15s", "off": what units_parse_rate reads back. */
void units_format_rate(struct rate rate, char text[UNITS_TEXT_MAX]);

#endif
