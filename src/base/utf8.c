#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define ESCAPE_MAX 12 /* "\u{10FFFF}" and a NUL */

/* Written once by main before threads exist: a property of the terminal that the process has. */
static bool ascii_only;

void utf8_set_ascii(bool ascii)
{
    ascii_only = ascii;
}

size_t utf8_decode(struct str s, uint32_t *code)
{
    const unsigned char *p = (const unsigned char *)s.data;
    uint32_t c, low;
    size_t len;

    if (!s.len) {
        return 0;
    }
    if (p[0] < 0x80) {
        *code = p[0];
        return 1;
    }
    if (p[0] >= 0xC2 && p[0] < 0xE0) {
        len = 2, c = p[0] & 0x1FU, low = 0x80;
    } else if (p[0] >= 0xE0 && p[0] < 0xF0) {
        len = 3, c = p[0] & 0x0FU, low = 0x800;
    } else if (p[0] >= 0xF0 && p[0] < 0xF5) {
        len = 4, c = p[0] & 0x07U, low = 0x10000;
    } else {
        return 0;
    }
    if (s.len < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3FU);
    }
    if (c < low || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        return 0;
    }
    *code = c;
    return len;
}

size_t utf8_valid_prefix(struct str s)
{
    size_t at = 0;
    uint32_t code;

    while (at < s.len) {
        size_t len = utf8_decode((struct str){ s.data + at, s.len - at }, &code);

        if (!len) {
            break;
        }
        at += len;
    }
    return at;
}

/* Characters that move the cursor, turn the direction, hide, or mean nothing everywhere. */
bool utf8_is_safe(uint32_t code)
{
    static const struct {
        uint32_t low, high;
    } unsafe[] = {
        { 0x0000, 0x001F },   { 0x007F, 0x009F },    { 0x00AD, 0x00AD },   { 0x034F, 0x034F },
        { 0x061C, 0x061C },   { 0x115F, 0x1160 },    { 0x17B4, 0x17B5 },   { 0x180B, 0x180F },
        { 0x200B, 0x200F },   { 0x2028, 0x202E },    { 0x2060, 0x206F },   { 0x3164, 0x3164 },
        { 0xE000, 0xF8FF },   { 0xFE00, 0xFE0F },    { 0xFEFF, 0xFEFF },   { 0xFFA0, 0xFFA0 },
        { 0xFFF0, 0xFFFB },   { 0xFFFE, 0xFFFF },    { 0x1BCA0, 0x1BCA3 }, { 0x1D173, 0x1D17A },
        { 0xE0000, 0xE0FFF }, { 0xF0000, 0x10FFFF },
    };

    for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) {
        if (code >= unsafe[i].low && code <= unsafe[i].high) {
            return false;
        }
    }
    return true;
}

/* One step of `s` as it will be shown: its display form in `piece`, its cells in `*cells`. */
static size_t next_piece(struct str s, char piece[ESCAPE_MAX], size_t *cells, unsigned *marks)
{
    uint32_t code;
    size_t len = utf8_decode(s, &code);
    int width;

    if (!len) {
        snprintf(piece, ESCAPE_MAX, "\\x%02x", (unsigned)(unsigned char)s.data[0]);
        *cells = strlen(piece);
        *marks = 0;
        return 1;
    }
    if (code >= 0x20 && code < 0x7F) {
        piece[0] = (char)code;
        piece[1] = '\0';
        *cells = 1;
        *marks = 0;
        return 1;
    }
    width = !utf8_is_safe(code) || ascii_only ? -1 : wcwidth((wchar_t)code);
    if (width == 0 && *marks < UTF8_COMBINING_MAX) {
        (*marks)++;
    } else if (width == 0) {
        width = -1;
    } else {
        *marks = 0;
    }
    if (width < 0) {
        snprintf(piece, ESCAPE_MAX, code < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)code);
        *cells = strlen(piece);
    } else {
        memcpy(piece, s.data, len);
        piece[len] = '\0';
        *cells = (size_t)width;
    }
    return len;
}

size_t utf8_display(char *out, size_t out_size, struct str s, size_t columns)
{
    size_t used = 0, cells_used = 0;
    size_t mark_at = 0, mark_cells = 0;  /* where `~` goes if the rest does not fit */
    unsigned marks = UTF8_COMBINING_MAX; /* a leading mark has nothing to stand on */

    if (!out_size) {
        return 0;
    }
    while (s.len) {
        char piece[ESCAPE_MAX];
        size_t cells, len = next_piece(s, piece, &cells, &marks), bytes = strlen(piece);

        if (cells_used + cells > columns || used + bytes + 1 > out_size) {
            if (columns && mark_at + 2 <= out_size) {
                out[mark_at] = '~';
                used = mark_at + 1;
                cells_used = mark_cells + 1;
            }
            break;
        }
        memcpy(out + used, piece, bytes);
        used += bytes;
        cells_used += cells;
        if (cells_used < columns && used + 2 <= out_size) {
            mark_at = used;
            mark_cells = cells_used;
        }
        s.data += len;
        s.len -= len;
    }
    out[used] = '\0';
    return cells_used;
}

size_t utf8_columns(struct str safe)
{
    size_t cells = 0;
    uint32_t code;

    while (safe.len) {
        size_t len = utf8_decode(safe, &code);
        int width = len ? (code < 0x7F ? 1 : wcwidth((wchar_t)code)) : 1;

        cells += width > 0 ? (size_t)width : 0;
        len = len ? len : 1;
        safe.data += len;
        safe.len -= len;
    }
    return cells;
}
