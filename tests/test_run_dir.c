#include "store/run_dir.h"

#include "store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct temp *temp = malloc(sizeof *temp);

    temp_init(temp);
    *state = temp;
    return 0;
}

static int teardown(void **state)
{
    temp_release(*state);
    free(*state);
    return 0;
}

static void open_well(struct run_dir *dir, const char *path)
{
    struct err err = { .result = RESULT_OK };

    if (run_dir_open(dir, path, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

static void check_refused(const char *path, enum result result, const char *code)
{
    struct err err = { .result = RESULT_OK };
    struct run_dir dir;

    assert_int_equal(run_dir_open(&dir, path, &err), result);
    assert_string_equal(err.code, code);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(dir.fd, -1);
}

static void run_dir_open__creates_it_private(void **state)
{
    struct temp *temp = *state;
    struct run_dir dir;
    struct stat st;

    open_well(&dir, temp->run);
    assert_true(dir.fresh);
    assert_int_equal(fstat(dir.fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(fstat(dir.lock_fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    run_dir_close(&dir);
}

static void run_dir_open__makes_the_directories_above(void **state)
{
    struct temp *temp = *state;
    char path[140], above[128];
    struct run_dir dir;
    struct stat st;

    snprintf(above, sizeof above, "%s/a/b", temp->base);
    snprintf(path, sizeof path, "%s/c.run", above);
    open_well(&dir, path);
    run_dir_close(&dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(above, &st), 0); /* as open to others as the umask says */
    assert_true(S_ISDIR(st.st_mode));
}

static void run_dir_open__takes_it_again__when_a_start_was_interrupted(void **state)
{
    struct temp *temp = *state;
    struct run_dir dir;

    open_well(&dir, temp->run);
    file_write(&dir, "job.json", STR("{}"));
    file_write(&dir, ".job.json.tmp", STR("{"));
    file_write(&dir, "ledger.db", STR("")); /* created, not yet written */
    run_dir_close(&dir);
    open_well(&dir, temp->run);
    assert_true(dir.fresh);
    run_dir_close(&dir);
}

static void run_dir_open__refuses__when_not_safe_or_not_ours(void **state)
{
    struct temp *temp = *state;
    char link[128], slash[140], missing[160];
    struct run_dir dir;

    assert_int_equal(mkdir(temp->run, 0700), 0);
    snprintf(link, sizeof link, "%s/link", temp->base);
    assert_int_equal(symlink(temp->run, link), 0);
    check_refused(link, RESULT_DENIED, "E-DIR1");
    snprintf(slash, sizeof slash, "%s/", link);
    assert_int_not_equal(run_dir_open(&dir, slash, NULL), RESULT_OK);

    assert_int_equal(chmod(temp->run, 0770), 0);
    check_refused(temp->run, RESULT_DENIED, "E-DIR1");
    assert_int_equal(chmod(temp->run, 0702), 0);
    check_refused(temp->run, RESULT_DENIED, "E-DIR1");
    assert_int_equal(chmod(temp->run, 0700), 0);

    snprintf(missing, sizeof missing, "%s/lock/no/such", temp->run); /* beyond a file */
    open_well(&dir, temp->run);
    run_dir_close(&dir);
    check_refused(missing, RESULT_NOT_FOUND, "E-DIR1");

    open_well(&dir, temp->run);
    file_write(&dir, "thesis.tex", STR("do not touch"));
    run_dir_close(&dir);
    check_refused(temp->run, RESULT_INVALID, "E-DIR2");
}

static void run_dir_open__refuses_a_file(void **state)
{
    struct temp *temp = *state;
    FILE *file = fopen(temp->run, "w");

    assert_non_null(file);
    fclose(file);
    check_refused(temp->run, RESULT_NOT_FOUND, "E-DIR1");
}

/* The lock belongs to the open file, so that a second try from this process is as good as another's. */
static void run_dir_open__names_the_holder__when_busy(void **state)
{
    struct temp *temp = *state;
    struct err err = { .result = RESULT_OK };
    struct run_dir first, second;
    struct run_holder holder;
    char pid[32];

    open_well(&first, temp->run);
    assert_int_equal(run_dir_open(&second, temp->run, &err), RESULT_BUSY);
    assert_string_equal(err.code, "E-LOCK1");
    snprintf(pid, sizeof pid, "pid %ld since 20", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    assert_int_equal(run_dir_holder(&first, &holder, NULL), RESULT_OK);
    /* A description does not see its own lock as another's; a second one of the same file does. */
    assert_true(holder.held);
    assert_int_equal(holder.pid, getpid());
    run_dir_close(&first);

    open_well(&second, temp->run); /* nothing is left of the first */
    run_dir_close(&second);
}

static void run_dir_open__says_busy__when_the_lock_was_removed_or_replaced(void **state)
{
    struct temp *temp = *state;
    struct err err = { .result = RESULT_OK };
    struct run_dir first, second;

    open_well(&first, temp->run);
    assert_int_equal(unlinkat(first.fd, "lock", 0), 0);
    assert_int_equal(run_dir_open(&second, temp->run, &err), RESULT_BUSY);
    assert_string_equal(err.code, "E-LOCK1");
    assert_non_null(strstr(err.text, "by another process"));
    assert_int_equal(faccessat(first.fd, "lock", F_OK, 0), -1); /* and has left it at that */
    file_write(&first, "lock", STR("4\n"));
    assert_int_equal(run_dir_open(&second, temp->run, &err), RESULT_BUSY);
    run_dir_close(&first);
    open_well(&second, temp->run);
    run_dir_close(&second);
}

static void run_dir_look__puts_the_lock_back__when_it_was_removed(void **state)
{
    struct temp *temp = *state;
    struct run_holder holder;
    struct run_dir first;
    struct stat st;

    open_well(&first, temp->run);
    assert_int_equal(run_dir_look(&first, NULL), RESULT_OK);
    assert_int_equal(unlinkat(first.fd, "lock", 0), 0);
    assert_int_equal(run_dir_look(&first, NULL), RESULT_OK);
    assert_int_equal(run_dir_holder(&first, &holder, NULL), RESULT_OK);
    assert_true(holder.held);
    assert_int_equal(holder.pid, getpid());
    assert_int_equal(fstat(first.lock_fd, &st), 0);
    assert_int_equal(st.st_nlink, 1);
    run_dir_close(&first);
}

static void check_gone(const struct run_dir *dir, const char *how)
{
    struct err err = { .result = RESULT_OK };

    assert_int_equal(run_dir_look(dir, &err), RESULT_NOT_FOUND);
    assert_string_equal(err.code, "E-DIR4");
    assert_non_null(strstr(err.text, how));
}

static void run_dir_look__notices__when_the_directory_is_another(void **state)
{
    struct temp *temp = *state;
    struct run_dir dir;
    char moved[128];

    open_well(&dir, temp->run);
    snprintf(moved, sizeof moved, "%s.moved", temp->run);
    assert_int_equal(rename(temp->run, moved), 0);
    check_gone(&dir, "no longer this run's directory");
    assert_int_equal(mkdir(temp->run, 0700), 0);
    check_gone(&dir, "no longer this run's directory");
    assert_int_equal(unlinkat(dir.fd, "lock", 0), 0);
    assert_int_equal(rmdir(moved), 0);
    check_gone(&dir, "was removed while the run was at work");
    run_dir_close(&dir);
}

static void run_dir_holder__says_nobody__when_a_holder_was_killed(void **state)
{
    struct temp *temp = *state;
    struct run_holder holder;
    struct run_dir dir;
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        raise(run_dir_open(&dir, temp->run, NULL) == RESULT_OK ? SIGKILL : SIGABRT);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    open_well(&dir, temp->run);
    run_dir_close(&dir);
    open_well(&dir, temp->run);
    close(dir.lock_fd);
    dir.lock_fd = -1;
    assert_int_equal(run_dir_holder(&dir, &holder, NULL), RESULT_OK);
    assert_false(holder.held);
    run_dir_close(&dir);
}

static void run_dir_open_readonly__wants_a_ledger(void **state)
{
    struct temp *temp = *state;
    struct err err = { .result = RESULT_OK };
    struct run_dir dir, reader;

    assert_int_equal(run_dir_open_readonly(&reader, temp->run, &err), RESULT_NOT_FOUND);
    open_well(&dir, temp->run);
    assert_int_equal(run_dir_open_readonly(&reader, temp->run, &err), RESULT_INVALID);
    assert_string_equal(err.code, "E-DIR2");
    file_write(&dir, "ledger.db", STR("x"));
    assert_int_equal(run_dir_open_readonly(&reader, temp->run, &err), RESULT_OK);
    run_dir_close(&reader);
    run_dir_close(&dir);
}

static void run_dir_set_aside__counts_up_and_keeps_all(void **state)
{
    struct temp *temp = *state;
    struct err err = { .result = RESULT_OK };
    char *aside, wanted[128];
    struct run_dir dir;
    struct stat st;

    assert_int_equal(run_dir_set_aside(temp->run, &aside, &err), RESULT_NOT_FOUND);
    for (int n = 1; n <= 2; n++) {
        open_well(&dir, temp->run);
        assert_int_equal(run_dir_set_aside(temp->run, &aside, &err), RESULT_BUSY);
        run_dir_close(&dir);
        assert_int_equal(run_dir_set_aside(temp->run, &aside, &err), RESULT_OK);
        snprintf(wanted, sizeof wanted, "%s.%d", temp->run, n);
        assert_string_equal(aside, wanted);
        assert_int_equal(stat(aside, &st), 0);
        free(aside);
    }
    assert_int_equal(run_dir_set_aside(temp->base, &aside, &err), RESULT_INVALID);
    assert_null(aside);
}

static void run_dir_replace__leaves_the_whole_new_file(void **state)
{
    struct temp *temp = *state;
    struct run_dir dir;
    size_t len;
    char *text;

    open_well(&dir, temp->run);
    file_write(&dir, ".job.json.tmp", STR("left by a process that died"));
    assert_int_equal(run_dir_replace(&dir, "job.json", STR("first, and longer"), NULL), RESULT_OK);
    assert_int_equal(run_dir_replace(&dir, "job.json", STR("second"), NULL), RESULT_OK);
    text = file_read(&dir, "job.json", &len);
    assert_string_equal(text, "second");
    free(text);
    run_dir_close(&dir);
}

static void run_dir_read__refuses__when_large_or_odd(void **state)
{
    struct temp *temp = *state;
    struct buf out = { .max = 0 };
    struct run_dir dir;

    open_well(&dir, temp->run);
    file_write(&dir, "job.json", STR("0123456789"));
    assert_int_equal(run_dir_read(&dir, "job.json", 9, &out, NULL), RESULT_LIMIT);
    assert_int_equal(out.len, 0);
    assert_int_equal(run_dir_read(&dir, "job.json", 10, &out, NULL), RESULT_OK);
    assert_int_equal(out.len, 10);
    assert_int_equal(run_dir_read(&dir, "none", 10, &out, NULL), RESULT_NOT_FOUND);
    assert_int_equal(symlinkat("job.json", dir.fd, "link"), 0);
    assert_int_equal(run_dir_read(&dir, "link", 10, &out, NULL), RESULT_DENIED);
    assert_int_equal(mkfifoat(dir.fd, "fifo", 0600), 0);
    assert_int_equal(run_dir_read(&dir, "fifo", 10, &out, NULL), RESULT_DENIED);
    assert_int_equal(out.len, 10);
    buf_release(&out);
    run_dir_close(&dir);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(run_dir_open__creates_it_private),
        TEST(run_dir_open__makes_the_directories_above),
        TEST(run_dir_open__takes_it_again__when_a_start_was_interrupted),
        TEST(run_dir_open__refuses__when_not_safe_or_not_ours),
        TEST(run_dir_open__refuses_a_file),
        TEST(run_dir_open__names_the_holder__when_busy),
        TEST(run_dir_open__says_busy__when_the_lock_was_removed_or_replaced),
        TEST(run_dir_look__puts_the_lock_back__when_it_was_removed),
        TEST(run_dir_look__notices__when_the_directory_is_another),
        TEST(run_dir_holder__says_nobody__when_a_holder_was_killed),
        TEST(run_dir_open_readonly__wants_a_ledger),
        TEST(run_dir_set_aside__counts_up_and_keeps_all),
        TEST(run_dir_replace__leaves_the_whole_new_file),
        TEST(run_dir_read__refuses__when_large_or_odd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
