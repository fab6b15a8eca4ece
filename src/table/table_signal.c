/* What a worker or a step tells the whole build, so that nobody waits for what does not come any more. */
#include "table/table_build_state.h"

void table_signal_stop(struct table_build *b)
{
    for (size_t i = 0; i < b->sequencer_count; i++) {
        sequencer_stop(b->sequencers[i]);
    }
}

void table_signal_failure(struct table_build *b, enum result result, const struct err *err)
{
    pthread_mutex_lock(&b->lock);
    if (b->failure == RESULT_OK) {
        b->failure = result;
        b->err = *err;
    }
    pthread_mutex_unlock(&b->lock);
    atomic_store(&b->stop, true);
    table_signal_stop(b);
}

void table_signal_wrong_guess(struct table_build *b)
{
    atomic_store(&b->guess_failed, true);
    table_signal_stop(b);
}
