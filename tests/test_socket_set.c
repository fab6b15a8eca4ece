#include "fetch/socket_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS 500
#define WORK_NS UINT64_C(1000000) /* of each event */
/* as each takes a millisecond at least */
#define EVENTS_IN_A_TURN_MAX (SOCKET_SET_TURN_US / 1000 + 1)

struct world {
    uv_loop_t loop;
    struct socket_set *set;
    bool looked[PAIRS];
    int ends[PAIRS][2];
    unsigned pairs;
    unsigned told, since_timer, most_between, timers;
    int events, fd;
    uint32_t serial;
    bool works, closed;
};

static void on_ready(void *context, int fd, uint32_t serial, int events)
{
    struct world *w = context;
    uint64_t until_ns = uv_hrtime() + WORK_NS;
    char byte;

    w->told++;
    w->fd = fd;
    w->serial = serial;
    w->events = events;
    while (w->works && uv_hrtime() < until_ns) {
    }
    if (w->works) {
        assert_int_equal(read(fd, &byte, 1), 1);
        w->since_timer++;
    }
}

static void on_closed(void *context)
{
    ((struct world *)context)->closed = true;
}

static void begin(struct world *w, unsigned pairs)
{
    *w = (struct world){ .pairs = pairs };
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(socket_set_new(&w->set, &w->loop, on_ready, w, NULL), RESULT_OK);
    for (unsigned i = 0; i < pairs; i++) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, w->ends[i]), 0);
    }
}

static void end(struct world *w)
{
    socket_set_close(w->set, on_closed);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_true(w->closed);
    for (unsigned i = 0; i < w->pairs; i++) {
        close(w->ends[i][0]);
        close(w->ends[i][1]);
    }
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void turn(struct world *w)
{
    uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void on_timer(uv_timer_t *timer)
{
    struct world *w = timer->data;

    w->timers++;
    w->most_between = w->since_timer > w->most_between ? w->since_timer : w->most_between;
    w->since_timer = 0;
}

/* Two hundred milliseconds of work: libuv alone would look at its timers once, after all of it. */
static void timers__have_their_turn__however_many_sockets_are_ready(void **state)
{
    struct world w;
    uv_timer_t timer = { .data = &w };

    (void)state;
    begin(&w, 200);
    w.works = true;
    uv_timer_init(&w.loop, &timer);
    uv_timer_start(&timer, on_timer, 1, 1);
    for (unsigned i = 0; i < w.pairs; i++) {
        assert_int_equal(write(w.ends[i][1], "x", 1), 1);
        assert_true(socket_set_add(w.set, w.ends[i][0], i, UV_READABLE));
    }
    while (w.told < w.pairs) {
        uv_run(&w.loop, UV_RUN_ONCE);
    }
    assert_true(w.timers >= w.pairs / EVENTS_IN_A_TURN_MAX);
    assert_in_range(w.most_between, 1, EVENTS_IN_A_TURN_MAX);
    uv_close((uv_handle_t *)&timer, NULL);
    end(&w);
    assert_int_equal(w.told,
                     w.pairs); /* each once: nothing is told twice, and nothing is left out */
}

static void many__are_all_told_of__when_they_are_more_than_a_batch(void **state)
{
    struct world w;

    (void)state;
    begin(&w, PAIRS);
    for (unsigned i = 0; i < w.pairs; i++) {
        assert_true(socket_set_add(w.set, w.ends[i][0], i, UV_WRITABLE));
    }
    while (w.told < w.pairs) {
        turn(&w);
    }
    end(&w);
}

static void on_look(void *context, int fd, uint32_t serial, int events)
{
    struct world *w = context;

    (void)fd;
    (void)events;
    assert_true(serial < PAIRS);
    w->looked[serial] = true;
}

static void look__misses_none__however_many_are_ready(void **state)
{
    struct world w;

    (void)state;
    begin(&w, PAIRS);
    for (unsigned i = 0; i < w.pairs; i++) {
        assert_true(socket_set_add(w.set, w.ends[i][0], i, UV_WRITABLE));
    }
    for (int n = 0; n < 3; n++) {
        memset(w.looked, 0, sizeof w.looked);
        socket_set_look(w.set, on_look);
        for (unsigned i = 0; i < w.pairs; i++) {
            assert_true(w.looked[i]);
        }
    }
    end(&w);
}

static void change__tells_what_is_wanted_then__with_the_new_serial(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 1);
    assert_true(socket_set_add(w.set, w.ends[0][0], 7, UV_READABLE));
    turn(&w);
    assert_int_equal(w.told, 0);
    socket_set_change(w.set, w.ends[0][0], 8, UV_READABLE | UV_WRITABLE);
    turn(&w);
    assert_int_equal(w.events, UV_WRITABLE);
    assert_int_equal(w.serial, 8);
    assert_int_equal(w.fd, w.ends[0][0]);
    end(&w);
}

static void remove__is_the_end_of_it__and_it_may_come_back(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 1);
    assert_true(socket_set_add(w.set, w.ends[0][0], 1, UV_WRITABLE));
    socket_set_remove(w.set, w.ends[0][0]);
    turn(&w);
    assert_int_equal(w.told, 0);
    assert_true(socket_set_add(w.set, w.ends[0][0], 2, UV_WRITABLE));
    assert_true(socket_set_add(w.set, w.ends[0][0], 3, UV_WRITABLE)); /* twice is as once */
    turn(&w);
    assert_int_equal(w.serial, 3);
    end(&w);
}

static void hang_up__is_told_as_nothing__when_nothing_is_wanted(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 1);
    assert_true(socket_set_add(w.set, w.ends[0][0], 1, 0));
    close(w.ends[0][1]);
    w.ends[0][1] = -1;
    turn(&w);
    assert_true(w.told > 0);
    assert_int_equal(w.events, 0);
    end(&w);
}

static void add__fails__for_what_is_no_socket(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 0);
    assert_false(socket_set_add(w.set, -1, 1, UV_READABLE));
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers__have_their_turn__however_many_sockets_are_ready),
        cmocka_unit_test(many__are_all_told_of__when_they_are_more_than_a_batch),
        cmocka_unit_test(look__misses_none__however_many_are_ready),
        cmocka_unit_test(change__tells_what_is_wanted_then__with_the_new_serial),
        cmocka_unit_test(remove__is_the_end_of_it__and_it_may_come_back),
        cmocka_unit_test(hang_up__is_told_as_nothing__when_nothing_is_wanted),
        cmocka_unit_test(add__fails__for_what_is_no_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
