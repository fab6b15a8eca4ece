#include "store/tender.h"

#include "base/units.h"

#include <stdlib.h>
#include <uv.h>

#define STACK_BYTES ((size_t)2 << 20)
#define NS_PER_US UINT64_C(1000)

struct tender {
    struct tending tending;
    struct tender_lender lender;
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t wake;
    atomic_bool stop;
};

/* Until the next turn; false when all is to end. */
static bool rest(struct tender *t, uint64_t until_ns)
{
    bool goes_on;

    uv_mutex_lock(&t->lock);
    for (uint64_t now = uv_hrtime(); !atomic_load(&t->stop) && now < until_ns; now = uv_hrtime()) {
        (void)uv_cond_timedwait(&t->wake, &t->lock, until_ns - now);
    }
    goes_on = !atomic_load(&t->stop);
    uv_mutex_unlock(&t->lock);
    return goes_on;
}

static void run(void *context)
{
    struct tender *t = context;

    while (rest(t, uv_hrtime() + t->tending.period_us * NS_PER_US)) {
        struct err err = { .result = RESULT_OK };
        enum result result = t->tending.turn(t->tending.context, t, &err);

        if (result != RESULT_OK && result != RESULT_CANCELLED && result != RESULT_BUSY) {
            tender_tell(t, true, err.text);
        }
    }
}

enum result tender_start(struct tender **tender, const struct tending *tending,
                         const struct tender_lender *lender, struct err *err)
{
    uv_thread_options_t options = { .flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES };
    struct tender *t = calloc(1, sizeof *t);

    *tender = NULL;
    if (!t || uv_mutex_init(&t->lock)) {
        goto fail_lock;
    }
    if (uv_cond_init(&t->wake)) {
        goto fail_wake;
    }
    t->tending = *tending;
    t->lender = *lender;
    atomic_init(&t->stop, false);
    if (uv_thread_create_ex(&t->thread, &options, run, t)) {
        goto fail_thread;
    }
    *tender = t;
    return RESULT_OK;

fail_thread:
    uv_cond_destroy(&t->wake);
fail_wake:
    uv_mutex_destroy(&t->lock);
fail_lock:
    free(t);
    return err_set(err, RESULT_IO, "E-RES1", "cannot make a thread to look after the store");
}

enum result tender_borrow(struct tender *t, archive_use_fn *use, void *context, struct err *err)
{
    return atomic_load(&t->stop) ? RESULT_CANCELLED
                                 : t->lender.lend(t->lender.context, use, context, err);
}

void tender_tell(struct tender *t, bool is_trouble, const char *text)
{
    t->lender.tell(t->lender.context, is_trouble, text);
}

const atomic_bool *tender_stopping(const struct tender *t)
{
    return &t->stop;
}

void tender_stop(struct tender *t)
{
    if (!t) {
        return;
    }
    uv_mutex_lock(&t->lock);
    atomic_store(&t->stop, true);
    uv_cond_broadcast(&t->wake);
    uv_mutex_unlock(&t->lock);
    uv_thread_join(&t->thread);
    uv_cond_destroy(&t->wake);
    uv_mutex_destroy(&t->lock);
    free(t);
}
