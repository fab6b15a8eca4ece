/**
 * The engine's one struct, for its own files. What a module keeps stands in its own struct, in its own header; here
 * is what they share. No functions: they are in the modules' headers, and what all may use in engine/core.h.
 */
#ifndef SCRAPETOP_ENGINE_ENGINE_STATE_H
#define SCRAPETOP_ENGINE_ENGINE_STATE_H

#include "engine/accounts.h"
#include "engine/auth.h"
#include "engine/core.h"
#include "engine/cookie_jar.h"
#include "engine/credential_watch.h"
#include "engine/cpu.h"
#include "engine/discover.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/exchanges.h"
#include "engine/failures.h"
#include "engine/ladder.h"
#include "engine/login.h"
#include "engine/metrics.h"
#include "engine/opinion.h"
#include "engine/poll.h"
#include "engine/recall.h"
#include "engine/sweep.h"
#include "engine/totals.h"
#include "fetch/fetch.h"
#include "job/header_fill.h"
#include "plan/credential.h"
#include "plan/deep_limit.h"
#include "plan/frontier.h"
#include "plan/host.h"
#include "plan/pacer.h"
#include "plan/quota.h"
#include "plan/same_answer.h"
#include "plan/session_limit.h"
#include "plan/tuner.h"
#include "store/committer.h"
#include "work/work.h"

#define ENGINE_JSON_INLINE_MAX (256U << 10) /* larger bodies are checked on the pool */
#define ENGINE_PAGE_INLINE_MAX (64U << 10)  /* likewise when further requests are made of them */
#define ENGINE_JSON_DEPTH_MAX 512
#define ENGINE_CHECKING_BYTES_MAX (64U << 20) /* on the pool; then nothing is started */
#define ENGINE_LOOP_BUSY_PERCENT 90           /* of its core: then a larger cap gives nothing */

struct table_job;
struct answer_log;

struct engine {
    struct engine_options options;
    const struct job *job;
    enum engine_phase phase;

    struct auth auth;
    struct login_state login;
    struct credential_watches credentials;
    struct cookie_jar cookies;
    bool proxy_has_worked;  /* an answer has come through one */
    struct secrets secrets; /* the job's, the latest tokens and cookies */
    struct host_table hosts;
    struct frontier *frontier;
    struct rulebook *rulebook;
    uint64_t *rule_counts; /* answers that each rule has met, in this session; by its number */
    uint64_t
        usual_counts[ANSWER_USUAL_COUNT]; /* and those that no rule speaks of, by what they mean */
    unsigned
        told_bodies; /* what bodies were instead of JSON (enum body_was), as far as it has been told */
    struct same_answer same_answer;
    enum session_limit session_limit; /* that was reached */
    uint64_t ended_ok, ended_failed;  /* requests of this session, committed or not */
    uint64_t sent; /* requests of this session, retries, redirects and logins among them */
    struct discover discover;
    struct deep_limits deep_limits;
    struct poll poll;
    struct pacer pacer;
    struct fetch *fetch;
    struct fetch_endpoint *endpoints;
    const char **rule_headers;  /* names that rules read, endpoint by endpoint */
    struct header_fill **fills; /* of each endpoint, or NULL */
    struct buf filled[HEADER_FILL_MAX];
    struct buf opened[2 + HEADER_FILL_MAX]; /* by seal_open: URL, body and these, in clear */
    const char **headers;
    struct committer *committer;
    struct exchanges exchanges; /* while requests are restored */
    struct work work;           /* tables */
    struct work checks;         /* bodies: apart, so that a table does not keep them waiting */
    struct table_job *table;
    enum result table_result; /* its end, when that was not well */

    uv_idle_t turn; /* active while one is wanted */
    uv_check_t after_poll;
    void (*on_turn)(struct engine *engine);
    uv_timer_t wake; /* the earliest deadline */
    uv_timer_t tick; /* seconds, loads, loop lag */
    uint64_t tick_due_us;
    uint64_t cpu_due_us, sample_due_us;

    unsigned cap, cap_before; /* cap_before: the one that is being drained down from */
    bool auto_on;
    struct tuner tuner;
    struct sweep *sweep;    /* under way: the options' or own_sweep; NULL: none */
    struct sweep own_sweep; /* by a key: the run goes on behind it */
    size_t sweep_rows_told;
    unsigned sweep_cap_before;
    bool sweep_auto_before;
    bool tuner_kept_back; /* see tuner_step */
    struct ladder ladder;
    uint64_t starts_since_us; /* starts of the second in the making, and the most of any */
    unsigned starts, starts_peak;
    struct snapshot_limit
        limit_told; /* the last one that events.jsonl has, and since when there is another */
    uint64_t limit_since_us;
    uint64_t limit_us[LIMIT_COUNT], limit_ticked_us; /* how long each has kept it back */
    uint64_t silent_us;       /* of these, holds and waits for hosts that do not answer */
    unsigned connections_max; /* as the limit of open files allows */
    unsigned cap_clamp;       /* 0: none; fewer because descriptors ran out */
    uint64_t clamp_until_us;
    bool memory_is_short;       /* and has been told */
    uint64_t no_files_since_us; /* nothing but that there is no descriptor; 0: it is not so */
    uint64_t shortage_until_us; /* nothing is started before: out of memory or descriptors */
    bool paused;
    enum run_limit limit;
    enum frontier_answer answer;          /* the frontier's last */
    size_t checking, checking_bytes;      /* bodies on the pool */
    struct request *marked, **marked_end; /* whose marks are there: to be sent, in order */
    size_t marking;         /* requests that are in flight but for a mark in the ledger */
    uint64_t slept_from_us; /* transfers begun before this lost time to a stop */

    enum result storage; /* RESULT_OK, RESULT_FULL or RESULT_BUSY (passing), any other: final */
    char trouble[160];
    char trouble_code[ERR_CODE_MAX]; /* "E-DISK1": of the last trouble */
    enum exit_code ended_by; /* EXIT_INTERRUPTED, EXIT_TERMINATED, EXIT_DRAINED, or EXIT_WELL */
    char stopped_by[160], stopped_code[ERR_CODE_MAX]; /* why it ends early; of an error: its code */
    bool stopped_as_wanted;

    struct events events;
    struct metrics metrics;
    struct feed *feed;           /* NULL: all of the plan's own is known */
    struct totals totals_before; /* of the sessions before this one */
    uint64_t totals_due_us;
    struct accounts accounts; /* by endpoint */
    struct cpu cpu;
    uint64_t ended_us; /* when the last request was settled; 0 before */
    double ended_cpu_s, ended_loop_cpu_s;
    uint64_t holds, hosts_held; /* hosts_held: how many different ones */
    uint64_t asked_us;          /* holds that servers named, as if all were waited for ... */
    uint64_t backed_off_us;     /* ... and our own after refusals without a deadline */
    uint64_t
        early_requests; /* started before a deadline that a server had named: by the user's word only */
    struct report_retry retries[REPORT_RETRIES_MAX]; /* of this session */
    struct failures failures;
    struct answer_log *answers; /* of the latest attempts; NULL when there was no memory for it */
    uint64_t detail_id;         /* the request that is looked at, or 0 */
    struct recall recall;       /* the like, of an earlier session */
    struct settlement *spare;
    struct buf shown, redacted; /* scratch for redacted texts */
    uint64_t random_state;

    bool ended_well; /* closed after its end, with a store that works */
    bool is_store_closing;
    int open_handles;
    struct err last_trouble; /* of the store while it was closed; RESULT_OK: none */
    /* NULL until engine_close */
    void (*closed)(void *context, const struct err *trouble);
};

#endif
