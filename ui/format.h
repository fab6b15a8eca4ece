/**
 * Figures for narrow columns: units fixed, widths bounded, so that columns do not dance.
 *
 * base/units.h writes for sentences ("18.2 KB"); these write for table cells ("18.2K").
 */
#ifndef SCRAPETOP_UI_FORMAT_H
#define SCRAPETOP_UI_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORMAT_MAX 48

/** "0.3s", "12.4s", "99.9s", "2m05s", "1h30m": at most 5 cells below ten hours. */
void format_age(uint64_t us, char text[FORMAT_MAX]);

/** "0", "982", "18.2K", "1.25M": at most 5 cells. */
void format_size(uint64_t bytes, char text[FORMAT_MAX]);

/** Milliseconds without a unit: "540", "12035", "<1"; "-" for 0, which means "not yet". */
void format_ms(uint64_t us, char text[FORMAT_MAX]);

/** "0.0", "38.2", "1204": one decimal below 1000. */
void format_rate(double per_s, char text[FORMAT_MAX]);

/** "0.7 MB/s" */
void format_bytes_rate(double per_s, char text[FORMAT_MAX]);

/** "12-15m", "40-50s", "1h10-1h30m", "5m" when both ends read the same, "--" when not known. */
void format_eta(bool known, uint64_t low_us, uint64_t high_us, char text[FORMAT_MAX]);

/** "14:02:40" in the local zone. */
void format_clock(int64_t wall_us, char text[FORMAT_MAX]);

/** `part` of `whole` as "68.0%"; "--" when there is no whole. Never "100.0%" before all is done. */
void format_percent(uint64_t part, uint64_t whole, char text[FORMAT_MAX]);

#endif
