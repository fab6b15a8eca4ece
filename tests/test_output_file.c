#include "table/output_file.h"

#include "table_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void output__replaces__when_committed(void **state)
{
    struct output_file *file;

    (void)state;
    put("t.csv", STR("old"));
    assert_int_equal(output_open(&file, in_folder("t.csv").text, NULL), RESULT_OK);
    assert_int_equal(output_write(file, "new ", 4, NULL), RESULT_OK);
    assert_int_equal(output_write(file, "table\n", 6, NULL), RESULT_OK);
    assert_int_equal(output_bytes(file), 10);
    assert_file("t.csv", "old"); /* until the commit */
    assert_int_equal(output_commit(file, NULL), RESULT_OK);
    assert_file("t.csv", "new table\n");
    assert_int_equal(count_files(), 1);
}

static void output__keeps_the_old__when_abandoned(void **state)
{
    struct output_file *file;

    (void)state;
    put("t.csv", STR("old"));
    assert_int_equal(output_open(&file, in_folder("t.csv").text, NULL), RESULT_OK);
    assert_int_equal(output_write(file, "new", 3, NULL), RESULT_OK);
    assert_int_equal(count_files(), 2);
    output_abandon(file);
    assert_file("t.csv", "old");
    assert_int_equal(count_files(), 1);
    output_abandon(NULL);
}

static void output__writes_all__when_pieces_are_large_and_small(void **state)
{
    struct output_file *file;
    size_t size = (size_t)700 << 10;
    char *bytes = malloc(size), *back = malloc(2 * size + 3);
    FILE *f;

    (void)state;
    assert_true(bytes && back);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(i * 7 >> 3);
    }
    assert_int_equal(output_open(&file, in_folder("t.csv").text, NULL), RESULT_OK);
    assert_int_equal(output_write(file, "abc", 3, NULL), RESULT_OK);
    assert_int_equal(output_write(file, bytes, size, NULL), RESULT_OK);
    for (size_t i = 0; i < size; i += 1024) {
        assert_int_equal(output_write(file, bytes + i, 1024, NULL), RESULT_OK);
    }
    assert_int_equal(output_commit(file, NULL), RESULT_OK);
    f = fopen(in_folder("t.csv").text, "r");
    assert_non_null(f);
    assert_int_equal(fread(back, 1, 2 * size + 3, f), 2 * size + 3);
    fclose(f);
    assert_memory_equal(back, "abc", 3);
    assert_memory_equal(back + 3, bytes, size);
    assert_memory_equal(back + 3 + size, bytes, size);
    free(bytes);
    free(back);
}

static void output_open__refuses__when_target_is_no_file(void **state)
{
    struct path folder = in_folder("");
    struct output_file *file;
    struct err err;

    (void)state;
    folder.text[strlen(folder.text) - 1] = '\0'; /* the slash at its end */
    assert_int_equal(output_open(&file, folder.text, &err), RESULT_DENIED);
    assert_string_equal(err.code, "E-OUT1");
    assert_int_equal(symlink("elsewhere", in_folder("link.csv").text), 0);
    assert_int_equal(output_open(&file, in_folder("link.csv").text, &err), RESULT_DENIED);
    assert_int_equal(output_open(&file, in_folder("no/such/t.csv").text, &err), RESULT_NOT_FOUND);
    assert_int_equal(output_open(&file, in_folder("").text, &err), RESULT_INVALID);
    assert_null(file);
    assert_int_equal(count_files(), 1);
}

/* What a process leaves that is killed while it writes. */
static void output_open__removes__what_a_killed_process_left(void **state)
{
    static const char *const others[] = { ".u.csv.0123456789abcdef.tmp",
                                          ".t.csv.0123456789abcde.tmp",
                                          ".t.csv.0123456789abcdeg.tmp",
                                          "t.csv.0123456789abcdef.tmp" };
    struct output_file *file, *other;

    (void)state;
    put(".t.csv.0123456789abcdef.tmp", STR("left"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        put(others[i], STR("not ours"));
    }
    assert_int_equal(output_open(&other, in_folder("t.csv").text, NULL), RESULT_OK);
    assert_int_equal(count_files(), 5); /* its own, and the others */
    assert_int_equal(output_open(&file, in_folder("t.csv").text, NULL), RESULT_OK);
    assert_int_equal(count_files(), 6); /* one that is being written stays */
    assert_int_equal(output_write(other, "a", 1, NULL), RESULT_OK);
    assert_int_equal(output_commit(other, NULL), RESULT_OK);
    assert_file("t.csv", "a");
    output_abandon(file);
    assert_int_equal(count_files(), 5);
}

static void output_open__removes_journals__with_the_database_of_a_killed_process(void **state)
{
    struct output_file *file;

    (void)state;
    put(".t.db.0123456789abcdef.tmp", STR("left"));
    put(".t.db.0123456789abcdef.tmp-journal", STR("left"));
    put(".t.db.0123456789abcdef.tmp-wal", STR("left"));
    put("t.db-journal", STR("of another process"));
    assert_int_equal(output_open(&file, in_folder("t.db").text, NULL), RESULT_OK);
    assert_int_equal(count_files(), 2);
    output_abandon(file);
    assert_file("t.db-journal", "of another process");
}

static void output_commit_new__keeps__what_has_come_meanwhile(void **state)
{
    struct output_file *file;
    struct buf path = { 0 };
    struct err err;

    (void)state;
    assert_int_equal(output_open(&file, in_folder("t.db").text, NULL), RESULT_OK);
    assert_int_equal(output_temporary_path(file, &path), RESULT_OK);
    assert_int_equal(access(buf_cstr(&path), F_OK), 0);
    buf_release(&path);
    put("t.db", STR("of another process"));
    assert_int_equal(output_commit_new(file, &err), RESULT_BUSY);
    assert_string_equal(err.code, "E-OUT5");
    assert_file("t.db", "of another process");
    assert_int_equal(count_files(), 1);

    assert_int_equal(output_open(&file, in_folder("new.db").text, NULL), RESULT_OK);
    assert_int_equal(output_write(file, "a", 1, NULL), RESULT_OK);
    assert_int_equal(output_commit_new(file, NULL), RESULT_OK);
    assert_file("new.db", "a");
    assert_int_equal(count_files(), 2);
}

static void output_write__says_full__when_space_runs_out(void **state)
{
    struct rlimit old, small;
    struct output_file *file;
    char bytes[4096] = { 0 };
    enum result result = RESULT_OK;
    struct err err;

    (void)state;
    put("t.csv", STR("old"));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){ .rlim_cur = 512 << 10, .rlim_max = old.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(output_open(&file, in_folder("t.csv").text, &err), RESULT_OK);
    for (int i = 0; result == RESULT_OK && i < 1000; i++) {
        result = output_write(file, bytes, sizeof bytes, &err);
    }
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(result, RESULT_FULL);
    assert_string_equal(err.code, "E-OUT2");
    output_abandon(file);
    assert_file("t.csv", "old");
    assert_int_equal(count_files(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(output__replaces__when_committed),
        IN_FOLDER(output__keeps_the_old__when_abandoned),
        IN_FOLDER(output__writes_all__when_pieces_are_large_and_small),
        IN_FOLDER(output_open__refuses__when_target_is_no_file),
        IN_FOLDER(output_open__removes__what_a_killed_process_left),
        IN_FOLDER(output_open__removes_journals__with_the_database_of_a_killed_process),
        IN_FOLDER(output_commit_new__keeps__what_has_come_meanwhile),
        IN_FOLDER(output_write__says_full__when_space_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
