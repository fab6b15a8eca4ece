#include "fetch/standstill.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <time.h>

#define LONGER_NS 1200000000L /* than STANDSTILL_LEAST_US */

struct world {
    uv_loop_t loop;
    uv_timer_t timer;
    struct standstill standstill;
    bool looks_first, forgives;
    unsigned stands; /* so often left to stand still */
    unsigned told;
    struct standstill_time lost; /* the last that was told */
};

static void look(struct world *w)
{
    struct standstill_time lost;

    if (standstill_look(&w->standstill, &lost)) {
        w->told++;
        w->lost = lost;
    }
}

/* As one that is stopped there: it takes time, and no CPU. */
static void on_timer(uv_timer_t *timer)
{
    struct world *w = timer->data;
    struct timespec longer = { LONGER_NS / 1000000000L, LONGER_NS % 1000000000L };

    if (!w->stands || w->looks_first) {
        look(w);
    }
    if (w->stands) {
        w->stands--;
        nanosleep(&longer, NULL);
        if (w->forgives) {
            standstill_forgive(&w->standstill);
        }
    }
}

static void turns(struct world *w, unsigned count)
{
    while (count--) {
        uv_run(&w->loop, UV_RUN_ONCE);
    }
}

static void begin(struct world *w)
{
    *w = (struct world){ .stands = 0 };
    assert_int_equal(uv_loop_init(&w->loop), 0);
    standstill_watch(&w->standstill, &w->loop);
    uv_timer_init(&w->loop, &w->timer);
    w->timer.data = w;
    uv_timer_start(&w->timer, on_timer, 1, 1);
}

static void end(struct world *w)
{
    standstill_close(&w->standstill, NULL, NULL);
    uv_close((uv_handle_t *)&w->timer, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void stop__is_told_once__before_anybody_looked(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    turns(&w, 3);
    w.told = 0;
    w.stands = 1;
    turns(&w, 4);
    assert_int_equal(w.told, 1);
    assert_true(w.lost.awake_us >= STANDSTILL_LEAST_US && w.lost.all_us >= STANDSTILL_LEAST_US);
    end(&w);
}

/* Whoever looks at the start of a callback does not see that the process is stopped later in it. */
static void stop__is_told_once__after_the_look(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    turns(&w, 3);
    w.told = 0;
    w.looks_first = true;
    w.stands = 1;
    turns(&w, 4);
    assert_int_equal(w.told, 1);
    assert_true(w.lost.awake_us >= STANDSTILL_LEAST_US);
    end(&w);
}

static void stops__add_up__until_somebody_looks(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    turns(&w, 3);
    w.told = 0;
    w.stands = 2;
    turns(&w, 5);
    assert_int_equal(w.told, 1);
    assert_true(w.lost.awake_us >= 2 * STANDSTILL_LEAST_US);
    end(&w);
}

static void stop__is_not_told__when_it_is_forgiven(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    turns(&w, 3);
    w.told = 0;
    w.looks_first = w.forgives = true;
    w.stands = 1;
    turns(&w, 4);
    assert_int_equal(w.told, 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop__is_told_once__before_anybody_looked),
        cmocka_unit_test(stop__is_told_once__after_the_look),
        cmocka_unit_test(stops__add_up__until_somebody_looks),
        cmocka_unit_test(stop__is_not_told__when_it_is_forgiven),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
