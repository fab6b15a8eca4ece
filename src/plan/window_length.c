#include "plan/window_length.h"

#include "base/clock.h"

static uint64_t less(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t more(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void window_length_tell(struct window_length *w, uint64_t window_us)
{
    *w = (struct window_length){ .is_told = true, .longest_us = window_us };
}

void window_length_note(struct window_length *w, uint64_t reset_us, uint64_t slack_us,
                        bool is_rough, bool is_first, uint64_t now_us)
{
    uint64_t off_us = slack_us + (is_rough ? US_PER_S : 0);

    if (w->is_told) {
        *w = (struct window_length){ .is_told = false };
    }
    w->is_rough = is_rough;
    if (reset_us > w->longest_us) {
        bool is_more =
            reset_us - w->longest_us > w->longest_us / 64; /* than the network's jitter */

        w->longest_us = reset_us;
        w->grown_us = is_more ? now_us : w->grown_us;
    }
    w->sure_us = more(w->sure_us, reset_us > off_us ? reset_us - off_us : 0);
    if (is_first && (!w->first_us || reset_us < w->first_us)) {
        w->first_us = reset_us;
    }
}

void window_length_correct(struct window_length *w, uint64_t later_us, uint64_t surer_us)
{
    if (w->is_told || !w->longest_us) {
        return;
    }
    w->longest_us = w->longest_us > later_us ? w->longest_us - later_us : 1;
    if (w->first_us) {
        w->first_us = w->first_us > later_us ? w->first_us - later_us : 1;
    }
    w->sure_us = w->sure_us ? w->sure_us + surer_us : 0;
}

uint64_t window_length_us(const struct window_length *w)
{
    uint64_t first_us = w->first_us;

    if (w->is_told || !first_us) {
        return w->longest_us;
    }
    if (w->is_rough) { /* who counts in seconds has windows of whole ones */
        first_us = first_us > US_PER_S ? first_us - first_us % US_PER_S : US_PER_S;
    }
    return less(more(first_us, w->sure_us) + w->added_us, w->longest_us);
}

bool window_length_is_steady(const struct window_length *w, uint64_t now_us)
{
    return w->is_told || (w->longest_us && now_us >= w->grown_us + w->longest_us);
}

bool window_length_add(struct window_length *w)
{
    if (window_length_us(w) >= w->longest_us) {
        return false;
    }
    w->added_us += US_PER_S;
    return true;
}
