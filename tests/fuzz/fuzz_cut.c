/* A byte that says where the records are and how small the pieces, and any text as a document: the table of what was cut
 * up among workers is the table of the whole. */
#include "normalise/file_source.h"
#include "table/table_run.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

struct made {
    enum result result;
    struct table_report report;
    char *csv;
    size_t len;
};

static void make(struct made *made, const char *input, const char *records, uint64_t split_bytes,
                 unsigned workers)
{
    struct folder_path output = folder_at("t.csv");
    const struct table_output to = { .path = output.text, .format = &csv_format };
    struct table_run_options options = { .table = { .records = records,
                                                    .outputs = &to,
                                                    .output_count = 1,
                                                    .workers = workers,
                                                    .split_bytes = split_bytes,
                                                    .chunk_bytes = split_bytes } };
    const char *paths[] = { input };

    remove(output.text);
    memset(made, 0, sizeof *made);
    FUZZ_CHECK(file_source_open(&options.source, paths, 1, NULL, NULL) == RESULT_OK);
    made->result = table_run(&options, &made->report);
    made->csv = folder_get("t.csv", &made->len);
    table_schema_free(made->report.schema);
}

static void compare(const struct made *one, const struct made *two)
{
    const struct table_report *a = &one->report, *b = &two->report;

    FUZZ_CHECK(one->result == two->result);
    FUZZ_CHECK((one->csv == NULL) == (two->csv == NULL));
    FUZZ_CHECK(one->len == two->len && (!one->len || memcmp(one->csv, two->csv, one->len) == 0));
    FUZZ_CHECK(a->rows == b->rows && a->columns == b->columns);
    FUZZ_CHECK(a->duplicate_keys == b->duplicate_keys && a->empty == b->empty);
    FUZZ_CHECK(a->lone_surrogates == b->lone_surrogates);
    for (int i = 0; i < TABLE_SKIP_COUNT; i++) {
        FUZZ_CHECK(a->skipped[i].count == b->skipped[i].count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const pointers[] = { NULL,       "/items", "/*", "/a/*/b",
                                            "/items/*", "/*/*",   "/a", "/1/items" };
    static const char *const names[] = { "in.json", "in.jsonl" };
    const char *records;
    struct folder_path path;
    struct made whole, cut;

    if (!len) {
        return 0;
    }
    records = pointers[bytes[0] % 8];
    path = folder_put(names[bytes[0] / 8 % 2], bytes + 1, len - 1);
    make(&whole, path.text, records, UINT64_MAX, 1);
    make(&cut, path.text, records, (uint64_t)(bytes[0] / 16) * 8 + 1, 2);
    compare(&whole, &cut);
    free(whole.csv);
    free(cut.csv);
    return 0;
}
