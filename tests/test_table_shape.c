/* What a table may be asked to look like, and what its report says: files in, a table out. */
#include "base/json_scan.h"
#include "normalise/file_source.h"
#include "table/run_tables.h"
#include "table/table_report.h"
#include "table/table_run.h"
#include "table_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

/* in.jsonl to `output`; the report's schema is to be freed. */
static enum result build(const char *output, const char *records, const struct table_spec *spec,
                         const struct table_schema *before, struct table_report *report)
{
    static struct path to; /* the report names it */
    struct path input = in_folder("in.jsonl");
    const char *paths[] = { input.text };
    struct table_run_options options = {
        .table = { .records = records, .output_count = 1, .before = before, .spec = *spec },
    };

    to = in_folder(output);
    options.table.outputs = output_of(to.text);
    assert_int_equal(file_source_open(&options.source, paths, 1, NULL, NULL), RESULT_OK);
    return table_run(&options, report);
}

static void assert_table(const char *json, const struct table_spec *spec, const char *want)
{
    struct table_report report;

    put("in.jsonl", str_view(json));
    if (build("t.csv", NULL, spec, NULL, &report) != RESULT_OK) {
        fail_msg("%s: %s", report.err.code, report.err.text);
    }
    assert_file("t.csv", want);
    table_schema_free(report.schema);
}

static void assert_refused(const char *json, const char *records, const struct table_spec *spec,
                           enum result want, const char *code, const char *words)
{
    struct table_report report;

    put("in.jsonl", str_view(json));
    put("t.csv", STR("old"));
    assert_int_equal(build("t.csv", records, spec, NULL, &report), want);
    assert_string_equal(report.err.code, code);
    if (!strstr(report.err.text, words)) {
        fail_msg("\"%s\" is not in: %s", words, report.err.text);
    }
    assert_file("t.csv", "old");
    assert_int_equal(count_files(), 2);
}

#define LOTS                                                                                       \
    "{\"lot\":{\"id\":1},\"items\":[{\"n\":1,\"o\":{\"p\":[7]}},{\"n\":2,\"q\":3}],\"end\":9}\n"   \
    "{\"lot\":{\"id\":2},\"items\":[]}\n"                                                          \
    "{\"lot\":{\"id\":3},\"items\":{\"n\":4}}\n"                                                   \
    "{\"lot\":{\"id\":4},\"items\":[5,null,[6],{\"n\":8}]}\n"                                      \
    "{\"lot\":{\"id\":5}}\n"

static void explode__repeats_the_record__when_its_array_has_elements(void **state)
{
    static const struct table_spec items = { .explode = "/items" }, deep = { .explode = "/a/b" };

    (void)state;
    assert_table(LOTS, &items,
                 "lot.id,end,items.n,items.o.p,items.q,items\n"
                 "1,9,1,[7],,\n"
                 "1,9,2,,3,\n"
                 "2,,,,,\n"
                 "3,,4,,,\n"
                 "4,,,,,5\n"
                 "4,,,,,\n"
                 "4,,,,,[6]\n"
                 "4,,8,,,\n"
                 "5,,,,,\n");
    /* Of members with one name the last counts, and with it what it held or did not hold. */
    assert_table("{\"a\":{\"b\":[1,2]},\"a\":{\"c\":3}}\n{\"a\":{\"b\":[1],\"b\":[2,3]}}\n", &deep,
                 "a.c,a.b\n3,\n,2\n,3\n");
}

static void explode__counts_rows_and_duplicates__when_elements_have_them(void **state)
{
    static const struct table_spec items = { .explode = "/items" };
    struct table_report report;

    (void)state;
    put("in.jsonl", STR("{\"items\":[{\"a\":1,\"a\":2},{\"a\":3}]}\n"));
    assert_int_equal(build("t.csv", NULL, &items, NULL, &report), RESULT_OK);
    assert_int_equal(report.records, 1);
    assert_int_equal(report.rows, 2);
    assert_int_equal(report.duplicate_keys, 1);
    assert_file("t.csv", "items.a\n2\n3\n");
}

/* Their values alone would not end a block before it has more rows than it can count. */
static void explode__gives_all_rows__when_a_million_elements_hold_nothing(void **state)
{
    static const struct table_spec items = { .explode = "/items" };
    struct table_report report;
    struct buf json = { 0 };
    unsigned count = 1100000;

    (void)state;
    assert_int_equal(buf_append_str(&json, STR("{\"items\":[{}")), RESULT_OK);
    for (unsigned i = 1; i < count; i++) {
        assert_int_equal(buf_append(&json, ",{}", 3), RESULT_OK);
    }
    assert_int_equal(buf_append_str(&json, STR("],\"b\":true}\n")), RESULT_OK);
    put("in.jsonl", buf_view(&json));
    if (build("t.parquet", NULL, &items, NULL, &report) != RESULT_OK) {
        fail_msg("%s: %s", report.err.code, report.err.text);
    }
    assert_int_equal(report.rows, count);
    table_schema_free(report.schema);
    buf_release(&json);
}

/* In so many columns, so many texts are too many for some share of the memory that workers could have, and not
 * for another. */
static void parquet__has_the_same_bytes__when_workers_are_many(void **state)
{
    struct path input = in_folder("in.jsonl"), output = in_folder("t.parquet");
    const char *paths[] = { input.text };
    struct buf json = { 0 }, tables[2] = { { 0 }, { 0 } };

    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        for (unsigned j = 0; j < 300; j++) {
            assert_int_equal(buf_printf(&json, "%s\"c%u\":\"%u of a number of texts\"",
                                        j ? "," : "{", j, i % (50 + j)),
                             RESULT_OK);
        }
        assert_int_equal(buf_append(&json, "}\n", 2), RESULT_OK);
    }
    put("in.jsonl", buf_view(&json));
    for (unsigned workers = 1; workers <= 2; workers++) {
        struct table_run_options options = {
            .table = { ONE_OUTPUT(output.text), .workers = workers,
                       .spec = { .memory_bytes = TABLE_MEMORY_MIN } },
        };
        struct table_report report;

        assert_int_equal(file_source_open(&options.source, paths, 1, NULL, NULL), RESULT_OK);
        assert_int_equal(table_run(&options, &report), RESULT_OK);
        assert_true(get(output.text, &tables[workers - 1]));
        table_schema_free(report.schema);
    }
    assert_true(str_equal(buf_view(&tables[0]), buf_view(&tables[1])));
    buf_release(&json);
    buf_release(&tables[0]);
    buf_release(&tables[1]);
}

static void max_depth__keeps_json__when_objects_are_deeper(void **state)
{
    static const struct table_spec none = { .depth_limited = true, .depth_max = 0 };
    static const struct table_spec one = { .depth_limited = true,
                                           .depth_max = 1,
                                           .separator = "__" };
    static const char json[] = "{\"a\":{\"b\":{ \"c\" : 1 },\"d\":2},\"e\":3}\n";

    (void)state;
    assert_table(json, &none, "a,e\n\"{\"\"b\"\":{\"\"c\"\":1},\"\"d\"\":2}\",3\n");
    assert_table(json, &one, "a__b,a__d,e\n\"{\"\"c\"\":1}\",2,3\n");
}

static void columns__are_those_picked__when_some_are_named(void **state)
{
    static const struct table_pick picks[] = {
        { .name = STR_INIT("end"), .pointer = { NULL, 0 } },
        { .name = STR_INIT("first"), .pointer = STR_INIT("/items/0/n") },
        { .name = STR_INIT("lot"), .pointer = STR_INIT("/lot") },
        { .name = STR_INIT("lot.id"), .pointer = { NULL, 0 } },
    };
    static const struct table_pick inside[] = {
        { .name = STR_INIT("n"), .pointer = STR_INIT("/items/n") },
        { .name = STR_INIT("id"), .pointer = STR_INIT("/lot/id") },
    };
    static const struct table_spec some = { .picks = picks, .pick_count = 4 };
    static const struct table_spec exploded = { .picks = inside,
                                                .pick_count = 2,
                                                .explode = "/items" };

    (void)state;
    assert_table(LOTS, &some,
                 "end,first,lot,lot.id\n"
                 "9,1,\"{\"\"id\"\":1}\",1\n"
                 ",,\"{\"\"id\"\":2}\",2\n"
                 ",,\"{\"\"id\"\":3}\",3\n"
                 ",,\"{\"\"id\"\":4}\",4\n"
                 ",,\"{\"\"id\"\":5}\",5\n");
    assert_table(LOTS, &exploded, "n,id\n1,1\n2,1\n,2\n,3\n,4\n,4\n,4\n8,4\n,5\n");
}

static void columns__are_refused__when_nothing_is_called_so(void **state)
{
    static const struct table_pick typo = { .name = STR_INIT("lot.idd"), .pointer = { NULL, 0 } };
    static const struct table_pick nowhere = { .name = STR_INIT("x"),
                                               .pointer = STR_INIT("/lot/x") };
    static const struct str absent[] = { STR_INIT("absent") };
    static const struct table_spec by_name = { .picks = &typo, .pick_count = 1 };
    static const struct table_spec by_pointer = { .picks = &nowhere, .pick_count = 1 };
    static const struct table_spec unique = { .unique = absent, .unique_count = 1 };
    static const struct table_spec present = { .where_present = STR_INIT("end_") };

    (void)state;
    assert_refused(LOTS, NULL, &by_name, RESULT_NOT_FOUND, "E-TAB5", "did you mean \"lot.id\"?");
    assert_refused(LOTS, NULL, &by_pointer, RESULT_NOT_FOUND, "E-TAB5", "/lot/x");
    assert_refused(LOTS, NULL, &unique, RESULT_NOT_FOUND, "E-TAB5", "--unique absent");
    assert_refused(LOTS, NULL, &present, RESULT_NOT_FOUND, "E-TAB5", "did you mean \"end\"?");
}

static void unique__keeps_the_first_in_plan_order__when_workers_are_many(void **state)
{
    static const struct str columns[] = { STR_INIT("id"), STR_INIT("k") };
    static const struct table_spec spec = { .unique = columns, .unique_count = 2 };
    struct table_report report;
    struct buf json = { 0 }, table = { 0 };
    uint64_t first = 0;

    (void)state;
    /* Several chunks; each key comes again far behind. */
    for (unsigned i = 0; json.len < (size_t)5 << 20; i++) {
        assert_int_equal(buf_printf(&json, "{\"id\":%u,\"k\":\"%c\",\"row\":%u}\n", i % 10007,
                                    'a' + (int)(i % 2), i),
                         RESULT_OK);
    }
    put("in.jsonl", buf_view(&json));
    assert_int_equal(build("t.csv", NULL, &spec, NULL, &report), RESULT_OK);
    assert_int_equal(report.rows, 20014);
    assert_true(report.not_unique > 50000);
    assert_true(get(in_folder("t.csv").text, &table));
    for (const char *line = strchr(buf_cstr(&table), '\n') + 1; *line;
         line = strchr(line, '\n') + 1) {
        char want[64];

        snprintf(want, sizeof want, "%llu,%c,%llu\n", (unsigned long long)(first % 10007),
                 'a' + (int)(first % 2), (unsigned long long)first);
        if (strncmp(line, want, strlen(want)) != 0) {
            fail_msg("%.40s is not %s", line, want);
        }
        first++;
    }
    assert_int_equal(first, 20014);
    buf_release(&json);
    buf_release(&table);
}

static void unique__drops_nobody_without_a_key__when_cells_are_missing(void **state)
{
    static const struct str columns[] = { STR_INIT("a"), STR_INIT("b") };
    static const struct table_spec spec = { .unique = columns,
                                            .unique_count = 2,
                                            .where_present = STR_INIT("c") };
    struct table_report report;

    (void)state;
    put("in.jsonl", STR("{\"a\":\"x\",\"b\":\"yz\"}\n" /* without c: dropped, and hides nobody */
                        "{\"a\":\"x\",\"b\":\"yz\",\"c\":1}\n"
                        "{\"a\":\"xy\",\"b\":\"z\",\"c\":2}\n"
                        "{\"a\":\"\\u0078\",\"b\":\"yz\",\"c\":3}\n"
                        "{\"a\":\"x\",\"c\":4}\n"
                        "{\"a\":\"x\",\"b\":null,\"c\":5}\n"
                        "{\"a\":1,\"b\":\"\",\"c\":6}\n"
                        "{\"a\":\"1\",\"b\":\"\",\"c\":7}\n"));
    assert_int_equal(build("t.csv", NULL, &spec, NULL, &report), RESULT_OK);
    assert_file("t.csv", "a,b,c\nx,yz,1\nxy,z,2\nx,,4\nx,,5\n1,\"\",6\n");
    assert_int_equal(report.not_unique, 2);
    assert_int_equal(report.not_present, 1);
    assert_int_equal(report.rows, 5);
}

static void meta__says_where_rows_come_from__when_input_is_a_file(void **state)
{
    static const struct table_spec spec = { .meta = true };
    struct path input = in_folder("in.jsonl");
    char want[512];

    (void)state;
    snprintf(want, sizeof want, "_source_file,a,_source_file_2\n%s,1,\n%s,,x\n", input.text,
             input.text);
    assert_table("{\"a\":1}\n{\"_source_file\":\"x\"}\n", &spec, want);
}

static void names__get_a_suffix__when_two_paths_give_one(void **state)
{
    static const struct table_spec plain = { 0 }, dashes = { .separator = "-" };
    struct table_report report;

    (void)state;
    put("in.jsonl", STR("{\"a.b\":1,\"a\":{\"b\":2},\"a.b_2\":3}\n"));
    assert_int_equal(build("t.csv", NULL, &plain, NULL, &report), RESULT_OK);
    assert_file("t.csv", "a.b,a.b_2,a.b_2_2\n1,2,3\n");
    assert_int_equal(report.columns_renamed, 2);
    assert_table("{\"a.b\":1,\"a\":{\"b\":2}}\n", &dashes, "a.b,a-b\n1,2\n");
}

static void pointer__is_answered_with_those_that_exist__when_it_finds_nothing(void **state)
{
    static const struct table_spec plain = { 0 }, items = { .explode = "/itmes" };
    static const char json[] = "{\"meta\":{\"n\":1},\"data\":{\"rows\":[1,2],\"a/b\":[]}}\n";

    (void)state;
    assert_refused(json, "/rows", &plain, RESULT_NOT_FOUND, "E-TAB1",
                   "there are: /data/rows (2 elements), /data/a~1b (0 elements), /meta, /data");
    assert_refused("1\n", "/rows", &plain, RESULT_NOT_FOUND, "E-TAB1",
                   "neither arrays nor objects");
    assert_refused(LOTS, NULL, &items, RESULT_NOT_FOUND, "E-TAB1",
                   "--explode /itmes finds no array in any of the 5 records; there are: /items "
                   "(2 elements)");
    assert_refused("{\"a\":1}\n[{\"b\":{\"c\":[]}}]\n", NULL, &items, RESULT_NOT_FOUND, "E-TAB1",
                   "there are: /b/c (0 elements)");
    assert_refused(json, "/data", &items, RESULT_NOT_FOUND, "E-TAB1",
                   "there are: /rows (2 elements), /a~1b (0 elements)");
    assert_refused("{\"a\":1}\n", NULL, &items, RESULT_NOT_FOUND, "E-TAB1",
                   "no array in the 1 record");
    assert_refused(json, "rows", &plain, RESULT_INVALID, "E-PTR1", "must begin with");
}

/* RLIMIT_FSIZE is a disk that is full: EFBIG in place of ENOSPC. */
static void old_table__stays__when_the_disk_is_full(void **state)
{
    static const struct table_spec plain = { 0 };
    static const char *const outputs[] = { "t.csv", "t.parquet" };
    struct rlimit old, small = { .rlim_cur = 1 << 17, .rlim_max = RLIM_INFINITY };
    struct buf json = { 0 };
    uint64_t random = 1;

    (void)state;
    for (unsigned i = 0; json.len < (size_t)2 << 20; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        assert_int_equal(
            buf_printf(&json, "{\"n\":%u,\"text\":\"%016llx\"}\n", i, (unsigned long long)random),
            RESULT_OK);
    }
    put("in.jsonl", buf_view(&json));
    put("t.csv", STR("old"));
    put("t.parquet", STR("old"));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    for (size_t i = 0; i < 2; i++) {
        struct table_report report;

        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        assert_int_equal(build(outputs[i], NULL, &plain, NULL, &report), RESULT_FULL);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_string_equal(report.err.code, "E-OUT2");
        assert_file(outputs[i], "old");
        assert_int_equal(count_files(), 3);
        table_schema_free(report.schema);
    }
    buf_release(&json);
}

static const struct schema_column *find(const struct table_schema *schema, const char *name)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        if (str_equal(schema->columns[i].name, str_view(name))) {
            return &schema->columns[i];
        }
    }
    fail_msg("no column %s", name);
    return NULL;
}

static void assert_remark(const struct table_report *report, enum table_remark remark,
                          const char *words)
{
    struct buf text = { 0 };

    assert_int_equal(table_report_remark(report, remark, &text), RESULT_OK);
    assert_string_equal(text.len ? buf_cstr(&text) : "", words);
    buf_release(&text);
}

static void schema__tells_types_and_conflicts__when_types_are_asked_for(void **state)
{
    static const struct table_spec spec = { .types = true };
    struct table_report report;
    struct buf json = { 0 };

    (void)state;
    for (int i = 0; i < 250; i++) {
        assert_int_equal(buf_printf(&json, "{\"id\":%d,\"price\":%s%s}\n", i,
                                    i == 77 ? "\"n/a\"" : "1.5", i == 99 ? ",\"odd\":true" : ""),
                         RESULT_OK);
    }
    put("in.jsonl", buf_view(&json));
    buf_reset(&json);
    assert_int_equal(build("t.csv", NULL, &spec, NULL, &report), RESULT_OK);
    assert_int_equal(report.schema->rows, 250);
    assert_int_equal(find(report.schema, "id")->type, TYPE_INT64);
    assert_int_equal(find(report.schema, "price")->type, TYPE_TEXT);
    assert_true(find(report.schema, "price")->conflict);
    assert_true(find(report.schema, "odd")->rare);
    assert_false(find(report.schema, "id")->rare);
    assert_remark(
        &report, TABLE_REMARK_CONFLICT,
        "column price is text: 1 of 250 values is not a number, first: record 78, \"n/a\"");
    assert_remark(&report, TABLE_REMARK_RARE, "a value in under 1 % of the rows: odd");
    assert_remark(&report, TABLE_REMARK_NEW, ""); /* there was none before */
    assert_int_equal(table_report_json(&report, &json), RESULT_OK);
    assert_true(json_check(buf_view(&json), 16, NULL));
    assert_non_null(strstr(buf_cstr(&json), "{\"name\":\"odd\",\"type\":\"boolean\",\"values\":1,"
                                            "\"rare\":true}"));
    assert_non_null(strstr(buf_cstr(&json), "\"conflict\":\"249 fractions, 1 string\",\"odd\":{"
                                            "\"count\":1,\"not\":\"numbers\",\"first_record\":78,"
                                            "\"value\":\"\\\"n/a\\\"\"}"));
    table_schema_free(report.schema);
    buf_release(&json);
}

static void drift__is_told__when_the_table_differs_from_the_last(void **state)
{
    static const struct table_spec spec = { .types = true };
    struct table_report first, second;
    struct table_schema *stored, *other;
    struct buf text = { 0 }, again = { 0 };

    (void)state;
    put("in.jsonl", STR("{\"id\":1,\"a\":1,\"quo\\\"te\":\"x\",\"gone\":true}\n"));
    assert_int_equal(build("t.csv", NULL, &spec, NULL, &first), RESULT_OK);
    /* as it comes back from tables.json, where other tables stand beside it */
    assert_int_equal(table_schema_write(first.schema, STR("t"), STR("{\"u\":{\"rows\":1}}"), &text),
                     RESULT_OK);
    assert_int_equal(table_schema_write(first.schema, STR("t"), buf_view(&text), &again),
                     RESULT_OK);
    assert_true(str_equal(buf_view(&text), buf_view(&again)));
    assert_int_equal(table_schema_read(&stored, buf_view(&again), STR("t")), RESULT_OK);
    assert_int_equal(stored->rows, 1);
    assert_int_equal(table_schema_read(&other, buf_view(&again), STR("v")), RESULT_OK);
    assert_null(other);
    assert_int_equal(table_schema_read(&other, STR("{\"t\":"), STR("t")), RESULT_OK);
    assert_null(other);

    put("in.jsonl", STR("{\"id\":\"1\",\"a\":1.5,\"quo\\\"te\":\"y\",\"new\":[1]}\n"));
    assert_int_equal(build("t.csv", NULL, &spec, stored, &second), RESULT_OK);
    assert_remark(&second, TABLE_REMARK_NEW, "new since the last table: new text");
    assert_remark(&second, TABLE_REMARK_GONE, "gone since the last table: gone");
    assert_remark(&second, TABLE_REMARK_TYPE,
                  "changed since the last table: id text, was int64, "
                  "a double, was int64");
    buf_reset(&text);
    assert_int_equal(table_report_json(&second, &text), RESULT_OK);
    assert_non_null(strstr(buf_cstr(&text),
                           "\"drift\":{\"new\":[{\"name\":\"new\",\"now\":\"text\"}],\"gone\":[{"
                           "\"name\":\"gone\",\"before\":\"boolean\"}],\"type\":[{\"name\":\"id\","
                           "\"before\":\"int64\",\"now\":\"text\"},"));
    first.before = stored;
    assert_remark(&first, TABLE_REMARK_NEW, "");
    assert_remark(&first, TABLE_REMARK_GONE, "");
    assert_remark(&first, TABLE_REMARK_TYPE, "");
    table_schema_free(stored);
    table_schema_free(first.schema);
    table_schema_free(second.schema);
    buf_release(&text);
    buf_release(&again);
}

static void run_tables__keeps_each_table__when_written_in_turn(void **state)
{
    static const struct table_spec spec = { .types = true };
    struct path path = in_folder("");
    struct run_dir dir = { .path = path.text, .fd = open(path.text, O_RDONLY | O_DIRECTORY) };
    struct table_report report;
    struct table_schema *schema;

    (void)state;
    assert_true(dir.fd >= 0);
    assert_null(run_tables_read(&dir, STR("t")));
    put("in.jsonl", STR("{\"a\":1}\n"));
    assert_int_equal(build("t.csv", NULL, &spec, NULL, &report), RESULT_OK);
    assert_int_equal(run_tables_write(&dir, STR("t"), report.schema, NULL), RESULT_OK);
    assert_int_equal(run_tables_write(&dir, STR("other"), report.schema, NULL), RESULT_OK);
    schema = run_tables_read(&dir, STR("t"));
    assert_non_null(schema);
    assert_int_equal(schema->count, 1);
    table_schema_free(schema);
    put("tables.json", STR("not JSON"));
    assert_null(run_tables_read(&dir, STR("t")));
    assert_int_equal(run_tables_write(&dir, STR("t"), report.schema, NULL), RESULT_OK);
    schema = run_tables_read(&dir, STR("t"));
    assert_non_null(schema);
    table_schema_free(schema);
    table_schema_free(report.schema);
    close(dir.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(explode__repeats_the_record__when_its_array_has_elements),
        IN_FOLDER(explode__counts_rows_and_duplicates__when_elements_have_them),
        IN_FOLDER(explode__gives_all_rows__when_a_million_elements_hold_nothing),
        IN_FOLDER(parquet__has_the_same_bytes__when_workers_are_many),
        IN_FOLDER(max_depth__keeps_json__when_objects_are_deeper),
        IN_FOLDER(columns__are_those_picked__when_some_are_named),
        IN_FOLDER(columns__are_refused__when_nothing_is_called_so),
        IN_FOLDER(unique__keeps_the_first_in_plan_order__when_workers_are_many),
        IN_FOLDER(unique__drops_nobody_without_a_key__when_cells_are_missing),
        IN_FOLDER(meta__says_where_rows_come_from__when_input_is_a_file),
        IN_FOLDER(names__get_a_suffix__when_two_paths_give_one),
        IN_FOLDER(pointer__is_answered_with_those_that_exist__when_it_finds_nothing),
        IN_FOLDER(old_table__stays__when_the_disk_is_full),
        IN_FOLDER(schema__tells_types_and_conflicts__when_types_are_asked_for),
        IN_FOLDER(drift__is_told__when_the_table_differs_from_the_last),
        IN_FOLDER(run_tables__keeps_each_table__when_written_in_turn),
    };

    setenv("UV_THREADPOOL_SIZE", "6", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
