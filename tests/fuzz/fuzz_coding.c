/* Any bytes as a body in any of the codings, in pieces of any length: they are unpacked or refused, the room that
 * there is is kept, and each step goes on. */
#include "read/coding.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define ROOM 4096
#define MADE_MAX (1U << 20)

static const char *const lists[] = { "gzip",       "deflate",  "zstd",          "br",
                                     "gzip, gzip", "zstd, br", "deflate, gzip", "br, zstd, gzip" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[ROOM];
    struct coding_list list = { .count = 0 };
    struct coding *coding = NULL;
    enum coding_result result;
    struct str rest;
    size_t piece_len, room, all = 0;

    if (size < 2) {
        return 0;
    }
    coding_list_add(&list, str_view(lists[data[0] % (sizeof lists / sizeof lists[0])]));
    FUZZ_CHECK(coding_open(&coding, &list) == CODING_OK);
    room = data[0] & 0x80 ? ROOM : 1U + data[1];
    piece_len = 1U + data[1];
    rest = (struct str){ (const char *)data + 2, size - 2 };
    result = CODING_OK;
    while (result == CODING_OK && rest.len && all < MADE_MAX) {
        struct str piece = { rest.data, rest.len < piece_len ? rest.len : piece_len };

        rest = (struct str){ rest.data + piece.len, rest.len - piece.len };
        while (result == CODING_OK && all < MADE_MAX && (piece.len || coding_has_more(coding))) {
            size_t made, before = piece.len;
            bool had_more = coding_has_more(coding);

            result = coding_step(coding, &piece, out, room, &made);
            FUZZ_CHECK(made <= room && piece.len <= before);
            FUZZ_CHECK(result != CODING_OK || made == room || !piece.len);
            FUZZ_CHECK(result != CODING_OK || made || before > piece.len || had_more);
            all += made;
        }
    }
    FUZZ_CHECK(coding_memory(coding) < (64U << 20) && coding_name(coding));
    (void)coding_is_whole(coding);
    coding_close(coding);
    return 0;
}
