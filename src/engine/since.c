#include "engine/since.h"

#include "base/grow.h"
#include "base/units.h"
#include "engine/engine_state.h"
#include "engine/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static enum result take(void *context, const struct ledger_since *since, struct err *err)
{
    struct engine *e = context;
    struct since *s = &e->since;
    struct since_state *states;

    if (since->endpoint >= e->job->endpoint_count || !e->job->endpoints[since->endpoint].since.at ||
        !since_value_is_like(&since->value, &e->job->endpoints[since->endpoint].since.start)) {
        return RESULT_OK; /* the job says something else by now */
    }
    if (s->count == SINCE_LISTINGS_MAX) {
        return err_set(err, RESULT_LIMIT, "E-SINCE1", "more than %d listings with \"since\"",
                       SINCE_LISTINGS_MAX);
    }
    states = grow_by_one(s->states, s->count, &s->allocated, sizeof *states);
    if (!states) {
        return err_nomem(err, "reading the ledger");
    }
    s->states = states;
    states[s->count++] = (struct since_state){ since->number, since->value };
    return RESULT_OK;
}

enum result since_restore(struct engine *e, struct err *err)
{
    if (!e->discover.has_since) {
        return RESULT_OK;
    }
    e->since.counts = calloc(e->job->endpoint_count, sizeof *e->since.counts);
    return e->since.counts ? committer_each_since(e->committer, take, e, err)
                           : err_nomem(err, "reading the ledger");
}

void since_release(struct engine *e)
{
    free(e->since.states);
    free(e->since.counts);
    e->since = (struct since){ .count = 0 };
}

static const struct since_state *find(const struct since *s, uint64_t number)
{
    size_t low = 0, high = s->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->states[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < s->count && s->states[low].number == number ? &s->states[low] : NULL;
}

struct str since_asked(struct engine *e, uint64_t number)
{
    const struct since_state *state = find(&e->since, number);
    uint32_t endpoint;

    if (!state) {
        return STR_NONE;
    }
    endpoint = frontier_endpoint_of(e->frontier, number);
    since_value_back(&state->value, &e->job->endpoints[endpoint].since.lag, &e->since.asked);
    return str_view(e->since.asked.json);
}

const struct since_count *since_count_of(const struct engine *e, uint32_t endpoint)
{
    return e->since.counts && e->job->endpoints[endpoint].since.at ? &e->since.counts[endpoint]
                                                                   : NULL;
}

void since_words(const struct engine *e, char *text, size_t size)
{
    const struct since *s = &e->since;
    struct since_value back;

    if (s->count != 1) {
        snprintf(text, size, "what has changed since the round before is asked");
        return;
    }
    since_value_back(
        &s->states[0].value,
        &e->job->endpoints[frontier_endpoint_of(e->frontier, s->states[0].number)].since.lag,
        &back);
    snprintf(text, size, "what has changed since %s is asked", back.json);
}

/* --- what is odd ------------------------------------------------------------------------------ */

/* Adds to a count; true when it was none. */
static bool begins(uint64_t *count, uint64_t more)
{
    bool is_first = !*count && more;

    *count += more;
    return is_first;
}

void since_note(struct engine *e, const struct settlement *s)
{
    const struct since_seen *seen = &s->discoveries.since;
    uint32_t index = s->response->request->endpoint;
    const struct job_endpoint *endpoint = &e->job->endpoints[index];
    struct since_count *count = e->since.counts ? &e->since.counts[index] : NULL;

    if (!count || !endpoint->since.at || s->state != SETTLE_DONE) {
        return;
    }
    if (seen->has_latest &&
        (!count->has_latest || since_value_compare(&seen->latest, &count->latest) > 0)) {
        count->has_latest = true;
        count->latest = seen->latest;
    }
    if (begins(&count->ahead, seen->ahead)) {
        events_add(&e->events, EVENT_WARNING, "since", "",
                   "%s: a record is dated %s, in the future: it does not count for where the next "
                   "round begins",
                   endpoint->name, seen->first.json);
    }
    if (begins(&count->odd, seen->odd)) {
        events_add(&e->events, EVENT_WARNING, "since", "",
                   "%s: a record has %s at %s, which is not of the kind of \"start\": it does not "
                   "count for where the next round begins",
                   endpoint->name, seen->example, endpoint->since.at);
    }
    if (begins(&count->without, seen->without)) {
        events_add(&e->events, EVENT_WARNING, "since", "",
                   "%s: %" PRIu64 " of %" PRIu64
                   " records of an answer %s nothing at %s: only what "
                   "asks for them by other means will bring their changes",
                   endpoint->name, seen->without, seen->records,
                   seen->without == 1 ? "has" : "have", endpoint->since.at);
    }
}
