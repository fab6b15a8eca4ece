/* Any bytes as the segment that a killed run left: a number, the length that the ledger knows of, and the file. What
 * is cut is what lies after that length, nothing before it changes, and whatever is read is whole. The lines get
 * their right checksums first, where they are lines but for that: no fuzzer guesses one. */
#include "store/segment_scan.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD 4
#define NAME "00000001.jsonl"

/* The digits stand where what is checked of the line has its gap. */
static void seal(char *line, size_t len)
{
    struct line_view view;
    char digits[9];
    char *place;

    if (line_parse((struct str){ line, len }, &view) == RESULT_OK) {
        place = memmem(line + view.checked.len, len - view.checked.len, "\"crc32c\":\"", 10);
        FUZZ_CHECK(place && place + 18 <= line + len);
        snprintf(digits, sizeof digits, "%08x", line_crc32c(&view));
        memcpy(place + 10, digits, 8);
    }
}

static void seal_all(char *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        const char *end = memchr(bytes + at, '\n', len - at);
        size_t line = end ? (size_t)(end - bytes) + 1 - at : len - at;

        seal(bytes + at, line);
        at += line;
    }
}

static enum result visit(void *context, struct record *record, const struct line_view *line,
                         struct err *err)
{
    uint64_t *lines = context;

    (void)record;
    (void)err;
    FUZZ_CHECK(line_crc32c(line) == line->crc32c);
    ++*lines;
    return RESULT_OK;
}

static void recover(int raw_fd, const struct segment_extent *extent, const char *bytes, size_t len)
{
    uint64_t discarded = 0, lines = 0;
    struct err err = { .text = "" };
    enum result result = segment_recover(raw_fd, extent, &discarded, &err);
    size_t left;
    char *file = folder_get("raw/" NAME, &left);

    if (result == RESULT_OK) {
        FUZZ_CHECK(extent->committed <= len && left == extent->committed);
        FUZZ_CHECK(discarded == len - left);
        result = segment_check_last_batch(raw_fd, extent, &err);
        FUZZ_CHECK(result == RESULT_OK || (result == RESULT_CORRUPT && err.text[0]));
    } else {
        FUZZ_CHECK(extent->committed > len && left == len && err.text[0]);
    }
    FUZZ_CHECK(!left || memcmp(file, bytes, left) == 0);
    free(file);
    FUZZ_CHECK(segment_each_line(raw_fd, 1, 0, visit, &lines, &err) == RESULT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct segment_extent extent = { .number = 1 };
    char *bytes;
    int raw_fd;
    size_t len;

    if (size < HEAD) {
        return 0;
    }
    len = size - HEAD;
    extent.committed = data[0] + 256U * data[1];
    extent.last_batch = (data[2] + 256U * data[3]) % (extent.committed + 1);
    bytes = malloc(len + 1);
    FUZZ_CHECK(bytes);
    memcpy(bytes, data + HEAD, len);
    seal_all(bytes, len);
    (void)mkdir(folder_at("raw").text, 0700);
    (void)folder_put("raw/" NAME, bytes, len);
    raw_fd = open(folder_at("raw").text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(raw_fd >= 0);
    recover(raw_fd, &extent, bytes, len);
    close(raw_fd);
    free(bytes);
    return 0;
}
