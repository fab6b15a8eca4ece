#include "fetch/standstill.h"

#include <time.h>

static uint64_t boot_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

/* The last thing before the loop sleeps. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct standstill *s = prepare->data;
    int timeout_ms = uv_backend_timeout(prepare->loop);

    s->sleeps = timeout_ms >= 0; /* else for as long as it likes */
    s->means_us = timeout_ms > 0 ? (uint64_t)timeout_ms * 1000U : 0;
    s->slept_from_us = uv_hrtime() / 1000U;
    s->slept_from_boot_us = boot_us();
}

void standstill_watch(struct standstill *s, uv_loop_t *loop)
{
    *s = (struct standstill){ .sleeps = false };
    uv_prepare_init(loop, &s->prepare);
    s->prepare.data = s;
    uv_prepare_start(&s->prepare, on_prepare);
    uv_unref((uv_handle_t *)&s->prepare); /* it is no work */
}

static uint64_t beyond(uint64_t now_us, uint64_t from_us, uint64_t means_us)
{
    uint64_t slept_us = now_us > from_us ? now_us - from_us : 0;

    return slept_us > means_us ? slept_us - means_us : 0;
}

bool standstill_look(struct standstill *s, struct standstill_time *lost)
{
    if (!s->sleeps) {
        return false;
    }
    s->sleeps = false;
    lost->awake_us = beyond(uv_hrtime() / 1000U, s->slept_from_us, s->means_us);
    lost->all_us = beyond(boot_us(), s->slept_from_boot_us, s->means_us);
    return lost->awake_us >= STANDSTILL_LEAST_US || lost->all_us >= STANDSTILL_LEAST_US;
}

void standstill_forgive(struct standstill *s)
{
    s->sleeps = false;
}

void standstill_close(struct standstill *s, uv_close_cb closed, void *data)
{
    s->prepare.data = data;
    uv_close((uv_handle_t *)&s->prepare, closed);
}
