#include "fetch/transfer_times.h"

#include "fetch/transfer_outcome.h"

/* A limit of nought is none. */
static long limit_of(uint64_t us, uint64_t more_us, uint64_t unit_us)
{
    uint64_t units = us ? (us + more_us + unit_us - 1) / unit_us : 0;

    return units > INT32_MAX ? INT32_MAX : (long)units;
}

/* Those of the options, and the time that was not its own. None for one that waits. */
bool transfer_times_set(struct transfer *t)
{
    const struct fetch_options *o = t->config->options;
    uint64_t lost_us = t->lost_us, total_us = t->paused ? 0 : o->total_timeout_us;

    return curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS,
                            limit_of(o->connect_timeout_us, lost_us, US_PER_MS)) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, limit_of(total_us, lost_us, US_PER_MS)) ==
               CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME,
                            limit_of(o->stall_timeout_us, lost_us, US_PER_S)) == CURLE_OK;
}

bool transfer_has_to_wait(struct transfer *t)
{
    if (!t->config->must_wait || !t->config->must_wait(t->config->wait_context, t)) {
        return false;
    }
    t->paused = t->worn = true;
    t->paused_at_us = uv_hrtime() / 1000U;
    (void)!transfer_times_set(t);
    return true;
}

void transfer_stood_still(struct transfer *t, uint64_t lost_us)
{
    t->lost_us += lost_us;
    t->lost_before_answer_us += transfer_info_us(t, CURLINFO_STARTTRANSFER_TIME_T) ? 0 : lost_us;
    (void)!transfer_times_set(t); /* numbers: cannot fail */
}

bool transfer_is_overdue(const struct transfer *t, uint64_t now_us)
{
    uint64_t limit_us = t->config->options->total_timeout_us;

    return t->lost_us && !t->paused && limit_us &&
           now_us - t->began_us > limit_us + t->lost_us + US_PER_S;
}
