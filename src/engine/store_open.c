#include "engine/store_open.h"

#include "base/json_text.h"
#include "base/units.h"
#include "engine/engine_state.h"
#include "engine/events.h"

#include <stdio.h>

/* A record that the ledger does not name, of a job whose answers lead to no further requests: that key is the
 * plan's request of that number. */
static bool claim_orphan(void *context, const struct line_view *line, uint32_t *endpoint)
{
    struct engine *e = context;
    struct request *request;
    struct buf key = { 0 };
    bool is_ours;

    if (frontier_make(e->frontier, line->id, &request, NULL) != RESULT_OK) {
        return false;
    }
    *endpoint = request->endpoint;
    is_ours =
        json_text_decode(&key, line->key) == RESULT_OK && str_equal(buf_view(&key), request->key);
    frontier_forget(e->frontier, request);
    buf_release(&key);
    return is_ours;
}

static enum result check_plan(const struct engine *e, struct err *err)
{
    uint64_t seeds = e->fleet_link ? frontier_seeds(e->frontier) : frontier_own(e->frontier);
    uint64_t planned = e->recovery.planned;

    return seeds >= planned || e->discover.plan.is_listed
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-IN5",
                         "%s began with %llu request%s and now makes up %llu: a list or a file of "
                         "values was cut, or the job changed; put it back from a copy, or begin "
                         "anew with --fresh (the old run is set aside, not deleted)",
                         e->options.dir->path, (unsigned long long)planned, units_plural(planned),
                         (unsigned long long)seeds);
}

enum result store_open(struct engine *e, const struct committer_options *given, struct err *err)
{
    struct committer_options o = *given;
    enum result result;

    o.loop = e->options.loop;
    o.dir = e->options.dir;
    o.clock = e->options.clock;
    o.boot = e->options.boot;
    o.plan = e->discover.is_used ? &e->discover.plan : NULL;
    o.job = e->options.job_text;
    o.claim = e->discover.is_used ? NULL : claim_orphan;
    o.sends_again = e->job->retry.repeats_posts;
    o.packs = e->job->packs;
    o.tending = e->options.tending;
    o.context = e;
    e->discover.plan.seeds = frontier_seeds(e->frontier);
    result = committer_open(&e->committer, &o, &e->recovery, err);
    return result == RESULT_OK ? check_plan(e, err) : result;
}

/* Of a kill it is a matter of course: their batch was written, and its rows were not. */
static void tell_adopted(struct engine *e, const struct recovery *r)
{
    if (r->ledger_was_old) {
        events_add(&e->events, EVENT_WARNING, "adopted", "",
                   "the ledger was older than raw/ (ledger.db-wal was lost, or ledger.db is a copy "
                   "of before): %llu record%s that it did not name %s taken in",
                   (unsigned long long)r->adopted, units_plural(r->adopted),
                   r->adopted == 1 ? "is" : "are");
    } else if (r->adopted) {
        events_add(&e->events, EVENT_NOTICE, "adopted", "",
                   "%llu record%s without a row %s whole, and taken in",
                   (unsigned long long)r->adopted, units_plural(r->adopted),
                   r->adopted == 1 ? "is" : "are");
    }
}

static void tell_maybe_sent(struct engine *e, const struct recovery *r)
{
    const char *them = r->maybe_sent == 1 ? "it" : "they";

    if (r->maybe_sent && e->job->retry.repeats_posts) {
        events_add(&e->events, EVENT_WARNING, "maybe-sent", "",
                   "%llu that %s being sent when the run was cut off may have happened, and are "
                   "sent again (--repeat-posts)",
                   (unsigned long long)r->maybe_sent, r->maybe_sent == 1 ? "was" : "were");
    } else if (r->maybe_sent) {
        events_add(&e->events, EVENT_WARNING, "maybe-sent", "",
                   "%llu %s being sent when the run was cut off: %s may have happened, and so %s "
                   "not sent again; --class maybe-sent does",
                   (unsigned long long)r->maybe_sent, r->maybe_sent == 1 ? "was" : "were", them,
                   r->maybe_sent == 1 ? "is" : "are");
    }
}

void store_tell_start(struct engine *e)
{
    const struct recovery *r = &e->recovery;
    char discarded[UNITS_TEXT_MAX], fields[192];

    snprintf(fields, sizeof fields,
             ",\"requests\":%llu,\"resumed\":%s,\"done\":%llu,\"failed\":%llu,\"waiting\":%llu,"
             "\"unclean\":%s",
             (unsigned long long)frontier_total(e->frontier), r->resumed ? "true" : "false",
             (unsigned long long)r->done, (unsigned long long)r->failed,
             (unsigned long long)r->waiting, r->unclean ? "true" : "false");
    if (!r->resumed) {
        events_add(&e->events, EVENT_INFO, "start", fields, "start: %llu request%s",
                   (unsigned long long)frontier_total(e->frontier),
                   units_plural(frontier_total(e->frontier)));
        return;
    }
    units_format_bytes(r->discarded_bytes, discarded);
    events_add(&e->events, EVENT_INFO, "start", fields,
               "resumed: %llu of %llu done, %llu failed, %llu waiting%s%s%s",
               (unsigned long long)r->done, (unsigned long long)frontier_total(e->frontier),
               (unsigned long long)r->failed, (unsigned long long)r->waiting,
               r->unclean ? "; the last session was cut off, " : "", r->unclean ? discarded : "",
               r->unclean ? " of uncommitted tail discarded" : "");
    tell_adopted(e, r);
    tell_maybe_sent(e, r);
}
