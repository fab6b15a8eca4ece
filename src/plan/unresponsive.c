#include "plan/unresponsive.h"

#include "plan/host.h"

void unresponsive_note(struct host_table *table, struct host *host)
{
    if (!host->is_unresponsive) {
        host->is_unresponsive = true;
        table->unresponsive_hosts++;
        table->unresponsive_in_flight += host->origin_in_flight;
    }
}

void unresponsive_share(struct host_table *table, unsigned cap, bool more)
{
    unsigned least = cap > UNRESPONSIVE_PART ? cap / UNRESPONSIVE_PART : 1, others = 0;
    bool have_work = false;

    table->unresponsive_max = 0;
    for (uint32_t i = 0; table->unresponsive_hosts && i < table->count; i++) {
        const struct host *host = table->hosts[i];

        if (!host_origin(host)->is_unresponsive) {
            others += host->in_flight;
            have_work |= host->in_flight || host->ready_count || (more && host->answered_us);
        }
    }
    if (have_work) {
        unsigned half = others < cap ? (cap - others) / 2 : 0;

        table->unresponsive_max = half > least ? half : least;
    }
}

bool unresponsive_may_start(const struct host_table *table, const struct host *host)
{
    return !host->is_unresponsive || !table->unresponsive_max ||
           (!host->origin_in_flight && table->unresponsive_in_flight < table->unresponsive_max);
}

bool unresponsive_is_beyond(const struct host_table *table, const struct host *host)
{
    return host->is_unresponsive && table->unresponsive_max &&
           (host->origin_in_flight > 1 || table->unresponsive_in_flight > table->unresponsive_max);
}

void unresponsive_started(struct host_table *table, const struct host *host)
{
    table->unresponsive_in_flight += host->is_unresponsive;
}

void unresponsive_ended(struct host_table *table, const struct host *host)
{
    table->unresponsive_in_flight -= host->is_unresponsive;
}

void unresponsive_answered(struct host_table *table, struct host *host)
{
    if (host->is_unresponsive) {
        host->is_unresponsive = false;
        table->unresponsive_hosts--;
        table->unresponsive_in_flight -= host->origin_in_flight;
    }
}

void unresponsive_forgotten(struct host_table *table, const struct host *host)
{
    table->unresponsive_hosts -= host->is_unresponsive;
}
