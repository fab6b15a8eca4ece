/* store/committer: kills, lost files, and disks that are full or fail. */
#include "store/committer.h"
#include "store/ledger.h"
#include "store/verify.h"
#include "committer_fixture.h"
#include "store_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* In a child: commits two records, leaves a torn line after them, and is killed. */
static void crash(struct world *w)
{
    int fd;

    start_run(w);
    put_and_wait(w, done(1));
    put_and_wait(w, done(2));
    fd = openat(w->dir.fd, "raw/00000001.jsonl", O_WRONLY | O_APPEND | O_CLOEXEC);
    raise(write(fd, "{\"id\":3,\"ke", 12) == 12 ? SIGKILL : SIGABRT);
}

static void run_and_crash(struct world *w)
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        assert_int_equal(uv_loop_fork(&w->loop), 0);
        crash(w);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void committer_open__cuts_the_tail__after_a_kill(void **state)
{
    struct world *w = *state;
    struct verify_report report;

    run_and_crash(w);
    start_run(w);
    assert_true(w->recovery.unclean);
    assert_int_equal(w->recovery.done, 2);
    assert_int_equal(w->recovery.discarded_bytes, 12);
    put_and_wait(w, done(3));
    close_run(w, true);
    verify(w, &report);
    assert_int_equal(report.records, 3);
    assert_int_equal(report.orphan_bytes + report.tail_bytes + report.damaged, 0);
}

static void committer_open__refuses__when_a_kill_hid_a_lost_page(void **state)
{
    struct world *w = *state;
    struct err err = { .result = RESULT_OK };
    size_t len;
    char *raw;

    run_and_crash(w);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    raw = file_read(&w->dir, "raw/00000001.jsonl", &len);
    free(raw);
    file_damage(&w->dir, "raw/00000001.jsonl", len - 20, 0xFF);
    run_dir_close(&w->dir);
    assert_int_equal(try_open(w, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-SEG2");
}

static void committer_open__refuses__when_the_ledger_is_gone(void **state)
{
    struct world *w = *state;
    struct err err = { .result = RESULT_OK };

    start_run(w);
    put_and_wait(w, done(1));
    close_run(w, true);
    assert_int_equal(run_dir_open(&w->dir, w->temp.run, NULL), RESULT_OK);
    assert_int_equal(unlinkat(w->dir.fd, "ledger.db", 0), 0);
    run_dir_close(&w->dir);
    assert_int_equal(try_open(w, &err), RESULT_CORRUPT);
    assert_string_equal(err.code, "E-LEDG4");
    assert_int_equal(try_open(w, &err), RESULT_CORRUPT); /* nothing was begun in its place */
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void wait_trouble(struct world *w)
{
    w->troubles_wanted = w->trouble_count + 1;
    w->wanted = 0;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(w->trouble_count, w->troubles_wanted);
}

/* The file-size limit stands in for a full disk: EFBIG in segment and ledger alike. */
static void committer__pauses_and_goes_on__when_the_disk_is_full(void **state)
{
    struct world *w = *state;
    struct verify_report report;

    start_run(w);
    put_and_wait(w, done(1));
    limit_files(100);
    committer_put(w->committer, done(2));
    wait_trouble(w);
    assert_int_equal(w->troubles[0], RESULT_FULL);
    assert_string_equal(w->trouble_code, "E-DISK1");
    assert_int_equal(committer_pending(w->committer), 1);
    committer_put(w->committer, done(3));
    limit_files(RLIM_INFINITY);
    committer_flush(w->committer);
    wait_trouble(w);
    assert_int_equal(w->troubles[1], RESULT_OK);
    committer_flush(w->committer);
    close_run(w, true);
    assert_int_equal(w->back_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(w->back[i]->state, SETTLE_DONE);
    }
    verify(w, &report);
    assert_int_equal(report.records, 3);
    assert_int_equal(report.orphan_bytes + report.tail_bytes + report.damaged, 0);
}

static void committer_close__gives_back_lost__when_the_disk_stays_full(void **state)
{
    struct world *w = *state;

    start_run(w);
    put_and_wait(w, done(1));
    limit_files(100);
    committer_put(w->committer, done(2));
    wait_trouble(w);
    committer_put(w->committer, done(3));
    close_run(w, false);
    limit_files(RLIM_INFINITY);
    assert_int_equal(w->back_count, 3);
    assert_int_equal(w->back[1]->state, SETTLE_LOST);
    assert_int_equal(w->back[2]->state, SETTLE_LOST);
    open_run(w);
    assert_int_equal(w->recovery.done, 1);
    close_run(w, true);
}

/* Makes the descriptor of the segment one that cannot be written, so that the next write fails. */
static void break_segment(struct world *w)
{
    char link[64], target[256];
    int broken = openat(w->dir.fd, "raw/00000001.jsonl", O_RDONLY | O_CLOEXEC);

    assert_true(broken >= 0);
    for (int fd = 3; fd < 64; fd++) {
        ssize_t len;

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        len = readlink(link, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        if (fd != broken && strstr(target, w->temp.base) && strstr(target, "00000001.jsonl")) {
            assert_int_equal(dup3(broken, fd, O_CLOEXEC), fd);
        }
    }
    close(broken);
}

static void committer__is_final__when_the_disk_fails(void **state)
{
    struct world *w = *state;

    start_run(w);
    put_and_wait(w, done(1));
    break_segment(w);
    committer_put(w->committer, done(2));
    committer_put(w->committer, done(3));
    wait_back(w, 2);
    assert_int_equal(w->trouble_count, 1); /* told before they came back */
    assert_int_equal(w->troubles[0], RESULT_IO);
    assert_string_equal(w->trouble_code, "E-DISK2");
    assert_int_equal(put_and_wait(w, done(4))->state, SETTLE_LOST);
    assert_int_equal(w->back[1]->state, SETTLE_LOST);
    close_run(w, false);
    open_run(w);
    assert_true(w->recovery.unclean);
    assert_int_equal(w->recovery.done, 1);
    close_run(w, true);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(committer_open__cuts_the_tail__after_a_kill),
        TEST(committer_open__refuses__when_a_kill_hid_a_lost_page),
        TEST(committer_open__refuses__when_the_ledger_is_gone),
        TEST(committer__pauses_and_goes_on__when_the_disk_is_full),
        TEST(committer_close__gives_back_lost__when_the_disk_stays_full),
        TEST(committer__is_final__when_the_disk_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
