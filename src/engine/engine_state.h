/**
 * The engine's insides, shared by its own files only: engine.c (making and unmaking), pump.c (start and
 * end of requests and runs), judge.c (what came back), settle.c (its way into the ledger), tell_try.c
 * (what is written down of it), refusal.c (that it is not to be asked now), pace.c (how fast), pace_sweep.c
 * (a ladder of caps), limit.c (what keeps it back), command.c (what a user says), steer.c (single requests
 * and hosts by hand), login.c (who asks), observe.c (what a screen may show), detail.c (one request of it),
 * table.c (the second stage), report.c (what is said of a run at its end); discover.h, what answers give
 * rise to, has a header of its own.
 */
#ifndef SCRAPETOP_ENGINE_ENGINE_STATE_H
#define SCRAPETOP_ENGINE_ENGINE_STATE_H

#include "engine/accounts.h"
#include "engine/auth.h"
#include "engine/core.h"
#include "engine/cookie_jar.h"
#include "engine/cpu.h"
#include "engine/discover.h"
#include "engine/engine.h"
#include "engine/events.h"
#include "engine/exchanges.h"
#include "engine/failed_recent.h"
#include "engine/ladder.h"
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
#define ENGINE_FAILURE_KINDS_MAX SNAPSHOT_FAILURES_MAX

/** Failures for good, counted by what went wrong. */
struct failure_kind {
    uint32_t serial; /* names it while the others come and go */
    struct failure why;
    uint64_t count, last_us;
    char example[SNAPSHOT_REQUEST_TEXT];
    char said[SNAPSHOT_SAID_TEXT]; /* with the example, in a line, without secrets; may be empty */
    uint64_t example_id;
};

/** One of them, to be asked again by its class. */
struct failed_request {
    uint64_t id;
    uint32_t kind;       /* failure_kind.serial; 0: its class found no room */
    uint32_t refused_by; /* index + 1 of the host that may have refused everything then; 0: none */
    uint32_t row;        /* and in which of its rows (plan/ban.h) */
    uint16_t endpoint;
    bool before; /* in an earlier session */
    bool chosen; /* by the options' follow-up */
};

struct table_job;
struct answer_log;

#define CREDENTIAL_WATCHES_MAX 64

/* The requests of one host that carry the same credential. */
struct credential_watch {
    uint32_t host;
    uint32_t endpoint; /* whose own it is; CREDENTIAL_OF_JOB */
    bool is_lost;      /* and what others are asked goes on */
    struct credential credential;
};

#define CREDENTIAL_OF_JOB UINT32_MAX

struct credential_watches {
    struct credential_watch list[CREDENTIAL_WATCHES_MAX]; /* of those that were refused once */
    size_t count;
    size_t lost;           /* of them */
    char lost_why[160];    /* the first one; empty: none */
    struct request *aside; /* refused, neither tried nor failed */
    uint64_t well;         /* requests of this session that went well */
};

#define LOGIN_TOKENS_KEPT 16 /* so many of the latest are shown nowhere */

struct login_state {
    uint32_t home,
        host; /* indices of the origin that the credential is for, and of the login call's */
    bool has_home, has_host; /* they are referred to */
    bool is_demanded;        /* somebody has a use for a token */
    char *tokens[LOGIN_TOKENS_KEPT];
    size_t token_count;
};

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
    enum frontier_answer answer;     /* the frontier's last */
    size_t checking, checking_bytes; /* bodies on the pool */
    size_t marking;                  /* requests that are in flight but for a mark in the ledger */
    uint64_t slept_from_us;          /* transfers begun before this lost time to a stop */

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
    struct failure_kind failures[ENGINE_FAILURE_KINDS_MAX];
    struct failed_recent failed_recent;
    size_t failure_count;
    uint32_t failure_serial;
    struct answer_log *answers; /* of the latest attempts; NULL when there was no memory for it */
    uint64_t detail_id;         /* the request that is looked at, or 0 */
    struct recall recall;       /* the like, of an earlier session */
    struct failed_request *failed_ids; /* that CONTROL_RETRY_FAILED asks for once more */
    size_t failed_id_count, failed_id_allocated;
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

/* engine.c */

/** Until when a request of an earlier session waits that was to wait `left_us` more. False when that was
 *  over while nobody ran: then it gets fresh jitter, so that they do not come as a herd, and in nobody
 *  else's name (DUE_RESTART), so that it holds no host. */
bool engine_restored_due(struct engine *engine, uint32_t attempt, int64_t left_us,
                         uint64_t *due_us);

/** fetch's on_stood_still: what was in flight costs no try whatever becomes of it. (command.c) */
void engine_stood_still(void *engine, uint64_t lost_us);

/** A request that waits and has just been restored is left to a later session, when this one asks
 *  failed ones only. The hold on its host stays. */
void engine_leave_waiting(struct engine *engine, uint64_t id);

/** The figures of this moment, for events.jsonl. */
void engine_note_sample(struct engine *engine);

/** Closing: the next part, if what must come before it is over. */
void engine_go_on_closing(struct engine *engine);

/* pump.c */

/** What is wanted of engine_want_turn: starts what may start now, arms the timer for what may start later, and
 *  sees whether all is over. */
void pump_turn(struct engine *engine);

/** There is work again, though all was settled. False when the run has been stopped. */
bool engine_revive(struct engine *engine);

void engine_drain(struct engine *engine);
void engine_abort(struct engine *engine, enum exit_code code);

/** Sends what has its place among those in flight already. Takes it. */
void engine_send(struct engine *engine, struct request *request);

/* judge.c */
void judge_response(void *engine, struct response *response); /* fetch's on_response */

/** It cannot be asked, for this reason: it is settled as failed. Takes it, as judge_drop does. */
void judge_refuse(struct engine *engine, struct request *request, const char *reason);

/** By the user: the request is settled as failed without having been asked (again). Takes it.
 *  RESULT_NOMEM: it goes back to the frontier. */
MUST_CHECK enum result judge_drop(struct engine *engine, struct request *request);

/** Likewise, because the pages of its listing are refused from one before it on (plan/deep_limit.h). */
MUST_CHECK enum result judge_leave_out(struct engine *engine, struct request *request);

/** Likewise, because nobody answers at its host (host_bury). */
MUST_CHECK enum result judge_unreached(struct engine *engine, struct request *request);

/* tell_try.c: what is written down of a try that failed */

/** It was the last one. */
void tell_failed(struct engine *engine, const struct response *response);

/** It is asked again: when, and who says so. */
void tell_retry(struct engine *engine, const struct response *response);

/* ban_watch.c */

/** An answer, whatever it is: perhaps its host refuses everything from now on, or no longer does. */
void ban_note(struct engine *engine, const struct response *response, bool is_put_off);

/** Takes the response, when it was asked for only to see whether its host answers again. */
bool ban_takes(struct engine *engine, struct response *response);

/* refused_alike.c */

/** Requests that have not been begun on, beside the one that is just answered. */
bool engine_is_any_left(const struct engine *engine);

/** An answer, whatever it is: perhaps it is the same refusal as all before it. `is_put_off`: it says "not
 *  now", and so is none. */
void refused_alike_note(struct engine *engine, const struct response *response, bool is_put_off);

/* unresponsive_hosts.c */

/** From the tick: hosts that cannot be reached give places back that others need. */
void unresponsive_hosts_look(struct engine *engine, uint64_t now_us);

/** What it came to is what all before it came to, in the run or at its host: a further try is of no use. */
bool refused_alike_is(const struct engine *engine, const struct request *request);

/* session_end.c: limits of the session, set by the user */

/** One more request may be sent; else the session ends. */
bool session_may_send(struct engine *engine);

/** Ends the session when it has run for too long, or too many have failed. */
void session_look(struct engine *engine, uint64_t now_us);

/** Before start: takes over what the sessions before have written down; `ended`: what the ledger has at least. */
void session_totals_restore(struct engine *engine, const struct totals *ended);

/** Of all sessions, this one's so far among them; and writes them down. */
void session_totals(const struct engine *engine, struct totals *totals);
void session_totals_note(struct engine *engine);

/** More have failed than may. `is_end`: all is settled. */
bool session_has_failed(const struct engine *engine, bool is_end);

/* redirect.c */
enum redirect_word {
    REDIRECT_FOLLOW,   /* the request goes on to the new URL */
    REDIRECT_REFUSED,  /* it does not, and `reason` says why, without secrets */
    REDIRECT_SHORTAGE, /* no memory: as it was */
};

/** What becomes of a request that is answered with a redirect. */
enum redirect_word redirect_take(struct engine *engine, struct response *response);

/** The same for one whose answer names `url` in another way, where it is asked with GET. Takes the URL. */
enum redirect_word redirect_lead(struct engine *engine, struct response *response, char *url);

/** A credential stands in the URL, or what looks like one. */
bool redirect_is_secret(struct engine *engine, const struct request *request, struct str url);

/* seal.c */

/** Takes the secrets out of what was found, so that it can be written down. */
MUST_CHECK enum result seal_findings(struct engine *engine, struct findings *findings);

/** The request comes from the ledger: whether there is anything to open in it. */
void seal_note(struct request *request);

/** What is asked in place of sealed texts. RESULT_NOT_FOUND: with a secret that this session does not have. */
MUST_CHECK enum result seal_open(struct engine *engine, const struct request *request,
                                 struct fetch_extra *extra);

/** The request with its secrets put in, for who reads its answer; NULL in `clear` when it has none. Free it
 *  with request_free. */
MUST_CHECK enum result seal_clear(struct engine *engine, const struct request *request,
                                  struct request **clear);
void seal_release(struct engine *engine);

/* refusal.c */

/** When to ask again, by the server's word. */
struct deadline {
    bool named;
    bool holds_host; /* the whole host, not only this request */
    uint64_t wait_us;
    enum due_by by;          /* who named it */
    char said[DUE_SAID_MAX]; /* in what words; bytes from outside */
};

/** The answer says "not now": a 429 or its like, or a 503 that a limiter sends. To be asked once for each
 *  answer: it learns from it. */
bool refusal_is(struct engine *engine, struct host *host, const struct response *response);

struct deadline refusal_deadline(struct engine *engine, struct host *host,
                                 const struct response *response);
void refusal_hold(struct engine *engine, struct host *host, const struct response *response,
                  const struct deadline *deadline);

/** The words of application/problem+json (plan/quota.h); false when there are none. One of them is not
 *  for us to decide upon: it stops the run, or the host until the user releases it. */
bool refusal_by_problem(struct engine *engine, struct host *host, const struct response *response);

/* login.c: who asks (engine/auth.h), and what waits for it */

MUST_CHECK enum result login_init(struct engine *engine, struct err *err);
void login_release(struct engine *engine);

/** Brings together all that is shown nowhere: the job's secrets, tokens and cookies. */
MUST_CHECK enum result login_collect_secrets(struct engine *engine, struct err *err);

/** Requests that a token has run out for wait from now on. */
void login_look(struct engine *engine, uint64_t now_us);

/** A token is wanted, and a login may be asked now. */
bool login_is_due(const struct engine *engine, uint64_t now_us);
void login_start(struct engine *engine, uint64_t now_us);

/** Somebody waits for a token: when the login is asked again by time alone. */
uint64_t login_wake_us(struct engine *engine);

/** What the request carries. */
void login_carry(struct engine *engine, struct request *request, struct fetch_extra *extra,
                 uint64_t now_us);

/** True when the response was the login's own, and has been seen to. */
bool login_takes(struct engine *engine, struct response *response);

enum login_word {
    LOGIN_SILENT, /* nothing to do with logins */
    LOGIN_FREE,   /* ask again with the next token */
    LOGIN_TRY,    /* likewise, at the cost of a try */
};
enum login_word login_heed(struct engine *engine, struct response *response);

/** A rule says that its credential is refused. Without a login there is no other, and the run stops. */
enum login_word login_refused(struct engine *engine, struct response *response);

/** Its credential is the login's: one that was given, or the token of a call. */
bool login_is_carried(const struct engine *engine, const struct request *request);

/** Its credential was taken. */
void login_accepted(struct engine *engine, struct request *request);
void login_snapshot(const struct engine *engine, uint64_t now_us, struct snapshot_login *out);

/* proxy_watch.c: proxies that nothing can be asked through */

/** An answer, or what became of it, comes in: the run may stop for it. */
void proxy_note(struct engine *engine, const struct response *response);

/** Nothing can be asked through its proxy: it is to be asked by a later session, and was no try. */
bool proxy_is_over(const struct engine *engine, const struct response *response);

/** The proxy would say the same again. */
bool proxy_is_hopeless(const struct response *response);

/** Says in the log which proxies there are. */
void proxy_tell(struct engine *engine);

/* credential_watch.c: credentials that no login call can renew */

/** It carries a credential that has ended, while what others are asked goes on: it is left pending. */
bool credential_is_lost(struct engine *engine, const struct request *request);

/** A request went well, or its answer was as good. */
void credential_note_well(struct engine *engine, const struct request *request);

enum credential_fate {
    CREDENTIAL_SILENT, /* nothing to do with a credential */
    CREDENTIAL_FAILED, /* the request failed for good: it alone may not be seen */
    CREDENTIAL_TAKEN,  /* it has been set aside, and stays pending */
};

/** What becomes of a request that is answered 401. */
enum credential_fate credential_heed(struct engine *engine, struct response *response);

/** Nothing else is left to ask. True when what was set aside is asked once more, or the run stops. */
bool credential_resume(struct engine *engine);

/** No request can go well any more with the credential that there is: the run stops with EXIT_AUTH. */
void credential_lose(struct engine *engine, const char *why);
void credential_release(struct engine *engine);

/* detail.c: one request looked at closely */

/** Remembers the attempt, for the last DETAIL_ANSWERS of them. */
void detail_note(struct engine *engine, const struct response *response);
void detail_fill(struct engine *engine, uint64_t now_us, struct snapshot_detail *out);
void detail_release(struct engine *engine);

/* steer.c: what a user does to requests and hosts; each answers in words */

void steer_retry(struct engine *engine, uint64_t id, char reply[CONTROL_REPLY_MAX]);
void steer_drop(struct engine *engine, uint64_t id, char reply[CONTROL_REPLY_MAX]);
void steer_hold(struct engine *engine, const char *host, char reply[CONTROL_REPLY_MAX]);

/** Those of one class, or all ("") that failed. */
void steer_retry_failed(struct engine *engine, const char *class, char reply[CONTROL_REPLY_MAX]);

/** The failed ones that the options' follow-up is about; says so. */
void steer_follow_up(struct engine *engine);

/** Asks again what the host refused in this row of refusals (plan/ban.h). How many. */
unsigned long long steer_ask_refused(struct engine *engine, uint32_t host, uint32_t row);

/** Nobody is there any more who could release a host that was held by hand. */
void steer_release_all(struct engine *engine);

/** A request has failed for good, in this session or (by what its row says) in an earlier one. `said`: what
 *  the server said then, in a line. */
void steer_note_failed(struct engine *engine, const struct request *request, const char *said);
void steer_restore_failed(struct engine *engine, const struct ledger_row *row);
void steer_release(struct engine *engine);

/* pace.c */
void pace_init(struct engine *engine, uint64_t now_us);

/** The only way to another cap; false when it is the same. `why` is a sentence for the events. */
bool pace_change_cap(struct engine *engine, unsigned cap, const char *why);
void pace_set_auto(struct engine *engine, bool on);
bool pace_is_under_way(const struct engine *engine); /* no hold, no pause: time counts */
void pace_note_limit(struct engine *engine);
void pace_tell_files(struct engine *engine); /* when they bind before the cap does */
void pace_tell_limit(struct engine *engine, uint64_t now_us);
void pace_tune(struct engine *engine, uint64_t now_us);
void pace_started(struct engine *engine, struct request *request, uint64_t now_us);

/** An attempt came back: what that says of its host. `asleep`: it died of our having been stopped.
 *  `is_limit`: its body says that a limit was met, whatever its status. To be told first. */
void pace_ended(struct engine *engine, struct host *host, const struct response *response,
                bool asleep, bool is_limit, uint64_t now_us);

/** The same attempt, before anything is made of it. */
void pace_answered(struct engine *engine, struct host *host, const struct response *response,
                   uint64_t now_us);
struct quota pace_read_quota(const struct engine *engine, const struct response *response);

/* limit.c */

/** Of an active run always one: what has none of its own is what the loop can do. */
enum run_limit limit_now(const struct engine *engine);

/** The same, with what is to be said of it. */
enum run_limit limit_of_ready(const struct engine *engine, const struct request *request,
                              uint64_t now_us); /* what keeps one back that may start by its time */
void limit_fill(struct engine *engine, uint64_t now_us, struct snapshot_limit *limit);

/** When a waiting request is asked at the earliest, and who says so: its own deadline, or its host's
 *  hold. TIME_NEVER while the user holds its host. */
const struct due *limit_due_of(const struct request *request, const struct host *host,
                               uint64_t now_us, uint64_t *due_us);
unsigned limit_open_files(void);   /* how many there may be */
unsigned limit_files_in_use(void); /* about */
unsigned limit_connections(void);  /* that leave enough of them */

/* pace_sweep.c */

/** The first cap of `sweep` from now on; the controller rests meanwhile. */
void pace_sweep_start(struct engine *engine, struct sweep *sweep);
void pace_sweep_by_user(struct engine *engine, struct str caps, char reply[CONTROL_REPLY_MAX]);
void pace_sweep(struct engine *engine, uint64_t now_us); /* with every tick */
void pace_sweep_end(struct engine *engine);              /* nothing more will be fetched */

/** Somebody else turns the cap from now on: one by a key is over. */
void pace_sweep_leave(struct engine *engine, const char *why);
bool pace_is_sweeping(const struct engine *engine);

/* table.c */
MUST_CHECK enum result table_order(struct engine *engine,
                                   struct err *err); /* all of them, by hand */
void table_order_due(struct engine *engine);         /* those that are to be made at the end */
void table_forget_orders(struct engine *engine);

/** Begins the next one that is ordered, unless one is under way; false when none is. */
bool table_next(struct engine *engine);
void table_cancel(struct engine *engine);
bool table_is_running(const struct engine *engine);
void table_snapshot(const struct engine *engine, struct snapshot_normalise *out);
uint64_t table_rows(const struct engine *engine); /* of the last tables of all endpoints */
uint64_t table_rows_of(const struct engine *engine, uint32_t endpoint);
const char *table_path(const struct engine *engine);         /* of the first table written, or "" */
const char *table_parquet_path(const struct engine *engine); /* likewise as Parquet */
/** Requests settled well that the table of these paths was made of. */
uint64_t table_made_of(const struct engine *engine);
void table_release(struct engine *engine);

#endif
