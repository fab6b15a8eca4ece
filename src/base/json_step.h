/**
 * Steps over one piece of JSON text that is known to be valid.
 *
 * The layer under json_scan.h and the flattener: no error is looked for, because json_check has
 * been there before. Yet the bytes may have changed since (a file is read twice), so every step
 * stays within [p, end) whatever it meets, and answers `end` when the piece does not close.
 *
 * Inline, since a table of 500 MB takes some fifty million of these steps. Do not add policy here.
 */
#ifndef SCRAPETOP_BASE_JSON_STEP_H
#define SCRAPETOP_BASE_JSON_STEP_H

#include "base/json_simd.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** After spaces, tabs, CR and LF. */
static inline const char *json_step_space(const char *p, const char *end)
{
    if (p < end && (unsigned char)*p > ' ') { /* mostly there is none */
        return p;
    }
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    return p;
}

/** From after the opening quote to the closing one; `*escaped` is set, never cleared, when a
 *  backslash stands between. */
static inline const char *json_step_string(const char *p, const char *end, bool *escaped)
{
    for (;;) {
        uint64_t stops = 0;

        while (end - p >= JSON_SIMD_WIDTH) {
            stops = json_simd_string_stops(p);
            if (stops) {
                p += json_simd_first(stops);
                break;
            }
            p += JSON_SIMD_WIDTH;
        }
        while (!stops && p < end && *p != '"' && *p != '\\') {
            p++;
        }
        if (p == end || *p == '"') {
            return p;
        }
        *escaped = true;
        if (end - p < 2) {
            return end;
        }
        p += 2;
    }
}

/** What a backslash and this letter mean, which is no `u` (RFC 8259 section 7). */
static inline char json_step_letter(char c)
{
    /* Quote, backslash and slash are themselves; valid text has no other. */
    static const char meant[] = "a\bcde\fghijklm\nopq\rs\tuvwxyz";

    return c >= 'a' && c <= 'z' ? meant[c - 'a'] : c;
}

/** Decodes the escape at the head of `raw` (a string's inside) into UTF-8. Returns the bytes put in
 *  `out`, never more than it used up of `raw`; raises `*lone_surrogates` where it put U+FFFD. */
size_t json_step_escape(struct str raw, char out[4], size_t *used, uint64_t *lone_surrogates);

/** Writes to `to` what the inside of a string means, and returns its end. There must be room for raw.len
 *  bytes: so many may be overwritten, even where fewer are meant. */
char *json_step_unescape(char *to, struct str raw, uint64_t *lone_surrogates);

/** From an opening bracket or brace to after its partner. */
const char *json_step_container(const char *p, const char *end);

/** From a number or literal to what ends it. */
static inline const char *json_step_bare(const char *p, const char *end)
{
    while (end - p >= JSON_SIMD_WIDTH) {
        uint64_t stops = json_simd_bare_stops(p);

        if (stops) {
            return p + json_simd_first(stops);
        }
        p += JSON_SIMD_WIDTH;
    }
    while (p < end && *p != ',' && *p != ']' && *p != '}' && (unsigned char)*p > ' ') {
        p++;
    }
    return p;
}

/** After the value that starts at `p`, whatever it is. */
static inline const char *json_step_value(const char *p, const char *end)
{
    bool escaped = false;

    if (p >= end) {
        return end;
    }
    if (*p == '"') {
        p = json_step_string(p + 1, end, &escaped);
        return p < end ? p + 1 : end;
    }
    return *p == '{' || *p == '[' ? json_step_container(p, end) : json_step_bare(p, end);
}

#endif
