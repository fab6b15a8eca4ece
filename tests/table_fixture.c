#include "table_fixture.h"

#include "normalise/file_source.h"
#include "table/table_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

int folder_make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/scrapetop-table-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static bool is_file(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int folder_remove(void **state)
{
    DIR *d = opendir(folder);
    const struct dirent *entry;

    (void)state;
    while (d && (entry = readdir(d))) {
        unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d) {
        closedir(d);
    }
    return rmdir(folder);
}

struct path in_folder(const char *name)
{
    struct path path;

    snprintf(path.text, sizeof path.text, "%s/%s", folder, name);
    return path;
}

void put(const char *name, struct str text)
{
    FILE *f = fopen(in_folder(name).text, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(text.data, 1, text.len, f), text.len);
    assert_int_equal(fclose(f), 0);
}

bool get(const char *path, struct buf *text)
{
    FILE *f = fopen(path, "rb");
    char block[4096];
    size_t got;

    buf_reset(text);
    if (!f) {
        return false;
    }
    while ((got = fread(block, 1, sizeof block, f)) > 0) {
        assert_int_equal(buf_append(text, block, got), RESULT_OK);
    }
    fclose(f);
    return true;
}

void assert_file(const char *name, const char *want)
{
    struct buf text = { 0 };

    assert_true(get(in_folder(name).text, &text));
    assert_string_equal(buf_cstr(&text), want);
    buf_release(&text);
}

unsigned count_files(void)
{
    unsigned count = 0;
    DIR *d = opendir(folder);
    const struct dirent *entry;

    assert_non_null(d);
    while ((entry = readdir(d))) {
        count += is_file(entry);
    }
    closedir(d);
    return count;
}

void watched_done(void *context, const struct table_report *report)
{
    struct watched *w = context;
    struct table_progress progress;

    table_build_progress(w->build, &progress);
    assert_int_equal(progress.phase, TABLE_ENDED);
    assert_int_equal(progress.busy, 0);
    w->result = report->result;
    w->calls++;
    table_build_free(w->build); /* the report's last use is behind us */
}

enum result cancel_after(int turns, const struct table_options *options,
                         struct record_source *source)
{
    struct watched w = { 0 };
    struct work work;
    uv_loop_t loop;

    assert_int_equal(uv_loop_init(&loop), 0);
    work_init(&work, &loop, 3);
    assert_int_equal(table_build_start(&w.build, &work, options, source, watched_done, &w, NULL),
                     RESULT_OK);
    for (int i = 0; i < turns && !w.calls; i++) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    if (!w.calls) {
        table_build_cancel(w.build);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(w.calls, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
    return w.result;
}

const struct table_output *output_of(const char *path)
{
    static struct table_output outputs[8];
    static unsigned next;
    struct table_output *output = &outputs[next++ % 8];

    assert_int_equal(table_output_init(output, path, NULL, NULL), RESULT_OK);
    return output;
}

enum result build_files(const char *records, unsigned workers, struct table_report *report,
                        const char *const *names)
{
    struct path output = in_folder("t.csv"), paths[4];
    const char *given[4];
    struct table_run_options options = {
        .table = { .records = records,
                   ONE_OUTPUT(output.text),
                   .workers = workers,
                   .split_bytes = UINT64_MAX },
    };
    size_t count = 0;

    for (; names[count]; count++) {
        paths[count] = in_folder(names[count]);
        given[count] = strcmp(names[count], "-") == 0 ? "-" : paths[count].text;
    }
    assert_int_equal(file_source_open(&options.source, given, count, NULL, NULL), RESULT_OK);
    return table_run(&options, report);
}

void put_many_lines(const char *name, size_t bytes)
{
    struct buf text = { 0 };

    for (unsigned i = 0; text.len < bytes; i++) {
        assert_int_equal(buf_printf(&text,
                                    "{\"id\":%u,\"text\":\"line, %u\",\"o\":{\"c%u\":[%u, 2]}%s}\n",
                                    i, i, i / 10000, i, i == 50000 ? ",}" : ""),
                         RESULT_OK);
    }
    put(name, buf_view(&text));
    buf_release(&text);
}
