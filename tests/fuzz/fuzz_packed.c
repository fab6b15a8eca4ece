/* Any bytes as a packed segment: it is refused, or all of its text is read, in pieces of any length, and its length is
 * what the table says. The first byte says how long a piece is. */
#include "base/os.h"
#include "read/packed_text.h"
#include "tests/fuzz/fuzz.h"

#include <unistd.h>

#define READ_MAX ((uint64_t)8 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char piece[256 * 1024];
    struct packed_window window = { .of = NULL };
    struct packed_text *text;
    enum result result;
    uint64_t at = 0;
    size_t got = 1, room;
    int fd;

    if (!size) {
        return 0;
    }
    room = ((size_t)data[0] + 1) * 1024;
    fd = os_memfd("packed");
    FUZZ_CHECK(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
    result = packed_text_open(&text, fd);
    FUZZ_CHECK((result == RESULT_OK) == (text != NULL));
    FUZZ_CHECK(result == RESULT_OK || result == RESULT_CORRUPT);
    while (result == RESULT_OK && got && at < READ_MAX) {
        result = packed_text_read(text, &window, at, piece, room, &got);
        FUZZ_CHECK(result == RESULT_OK || result == RESULT_CORRUPT);
        FUZZ_CHECK(got <= room && at + got <= packed_text_bytes(text));
        FUZZ_CHECK(result != RESULT_OK || got == room || at + got == packed_text_bytes(text));
        at += got;
    }
    if (text) { /* beyond the end there is nothing */
        FUZZ_CHECK(packed_text_read(text, &window, packed_text_bytes(text), piece, 1, &got) ==
                       RESULT_OK &&
                   got == 0);
    }
    packed_window_release(&window);
    packed_text_close(text);
    return 0;
}
