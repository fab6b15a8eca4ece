/* What the rest relies on, whatever the system: locks, files without a name, renames that replace nothing, sockets. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char place[] = "/tmp/scrapetop-os-XXXXXX";

static const char *in_place(const char *name)
{
    static char paths[4][128];
    static unsigned turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", place, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(place) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(place);
}

static int make(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    return fd;
}

static bool is_closed_on_exec(int fd)
{
    return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

static void
lock__keeps_out_who_opened_the_file_otherwise__and_goes_with_its_descriptor(void **state)
{
    const char *path = in_place("lock");
    int mine = make(path), other = make(path), same = dup(mine);

    (void)state;
    assert_int_equal(os_is_locked(other), 0);
    assert_int_equal(os_lock(mine), 0);
    assert_int_equal(os_lock(mine), 0);
    assert_int_equal(os_is_locked(other), 1);
    assert_int_equal(os_lock(other), -1);
    assert_true(errno == EAGAIN || errno == EACCES);
    close(mine);
    assert_int_equal(os_is_locked(other), 1); /* its duplicate has it */
    close(same);
    assert_int_equal(os_lock(other), 0);
    close(other);
    unlink(path);
}

static void rename_new__replaces_nothing(void **state)
{
    const char *from = in_place("from"), *to = in_place("to");

    (void)state;
    close(make(from));
    close(make(to));
    assert_int_equal(os_rename_new(from, to), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(unlink(to), 0);
    assert_int_equal(os_rename_new(from, to), 0);
    assert_int_equal(access(from, F_OK), -1);
    assert_int_equal(unlink(to), 0);
    assert_int_equal(mkdir(from, 0700), 0);
    assert_int_equal(os_rename_new(from, to), 0);
    assert_int_equal(rmdir(to), 0);
}

static void files_without_a_name__hold_bytes__and_leave_none_behind(void **state)
{
    int fds[] = { os_tmpfile(place), os_memfd("test") };
    char text[4] = "";

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(fds[i] >= 0 && is_closed_on_exec(fds[i]));
        assert_int_equal(write(fds[i], "abc", 3), 3);
        assert_int_equal(pread(fds[i], text, 3, 0), 3);
        assert_string_equal(text, "abc");
        close(fds[i]);
    } /* tear_down removes the directory, which has to be empty */
}

static void path_of__is_where_the_directory_is_now(void **state)
{
    const char *old = in_place("old"), *new = in_place("new");
    char path[256], want[256];
    int fd;

    (void)state;
    assert_int_equal(mkdir(old, 0700), 0);
    fd = open(old, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(rename(old, new), 0);
    assert_true(os_path_of(fd, path, sizeof path));
    assert_non_null(realpath(new, want));
    assert_string_equal(path, want);
    close(fd);
    assert_false(os_path_of(-1, path, sizeof path));
    assert_int_equal(rmdir(new), 0);
}

static void reserve__takes_space_from_the_begin(void **state)
{
    const char *path = in_place("space");
    struct stat st;
    int fd = make(path);

    (void)state;
    if (os_reserve(fd, 1 << 16) == 0) {
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, 1 << 16);
    } else {
        print_message("this file system reserves nothing: %s\n", strerror(errno));
    }
    assert_int_equal(os_fdatasync(fd), 0);
    assert_int_equal(os_fsync(fd), 0);
    close(fd);
    unlink(path);
}

static void sockets__tell_their_peer__and_are_closed_on_exec(void **state)
{
    int ends[2], ends_of_pipe[2], target = dup(STDIN_FILENO);
    uid_t user = (uid_t)-1;
    char byte;

    (void)state;
    assert_int_equal(os_socket_pair(ends), 0);
    assert_true(is_closed_on_exec(ends[0]) && is_closed_on_exec(ends[1]));
    assert_true(os_peer_user(ends[0], &user));
    assert_int_equal(user, geteuid());
    assert_int_equal(os_send(ends[0], "x", 1, true), 1);
    assert_int_equal(read(ends[1], &byte, 1), 1);
    assert_int_equal(os_set_nonblocking(ends[1]), 0);
    assert_int_equal(read(ends[1], &byte, 1), -1);
    assert_int_equal(errno, EAGAIN);
    close(ends[1]);
    assert_int_equal(os_send(ends[0], "x", 1, false), -1); /* and no signal */
    assert_int_equal(errno, EPIPE);
    close(ends[0]);
    assert_int_equal(os_pipe(ends_of_pipe), 0);
    assert_true(is_closed_on_exec(ends_of_pipe[0]) && is_closed_on_exec(ends_of_pipe[1]));
    assert_int_equal(os_dup2(ends_of_pipe[0], target), target);
    assert_true(is_closed_on_exec(target));
    close(ends_of_pipe[0]);
    assert_int_equal(write(ends_of_pipe[1], "y", 1), 1);
    assert_int_equal(read(target, &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(ends_of_pipe[1]);
    close(target);
}

static void watch__tells_what_is_wanted__with_its_tag__until_it_is_stopped(void **state)
{
    struct os_ready ready[4];
    struct pollfd poll_of = { .events = POLLIN };
    const struct timespec no_time = { 0, 0 };
    int watch = os_watch_open(), ends[2];

    (void)state;
    assert_true(watch >= 0 && is_closed_on_exec(watch));
    assert_int_equal(os_socket_pair(ends), 0);
    poll_of.fd = watch;
    assert_int_equal(os_watch_add(watch, ends[0], UINT64_C(7) << 32 | 5, true, false), 0);
    assert_int_equal(os_poll(&poll_of, 1, &no_time), 0);
    assert_int_equal(os_watch_ready(watch, ready, 4), 0);
    assert_int_equal(os_send(ends[1], "x", 1, true), 1);
    assert_int_equal(os_poll(&poll_of, 1, &no_time), 1);
    for (int i = 0; i < 2; i++) { /* level-triggered */
        assert_int_equal(os_watch_ready(watch, ready, 4), 1);
        assert_true(ready[0].tag == (UINT64_C(7) << 32 | 5) && ready[0].can_read &&
                    !ready[0].can_write);
    }
    assert_int_equal(os_watch_change(watch, ends[0], 9, false, true), 0);
    assert_int_equal(os_watch_ready(watch, ready, 4), 1);
    assert_true(ready[0].tag == 9 && !ready[0].can_read && ready[0].can_write);
    assert_int_equal(os_watch_add(watch, ends[0], 11, true, false), 0); /* one that is in */
    assert_int_equal(os_watch_ready(watch, ready, 4), 1);
    assert_true(ready[0].tag == 11 && ready[0].can_read);
    os_watch_stop(watch, ends[0]);
    assert_int_equal(os_watch_ready(watch, ready, 4), 0);
    assert_int_equal(os_watch_change(watch, ends[0], 12, true, true), -1);
    close(ends[0]);
    close(ends[1]);
    close(watch);
}

static void is_stopped__sees_a_process_that_sleeps_in_sigstop(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(os_is_stopped(child));
    assert_false(os_is_stopped(getpid()));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(os_is_stopped(child));
}

static void time_chance_and_memory(void **state)
{
    unsigned char one[16] = { 0 }, two[16] = { 0 }, zeros[16] = { 0 };
    uint64_t before = os_uptime_us();

    (void)state;
    assert_true(before > 0 && os_uptime_us() >= before);
    assert_true(os_boot_id() == os_boot_id());
    assert_true(os_random(one, sizeof one) && os_random(two, sizeof two));
    assert_memory_not_equal(one, two, sizeof one);
    os_wipe(one, sizeof one);
    assert_memory_equal(one, zeros, sizeof one);
    assert_string_equal(os_memrchr("a/b/c", '/', 5), "/c");
    assert_null(os_memrchr("a/b/c", '/', 1));
    assert_null(os_memrchr("a/b/c", '/', 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            lock__keeps_out_who_opened_the_file_otherwise__and_goes_with_its_descriptor),
        cmocka_unit_test(rename_new__replaces_nothing),
        cmocka_unit_test(files_without_a_name__hold_bytes__and_leave_none_behind),
        cmocka_unit_test(path_of__is_where_the_directory_is_now),
        cmocka_unit_test(reserve__takes_space_from_the_begin),
        cmocka_unit_test(sockets__tell_their_peer__and_are_closed_on_exec),
        cmocka_unit_test(watch__tells_what_is_wanted__with_its_tag__until_it_is_stopped),
        cmocka_unit_test(is_stopped__sees_a_process_that_sleeps_in_sigstop),
        cmocka_unit_test(time_chance_and_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
