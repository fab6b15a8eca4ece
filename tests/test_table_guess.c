/*
 * Tables that are written while their columns are still being learnt: when one pass does, when another must
 * follow, and that nobody sees the difference.
 *
 * The source gives out each line by itself and every line is a chunk, so a few dozen lines are enough: the
 * first eight are looked at beforehand, and then the 33rd, the 65th ...
 */
#include "normalise/file_source.h"
#include "table/table_build.h"
#include "table/table_report.h"
#include "table/table_run.h"
#include "table_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct line_source {
    struct record_source source;
    char path[PATH_SIZE];
    struct buf text;
    size_t at;
};

static enum result next_line(struct record_source *source, struct record_piece *piece, bool *more,
                             struct err *err)
{
    struct line_source *s = (struct line_source *)source;
    const char *newline = memchr(s->text.data + s->at, '\n', s->text.len - s->at);

    (void)err;
    *more = newline != NULL;
    if (newline) {
        size_t len = (size_t)(newline - s->text.data) + 1 - s->at;

        *piece = (struct record_piece){
            .form = RECORD_LINES, .fd = -1, .path = s->path, .offset = s->at, .length = len
        };
        s->at += len;
    }
    return RESULT_OK;
}

static enum result rewind_lines(struct record_source *source, struct err *err)
{
    (void)err;
    ((struct line_source *)source)->at = 0;
    return RESULT_OK;
}

static void close_lines(struct record_source *source)
{
    struct line_source *s = (struct line_source *)source;

    buf_release(&s->text);
    free(s);
}

static struct record_source *lines_of(const char *name)
{
    struct line_source *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->source = (struct record_source){ next_line, rewind_lines, close_lines, 0, 0 };
    snprintf(s->path, sizeof s->path, "%s", in_folder(name).text);
    assert_true(get(s->path, &s->text));
    return &s->source;
}

static void add(struct buf *text, const char *line)
{
    assert_int_equal(buf_printf(text, "%s\n", line), RESULT_OK);
}

/* Lines number 0 up to `count`: {"a":0}, {"a":1} ..., but some that are given. */
static void put_lines(unsigned count, unsigned special, const char *line)
{
    struct buf text = { 0 };
    char usual[32];

    for (unsigned i = 0; i < count; i++) {
        snprintf(usual, sizeof usual, "{\"a\":%u}", i);
        add(&text, i == special ? line : usual);
    }
    put("in.jsonl", buf_view(&text));
    buf_release(&text);
}

static enum result build(const struct table_options *asked, struct table_report *report)
{
    struct path output = in_folder("t.csv");
    struct table_run_options options = { .table = *asked, .source = lines_of("in.jsonl") };

    options.table.outputs = asked->output_count ? asked->outputs : output_of(output.text);
    options.table.output_count = 1;
    options.table.chunk_bytes = asked->chunk_bytes ? asked->chunk_bytes : 1;
    return table_run(&options, report);
}

/* The same by learning first: in one chunk, there is nothing to be guessed. */
static void assert_as_learnt_first(const struct table_options *asked, unsigned passes)
{
    struct table_options first = *asked;
    struct table_report guessed, learnt;
    struct buf got = { 0 }, want = { 0 };

    for (unsigned workers = 1; workers <= 4; workers += 3) {
        struct table_options options = *asked;

        options.workers = workers;
        assert_int_equal(build(&options, &guessed), RESULT_OK);
        assert_int_equal(guessed.passes, passes);
        assert_true(get(in_folder("t.csv").text, &got));
        first.chunk_bytes = UINT64_MAX;
        assert_int_equal(build(&first, &learnt), RESULT_OK);
        assert_true(learnt.passes > 1);
        assert_true(get(in_folder("t.csv").text, &want));
        assert_string_equal(buf_cstr(&got), buf_cstr(&want));
        assert_int_equal(guessed.records, learnt.records);
        assert_int_equal(guessed.rows, learnt.rows);
        assert_int_equal(guessed.columns, learnt.columns);
        assert_int_equal(guessed.columns_renamed, learnt.columns_renamed);
        assert_int_equal(guessed.duplicate_keys, learnt.duplicate_keys);
        assert_int_equal(guessed.lone_surrogates, learnt.lone_surrogates);
        assert_int_equal(guessed.not_present, learnt.not_present);
        assert_int_equal(guessed.bytes_in, learnt.bytes_in);
        assert_int_equal(guessed.bytes_out, learnt.bytes_out);
        assert_int_equal(table_report_skipped(&guessed), table_report_skipped(&learnt));
        for (int reason = 0; reason < TABLE_SKIP_COUNT; reason++) {
            assert_string_equal(guessed.skipped[reason].first[0], learnt.skipped[reason].first[0]);
        }
        assert_int_equal(count_files(), 2);
        table_schema_free(guessed.schema);
        table_schema_free(learnt.schema);
    }
    buf_release(&got);
    buf_release(&want);
}

static void table_run__takes_one_pass__when_columns_are_soon_known(void **state)
{
    (void)state;
    put_lines(60, 3, "{\"a\":\"x,\",\"b\":{\"c\":\"\\ud800\",\"a\":1},\"a\":[1, 2]}");
    assert_as_learnt_first(&(struct table_options){ .output_count = 0 }, 1);
    put_lines(9, 9, NULL);
    assert_as_learnt_first(&(struct table_options){ .output_count = 0 }, 1);
}

static void table_run__takes_two_passes__when_all_is_looked_at_beforehand(void **state)
{
    struct table_report report;

    (void)state;
    put_lines(8, 8, NULL);
    assert_int_equal(build(&(struct table_options){ .output_count = 0 }, &report), RESULT_OK);
    assert_int_equal(report.passes, 2);
    assert_file("t.csv", "a\n0\n1\n2\n3\n4\n5\n6\n7\n");
}

static void table_run__takes_another_pass__when_a_column_comes_late(void **state)
{
    static const char *const late[] = {
        "{\"a\":1,\"b\":2}",          /* a name */
        "{\"a\":{\"b\":2}}",          /* what was a value is an object */
        "7",                          /* no object */
        "{\"a\":1,\"b\":null}",       /* even if it has no value yet */
        "{\"a\":1,\"\":{\"\":\"\"}}", /* an empty name */
    };

    (void)state;
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
        put_lines(60, 8, late[i]);
        assert_as_learnt_first(&(struct table_options){ .output_count = 0 }, 2);
        put_lines(60, 59, late[i]);
        assert_as_learnt_first(&(struct table_options){ .output_count = 0 }, 2);
        put_lines(60, 32, late[i]); /* which is looked at */
        assert_as_learnt_first(&(struct table_options){ .output_count = 0 }, 1);
    }
}

/* Two paths make the name a.b: line 64, which is looked at, has them in another order than lines 50 and 51. */
static void table_run__takes_another_pass__when_two_columns_share_a_name(void **state)
{
    const struct table_pick pick = { .name = STR("a.b"), .pointer = STR_NONE };
    struct table_options options = { .output_count = 0 };
    struct buf text = { 0 };

    (void)state;
    for (unsigned i = 0; i < 70; i++) {
        add(&text, i == 50   ? "{\"a\":{\"b\":1}}"
                   : i == 51 ? "{\"a.b\":2}"
                   : i == 64 ? "{\"a.b\":3,\"a\":{\"b\":4}}"
                             : "{\"c\":1}");
    }
    put("in.jsonl", buf_view(&text));
    buf_release(&text);
    assert_as_learnt_first(&options, 2);
    options.spec.where_present = STR("a.b");
    assert_as_learnt_first(&options, 2);
    options.spec.picks = &pick;
    options.spec.pick_count = 1;
    assert_as_learnt_first(&options, 2);
}

/* Line 64 has them in another order than line 50, and is looked at. */
static void table_run__takes_another_pass__when_columns_come_in_another_order(void **state)
{
    struct buf text = { 0 };

    (void)state;
    for (unsigned i = 0; i < 70; i++) {
        add(&text, i == 50   ? "{\"a\":1,\"c\":2,\"b\":3}"
                   : i == 64 ? "{\"a\":1,\"b\":2,\"c\":3}"
                             : "{\"a\":1}");
    }
    put("in.jsonl", buf_view(&text));
    buf_release(&text);
    assert_as_learnt_first(&(struct table_options){ .output_count = 0 }, 2);
}

static void table_run__skips_the_same__when_records_are_bad(void **state)
{
    static const struct {
        const char *line, *records, *explode;
        unsigned passes;
    } cases[] = {
        { "{\"a\":", NULL, NULL, 1 },
        { "{\"a\":1,\"b\":2,}", NULL, NULL, 2 }, /* taught a column before it was known to be bad */
        { "{\"a\":[1,2}", NULL, NULL, 1 },
        { "[{\"a\":1},{\"a\":2},]", NULL, NULL, 2 }, /* had given rows */
        { "{\"a\":[1,2]}", "/a", NULL, 1 },
        { "{\"a\":[1,2],\"a\":3}", "/a", NULL, 2 }, /* likewise, as the last one counts */
        { "{\"b\":[1,2]}", "/a", NULL, 1 },
        { "{\"a\":[1,[2,3,{}]]}", NULL, "/a", 1 },
        { "{\"a\":[1,[2,3,{]}", NULL, "/a", 1 },
        { "{\"a\":[1,[2,3,{}]]", NULL, "/a", 1 },
        { "{\"a\":[1,2}", NULL, "/a", 1 },
        { "{\"a\":[1,2}]", NULL, "/a", 1 },
        { "{\"a\":[1,2]]}", NULL, "/a", 1 },
        { "{\"a\":[1,02]}", NULL, "/a", 2 }, /* had given a row */
        { "{\"a\":[1,{\"b\":[,]}]}", NULL, "/a", 2 },
        { "{\"a\":[1 2],\"a\":[3]}", NULL, "/a", 1 }, /* nobody goes along the first one */
        { "{\"a\":[1,2],\"a\":[3]}", NULL, "/a", 1 },
        { "{\"a\":[],\"a\":[02]}", NULL, "/a", 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put_lines(40, 20, cases[i].line);
        if (cases[i].explode) { /* so that there is one to explode */
            struct buf text = { 0 };

            assert_true(get(in_folder("in.jsonl").text, &text));
            memcpy(text.data, "{\"a\":[]}\n{\"a\":1", 15);
            put("in.jsonl", buf_view(&text));
            buf_release(&text);
        }
        assert_as_learnt_first(&(struct table_options){ .records = cases[i].records,
                                                        .spec.explode = cases[i].explode },
                               cases[i].passes);
    }
}

/* What is left of a document that was cut up has no records, but where the pointer's name stands twice in it. By
 * then rows are being written. */
static void table_run__takes_the_last__when_a_document_in_parts_has_two(void **state)
{
    const char *const endings[] = { "],\"a\":{\"x\":7}}", "],\"a\":[{\"x\":7}]}", "],\"b\":0}" };

    (void)state;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const char *path = in_folder("in.json").text;
        struct table_options options = { .records = "/a", .split_bytes = 128, .chunk_bytes = 1 };
        struct path output = in_folder("t.csv");
        struct table_report report;
        struct buf text = { 0 };

        assert_int_equal(buf_append_str(&text, STR("{\"a\":[{\"x\":0}")), RESULT_OK);
        for (unsigned row = 1; row < 200; row++) {
            assert_int_equal(buf_printf(&text, ",{\"x\":%u}", row), RESULT_OK);
        }
        add(&text, endings[i]);
        put("in.json", buf_view(&text));
        buf_release(&text);
        options.outputs = output_of(output.text);
        options.output_count = 1;
        for (options.workers = 1; options.workers <= 4; options.workers += 3) {
            struct table_run_options run = { .table = options };

            assert_int_equal(file_source_open(&run.source, &path, 1, NULL, NULL), RESULT_OK);
            assert_int_equal(table_run(&run, &report), RESULT_OK);
            assert_int_equal(report.rows, i < 2 ? 1 : 200);
            assert_int_equal(report.passes, i < 2 ? 2 : 1);
        }
        if (i < 2) {
            assert_file("t.csv", "x\n7\n");
        }
    }
}

static void table_run__gives_the_same__when_asked_for_less(void **state)
{
    const struct table_pick picks[] = { { .name = STR("b"), .pointer = STR_NONE },
                                        { .name = STR("x"), .pointer = STR("/o/x") },
                                        { .name = STR("a"), .pointer = STR_NONE } };
    struct table_options options = { .output_count = 0 };

    (void)state;
    put_lines(60, 2, "{\"a\":1,\"b\":\"here\",\"o\":{\"x\":7}}");
    options.spec.picks = picks;
    options.spec.pick_count = 3;
    assert_as_learnt_first(&options, 1);
    options.spec.where_present = STR("b");
    assert_as_learnt_first(&options, 1);
    options.spec.types = true;
    assert_as_learnt_first(&options, 1);
    put_lines(60, 40,
              "{\"a\":1,\"b\":\"here\",\"o\":{\"x\":7}}"); /* no guess is made without them */
    assert_as_learnt_first(&options, 2);
    options =
        (struct table_options){ .spec.unique = &(struct str)STR_INIT("b"), .spec.unique_count = 1 };
    put_lines(60, 2, "{\"a\":1,\"b\":\"here\"}");
    assert_as_learnt_first(&options, 3);
}

static void table_run__counts_rows_once__when_some_were_dropped_in_vain(void **state)
{
    const struct table_options options = { .spec.where_present = STR_INIT("b") };
    struct buf text = { 0 };

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        add(&text, i == 50 ? "{\"late\":1}" : i % 2 ? "{\"a\":1}" : "{\"a\":1,\"b\":2}");
    }
    put("in.jsonl", buf_view(&text));
    buf_release(&text);
    assert_as_learnt_first(&options, 2);
}

static void table_run__decides_types_by_all__when_rows_are_written_before(void **state)
{
    struct table_options options = { .spec.types = true };
    struct table_report report;

    (void)state;
    put_lines(60, 50, "{\"a\":1.5}");
    assert_int_equal(build(&options, &report), RESULT_OK);
    assert_int_equal(report.passes, 1);
    assert_non_null(report.schema);
    assert_int_equal(report.schema->count, 1);
    assert_int_equal(report.schema->columns[0].type, TYPE_DOUBLE);
    table_schema_free(report.schema);
}

/* Line 50 is not looked at beforehand. */
static void table_run__writes_parquet_again__when_a_type_was_guessed_wrong(void **state)
{
    static const struct {
        const char *before, *line; /* number 3, and number 50 */
        enum type type;
        unsigned passes;
    } cases[] = {
        { "{\"a\":1}", "{\"a\":2}", TYPE_INT64, 1 },
        { "{\"a\":1}", "{\"a\":1.5}", TYPE_DOUBLE, 2 },
        { "{\"a\":0.5}", "{\"a\":1.5}", TYPE_DOUBLE, 1 },
        { "{\"a\":0.5}", "{\"a\":null}", TYPE_DOUBLE, 1 },
        { "{\"a\":0.5}", "{\"a\":18446744073709551617}", TYPE_TEXT, 2 },
        { "{\"a\":0.5}", "{\"a\":9007199254740993}", TYPE_TEXT, 2 }, /* that a double would round */
        { "{\"a\":1}", "{\"a\":\"x\"}", TYPE_TEXT, 2 },
        { "{\"a\":\"x\"}", "{\"a\":true}", TYPE_TEXT, 1 },
        { "{\"a\":1}", "{\"a\":7,\"b\":1}", TYPE_INT64, 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct path output = in_folder("t.parquet");
        struct buf text = { 0 }, first = { 0 }, second = { 0 };

        for (unsigned line = 0; line < 60; line++) {
            add(&text, line == 3 ? cases[i].before : line == 50 ? cases[i].line : "{\"a\":1}");
        }
        put("in.jsonl", buf_view(&text));
        for (unsigned workers = 1; workers <= 4; workers += 3) {
            struct table_options options = { ONE_OUTPUT(output.text), .workers = workers };
            struct table_report report;

            assert_int_equal(build(&options, &report), RESULT_OK);
            assert_int_equal(report.passes, cases[i].passes);
            assert_int_equal(report.rows, 60);
            assert_non_null(report.schema);
            assert_int_equal(report.schema->columns[0].type, cases[i].type);
            table_schema_free(report.schema);
            assert_true(get(output.text, workers == 1 ? &first : &second));
        }
        assert_true(str_equal(buf_view(&first), buf_view(&second)));
        buf_release(&text);
        buf_release(&first);
        buf_release(&second);
    }
}

/* A column that has no value where it was looked for is text until one comes. */
static void table_run__writes_parquet_again__when_a_value_comes_late(void **state)
{
    struct path output = in_folder("t.parquet");
    struct table_options options = { ONE_OUTPUT(output.text) };
    struct table_report report;
    struct buf text = { 0 };

    (void)state;
    for (unsigned line = 0; line < 60; line++) {
        add(&text, line == 50 ? "{\"a\":1}" : "{\"a\":null}");
    }
    put("in.jsonl", buf_view(&text));
    buf_release(&text);
    assert_int_equal(build(&options, &report), RESULT_OK);
    assert_int_equal(report.passes, 2);
    assert_int_equal(report.schema->columns[0].type, TYPE_INT64);
    table_schema_free(report.schema);
}

static void table_run__says_what_is_missing__when_nothing_is_there(void **state)
{
    struct table_options options = { .records = "/nothing" };
    struct table_report report;

    (void)state;
    put("t.csv", STR("old"));
    put_lines(60, 60, NULL);
    assert_int_equal(build(&options, &report), RESULT_NOT_FOUND);
    assert_string_equal(report.err.code, "E-TAB1");
    options = (struct table_options){ .spec.explode = "/b" };
    assert_int_equal(build(&options, &report), RESULT_NOT_FOUND);
    assert_string_equal(report.err.code, "E-TAB1");
    options = (struct table_options){ .spec.where_present = STR_INIT("b") };
    assert_int_equal(build(&options, &report), RESULT_NOT_FOUND);
    assert_string_equal(report.err.code, "E-TAB5");
    assert_file("t.csv", "old");
    assert_int_equal(count_files(), 2);
}

static void table_run__finds_late_records__when_the_first_have_none(void **state)
{
    struct table_options options = { .records = "/b" };
    struct table_report report;

    (void)state;
    put_lines(60, 40, "{\"b\":[{\"x\":1},{\"x\":2}]}");
    assert_int_equal(build(&options, &report), RESULT_OK);
    assert_int_equal(report.passes, 2);
    assert_file("t.csv", "x\n1\n2\n");
    assert_int_equal(report.skipped[TABLE_SKIP_NO_MATCH].count, 59);
}

static void table_run__keeps_the_old_table__when_the_new_one_cannot_be_written(void **state)
{
    struct table_options options = { .output_count = 0 };
    struct path output = in_folder("no/t.csv");
    struct table_report report;

    (void)state;
    options.outputs = output_of(output.text);
    options.output_count = 1;
    put_lines(60, 60, NULL);
    assert_int_not_equal(build(&options, &report), RESULT_OK);
    assert_string_equal(report.err.code, "E-OUT1");
    assert_int_equal(count_files(), 1);
}

/* In each turn of the loop until it is too late: workers wait for their turns then. */
static void table_build_cancel__leaves_nothing__when_rows_are_being_written(void **state)
{
    struct path output = in_folder("t.csv");
    const struct table_options options = { ONE_OUTPUT(output.text), .chunk_bytes = 1 };
    unsigned cancelled = 0;

    (void)state;
    put_lines(3000, 2500, "{\"b\":1}");
    for (int turns = 0; turns < 20; turns++) {
        enum result result;

        put("t.csv", STR("old"));
        result = cancel_after(turns, &options, lines_of("in.jsonl"));
        if (result == RESULT_CANCELLED) {
            assert_file("t.csv", "old");
            cancelled++;
        } else {
            assert_int_equal(result, RESULT_OK);
        }
        assert_int_equal(count_files(), 2);
    }
    assert_true(cancelled > 0);
}

/* Who draws how far a table has come must not be sent back to the middle when its only pass has ended. */
static void table_build_progress__stays_at_one_pass__while_that_is_looked_at(void **state)
{
    struct path output = in_folder("t.csv");
    const struct table_options options = { ONE_OUTPUT(output.text), .chunk_bytes = 1 };
    struct watched w = { 0 };
    struct table_progress progress = { .phase = TABLE_LEARNING };
    struct work work;
    uv_loop_t loop;
    bool at_once = false;

    (void)state;
    put_lines(60, 60, NULL);
    assert_int_equal(uv_loop_init(&loop), 0);
    work_init(&work, &loop, 2);
    assert_int_equal(
        table_build_start(&w.build, &work, &options, lines_of("in.jsonl"), watched_done, &w, NULL),
        RESULT_OK);
    while (!w.calls) {
        table_build_progress(w.build, &progress);
        at_once |= progress.at_once;
        assert_true(!at_once || progress.at_once || progress.phase >= TABLE_COMMITTING);
        uv_run(&loop, UV_RUN_ONCE);
    }
    assert_true(at_once);
    assert_int_equal(w.result, RESULT_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(table_run__takes_one_pass__when_columns_are_soon_known),
        IN_FOLDER(table_run__takes_two_passes__when_all_is_looked_at_beforehand),
        IN_FOLDER(table_run__takes_another_pass__when_a_column_comes_late),
        IN_FOLDER(table_run__takes_another_pass__when_two_columns_share_a_name),
        IN_FOLDER(table_run__takes_another_pass__when_columns_come_in_another_order),
        IN_FOLDER(table_run__skips_the_same__when_records_are_bad),
        IN_FOLDER(table_run__takes_the_last__when_a_document_in_parts_has_two),
        IN_FOLDER(table_run__gives_the_same__when_asked_for_less),
        IN_FOLDER(table_run__counts_rows_once__when_some_were_dropped_in_vain),
        IN_FOLDER(table_run__decides_types_by_all__when_rows_are_written_before),
        IN_FOLDER(table_run__writes_parquet_again__when_a_type_was_guessed_wrong),
        IN_FOLDER(table_run__writes_parquet_again__when_a_value_comes_late),
        IN_FOLDER(table_run__says_what_is_missing__when_nothing_is_there),
        IN_FOLDER(table_run__finds_late_records__when_the_first_have_none),
        IN_FOLDER(table_run__keeps_the_old_table__when_the_new_one_cannot_be_written),
        IN_FOLDER(table_build_cancel__leaves_nothing__when_rows_are_being_written),
        IN_FOLDER(table_build_progress__stays_at_one_pass__while_that_is_looked_at),
    };

    setenv("UV_THREADPOOL_SIZE", "6", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
