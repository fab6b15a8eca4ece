#include "plan/quota.h"

#include "base/clock.h"
#include "plan/quota_name.h"
#include "plan/quota_value.h"
#include "plan/retry_after.h"
#include "plan/sfield.h"

#include <stdio.h>
#include <string.h>

#define RESOURCE_MAX 64
#define PARTS_MAX 8 /* of one header's list that are read */

/* One limit, as it comes together from several fields. */
struct policy {
    char key[QUOTA_KEY_MAX];
    struct str name; /* that a structured field gives it */
    bool has_left, has_used, has_reset, is_moment, is_foreign;
    uint64_t left, used, limit, reset_us, grain_us, window_us;
    uint64_t refill_us; /* a full bucket comes back in so long */
    double refill;      /* in each window, or second */
};

struct reading {
    struct policy policies[QUOTA_POLICIES_MAX];
    size_t count;
    int64_t wall_us; /* of the server */
    bool has_date;   /* which told it, cut off to the second */
    uint64_t concurrent;
    struct str resource;
};

static bool has_char(struct str text, char c)
{
    return text.len && memchr(text.data, c, text.len);
}

static struct policy *policy_of(struct reading *r, const char *key)
{
    struct policy *p;

    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->policies[i].key, key) == 0) {
            return &r->policies[i];
        }
    }
    if (r->count == QUOTA_POLICIES_MAX) {
        return NULL;
    }
    p = &r->policies[r->count++];
    *p = (struct policy){ .window_us = 0 };
    snprintf(p->key, sizeof p->key, "%s", key);
    return p;
}

/* As above; the text tells policies of one header apart. */
static struct policy *policy_named(struct reading *r, const char *kind, struct str text)
{
    char key[QUOTA_KEY_MAX];

    snprintf(key, sizeof key, "%s%.*s", kind, (int)(text.len < sizeof key ? text.len : sizeof key),
             text.len ? text.data : "");
    return policy_of(r, key);
}

static void note_concurrent(struct reading *r, uint64_t number)
{
    if (number && (!r->concurrent || number < r->concurrent)) {
        r->concurrent = number;
    }
}

static void set_reset(struct policy *p, uint64_t reset_us, uint64_t grain_us, bool moment)
{
    if (!p->has_reset || reset_us > p->reset_us) {
        p->reset_us = reset_us;
        p->grain_us = grain_us;
        p->is_moment = moment;
    }
    p->has_reset = true;
}

static void set_left(struct policy *p, uint64_t left)
{
    p->left = p->has_left && p->left < left ? p->left : left;
    p->has_left = true;
}

/* --- structured fields ------------------------------------------------------------------------------------------ */

/* What a member's parameters say; the fields of one member, kept only when the whole field is good. */
struct parameters {
    bool has_left, has_limit, has_reset, has_window, is_concurrent, is_foreign;
    uint64_t left, limit, reset_s, window_s;
};

static void read_parameter(struct parameters *p, struct str key, const struct sfield_value *value)
{
    bool is_number = value->type == SFIELD_NUMBER;

    if (str_equal(key, STR("qu"))) {
        p->is_concurrent = str_equal(value->text, STR("concurrent-requests"));
        p->is_foreign = !p->is_concurrent && !str_equal(value->text, STR("requests"));
    } else if (is_number && str_equal(key, STR("r"))) {
        p->has_left = quota_value_to_count(value->number, &p->left);
    } else if (is_number && str_equal(key, STR("q"))) {
        p->has_limit = quota_value_to_count(value->number, &p->limit);
    } else if (is_number && str_equal(key, STR("t"))) {
        p->has_reset = quota_value_to_count(value->number, &p->reset_s);
    } else if (is_number && str_equal(key, STR("w"))) {
        p->has_window = quota_value_to_count(value->number, &p->window_s);
    }
}

static void add_parameters(struct reading *r, struct str name, const struct parameters *p)
{
    struct policy *policy;

    if (p->is_concurrent && p->has_limit) {
        note_concurrent(r, p->limit);
        return;
    }
    policy = policy_named(r, "=", name);
    if (!policy) {
        return;
    }
    policy->name = name;
    policy->is_foreign |= p->is_concurrent || p->is_foreign;
    if (p->has_left) {
        policy->has_left = true;
        policy->left = p->left;
    }
    if (p->has_reset) {
        policy->has_reset = true;
        policy->reset_us = quota_value_us(p->reset_s);
        policy->grain_us = US_PER_S;
    }
    policy->limit = p->has_limit ? p->limit : policy->limit;
    policy->window_us = p->has_window ? quota_value_us(p->window_s) : policy->window_us;
}

/* limit=100, remaining=50, reset=30: one limit, spread over the members. */
static void read_dictionary_member(struct parameters *all, struct str key,
                                   const struct sfield_value *value)
{
    if (value->type != SFIELD_NUMBER) {
        return;
    }
    if (str_equal(key, STR("remaining"))) {
        all->has_left = quota_value_to_count(value->number, &all->left);
    } else if (str_equal(key, STR("limit"))) {
        all->has_limit = quota_value_to_count(value->number, &all->limit);
    } else if (str_equal(key, STR("reset"))) {
        all->has_reset = quota_value_to_count(value->number, &all->reset_s);
    }
}

static void read_structured(struct reading *r, struct str text)
{
    struct reading before = *r; /* a field with an error anywhere must leave no trace */
    struct parameters all = { 0 };
    struct sfield field;
    struct sfield_value value, argument;
    struct str key, name;

    sfield_begin(&field, text);
    while (sfield_member(&field, &key, &value)) {
        struct parameters one = { 0 };

        read_dictionary_member(&all, key, &value);
        /* Before draft 08 a policy had no name: its quota was the item, as in 100;w=60. */
        one.has_limit =
            value.type == SFIELD_NUMBER && quota_value_to_count(value.number, &one.limit);
        while (sfield_parameter(&field, &name, &argument)) {
            read_parameter(&one, name, &argument);
        }
        if (!field.is_dictionary) {
            add_parameters(r, value.text, &one);
        }
    }
    if (!sfield_is_whole(&field)) {
        *r = before;
    } else if (field.is_dictionary) {
        add_parameters(r, STR_NONE, &all);
    }
}

/* --- fields whose value has a form of its own ---------------------------------------------------------------------- */

/* "39/40", "api-usage=18/5000, per-app-api-usage=17/250(appName=sample)": used of the limit. */
static void read_share(struct policy *p, struct str value)
{
    struct str limit = str_cut(&value, ','), used;
    double number;

    if (has_char(limit, '=')) {
        (void)str_cut(&limit, '=');
    }
    used = str_cut(&limit, '/');
    if (quota_value_number(used, &number) && quota_value_to_count(number, &p->used) &&
        quota_value_number(limit, &number) && quota_value_to_count(number, &p->limit)) {
        p->has_used = true;
    }
}

/* "20:1,100:120", and what is used of them "3:1,40:120": numbers, each with its window in seconds; after
 * them may stand how long one who passes it is kept out. */
static bool read_pairs(struct reading *r, const struct quota_name *name, struct str value)
{
    bool is_read = false;

    for (int i = 0; value.data && i < PARTS_MAX; i++) {
        struct str window = str_cut(&value, ','), first = str_cut(&window, ':');
        struct policy *p;
        uint64_t us;
        double number;

        window = str_trim(str_cut(&window, ':'));
        if (!quota_value_number(first, &number) || !duration_parse(window, US_PER_S, &us) || !us) {
            return is_read;
        }
        p = policy_named(r, name->key, window);
        is_read = true;
        if (!p) {
            continue;
        }
        p->window_us = us;
        if (name->part == QUOTA_USED) {
            p->has_used = quota_value_to_count(number, &p->used);
        } else {
            (void)quota_value_to_count(number, &p->limit);
        }
    }
    return is_read;
}

/* "Microsoft.Compute/HighCostGet3Min;159,Microsoft.Compute/HighCostGet30Min;720". */
static void read_each_left(struct reading *r, struct str value)
{
    for (int i = 0; value.data && i < PARTS_MAX; i++) {
        struct str left = str_cut(&value, ','), name = str_trim(str_cut(&left, ';')), span = name;
        struct policy *p;
        double number;

        if (!quota_value_number(left, &number) || !name.len) {
            return;
        }
        p = policy_named(r, "each-", name);
        if (!p) {
            return;
        }
        p->name = name;
        p->has_left = quota_value_to_count(number, &p->left);
        while (span.len > 4 && !(span.data[0] >= '0' && span.data[0] <= '9')) {
            span.data++;
            span.len--;
        }
        if (!duration_parse(span, US_PER_S, &p->window_us)) {
            p->window_us = 0;
        }
    }
}

static void read_rate(struct policy *p, struct str value)
{
    double rate;

    if (!quota_value_number(value, &rate) || !(rate > 1e-6)) {
        return;
    }
    p->limit = rate >= 1 && rate == (double)(uint64_t)rate ? (uint64_t)rate : 1;
    p->window_us = (uint64_t)((double)p->limit / rate * (double)US_PER_S);
}

/* --- fields of one value each ---------------------------------------------------------------------------------------- */

static void read_reset(const struct reading *r, struct policy *p, const struct quota_name *name,
                       struct str value)
{
    uint64_t us;

    if (name->is_delta ? duration_parse(value, name->unit_us, &us)
                       : quota_value_reset(value, name->unit_us, r->wall_us, &us)) {
        set_reset(p, us, quota_value_grain_us(value, us),
                  !name->is_delta && quota_value_is_moment(value, name->unit_us));
    }
}

static void read_resource(struct reading *r, struct str value)
{
    value = str_trim(value);
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"') {
        value.data++;
        value.len -= 2;
    }
    if (value.len && value.len <= RESOURCE_MAX) {
        r->resource = value;
    }
}

static void read_limit(struct policy *p, struct str value)
{
    uint64_t number;

    if (quota_value_count(value, &number)) {
        p->limit = number;
        quota_value_window(value, &p->window_us);
    } else if (duration_parse(value, US_PER_S, &number) && number) {
        p->window_us = number; /* AspNetCoreRateLimit: X-Rate-Limit-Limit: 1m */
    }
}

static void read_part(struct reading *r, const struct quota_name *name, struct str value)
{
    struct policy *p = policy_of(r, name->key);
    uint64_t number;

    if (!p) {
        return;
    }
    p->is_foreign |= name->is_foreign;
    p->window_us = name->window_us ? name->window_us : p->window_us;
    p->refill_us = name->refill_us ? name->refill_us : p->refill_us;
    switch (name->part) {
    case QUOTA_LIMIT:
        read_limit(p, value);
        break;
    case QUOTA_LEFT:
        if (quota_value_count(value, &number)) {
            set_left(p, number);
            quota_value_window(value, &p->window_us);
        }
        break;
    case QUOTA_USED:
        p->has_used = quota_value_count(value, &p->used);
        break;
    case QUOTA_RESET:
        read_reset(r, p, name, value);
        break;
    case QUOTA_WINDOW:
        if (quota_value_span(value, name->unit_us, &number)) {
            p->window_us = number;
        }
        break;
    case QUOTA_REFILL:
        if (!quota_value_number(value, &p->refill)) {
            p->refill = 0;
        }
        break;
    case QUOTA_RATE:
        read_rate(p, value);
        break;
    case QUOTA_SHARE:
        read_share(p, value);
        break;
    default:
        break;
    }
}

/* Zendesk-RateLimit-Tickets-Index: total=100; remaining=99; resets=41 */
static void read_dictionary(struct reading *r, const struct quota_name *outer, struct str value)
{
    for (int i = 0; value.data && i < PARTS_MAX; i++) {
        struct str one = str_trim(str_cut(&value, has_char(value, ';') ? ';' : ','));
        struct str word = str_cut(&one, '=');
        struct quota_name name;
        char text[40];

        snprintf(text, sizeof text, "ratelimit-%.*s", (int)(word.len < 24 ? word.len : 24),
                 word.len ? word.data : "");
        if (one.data && quota_name_read(str_view(text), &name)) {
            memcpy(name.key, outer->key, sizeof name.key);
            read_part(r, &name, one);
        }
    }
}

static bool may_be_pairs(enum quota_part part)
{
    return part == QUOTA_NOTHING || part == QUOTA_LIMIT || part == QUOTA_USED;
}

static void read_field(struct reading *r, const struct quota_field *field)
{
    struct quota_name name;
    uint64_t number;

    if (!quota_name_read(field->name, &name)) {
        return;
    }
    if (name.part == QUOTA_STRUCTURED) {
        read_structured(r, field->value);
    } else if (name.part == QUOTA_EACH_LEFT) {
        read_each_left(r, field->value);
    } else if (name.part == QUOTA_CONCURRENT) {
        if (quota_value_count(field->value, &number)) {
            note_concurrent(r, number);
        }
    } else if (name.part == QUOTA_RESOURCE ||
               (name.part == QUOTA_POLICY && !quota_value_count(field->value, &number))) {
        read_resource(r, field->value);
    } else if (has_char(field->value, '=') && name.part == QUOTA_NOTHING) {
        read_dictionary(r, &name, field->value);
    } else if (!may_be_pairs(name.part) || !read_pairs(r, &name, field->value)) {
        name.part = name.part == QUOTA_POLICY ? QUOTA_LIMIT : name.part;
        read_part(r, &name, field->value);
    }
}

bool quota_is_field(struct str name)
{
    struct quota_name read;

    return quota_name_read(name, &read) || retry_after_unit_us(name);
}

/* --- what they come to ------------------------------------------------------------------------------------------------ */

/* A limit of 0 with nothing left is how some say that there is none. */
static bool is_usable(const struct policy *p)
{
    return p->has_left && !p->is_foreign && (p->left || p->limit || p->has_reset);
}

/* Kong tells X-RateLimit-Remaining-Minute beside RateLimit-Remaining and RateLimit-Reset, and draft 06 the
 * window in RateLimit-Policy: what has the same numbers is one limit. */
static void complete(struct reading *r, struct policy *p)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct policy *other = &r->policies[i];

        if (other == p || !p->limit || other->limit != p->limit || other->is_foreign) {
            continue;
        }
        if (!p->has_reset && other->has_reset && other->has_left && other->left == p->left) {
            set_reset(p, other->reset_us, other->grain_us, other->is_moment);
        }
        if (!p->window_us && other->window_us && (!other->has_left || other->left == p->left)) {
            p->window_us = other->window_us;
        }
    }
}

static void settle(struct reading *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct policy *p = &r->policies[i];

        if (p->has_used && p->limit && !p->has_left) {
            set_left(p, p->limit > p->used ? p->limit - p->used : 0);
        }
    }
    for (size_t i = 0; i < r->count; i++) {
        if (is_usable(&r->policies[i])) {
            complete(r, &r->policies[i]);
        }
    }
}

static struct quota quota_of(const struct reading *r, const struct policy *p)
{
    struct quota q = { .has_left = p->has_left,
                       .left = p->left,
                       .has_reset = p->has_reset,
                       .reset_us = p->reset_us,
                       .grain_us = p->grain_us,
                       .has_date = p->is_moment && r->has_date,
                       .date_us = r->has_date ? r->wall_us : 0,
                       .limit = p->limit,
                       .window_us = p->window_us,
                       .concurrent = r->concurrent,
                       .resource = r->resource.len ? r->resource : p->name };

    if (p->refill > 0) { /* so much in each window: which is no window's quota, then */
        q.refill_per_s = p->refill / (p->window_us ? (double)p->window_us / 1e6 : 1);
        q.window_us = 0;
    } else if (p->refill_us) {
        q.refill_per_s = (double)p->limit / ((double)p->refill_us / 1e6);
    }
    q.refill_per_s = q.refill_per_s < QUOTA_REFILL_MAX ? q.refill_per_s : QUOTA_REFILL_MAX;
    return q;
}

uint64_t quota_wait_us(const struct quota *quota)
{
    return quota->has_reset ? quota->reset_us : quota->window_us;
}

/* One with a deadline is tighter than one without; else the one that allows fewer a second, which is
 * left / wait; among those that allow none, the one that does so for longer. */
static bool is_tighter(const struct quota *a, const struct quota *b)
{
    bool waits_a = a->has_reset || a->window_us, waits_b = b->has_reset || b->window_us;
    uint64_t wait_a = quota_wait_us(a), wait_b = quota_wait_us(b);

    if (waits_a != waits_b) {
        return waits_a;
    }
    if (!waits_a || (!a->left && !b->left)) {
        return waits_a ? wait_a > wait_b : a->left < b->left;
    }
    return (double)a->left * (double)wait_b < (double)b->left * (double)wait_a;
}

static void add_sorted(struct quota *quotas, size_t *count, const struct quota *quota)
{
    size_t at = (*count)++;

    for (; at > 0 && is_tighter(quota, &quotas[at - 1]); at--) {
        quotas[at] = quotas[at - 1];
    }
    quotas[at] = *quota;
}

/* When nothing is said of what is left: a rate, the one with the shortest window, or when to come back. */
static bool rest_of(const struct reading *r, struct quota *quota)
{
    bool is_found = false;

    for (size_t i = 0; i < r->count; i++) {
        const struct policy *p = &r->policies[i];
        struct quota one = quota_of(r, p);

        if (p->is_foreign || p->has_left || !(p->has_reset || (p->limit && p->window_us))) {
            continue;
        }
        if (!is_found ||
            (one.window_us && (!quota->window_us || one.window_us < quota->window_us))) {
            *quota = one;
        }
        is_found = true;
    }
    return is_found;
}

static void read_fields(struct reading *r, const struct quota_field *fields, size_t count,
                        int64_t wall_us)
{
    *r = (struct reading){ .wall_us = wall_us };
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(fields[i].name, STR("date"))) {
            r->wall_us = retry_after_server_us(fields[i].value, wall_us);
            r->has_date = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        read_field(r, &fields[i]);
    }
    settle(r);
}

static size_t collect(const struct reading *r, struct quota quotas[QUOTA_POLICIES_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < r->count; i++) {
        if (is_usable(&r->policies[i])) {
            struct quota one = quota_of(r, &r->policies[i]);

            add_sorted(quotas, &count, &one);
        }
    }
    if (!count) {
        count = rest_of(r, &quotas[0]);
    }
    return count;
}

size_t quota_read_all(const struct quota_field *fields, size_t count, int64_t wall_us,
                      struct quota quotas[QUOTA_POLICIES_MAX])
{
    struct reading r;

    read_fields(&r, fields, count, wall_us);
    return collect(&r, quotas);
}

void quota_read(const struct quota_field *fields, size_t count, int64_t wall_us,
                struct quota *quota)
{
    struct quota quotas[QUOTA_POLICIES_MAX];
    struct reading r;

    read_fields(&r, fields, count, wall_us);
    *quota = collect(&r, quotas) ? quotas[0] : (struct quota){ .concurrent = r.concurrent };
    /* Which one is the tightest changes, and so would the name: the first is always there. */
    for (size_t i = 0; i < r.count && !r.resource.len; i++) {
        if (r.policies[i].name.len && !r.policies[i].is_foreign) {
            quota->resource = r.policies[i].name;
            break;
        }
    }
}

bool quota_is_spent(const struct quota *quota)
{
    return quota->has_left && quota->left == 0 && quota_wait_us(quota) > 0;
}
