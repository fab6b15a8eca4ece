/*
 * Limit: what keeps the run from going faster, in words, with the key or option that changes it.
 */
#include "base/clock.h"
#include "base/units.h"
#include "engine/engine_state.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define SPARE_FILES 64 /* for the store, tables and lists */

unsigned limit_open_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > UINT32_MAX) {
        return UINT32_MAX;
    }
    return (unsigned)limit.rlim_cur;
}

unsigned limit_files_in_use(void)
{
    /* The kernel gives the lowest free number: a new one tells about how many are in use. */
    int fd = dup(STDERR_FILENO);

    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0 ? (unsigned)fd : 0;
}

unsigned limit_connections(void)
{
    unsigned all = limit_open_files(), kept = limit_files_in_use() + SPARE_FILES;

    return all > 2 * kept ? all - kept : all / 2;
}

enum run_limit limit_now(const struct engine *e)
{
    if (!engine_is_active(e)) {
        return LIMIT_NONE;
    }
    return e->limit == LIMIT_NONE ? LIMIT_LOOP_CPU : e->limit;
}

/* The host whose cap, quota or hold it is: the one with most work kept back. */
static const struct host *limiting_host(const struct engine *e)
{
    const struct host *host = NULL;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *one = e->hosts.hosts[i];

        if (one->origin[0] && one->ready_count && (!host || one->ready_count > host->ready_count)) {
            host = one;
        }
    }
    return host;
}

static void cap_words(const struct engine *e, char text[LIMIT_TEXT_MAX])
{
    const char *who = pace_is_sweeping(e) ? "sweep turns it, b ends it"
                      : e->auto_on        ? "auto turns it"
                                          : "+ raises it";

    snprintf(text, LIMIT_TEXT_MAX, "CAP %u (%s)", e->cap, who);
}

static void rate_words(const struct engine *e, uint64_t now_us, char text[LIMIT_TEXT_MAX])
{
    char rate[UNITS_TEXT_MAX];
    const struct host *host = limiting_host(e);

    if (pacer_wait_us(&e->auto_pacer, now_us) > pacer_wait_us(&e->pacer, now_us)) {
        snprintf(text, LIMIT_TEXT_MAX, "RATE %.1f/s (auto; a ends it)", e->tuner.rate);
    } else if (e->pacer.rate.per_us) {
        units_format_rate(e->pacer.rate, rate);
        snprintf(text, LIMIT_TEXT_MAX, "RATE %s (t changes it)", rate);
    } else if (host && host->pacer.rate.per_us) {
        units_format_rate(host->pacer.rate, rate);
        snprintf(text, LIMIT_TEXT_MAX, "RATE %s a host (--rate-per-host)", rate);
    } else {
        snprintf(text, LIMIT_TEXT_MAX, "RATE of retries (a fifth of what is asked)");
    }
}

static void quota_words(const struct engine *e, uint64_t now_us, char text[LIMIT_TEXT_MAX])
{
    const struct host *host = limiting_host(e);
    char reset[UNITS_TEXT_MAX];

    if (!host || !allowance_is_of_now(&host->allowance, now_us)) {
        snprintf(text, LIMIT_TEXT_MAX, "BUDGET (the host's quota)");
        return;
    }
    units_format_countdown(host->allowance.reset_at_us - now_us, reset);
    if (host->allowance.limit) {
        snprintf(text, LIMIT_TEXT_MAX, "BUDGET %llu/%llu, resets %s",
                 (unsigned long long)host->allowance.left,
                 (unsigned long long)host->allowance.limit, reset);
    } else {
        snprintf(text, LIMIT_TEXT_MAX, "BUDGET %llu, resets %s",
                 (unsigned long long)host->allowance.left, reset);
    }
}

static void host_cap_words(const struct engine *e, char text[LIMIT_TEXT_MAX])
{
    const struct host *host = limiting_host(e);
    unsigned cap = host ? host_cap(&e->hosts, host) : 0;

    if (!cap) {
        snprintf(text, LIMIT_TEXT_MAX, "HOST CAP (first contacts)");
        return;
    }
    snprintf(text, LIMIT_TEXT_MAX, "HOST CAP %.*s %u (%s)",
             (int)(host->label.len < 40 ? host->label.len : 40), host->label.data, cap,
             host->window == cap                 ? "slow start"
             : host->allowance.concurrent == cap ? "it allows no more"
                                                 : "--cap-per-host");
}

static void hold_words(const struct engine *e, uint64_t now_us, char text[LIMIT_TEXT_MAX])
{
    uint64_t wake_us = frontier_wake_us(e->frontier, now_us);
    const struct host *host = limiting_host(e);
    char left[UNITS_TEXT_MAX], why[DUE_TEXT_MAX];

    if (wake_us == TIME_NEVER || (host && host->hold_is_user)) {
        snprintf(text, LIMIT_TEXT_MAX, "HOLD by you (H on the host releases it)");
        return;
    }
    units_format_countdown(wake_us > now_us ? wake_us - now_us : 0, left);
    due_format_hold(host ? &host->hold_due : &(struct due){ .by = DUE_NONE }, why);
    snprintf(text, LIMIT_TEXT_MAX, "HOLD %s (%.48s; r asks now)", left,
             host && host->hold_due.by                     ? why
             : frontier_wake_is_named(e->frontier, now_us) ? "the server asked"
                                                           : "after refusals");
}

static void waiting_words(const struct engine *e, uint64_t now_us, char text[LIMIT_TEXT_MAX])
{
    uint64_t wake_us = frontier_wake_us(e->frontier, now_us);
    char left[UNITS_TEXT_MAX];

    units_format_countdown(wake_us == TIME_NEVER || wake_us < now_us ? 0 : wake_us - now_us, left);
    snprintf(text, LIMIT_TEXT_MAX, "ALL WAITING, next in %s (r retries)", left);
}

static void round_words(const struct engine *e, uint64_t now_us, char text[LIMIT_TEXT_MAX])
{
    uint64_t due_us = poll_wake_us(e, now_us);
    char left[UNITS_TEXT_MAX], every[UNITS_TEXT_MAX];

    units_format_countdown(due_us > now_us ? due_us - now_us : 0, left);
    units_format_time(e->job->poll.every_us, every);
    snprintf(text, LIMIT_TEXT_MAX, "NEXT ROUND in %s (every %s)", left, every);
}

static void loop_words(const struct engine *e, char text[LIMIT_TEXT_MAX])
{
    if (e->checking_bytes >= ENGINE_CHECKING_BYTES_MAX) {
        snprintf(text, LIMIT_TEXT_MAX, "LOOP CPU (large bodies are being checked)");
    } else if (e->limit == LIMIT_NONE) {
        snprintf(text, LIMIT_TEXT_MAX, "LOOP CPU (starting as fast as the loop turns)");
    } else {
        snprintf(text, LIMIT_TEXT_MAX, "LOOP CPU %.0f %% (- lowers the cap)",
                 e->cpu.thread_percent);
    }
}

void limit_text(const struct engine *e, enum run_limit limit, uint64_t now_us,
                char text[LIMIT_TEXT_MAX])
{
    switch (limit) {
    case LIMIT_NONE:
    case LIMIT_COUNT:
        text[0] = '\0';
        break;
    case LIMIT_CAP:
        cap_words(e, text);
        break;
    case LIMIT_HOST_CAP:
        host_cap_words(e, text);
        break;
    case LIMIT_RATE:
        rate_words(e, now_us, text);
        break;
    case LIMIT_BUDGET:
        quota_words(e, now_us, text);
        break;
    case LIMIT_HOLD:
        hold_words(e, now_us, text);
        break;
    case LIMIT_AUTH:
        snprintf(text, LIMIT_TEXT_MAX, "AUTH (requests wait for the login)");
        break;
    case LIMIT_ROUND:
        round_words(e, now_us, text);
        break;
    case LIMIT_QUEUE_EMPTY:
        snprintf(text, LIMIT_TEXT_MAX, "QUEUE EMPTY (the last are in flight)");
        break;
    case LIMIT_PAGINATION:
        snprintf(text, LIMIT_TEXT_MAX, "PAGINATION (each page names the next)");
        break;
    case LIMIT_DESCRIPTORS:
        snprintf(text, LIMIT_TEXT_MAX, "FD LIMIT %u (ulimit -n raises it)", limit_open_files());
        break;
    case LIMIT_LOOP_CPU:
        loop_words(e, text);
        break;
    case LIMIT_DISK:
        snprintf(text, LIMIT_TEXT_MAX, "%s",
                 e->storage == RESULT_FULL ? "DISK FULL (free some space)"
                                           : "DISK (slower than the network; - lowers the cap)");
        break;
    case LIMIT_PAUSED:
        snprintf(text, LIMIT_TEXT_MAX, "%s",
                 e->paused ? "PAUSED (p resumes)" : "PAUSED (cap 0; + raises it)");
        break;
    case LIMIT_DRAINING:
        snprintf(text, LIMIT_TEXT_MAX, "DRAINING (q again aborts)");
        break;
    case LIMIT_ALL_WAITING:
        waiting_words(e, now_us, text);
        break;
    }
}
