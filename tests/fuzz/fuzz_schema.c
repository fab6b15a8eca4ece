/* A table's name, a line feed, and any text as tables.json: what is read of it is the same when it is written and read
 * again, and what is written is JSON whatever was there before. */
#include "base/json_scan.h"
#include "table/table_schema.h"
#include "tests/fuzz/fuzz.h"

static void on_drift(void *context, const struct drift *drift)
{
    (void)drift;
    ++*(unsigned *)context;
}

static void write_and_read(const struct table_schema *schema, struct str table, struct str old)
{
    struct table_schema *again = NULL;
    struct buf out = { 0 };
    unsigned drifts = 0;

    FUZZ_CHECK(table_schema_write(schema, table, old, &out) == RESULT_OK);
    FUZZ_CHECK(json_check(buf_view(&out), JSON_DEPTH_MAX, NULL));
    FUZZ_CHECK(table_schema_read(&again, buf_view(&out), table) == RESULT_OK && again);
    FUZZ_CHECK(again->rows == schema->rows && again->count == schema->count);
    table_schema_compare(schema, again, on_drift, &drifts);
    FUZZ_CHECK(drifts == 0);
    table_schema_free(again);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str text = { (const char *)bytes, len };
    struct str table = str_cut(&text, '\n');
    struct table_schema *schema = NULL;

    if (!text.data) {
        text = STR("");
    }
    FUZZ_CHECK(table_schema_read(&schema, text, table) == RESULT_OK);
    if (schema) {
        FUZZ_CHECK(schema->count <= SCHEMA_COLUMNS_MAX);
        write_and_read(schema, table, text);
        write_and_read(schema, table, STR(""));
        table_schema_free(schema);
    }
    return 0;
}
