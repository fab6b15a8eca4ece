/**
 * Text from outside, made safe to show.
 *
 * The only way by which bytes of a server, file, URL or argument may reach a terminal, a log or an
 * error line. What comes out is valid UTF-8 without a control character, a direction override, an
 * invisible or a private character: such bytes become `\xNN`, such characters `\u{N}`. It decides
 * nothing about colour or layout.
 *
 * Units  columns are terminal cells, by wcwidth's tables under a UTF-8 LC_CTYPE.
 */
#ifndef SCRAPETOP_BASE_UTF8_H
#define SCRAPETOP_BASE_UTF8_H

#include "base/str.h"

#define UTF8_COMBINING_MAX 4 /* marks kept on one character; the rest are escaped */

/** Length of the strictly valid sequence (RFC 3629: no surrogate, no overlong, at most U+10FFFF) at
 *  the head of `s`, 0 when there is none; `*code` gets the character. */
size_t utf8_decode(struct str s, uint32_t *code);

/** Offset of the first byte that is not valid UTF-8, or s.len. */
size_t utf8_valid_prefix(struct str s);

/** The character does nothing to a terminal but stand in it. */
bool utf8_is_safe(uint32_t code);

/** Writes `s` display-safe into `out`, terminated, cut to `columns` cells (the last is `~` when
 *  something was cut) and to `out_size` bytes. Returns the cells used. */
size_t utf8_display(char *out, size_t out_size, struct str s, size_t columns);

/** Cells that a display-safe text takes. */
size_t utf8_columns(struct str safe);

/** In ASCII mode everything beyond 0x7E is escaped; for terminals without UTF-8. Set once by main,
 *  before any thread starts. */
void utf8_set_ascii(bool ascii);

#endif
