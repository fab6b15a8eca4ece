#include "plan/retry.h"

#include "base/clock.h"

#include <string.h>

#define RETRY_AFTER_MAX_S (INT64_C(3650) * 86400)

bool retry_method_is_idempotent(struct str method)
{
    static const struct str names[] = {
        STR_INIT("GET"),    STR_INIT("HEAD"),    STR_INIT("PUT"),
        STR_INIT("DELETE"), STR_INIT("OPTIONS"), STR_INIT("TRACE"),
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal(method, names[i])) {
            return true;
        }
    }
    return false;
}

bool retry_status_is_temporary(int status)
{
    switch (status) {
    case 408:
    case 425:
    case 429:
        return true;
    case 501: /* not implemented */
    case 505: /* HTTP version */
    case 506: /* negotiation that leads to itself */
    case 507: /* no storage; RFC 4918 section 11.5 forbids to repeat it unasked */
    case 510: /* an extension is wanted */
    case 511: /* a network's own login */
        return false;
    default:
        return status >= 500; /* RFC 9110 section 15: unknown ones are as 500 */
    }
}

static bool is_named(const struct job_retry *policy, int status)
{
    for (size_t i = 0; i < policy->status_count; i++) {
        if (policy->statuses[i] == status) {
            return true;
        }
    }
    return false;
}

bool retry_wants_status(const struct job_retry *policy, int status)
{
    if (is_named(policy, -status)) {
        return false;
    }
    if (is_named(policy, status)) {
        return true;
    }
    return policy->replaces_statuses ? status == 429 || status == 503
                                     : retry_status_is_temporary(status);
}

static bool is_put_off(const struct attempt *a)
{
    return a->has_deadline || a->is_limit;
}

bool retry_holds_host(const struct attempt *a)
{
    return a->outcome == OUTCOME_STATUS &&
           (a->status == 429 || ((a->status == 503 || a->status == 403) && is_put_off(a)));
}

/* May this be asked again at all, tries aside? */
static bool is_temporary(const struct attempt *a, const struct job_retry *policy)
{
    switch (a->outcome) {
    case OUTCOME_STATUS:
        return retry_wants_status(policy, a->status) || (a->status == 403 && is_put_off(a));
    case OUTCOME_DNS:
    case OUTCOME_CONNECT:
    case OUTCOME_TIMEOUT:
    case OUTCOME_SHORT_BODY:
    case OUTCOME_BAD_JSON:
    case OUTCOME_NO_RECORDS:
        return true;
    default:
        return false;
    }
}

/* RFC 9110 section 9.2.2: what is not idempotent is repeated only when it is known not to have been
 * acted on. */
static bool may_repeat(const struct attempt *a)
{
    if (a->idempotent || !a->sent) {
        return true;
    }
    return a->outcome == OUTCOME_STATUS && (a->status == 425 || retry_holds_host(a));
}

bool retry_is_doubtful(const struct attempt *a)
{
    return !a->idempotent && a->sent &&
           (a->outcome == OUTCOME_CONNECT || a->outcome == OUTCOME_TIMEOUT ||
            a->outcome == OUTCOME_SHORT_BODY || a->outcome == OUTCOME_LOCAL);
}

enum verdict retry_judge(const struct attempt *a, const struct job_retry *policy)
{
    switch (a->outcome) {
    case OUTCOME_OK:
        return VERDICT_DONE;
    case OUTCOME_REDIRECT:
        return VERDICT_REDIRECT;
    case OUTCOME_LOCAL:
        return may_repeat(a) ? VERDICT_FREE : VERDICT_FINAL;
    case OUTCOME_CANCELLED:
        return VERDICT_FREE;
    default:
        break;
    }
    if (!is_temporary(a, policy) || !may_repeat(a) || a->attempt >= policy->attempts) {
        return VERDICT_FINAL;
    }
    return VERDICT_AGAIN;
}

uint64_t retry_backoff_us(const struct job_retry *policy, uint32_t attempt, uint64_t random,
                          uint64_t *ceiling_us)
{
    uint64_t ceiling = policy->backoff_base_us;

    for (uint32_t i = 1; i < attempt && ceiling && ceiling < policy->backoff_cap_us; i++) {
        ceiling = ceiling > policy->backoff_cap_us / 2 ? policy->backoff_cap_us : ceiling * 2;
    }
    if (ceiling > policy->backoff_cap_us) {
        ceiling = policy->backoff_cap_us;
    }
    if (ceiling_us) {
        *ceiling_us = ceiling;
    }
    return ceiling == UINT64_MAX ? random : random % (ceiling + 1);
}

/* A fixed-form scanner: each step takes what it names or fails for good. */
struct scan {
    struct str rest;
    bool failed;
};

static void take(struct scan *s, const char *literal)
{
    struct str want = str_view(literal);

    if (s->failed || !str_starts(s->rest, want)) {
        s->failed = true;
        return;
    }
    s->rest.data += want.len;
    s->rest.len -= want.len;
}

static int take_digits(struct scan *s, size_t width)
{
    int value = 0;

    if (s->failed || s->rest.len < width) {
        s->failed = true;
        return 0;
    }
    for (size_t i = 0; i < width; i++) {
        int digit = s->rest.data[i] - '0';

        if (digit < 0 || digit > 9) {
            s->failed = true;
            return 0;
        }
        value = value * 10 + digit;
    }
    s->rest.data += width;
    s->rest.len -= width;
    return value;
}

static int take_name(struct scan *s, const char *const *names, int count)
{
    for (int i = 0; !s->failed && i < count; i++) {
        struct str name = str_view(names[i]);

        if (str_starts(s->rest, name)) {
            s->rest.data += name.len;
            s->rest.len -= name.len;
            return i;
        }
    }
    s->failed = true;
    return 0;
}

static const char *const day_names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char *const long_day_names[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday" };
static const char *const month_names[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

struct date {
    int year, month, day, hour, minute, second;
};

static void take_time_of_day(struct scan *s, struct date *d)
{
    d->hour = take_digits(s, 2);
    take(s, ":");
    d->minute = take_digits(s, 2);
    take(s, ":");
    d->second = take_digits(s, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool scan_imf(struct str text, struct date *d)
{
    struct scan s = { text, false };

    take_name(&s, day_names, 7);
    take(&s, ", ");
    d->day = take_digits(&s, 2);
    take(&s, " ");
    d->month = take_name(&s, month_names, 12) + 1;
    take(&s, " ");
    d->year = take_digits(&s, 4);
    take(&s, " ");
    take_time_of_day(&s, d);
    take(&s, " GMT");
    return !s.failed && s.rest.len == 0;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT": a year that looks more than 50 years ahead is the last one with
 * these digits (RFC 9110 section 5.6.7); so is one at most 50 ahead the next. */
static bool scan_rfc850(struct str text, int64_t wall_us, struct date *d)
{
    struct scan s = { text, false };
    char now[CLOCK_TEXT_SIZE];
    int this_year;

    take_name(&s, long_day_names, 7);
    take(&s, ", ");
    d->day = take_digits(&s, 2);
    take(&s, "-");
    d->month = take_name(&s, month_names, 12) + 1;
    take(&s, "-");
    d->year = take_digits(&s, 2);
    take(&s, " ");
    take_time_of_day(&s, d);
    take(&s, " GMT");
    clock_format_utc(wall_us, now);
    this_year = (now[0] - '0') * 1000 + (now[1] - '0') * 100 + (now[2] - '0') * 10 + now[3] - '0';
    d->year += this_year / 100 * 100;
    if (d->year > this_year + 50) {
        d->year -= 100;
    } else if (d->year + 100 <= this_year + 50) {
        d->year += 100;
    }
    return !s.failed && s.rest.len == 0;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool scan_asctime(struct str text, struct date *d)
{
    struct scan s = { text, false };

    take_name(&s, day_names, 7);
    take(&s, " ");
    d->month = take_name(&s, month_names, 12) + 1;
    take(&s, " ");
    if (str_starts(s.rest, STR(" "))) {
        take(&s, " ");
        d->day = take_digits(&s, 1);
    } else {
        d->day = take_digits(&s, 2);
    }
    take(&s, " ");
    take_time_of_day(&s, d);
    take(&s, " ");
    d->year = take_digits(&s, 4);
    return !s.failed && s.rest.len == 0;
}

static bool date_is_real(const struct date *d)
{
    static const int month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;

    return d->day >= 1 && d->day <= month_days[d->month - 1] &&
           (d->month != 2 || d->day < 29 || leap) && d->hour < 24 && d->minute < 60 &&
           d->second <= 60; /* a leap second */
}

bool retry_http_date(struct str text, int64_t wall_us, int64_t *unix_s)
{
    struct date d = { 0 };

    text = str_trim(text);
    if (!scan_imf(text, &d) && !scan_rfc850(text, wall_us, &d) && !scan_asctime(text, &d)) {
        return false;
    }
    if (!date_is_real(&d)) {
        return false;
    }
    *unix_s = clock_days_from_civil(d.year, (unsigned)d.month, (unsigned)d.day) * 86400 +
              d.hour * 3600 + d.minute * 60 + d.second;
    return true;
}

bool retry_after_parse(struct str value, struct str date, int64_t wall_us, uint64_t *wait_us)
{
    int64_t then_s, now_s;
    uint64_t seconds;

    value = str_trim(value);
    if (!value.len) {
        return false;
    }
    if (value.data[0] >= '0' && value.data[0] <= '9') {
        for (size_t i = 0; i < value.len; i++) {
            if (value.data[i] < '0' || value.data[i] > '9') {
                return false;
            }
        }
        if (!str_to_u64(value, &seconds) || seconds > (uint64_t)RETRY_AFTER_MAX_S) {
            seconds = (uint64_t)RETRY_AFTER_MAX_S; /* all digits: a number, however large */
        }
        *wait_us = seconds * US_PER_S;
        return true;
    }
    if (!retry_http_date(value, wall_us, &then_s)) {
        return false;
    }
    if (!retry_http_date(date, wall_us, &now_s)) {
        now_s = wall_us / (int64_t)US_PER_S;
    }
    if (then_s <= now_s) {
        *wait_us = 0;
    } else {
        int64_t wait_s = then_s - now_s;

        *wait_us = (uint64_t)(wait_s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : wait_s) * US_PER_S;
    }
    return true;
}
