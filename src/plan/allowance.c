#include "plan/allowance.h"

#include "base/clock.h"
#include "plan/pacer.h"

#define SPENT_SLACK_US UINT64_C(10000) /* what is spent comes back this much later than told */
#define SILENT_CREDIT 2                /* starts for each answer that tells nothing */
#define SILENT_MOST 64                 /* such starts in a row, and the quota is forgotten */
/* answers that tell of a spent quota which is back: nothing is meant by it */
#define IN_VAIN_MOST 8
#define TRANSITS 4 /* the shortest times to an answer after which any request has been counted */
#define DOUBT_WINDOWS UINT64_C(5) /* of no trust in the rate, the double each time */
#define DOUBTS_MOST 10

/* An answer, as it is worked on. */
struct told {
    const struct quota *quota;
    bool refused;
    uint64_t start;     /* which one it answers */
    uint64_t uncounted; /* later ones that the server may not have counted then */
    uint64_t reset_us;  /* when its quota comes back, at the latest ... */
    uint64_t slack_us;  /* ... and for want of a clock it may be this much earlier */
    uint64_t latency_us, counted_us, now_us;
};

static uint64_t less(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

bool allowance_is_of_now(const struct allowance *a, uint64_t now_us)
{
    return a->kind != ALLOWANCE_NONE && now_us < a->reset_at_us;
}

static void set_left(struct allowance *a, int64_t balance)
{
    a->balance = balance;
    a->left = balance > 0 ? (uint64_t)balance : 0;
}

/* --- by the rate ----------------------------------------------------------------------------------------- */

/* Between two starts; 0: not known. */
static double distance_us(const struct allowance *a)
{
    return a->limit ? (double)window_length_us(&a->window) / (ALLOWANCE_PART * (double)a->limit)
                    : 0;
}

static bool goes_by_rate(const struct allowance *a, uint64_t now_us)
{
    if (a->kind == ALLOWANCE_RATE) {
        return true;
    }
    return a->kind == ALLOWANCE_WINDOW && a->limit && a->is_explained &&
           now_us >= a->doubted_until_us && window_length_is_steady(&a->window, now_us);
}

static uint64_t rate_wait_us(const struct allowance *a, uint64_t now_us)
{
    double most = (double)a->window.longest_us / 100; /* of one window's starts in the next */
    double tolerance = most < (double)PACER_BURST_US ? most : (double)PACER_BURST_US;
    double early = a->due_us - (distance_us(a) < tolerance ? tolerance : 0) - (double)now_us;

    if (a->kind == ALLOWANCE_WINDOW && !a->left && !a->is_proven && a->trial) {
        return TIME_NEVER;
    }
    return early > 0 ? (uint64_t)early + 1 : 0;
}

/* --- by what is left -------------------------------------------------------------------------------------- */

/* What was told in whole seconds may end earlier: the quota should be used by then. */
static double sure_part_us(double us, uint64_t grain_us)
{
    return us - (double)grain_us > us / 3 ? us - (double)grain_us : us / 3 + 1;
}

static double left_interval_us(const struct allowance *a, uint64_t now_us)
{
    double over_us = (double)(a->reset_at_us - now_us);

    if (a->is_assumed && a->limit && a->window.longest_us) {
        return distance_us(a);
    }
    if (goes_by_rate(
            a, now_us)) { /* which is fast enough, save late in a window that was hardly used */
        double least_us =
            (double)a->window.longest_us / 8; /* the reset may be that of one request only */

        over_us = over_us > least_us ? over_us : least_us;
    } else {
        over_us = sure_part_us(over_us, a->grain_us);
    }
    return over_us / (double)a->left;
}

static uint64_t left_wait_us(const struct allowance *a, uint64_t now_us)
{
    uint64_t reset_us = a->reset_at_us - now_us;
    double interval, early;

    if (!a->left) {
        return reset_us;
    }
    interval = left_interval_us(a, now_us);
    early = a->next_us - (interval < (double)PACER_BURST_US ? (double)PACER_BURST_US : 0) -
            (double)now_us;
    return early <= 0 ? 0 : early < (double)reset_us ? (uint64_t)early + 1 : reset_us;
}

/* --- what time changes ------------------------------------------------------------------------------------ */

static void fill(struct allowance *a, uint64_t now_us)
{
    a->tokens += (double)minus(now_us, a->tokens_at_us) * a->refill_per_us * ALLOWANCE_PART;
    a->tokens = a->tokens < (double)a->limit ? a->tokens : (double)a->limit;
    a->tokens_at_us = a->tokens_at_us > now_us ? a->tokens_at_us : now_us;
    a->left = a->tokens > 0 ? (uint64_t)a->tokens : 0;
}

/* The window is over: what the next one has is a guess. */
static void end_window(struct allowance *a, uint64_t now_us)
{
    uint64_t window_us = a->window.longest_us ? a->window.longest_us : US_PER_S;
    uint64_t length_us = (uint64_t)((double)window_us / ALLOWANCE_PART);
    bool is_all = a->kind == ALLOWANCE_RATE || (a->gives_all && !a->gives_part);
    bool are_counted = now_us >= a->told_at_us + TRANSITS * a->transit_us; /* those on their way */

    a->ended_spent = a->left == 0;
    a->ended_at = a->starts;
    if (is_all && a->limit) {
        set_left(a, (int64_t)a->limit);
    } else {
        set_left(a, (are_counted && a->balance < 0 ? 0 : a->balance) + 1);
    }
    if (a->limit && a->left > a->limit) {
        set_left(a, (int64_t)a->limit);
    }
    a->is_assumed = a->kind == ALLOWANCE_WINDOW;
    a->is_first_window = false;
    a->credit = 0;
    a->reset_at_us += ((now_us - a->reset_at_us) / length_us + 1) * length_us;
}

static void pass_time(struct allowance *a, uint64_t now_us)
{
    if (a->kind == ALLOWANCE_BUCKET) {
        fill(a, now_us);
    } else if (a->kind != ALLOWANCE_NONE && now_us >= a->reset_at_us) {
        end_window(a, now_us);
    }
}

/* --- starts -------------------------------------------------------------------------------------------------- */

static bool is_unspread(const struct allowance *a, uint64_t work_left)
{
    if (a->is_assumed || !a->left || a->left < work_left) {
        return false;
    }
    return a->kind != ALLOWANCE_RATE ||
           (a->is_first_window && a->window.longest_us > ALLOWANCE_BURST_WINDOW_US);
}

uint64_t allowance_wait_us(const struct allowance *allowance, uint64_t work_left, uint64_t now_us)
{
    struct allowance a;
    uint64_t by_rate;

    if (allowance->kind == ALLOWANCE_NONE) {
        return 0;
    }
    a = *allowance;
    pass_time(&a, now_us);
    if (a.kind == ALLOWANCE_BUCKET) {
        return a.left ? 0 : (uint64_t)((1 - a.tokens) / (a.refill_per_us * ALLOWANCE_PART)) + 1;
    }
    if (is_unspread(&a, work_left)) {
        return 0;
    }
    if (!goes_by_rate(&a, now_us)) {
        return left_wait_us(&a, now_us);
    }
    by_rate = rate_wait_us(&a, now_us);
    /* What an ended window gives may be taken already by what is on its way. */
    return a.kind == ALLOWANCE_RATE || (a.is_assumed && by_rate != TIME_NEVER)
               ? by_rate
               : less(by_rate, left_wait_us(&a, now_us));
}

static void charge(double *next_us, double interval_us, uint64_t now_us)
{
    *next_us = (*next_us > (double)now_us ? *next_us : (double)now_us) + interval_us;
}

static void note_start(struct allowance *a, uint64_t now_us)
{
    a->starts++;
    recent_pass_time(&a->own, 2 * (a->window.longest_us ? a->window.longest_us : US_PER_S), now_us);
    recent_add(&a->own);
    recent_pass_time(&a->waiting, 2 * TRANSITS * a->transit_us, now_us);
    recent_add(&a->waiting);
}

void allowance_start(struct allowance *a, uint64_t now_us)
{
    pass_time(a, now_us);
    note_start(a, now_us);
    if (a->kind == ALLOWANCE_NONE) {
        return;
    }
    if (a->kind == ALLOWANCE_BUCKET) {
        a->tokens -= 1;
        a->left = a->tokens > 0 ? (uint64_t)a->tokens : 0;
        return;
    }
    charge(&a->due_us, distance_us(a), now_us);
    if (a->kind == ALLOWANCE_WINDOW && a->left) {
        charge(&a->next_us, left_interval_us(a, now_us), now_us);
    } else if (a->kind == ALLOWANCE_WINDOW && goes_by_rate(a, now_us)) {
        a->ahead_from = a->ahead_to + 1 == a->starts ? a->ahead_from : a->starts;
        a->ahead_to = a->starts;
        a->trial = a->is_proven ? 0 : a->starts;
    }
    set_left(a, a->balance - 1);
}

/* --- what answers tell of buckets and rates ------------------------------------------------------------------- */

/* An older request's answer, after a newer one's: what it tells is old, but it is on its way no more. When it
 * was refused, or the newer answer had counted it already, it takes nothing off. */
static bool was_counted_after(struct allowance *a, const struct told *t)
{
    if (t->refused || t->quota->left >= a->told_left) {
        return false;
    }
    a->told_left = t->quota->left;
    return true;
}

static void tell_bucket(struct allowance *a, const struct told *t)
{
    const struct quota *quota = t->quota;
    double full_us;

    if (a->kind == ALLOWANCE_BUCKET && a->limit == quota->limit && t->start < a->told_by) {
        a->tokens += t->refused;
        return;
    }
    a->kind = ALLOWANCE_BUCKET;
    a->limit = quota->limit;
    a->told_by = t->start;
    a->refill_per_us = quota->refill_per_s / (double)US_PER_S;
    a->tokens = (double)quota->left - (double)t->uncounted;
    a->tokens_at_us = minus(t->now_us, a->transit_us); /* one more will take as long to get there */
    a->left = minus(quota->left, t->uncounted);
    full_us = ((double)a->limit - a->tokens) / a->refill_per_us;
    a->reset_at_us =
        t->now_us + (full_us < (double)QUOTA_RESET_MAX_US ? (uint64_t)full_us : QUOTA_RESET_MAX_US);
}

/* Told again with every answer, counted once. */
static void tell_rate(struct allowance *a, const struct told *t)
{
    const struct quota *quota = t->quota;
    uint64_t used = less(t->uncounted + 1, quota->limit);

    if (a->kind == ALLOWANCE_RATE && a->limit == quota->limit &&
        a->window.longest_us == quota->window_us) {
        return;
    }
    a->kind = ALLOWANCE_RATE;
    a->is_assumed = false;
    a->limit = quota->limit;
    window_length_tell(&a->window, quota->window_us);
    set_left(a, (int64_t)(quota->limit - used));
    a->reset_at_us = t->now_us + quota->window_us;
    a->due_us = (double)t->now_us + (double)used * distance_us(a);
    a->is_first_window = true;
}

/* Some answers tell the quota and others do not. In an assumed window only a few start until an answer
 * tells more; when none does, there may be no quota any more. */
static void tell_nothing(struct allowance *a, const struct told *t)
{
    if (a->kind != ALLOWANCE_WINDOW || !a->is_assumed || t->start <= a->ended_at) {
        return;
    }
    set_left(a, a->balance + SILENT_CREDIT);
    a->credit += SILENT_CREDIT;
    if (a->credit > SILENT_MOST || (a->limit && a->credit > a->limit)) {
        a->kind = ALLOWANCE_NONE;
    }
}

/* --- what answers tell of windows ------------------------------------------------------------------------------ */

/* Whatever the server has counted, one more is in time when those could have been made since the newest
 * answer, and those on their way, too. */
static void lower_due(struct allowance *a, uint64_t uncounted)
{
    uint64_t used = minus(a->limit, a->told_left) + uncounted;
    double due_us = (double)a->told_at_us + (double)used * distance_us(a);

    if (a->due_us > due_us || !a->due_is_known) {
        a->due_us = due_us;
        a->due_is_known = true;
    }
}

/* A start by the rate was refused: the window is longer than it seemed, or it is not ours alone. */
static void learn_refusal(struct allowance *a, const struct told *t)
{
    recent_take(&a->own, t->now_us);
    /* The first after the end of a spent window: it had not ended. */
    a->rounds_down |= a->is_assumed && a->ended_spent && t->start > a->ended_at && !t->quota->left;
    if (t->start < a->ahead_from || t->start > a->ahead_to) {
        return;
    }
    a->is_proven = false;
    if (window_length_add(&a->window)) {
        return;
    }
    a->doubts += a->doubts < DOUBTS_MOST;
    a->doubted_until_us = t->now_us + (DOUBT_WINDOWS << a->doubts) * a->window.longest_us;
}

/* Of what was before: of an older request, or of the window that has ended here. */
static bool is_old(struct allowance *a, const struct told *t)
{
    if (t->start < a->told_by) {
        if (!was_counted_after(a, t) && !a->is_assumed) {
            set_left(a, a->balance + 1);
            lower_due(a, t->uncounted);
        } else if (a->is_assumed && a->balance < 0) {
            set_left(a, a->balance + 1);
        }
        return true;
    }
    if (a->is_assumed && t->start <= a->ended_at && t->quota->left <= a->left &&
        a->window.longest_us > 2 * t->latency_us) {
        set_left(a, a->balance < 0 ? a->balance + 1 : a->balance);
        return true;
    }
    return false;
}

/* The reset, counted by the server's clock as it has come to be known. */
static void learn_reset(struct allowance *a, struct told *t)
{
    const struct quota *quota = t->quota;
    struct server_clock before;
    int64_t server_us, moment_us;

    t->reset_us = quota->has_reset ? quota->reset_us : quota->window_us;
    if (!quota->has_reset || !quota->has_date) {
        return;
    }
    before = a->clock;
    server_clock_note(&a->clock, quota->date_us, t->latency_us, t->now_us);
    if (before.is_known && a->clock.low_us >= before.low_us && a->clock.high_us <= before.high_us) {
        uint64_t later_us = (uint64_t)(a->clock.low_us - before.low_us);

        /* All that was counted by it ends so much earlier. */
        window_length_correct(&a->window, later_us, (uint64_t)(before.high_us - a->clock.high_us));
        a->reset_at_us = a->reset_at_us > t->now_us + later_us ? a->reset_at_us - later_us
                                                               : less(a->reset_at_us, t->now_us);
    }
    server_us = server_clock_us(&a->clock, t->counted_us);
    moment_us = quota->date_us + (int64_t)quota->reset_us;
    t->slack_us = server_clock_slack_us(&a->clock);
    t->reset_us = moment_us > server_us ? (uint64_t)(moment_us - server_us) : 0;
}

/* All answers of one window name the same end, rounded up to the grain: the earliest is nearest to it. */
static uint64_t reset_at(const struct allowance *a, const struct told *t)
{
    const struct quota *quota = t->quota;
    uint64_t at_us = t->counted_us + t->reset_us + (a->rounds_down ? quota->grain_us : 0);
    uint64_t grain_us = quota->grain_us + t->slack_us + SPENT_SLACK_US;
    bool is_known = a->told_by && !a->is_assumed && t->now_us < a->reset_at_us;

    if (!quota->left && t->reset_us) {
        at_us += SPENT_SLACK_US;
    }
    if (!is_known || at_us <= a->reset_at_us || quota->left > a->left + t->uncounted) {
        return at_us; /* what has come back shows that a new one has begun */
    }
    return !quota->has_reset || at_us - a->reset_at_us <= grain_us ? a->reset_at_us : at_us;
}

static void learn_window(struct allowance *a, const struct told *t)
{
    const struct quota *quota = t->quota;

    a->grain_us = quota->grain_us + t->slack_us;
    if (quota->window_us) {
        window_length_tell(&a->window, quota->window_us);
    } else {
        window_length_note(&a->window, t->reset_us, t->slack_us, quota->grain_us > 0,
                           quota->left + 1 == quota->limit, t->now_us);
    }
}

static void learn_usage(struct allowance *a, const struct told *t)
{
    uint64_t used = minus(a->limit, a->told_left) + t->uncounted;

    if (!a->limit || !a->window.longest_us) {
        return;
    }
    recent_pass_time(&a->own, 2 * a->window.longest_us, t->now_us);
    a->is_explained = (a->window.is_told || a->window.longest_us > 2 * t->latency_us) &&
                      used <= recent_count(&a->own, a->window.longest_us + t->latency_us);
    lower_due(a, t->uncounted);
}

static void forget_window(struct allowance *a)
{
    a->window = (struct window_length){ .is_told = false };
    a->told_by = a->trial = a->ahead_to = 0;
    a->gives_all = a->gives_part = a->is_proven = a->due_is_known = a->is_assumed = false;
}

static void tell_window(struct allowance *a, struct told *t)
{
    const struct quota *quota = t->quota;

    if (a->kind != ALLOWANCE_WINDOW || a->limit != quota->limit) {
        forget_window(a);
    }
    learn_reset(a, t);
    if (t->refused) {
        learn_refusal(a, t);
    }
    if (a->trial && t->start >= a->trial) {
        a->is_proven = !t->refused;
        a->trial = 0;
    }
    if (is_old(a, t)) {
        return;
    }
    a->in_vain = quota->left || !quota->has_reset || t->reset_us ? 0 : a->in_vain + 1;
    a->is_real |= t->refused;
    if (a->in_vain > IN_VAIN_MOST && !a->is_real) {
        a->kind = ALLOWANCE_NONE;
        return;
    }
    if (a->is_assumed && a->ended_spent && t->start > a->ended_at) {
        bool is_all = quota->left + (t->start - a->ended_at) >= quota->limit;

        a->gives_all |= is_all;
        a->gives_part |= !is_all;
    }
    a->reset_at_us = reset_at(a, t);
    a->kind = ALLOWANCE_WINDOW;
    a->is_assumed = false;
    a->limit = quota->limit;
    set_left(a, (int64_t)quota->left - (int64_t)t->uncounted);
    a->told_by = t->start;
    a->told_left = quota->left;
    a->told_at_us = t->counted_us;
    learn_window(a, t);
    learn_usage(a, t);
    if (t->now_us < a->reset_at_us && a->left) {
        double soonest_us = (double)t->now_us + left_interval_us(a, t->now_us);

        a->next_us = a->next_us < soonest_us ? a->next_us : soonest_us; /* spread anew */
    }
}

/* Nothing is left, as each refusal knows: what comes after the reset is told by no other answer, and is to be
 * found out (plan/told_window.h). */
static bool is_only_refusals(const struct allowance *a, const struct told *t)
{
    return t->refused && a->kind == ALLOWANCE_NONE && t->quota->has_left && !t->quota->left &&
           !t->quota->limit;
}

void allowance_tell(struct allowance *a, const struct quota *quota,
                    const struct allowance_answer *answer, uint64_t now_us)
{
    struct told t = {
        .quota = quota,
        .refused = answer->refused,
        .start = minus(a->starts, answer->newer),
        .latency_us = answer->latency_us,
        .counted_us = minus(now_us, answer->latency_us / 2),
        .now_us = now_us,
    };

    if (quota->concurrent) {
        a->concurrent = quota->concurrent;
    }
    if (!a->transit_us || answer->latency_us < a->transit_us) {
        a->transit_us = answer->latency_us;
    }
    recent_pass_time(&a->waiting, 2 * TRANSITS * a->transit_us, now_us);
    recent_take(&a->waiting, minus(now_us, answer->latency_us));
    t.uncounted = recent_count(&a->waiting, TRANSITS * a->transit_us);
    pass_time(a, now_us);
    if (is_only_refusals(a, &t)) {
        return;
    }
    if (quota->has_left && quota->limit && quota->refill_per_s > 0) {
        tell_bucket(a, &t);
    } else if (quota->has_left && (quota->has_reset || quota->window_us)) {
        tell_window(a, &t);
    } else if (!quota->has_left && quota->limit && quota->window_us) {
        tell_rate(a, &t);
    } else {
        tell_nothing(a, &t);
    }
}
