/* A line with a format and a content type, then any bytes as the body: what is read of it is JSON, the same each time,
 * or a reason is given; and of CSV no cell is lost. */
#include "base/json_scan.h"
#include "read/body_read.h"
#include "read/csv_cells.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define OUT_MAX ((size_t)16 << 20)
#define UNPACKED_MAX ((uint64_t)1 << 20)

static void check_read(struct str body, struct str type, const struct body_reading *how)
{
    struct buf out = { .max = OUT_MAX }, again = { .max = OUT_MAX };
    struct body_found found, found_again;
    enum result result = body_read(body, type, how, UNPACKED_MAX, &out, &found);

    FUZZ_CHECK(result == RESULT_OK || result == RESULT_INVALID || result == RESULT_DENIED ||
               result == RESULT_LIMIT);
    FUZZ_CHECK(body_read(body, type, how, UNPACKED_MAX, &again, &found_again) == result);
    FUZZ_CHECK(strcmp(found.why, found_again.why) == 0);
    if (result == RESULT_OK) {
        FUZZ_CHECK(json_check(buf_view(&out), JSON_DEPTH_MAX, NULL));
        FUZZ_CHECK(str_equal(buf_view(&out), buf_view(&again)) && found.was == found_again.was);
    } else {
        FUZZ_CHECK(result == RESULT_INVALID || found.why[0]);
    }
    buf_release(&out);
    buf_release(&again);
}

/* Where csv_scan_row says that a row ends: after it, and alone, each is the same; in blocks of `step` bytes. */
static void check_rows(struct str text, char delimiter, size_t step)
{
    struct csv_reader whole = { text.data, text.data + text.len, delimiter, 1 };
    struct csv_row row = { 0 }, alone = { 0 };
    struct csv_scan scan = { 0 };
    const char *from = text.data, *at = from, *end = from + text.len;
    bool more, has_one;

    while (at < end) {
        struct str block = { at, (size_t)(end - at) < step ? (size_t)(end - at) : step };
        bool has_ended = csv_scan_row(&scan, delimiter, &block);
        struct csv_reader one;

        at = block.data;
        if (!has_ended && at < end) {
            continue;
        }
        one = (struct csv_reader){ from, at, delimiter, 1 };
        if (csv_next(&one, &alone, &has_one) != RESULT_OK) {
            FUZZ_CHECK(at == end && scan.state == CSV_QUOTED);
            break;
        }
        if (has_one) { /* else it was a blank line */
            FUZZ_CHECK(csv_next(&whole, &row, &more) == RESULT_OK && more);
            FUZZ_CHECK(alone.count == row.count && one.at == at && whole.at == at);
            for (size_t i = 0; i < row.count; i++) {
                FUZZ_CHECK(str_equal(alone.cells[i].text, row.cells[i].text));
            }
        }
        from = at;
    }
    csv_row_release(&row);
    csv_row_release(&alone);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str body = { (const char *)bytes, len };
    struct str type = str_cut(&body, '\n'), name = str_cut(&type, ' ');
    struct body_reading how = { .as = BODY_AUTO };

    if (!body.data) {
        return 0;
    }
    (void)!body_format_parse(name, &how.as);
    check_read(body, type.data ? type : STR(""), &how);
    check_rows(body, how.as == BODY_TSV ? '\t' : ',', 1 + len % 7);
    return 0;
}
