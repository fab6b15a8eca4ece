/**
 * The engine's one struct, for its own files. What a module keeps stands in its own struct, in its own header; here
 * is what they share. No functions: they are in the modules' headers, and what all may use in engine/core.h.
 */
#ifndef SCRAPETOP_ENGINE_ENGINE_STATE_H
#define SCRAPETOP_ENGINE_ENGINE_STATE_H

#include "engine/auth.h"
#include "engine/cookie_jar.h"
#include "engine/core.h"
#include "engine/cpu.h"
#include "engine/credential_watch.h"
#include "engine/detail.h"
#include "engine/discover.h"
#include "engine/endpoint_stats.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/exchanges.h"
#include "engine/failures.h"
#include "engine/grow.h"
#include "engine/http_notes.h"
#include "engine/judge.h"
#include "engine/ladder.h"
#include "engine/limit.h"
#include "engine/login.h"
#include "engine/mark.h"
#include "engine/metrics.h"
#include "engine/on_list.h"
#include "engine/opinion.h"
#include "engine/pace.h"
#include "engine/pace_sweep.h"
#include "engine/poll.h"
#include "engine/since.h"
#include "engine/recall.h"
#include "engine/refusal.h"
#include "engine/seal.h"
#include "engine/sending.h"
#include "engine/session_totals.h"
#include "engine/signing.h"
#include "engine/sweep.h"
#include "engine/table.h"
#include "engine/tokens.h"
#include "engine/totals.h"
#include "fetch/fetch.h"
#include "job/header_fill.h"
#include "plan/credential.h"
#include "plan/deep_limit.h"
#include "plan/frontier.h"
#include "plan/host.h"
#include "plan/pacer.h"
#include "plan/proxy_pool.h"
#include "plan/quota.h"
#include "plan/same_answer.h"
#include "plan/session_limit.h"
#include "plan/tuner.h"
#include "store/committer.h"
#include "store/recovery.h"
#include "work/work.h"

#define ENGINE_JSON_INLINE_MAX (256U << 10)   /* larger bodies are never checked on the loop */
#define ENGINE_PAGE_INLINE_MAX (64U << 10)    /* likewise when further requests are made of them */
#define ENGINE_CHECKING_BYTES_MAX (64U << 20) /* on the pool; then nothing is started */
#define ENGINE_LOOP_BUSY_PERCENT 90           /* of its core: then a larger cap gives nothing */

/* Of listener_rows.c. */
struct engine_ticks {
    uv_timer_t timer; /* seconds, loads, loop lag */
    uint64_t due_us;
    uint64_t cpu_due_us, sample_due_us;
    bool memory_is_short; /* and has been told */
};

/* Of engine.c. */
struct engine_closing {
    bool is_begun; /* the store is being closed */
    bool is_well;  /* after its end, with a store that works */
    int handles;   /* still open */
    /* NULL until engine_close */
    void (*done)(void *context, const struct err *trouble);
};

struct engine {
    /* what it is about */
    struct engine_options options;
    const struct job *job;
    enum engine_phase phase;

    /* the stages */
    struct frontier *frontier;
    struct host_table hosts;
    struct fetch *fetch;
    struct committer *committer;

    /* the ground floor (core.h) */
    struct engine_turns turns;
    struct engine_ending ending;
    struct engine_storage storage;
    struct engine_scratch scratch;
    struct secrets secrets; /* what is shown nowhere (hidden.h) */
    uint64_t random_state;

    /* what is asked */
    struct feed *feed; /* NULL: all of the plan's own is known */
    struct discover discover;
    struct poll poll;
    struct since since;
    struct grow grow;
    struct fleet_link *fleet_link; /* NULL: this worker is alone */
    struct exchanges exchanges;    /* while requests are restored */
    struct sending sending;
    struct seal seal;
    struct auth auth;
    struct login_state login;
    struct credential_watches credentials;
    struct signing signing;
    struct cookie_jar cookies;
    struct proxy_pool proxy_pool;
    struct tokens tokens; /* engine/tokens.c */
    struct http_notes http_notes;
    bool proxy_has_worked; /* an answer has come through one */

    /* when */
    uv_timer_t wake;             /* the earliest deadline */
    enum frontier_answer answer; /* the frontier's last */
    struct limits limits;
    struct pace pace;
    struct pace_sweep sweep;
    struct marks marks;
    struct held held;

    /* what came */
    struct rules rules;
    struct on_list on;
    struct judging judging;
    struct settlement *spare;

    /* what is told of it */
    const struct listener *listeners;
    struct engine_ticks ticks;
    struct events events;
    struct metrics metrics;
    struct endpoint_stats endpoint_stats;
    struct cpu cpu;
    struct session session;
    struct report_retry retries[REPORT_RETRIES_MAX]; /* of this session */
    struct failures failures;
    struct detail detail;

    struct tables tables;
    unsigned parts;           /* of engine.c's table, that are there */
    struct recovery recovery; /* what the store found when it was opened */
    struct engine_closing closing;
};

#endif
