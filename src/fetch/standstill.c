#include "fetch/standstill.h"

#include "base/os.h"

#include <time.h>

static uint64_t clock_us(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

static struct standstill_time now(void)
{
    return (struct standstill_time){ uv_hrtime() / 1000U, os_uptime_us() };
}

static uint64_t beyond(uint64_t now_us, uint64_t from_us, uint64_t means_us)
{
    uint64_t passed_us = now_us > from_us ? now_us - from_us : 0;

    return passed_us > means_us ? passed_us - means_us : 0;
}

/* Since `from`, beyond what was meant; true when it is so much that it counts. */
static bool has_lost(const struct standstill *s, uint64_t means_us, struct standstill_time *lost)
{
    struct standstill_time at = now();

    lost->awake_us = beyond(at.awake_us, s->from.awake_us, means_us);
    lost->all_us = beyond(at.all_us, s->from.all_us, means_us);
    return lost->awake_us >= STANDSTILL_LEAST_US || lost->all_us >= STANDSTILL_LEAST_US;
}

/* The last thing before the loop sleeps. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct standstill *s = prepare->data;
    int timeout_ms = uv_backend_timeout(prepare->loop);
    uint64_t cpu_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    uint64_t means_us = cpu_us - s->cpu_us + (s->state == STANDSTILL_SLEEPS ? s->means_us : 0);
    struct standstill_time lost;

    if (s->state != STANDSTILL_SLEEPS_ON && has_lost(s, means_us, &lost)) {
        s->owed.awake_us += lost.awake_us;
        s->owed.all_us += lost.all_us;
    }
    s->state = timeout_ms >= 0 ? STANDSTILL_SLEEPS : STANDSTILL_SLEEPS_ON;
    s->means_us = timeout_ms > 0 ? (uint64_t)timeout_ms * 1000U : 0;
    s->from = now();
    s->cpu_us = cpu_us;
}

void standstill_watch(struct standstill *s, uv_loop_t *loop)
{
    *s = (struct standstill){
        .state = STANDSTILL_SLEEPS_ON
    }; /* what comes before its first turn is no concern */
    uv_prepare_init(loop, &s->prepare);
    s->prepare.data = s;
    uv_prepare_start(&s->prepare, on_prepare);
    uv_unref((uv_handle_t *)&s->prepare); /* it is no work */
}

bool standstill_look(struct standstill *s, struct standstill_time *lost)
{
    struct standstill_time passed;
    uint64_t means_us = s->means_us;

    if (s->state == STANDSTILL_AWAKE) {
        if (!s->owed.all_us &&
            uv_hrtime() / 1000U < s->from.awake_us + STANDSTILL_LEAST_US) { /* as nearly always */
            return false;
        }
        means_us = clock_us(CLOCK_THREAD_CPUTIME_ID) - s->cpu_us;
    }
    if (s->state == STANDSTILL_SLEEPS_ON || !has_lost(s, means_us, &passed)) {
        passed = (struct standstill_time){ 0, 0 };
    }
    lost->awake_us = s->owed.awake_us + passed.awake_us;
    lost->all_us = s->owed.all_us + passed.all_us;
    standstill_forgive(s);
    return lost->all_us > 0;
}

void standstill_forgive(struct standstill *s)
{
    s->state = STANDSTILL_AWAKE;
    s->from = now();
    s->cpu_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
    s->owed = (struct standstill_time){ 0, 0 };
}

void standstill_close(struct standstill *s, uv_close_cb closed, void *data)
{
    s->prepare.data = data;
    uv_close((uv_handle_t *)&s->prepare, closed);
}
