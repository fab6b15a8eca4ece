/* control/socket_place: where a socket may be, whose it is, and what a process that was killed left there. */
#include "control/socket_place.h"

#include "control/control_client.h"
#include "control/control_server.h"
#include "control_desk.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* Two containers that share the directory may have processes of one number. */
static void a_socket_of_our_number__that_somebody_listens_at__is_left(void **state)
{
    struct control_server *first = d.server;
    char path[SOCKET_PATH_MAX];
    struct control_client c;
    struct run_dir dir = d.dir;
    struct err err;

    (void)state;
    snprintf(path, sizeof path, "%s/b.run", d.place);
    assert_int_equal(run_dir_open(&d.dir, path, &err), RESULT_OK);
    assert_int_equal(open_server(&err), RESULT_OK);
    assert_int_equal(socket_place_find(path, path, &err), RESULT_OK);
    assert_string_not_equal(path, d.socket);
    assert_non_null(strstr(path, ".2.sock"));
    assert_int_equal(control_client_connect(&c, path, &err), RESULT_OK);
    control_client_close(&c);
    close_server();
    assert_int_equal(access(path, F_OK), -1);
    run_dir_close(&d.dir);
    d.dir = dir;
    d.server = first;
    d.closed = false;
    connect_client(&c); /* the first one is still there */
    ask(&c, "{\"hello\":1}");
    expect(&c, "hello");
    control_client_close(&c);
}

static void what_a_killed_process_left__is_taken_over(void **state)
{
    int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct err err;

    (void)state;
    close_server();
    snprintf(address.sun_path, sizeof address.sun_path, "%s", d.socket);
    assert_int_equal(bind(left, (const struct sockaddr *)&address, sizeof address), 0);
    close(left);
    d.closed = false;
    assert_int_equal(open_server(&err), RESULT_OK);
    assert_int_equal(socket_place_find(d.run, address.sun_path, &err), RESULT_OK);
    assert_string_equal(address.sun_path, d.socket);
}

static void places_that_are_not_ours_alone__are_refused(void **state)
{
    char place[SOCKET_PATH_MAX], other[128];
    struct err err;

    (void)state;
    assert_int_equal(socket_place(place, &err), RESULT_OK);
    assert_int_equal(chmod(place, 0755), 0);
    assert_int_equal(socket_place_make(place, &err), RESULT_DENIED);
    assert_string_equal(err.code, "E-CTL5");
    assert_int_equal(chmod(place, 0700), 0);
    snprintf(other, sizeof other, "%s.moved", place);
    assert_int_equal(rename(place, other), 0);
    assert_int_equal(symlink(other, place), 0);
    assert_int_equal(socket_place_make(place, &err), RESULT_DENIED);
    assert_int_equal(unlink(place), 0);
    assert_int_equal(rename(other, place), 0);
    setenv("XDG_RUNTIME_DIR",
           "/tmp/a-path-that-is-longer-than-what-a-socket-of-any-system-can-have-"
           "as-its-name-and-then-some-more",
           1);
    assert_int_equal(socket_place_make(place, &err), RESULT_LIMIT);
    setenv("XDG_RUNTIME_DIR", d.place, 1);
}

static void names_of_processes__are_read(void **state)
{
    char path[SOCKET_PATH_MAX];
    struct err err;

    (void)state;
    assert_int_equal(socket_place_pid("4121.sock"), 4121);
    assert_int_equal(socket_place_pid("0.sock"), 0);
    assert_int_equal(socket_place_pid("4121.2.sock"), 4121);
    assert_int_equal(socket_place_pid("4121.1.sock"), 0);
    assert_int_equal(socket_place_pid("4121.22.sock"), 0);
    assert_int_equal(socket_place_pid("x.sock"), 0);
    assert_int_equal(socket_place_pid(".sock"), 0);
    assert_int_equal(socket_place_pid("99999999999.sock"), 0);
    assert_int_equal(socket_place_pid("4121.sock.old"), 0);
    assert_int_equal(socket_place_find("4121", path, &err), RESULT_OK);
    assert_non_null(strstr(path, "/scrapetop/4121.sock"));
    assert_int_equal(socket_place_find("nowhere", path, &err), RESULT_NOT_FOUND);
    assert_int_equal(socket_place_find(d.place, path, &err), RESULT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_socket_of_our_number__that_somebody_listens_at__is_left,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_killed_process_left__is_taken_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(places_that_are_not_ours_alone__are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_of_processes__are_read, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
