#include "plan/retry.h"

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

/* An answer with this status says nothing of the next one: 408, 425, 429, and 5xx (known ones that are
 *  for good apart). */
static bool status_is_temporary(int status)
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
    return policy->replaces_statuses ? status == 429 || status == 503 : status_is_temporary(status);
}

static bool is_put_off(const struct attempt *a)
{
    return a->has_deadline || a->is_limit;
}

bool retry_is_load_status(int status)
{
    switch (status) {
    case 420: /* Twitter's "enhance your calm" */
    case 430: /* Shopify's */
    case 503:
    case 509: /* bandwidth limit exceeded */
    case 529: /* the site is overloaded */
        return true;
    default:
        return false;
    }
}

bool retry_holds_host(const struct attempt *a)
{
    return a->outcome == OUTCOME_STATUS &&
           (a->status == 429 ||
            ((retry_is_load_status(a->status) || a->status == 403) && is_put_off(a)));
}

/* May this be asked again at all, tries aside? */
static bool is_temporary(const struct attempt *a, const struct job_retry *policy)
{
    switch (a->outcome) {
    case OUTCOME_STATUS:
        return retry_wants_status(policy, a->status) ||
               ((a->status == 403 || retry_is_load_status(a->status)) && is_put_off(a));
    case OUTCOME_DNS:
    case OUTCOME_CONNECT:
    case OUTCOME_TIMEOUT:
    case OUTCOME_SHORT_BODY:
    case OUTCOME_BAD_JSON:
    case OUTCOME_BAD_BODY:
    case OUTCOME_NO_RECORDS:
        return true;
    case OUTCOME_PROXY:
        return !a->is_hopeless;
    case OUTCOME_WRONG_TYPE: /* a page in the place of data is there for all, or was an accident */
        return a->attempt < 2;
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
