#include "store/token_note.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum field { OK, REFUSED, ASIDE, HELD_BY, HELD_UNTIL, HELD, FIELD_COUNT };

#define SMALL_MAX 999                  /* a status, or who holds it */
#define HELD_UNTIL_MAX (INT64_MAX / 2) /* what is added to it later does not overflow */

enum result token_note_append(struct buf *text, const struct token_note *note)
{
    return buf_printf(text, "%s %" PRIu64 " %" PRIu64 " %d %d %" PRId64 " %" PRIu64 "\n",
                      note->name, note->ok, note->refused, note->aside_status, note->held_by,
                      note->held_until_us, note->held_us);
}

static bool read_line(struct str line, struct token_note *note)
{
    struct str name = str_cut(&line, ' ');
    uint64_t numbers[FIELD_COUNT];

    if (!name.len || name.len >= sizeof note->name || memchr(name.data, '\0', name.len)) {
        return false;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!line.data || !str_to_u64(str_cut(&line, ' '), &numbers[i])) {
            return false;
        }
    }
    if (line.data || numbers[ASIDE] > SMALL_MAX || numbers[HELD_BY] > SMALL_MAX ||
        numbers[HELD_UNTIL] > HELD_UNTIL_MAX) {
        return false;
    }
    *note = (struct token_note){ .ok = numbers[OK],
                                 .refused = numbers[REFUSED],
                                 .aside_status = (int)numbers[ASIDE],
                                 .held_by = (int)numbers[HELD_BY],
                                 .held_until_us = (int64_t)numbers[HELD_UNTIL],
                                 .held_us = numbers[HELD] };
    memcpy(note->name, name.data, name.len);
    return true;
}

size_t token_notes_read(struct str text, struct token_note notes[TOKEN_NOTES_MAX])
{
    size_t count = 0;

    while (text.len && count < TOKEN_NOTES_MAX) {
        count += read_line(str_cut(&text, '\n'), &notes[count]);
    }
    return count;
}

uint64_t token_note_left_us(const struct token_note *note, int64_t wall_us)
{
    uint64_t left_us;

    if (!note->held_by || note->held_until_us <= wall_us) {
        return 0;
    }
    left_us = (uint64_t)note->held_until_us - (uint64_t)wall_us;
    return left_us < note->held_us ? left_us : note->held_us;
}
