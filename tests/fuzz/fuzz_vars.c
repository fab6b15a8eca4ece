/* Any bytes as a file of values, its ending told by the first: every value of it is JSON, in its columns and beside
 * them; a file that is refused is told line by line. */
#include "base/json_scan.h"
#include "job/var_file.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"

#define ROWS_MAX 40
#define FIELDS_MAX 12

static void read_value(const struct var_file *file, uint64_t row, struct str field)
{
    struct buf json = { 0 };
    enum result result = var_file_value(file, row, field, &json);

    FUZZ_CHECK(result == RESULT_OK || result == RESULT_NOT_FOUND);
    FUZZ_CHECK(result != RESULT_OK || json_check(buf_view(&json), JSON_DEPTH_MAX, NULL));
    buf_release(&json);
}

static void read_values(const struct var_file *file)
{
    uint64_t count = var_file_count(file);

    FUZZ_CHECK(count);
    for (uint64_t i = 0; i < ROWS_MAX && i < count; i++) {
        uint64_t row = i % 2 ? count - 1 - i / 2 : i / 2;

        if (var_file_has_field(file, STR_NONE)) {
            read_value(file, row, STR_NONE);
        }
        for (size_t f = 0; f < FIELDS_MAX && var_file_field(file, f).data; f++) {
            FUZZ_CHECK(var_file_has_field(file, var_file_field(file, f)));
            read_value(file, row, var_file_field(file, f));
        }
        if (var_file_has_field(file, STR("a"))) {
            read_value(file, row, STR("a"));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const names[] = { "v.csv", "v.tsv", "v.txt", "v.jsonl", "v.ndjson", "v" };
    static struct job_faults faults;
    struct var_file *file;
    struct err err = { .text = "" };
    struct folder_path path;

    if (!len) {
        return 0;
    }
    path = folder_put(names[bytes[0] % (sizeof names / sizeof names[0])], bytes + 1, len - 1);
    faults.count = 0;
    if (var_file_open(&file, path.text, NULL, STR_NONE, &faults, &err) == RESULT_OK) {
        FUZZ_CHECK(faults.count == 0);
        read_values(file);
        var_file_free(file);
    } else {
        FUZZ_CHECK(faults.count || err.text[0]);
    }
    return 0;
}
