#include "engine/grow.h"

#include "base/units.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/round_choice.h"
#include "engine/seal.h"
#include "engine/since.h"
#include "plan/seeds.h"

#include <stdio.h>
#include <string.h>

/* Nothing is left of the plan, nor of the last round. An error of the ledger is reported when it is opened to write. */
static bool has_ended(struct ledger *ledger)
{
    struct ledger_summary s;
    struct rounds_kept rounds = { .begun = 0 };

    if (ledger_summarise(ledger, &s, NULL) != RESULT_OK ||
        ledger_read_rounds(ledger, &rounds, NULL) != RESULT_OK) {
        return false;
    }
    return s.planned && s.done + s.failed >= s.planned && !s.waiting &&
           (rounds.begun <= 1 || rounds.put >= ledger_listed(ledger));
}

enum result grow_look(struct engine *e, struct err *err)
{
    struct ledger *ledger;
    enum result result = e->options.dir->fresh
                             ? RESULT_NOT_FOUND
                             : ledger_open_readonly(&ledger, e->options.dir, NULL);

    e->grow.is_listed = e->options.before != NULL;
    if (result == RESULT_OK) { /* else who opens it to write says why not */
        e->grow.was_listed = ledger_is_listed(ledger);
        e->grow.begins_again = e->options.asks_again && has_ended(ledger);
        e->grow.is_listed |= e->grow.was_listed || e->grow.begins_again;
        ledger_close(ledger);
        if (e->options.since_count && !e->grow.begins_again) {
            return err_set(
                err, RESULT_INVALID, "E-SINCE2",
                "--since is for the next round, and one is under way: let it end with the "
                "same command without --since");
        }
    }
    return RESULT_OK;
}

/* --- reading both plans ----------------------------------------------------------------------------- */

struct reading {
    struct engine *engine;
    struct seeds *before, *now;
    struct discoveries one; /* the seed read last, without secrets */
};

/* Variables are part of what is asked when headers are made of them. */
static bool is_told_by_vars(const struct job_endpoint *endpoint)
{
    bool is_told = false;

    for (size_t i = 0; i < endpoint->header_count; i++) {
        is_told |= endpoint->headers[i].given && strchr(endpoint->headers[i].given, '{') != NULL;
    }
    return is_told;
}

static enum result read_seed(struct reading *r, struct seeds *seeds, uint64_t number,
                             struct ledger_seed *out, struct err *err)
{
    static const struct page_at no_page;
    struct seed seed;
    struct discovered *found;
    enum result result = seeds_read(seeds, SEEDS_PLAN, number, &seed, err);

    discoveries_release(&r->one);
    if (result != RESULT_OK) {
        return result;
    }
    found =
        discovered_new(seed.endpoint,
                       &(struct request_texts){
                           .key = seed.key, .url = seed.url, .body = seed.body, .vars = seed.vars },
                       &no_page);
    if (!found) {
        return err_nomem(err, "taking in a plan that has changed");
    }
    discoveries_add(&r->one, found);
    if (seal_discoveries(r->engine, &r->one) != RESULT_OK) {
        return err_nomem(err, "taking in a plan that has changed");
    }
    *out = (struct ledger_seed){
        .endpoint = seed.endpoint,
        .texts = r->one.first->texts,
        .is_told_by_vars = is_told_by_vars(&r->engine->job->endpoints[seed.endpoint]),
    };
    return RESULT_OK;
}

static enum result read_before(void *context, uint64_t number, struct ledger_seed *seed,
                               struct err *err)
{
    struct reading *r = context;

    return number <= seeds_total(r->before)
               ? read_seed(r, r->before, number, seed, err)
               : err_set(err, RESULT_CORRUPT, "E-LEDG3",
                         "the ledger has request %llu, the job had %llu",
                         (unsigned long long)number, (unsigned long long)seeds_total(r->before));
}

static enum result read_now(void *context, uint64_t number, struct ledger_seed *seed,
                            struct err *err)
{
    struct reading *r = context;

    return read_seed(r, r->now, number, seed, err);
}

/* --- merging ------------------------------------------------------------------------------------------ */

/* There is nothing to take in but the word that what has gone is to leave the tables. */
static bool only_prunes(const struct engine *e)
{
    return !e->options.before && e->options.prunes && e->grow.was_listed;
}

/* Of a round that begins only what the user has named is asked. */
static enum result merge_chosen(struct engine *e, struct err *err)
{
    struct round_choice choice;
    enum result result =
        round_choice_open(&choice, e->job, e->options.dir, e->options.again_where, err);

    if (result == RESULT_OK) {
        e->grow.merge.again_choice = &choice.choice;
        result = committer_merge(e->committer, &e->grow.merge, &e->recovery, err);
        e->grow.merge.again_choice = NULL;
    }
    round_choice_close(&choice);
    return result;
}

static enum result merge(struct engine *e, struct reading *r, struct err *err)
{
    const struct plan_before *before = e->options.before;
    struct ledger_merge *m = &e->grow.merge;
    enum result result = seeds_new(&r->now, e->job, e->options.list_fds, err);

    if (result == RESULT_OK && !e->grow.was_listed) {
        result = before ? seeds_new(&r->before, before->job, before->list_fds, err)
                        : seeds_new(&r->before, e->job, e->options.list_fds, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    *m = (struct ledger_merge){
        .was = read_before,
        .total_before = r->before ? seeds_total(r->before) : 0,
        .is = read_now,
        .total = seeds_total(r->now),
        .context = r,
        .prunes = e->options.prunes,
        .begins_again = e->grow.begins_again,
        .again_before_us = e->options.again_age_us
                               ? clock_wall_us(&e->options.clock) - (int64_t)e->options.again_age_us
                               : 0,
        .since = e->options.since,
        .since_count = e->options.since_count,
        .same = before ? before->same : seeds_total(r->now),
        .note = before ? before->note : STR_NONE,
    };
    return m->begins_again && e->options.again_where
               ? merge_chosen(e, err)
               : committer_merge(e->committer, m, &e->recovery, err);
}

enum result grow_take_in(struct engine *e, struct err *err)
{
    struct reading r = { .engine = e };
    enum result result;

    if (!e->options.before && !only_prunes(e) && !e->grow.begins_again) {
        return RESULT_OK;
    }
    result = merge(e, &r, err);
    e->grow.is_taken = result == RESULT_OK;
    discoveries_release(&r.one);
    seeds_free(r.before);
    seeds_free(r.now);
    return result;
}

static void tell_round(struct engine *e)
{
    char what[128];

    snprintf(what, sizeof what, "%s is asked again",
             e->options.again_where    ? "what --where names, and what failed,"
             : e->options.again_age_us ? "what is old enough"
                                       : "all");
    if (e->discover.has_since) {
        since_words(e, what, sizeof what);
    }
    events_add(&e->events, EVENT_NOTICE, "round", "", "round %llu begins: %s",
               (unsigned long long)e->poll.rounds.kept.begun, what);
}

void grow_tell(struct engine *e)
{
    const struct ledger_merge *m = &e->grow.merge;
    char fields[128], gone[160] = "";

    if (e->grow.begins_again) {
        tell_round(e);
    }
    if (!e->grow.is_taken || (!e->options.before && !e->options.prunes)) {
        return;
    }
    snprintf(fields, sizeof fields, ",\"kept\":%llu,\"added\":%llu,\"gone\":%llu,\"pruned\":%llu",
             (unsigned long long)m->kept, (unsigned long long)m->added, (unsigned long long)m->gone,
             (unsigned long long)m->pruned);
    if (m->gone || m->pruned) {
        snprintf(gone, sizeof gone, ", %llu gone%s", (unsigned long long)m->gone,
                 e->options.prunes ? " (tables are without what has gone)"
                                   : " (tables keep what it brought; --prune takes it out)");
    }
    events_add(&e->events, EVENT_NOTICE, "plan", fields,
               "the plan has changed: %llu of its requests %s known, %llu new%s",
               (unsigned long long)m->kept, m->kept == 1 ? "is" : "are",
               (unsigned long long)m->added, gone);
}
