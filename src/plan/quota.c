#include "plan/quota.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "plan/retry_after.h"
#include "plan/sfield.h"

#include <string.h>

enum family { FAMILY_STRUCTURED, FAMILY_DRAFT, FAMILY_X_RATELIMIT, FAMILY_X_RATE_LIMIT };

/* One limit, as it comes together from several fields. */
struct policy {
    enum family family;
    struct str name; /* "default", "minute"; empty in most */
    bool has_left, has_reset;
    bool counts_requests; /* else bytes, or what runs at once */
    uint64_t left, limit, reset_us, window_us, grain_us;
};

struct reading {
    struct policy policies[QUOTA_POLICIES_MAX];
    size_t count;
    int64_t wall_us; /* of the server */
    bool has_date;   /* which told it, cut off to the second */
    uint64_t concurrent;
};

static struct policy *policy_of(struct reading *r, enum family family, struct str name)
{
    struct policy *p;

    for (size_t i = 0; i < r->count; i++) {
        if (r->policies[i].family == family && str_equal_nocase(r->policies[i].name, name)) {
            return &r->policies[i];
        }
    }
    if (r->count == QUOTA_POLICIES_MAX) {
        return NULL;
    }
    p = &r->policies[r->count++];
    *p = (struct policy){ .family = family, .name = name, .counts_requests = true };
    return p;
}

/* --- numbers --------------------------------------------------------------------------------------- */

static bool to_count(double number, uint64_t *count)
{
    if (!(number >= 0 && number <= (double)QUOTA_NUMBER_MAX)) {
        return false;
    }
    *count = (uint64_t)number;
    return true;
}

/* A count in a field of its own: digits, or "12.0"; the first of a list ("100, 100;w=60"). */
static bool read_count(struct str text, uint64_t *count)
{
    struct str whole, rest;

    text = str_trim(str_cut(&text, ','));
    text = str_trim(str_cut(&text, ';'));
    rest = text;
    whole = str_cut(&rest, '.');
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.data[i] < '0' || rest.data[i] > '9') {
            return false;
        }
    }
    return str_to_u64(whole, count) && *count <= QUOTA_NUMBER_MAX;
}

static bool is_whole(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '.') {
            return false;
        }
    }
    return true;
}

/* How much too late a reset may be told: what is in whole seconds was rounded up by most, and a moment
 * counts from a Date that is cut off. */
static uint64_t grain_of(const struct reading *r, struct str text, uint64_t reset_us)
{
    uint64_t number;
    bool is_delta = str_to_u64(str_trim(text), &number) && number <= UINT64_C(1000000000);
    bool is_fine = !is_whole(text) || reset_us % US_PER_S;

    return (is_fine ? 0 : US_PER_S) + (!is_delta && r->has_date ? US_PER_S : 0);
}

/* What is long from now is a moment, save where the name says that it is none. */
static bool read_reset(struct str text, int64_t wall_us, bool is_delta, uint64_t *reset_us)
{
    return is_delta ? duration_parse(text, US_PER_S, reset_us)
                    : retry_after_read(text, US_PER_S, wall_us, reset_us);
}

/* --- structured fields ------------------------------------------------------------------------------- */

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
        p->has_left = to_count(value->number, &p->left);
    } else if (is_number && str_equal(key, STR("q"))) {
        p->has_limit = to_count(value->number, &p->limit);
    } else if (is_number && str_equal(key, STR("t"))) {
        p->has_reset = to_count(value->number, &p->reset_s);
    } else if (is_number && str_equal(key, STR("w"))) {
        p->has_window = to_count(value->number, &p->window_s);
    }
}

static uint64_t us_of_s(uint64_t s)
{
    return s >= QUOTA_RESET_MAX_US / US_PER_S ? QUOTA_RESET_MAX_US : s * US_PER_S;
}

static void add_parameters(struct reading *r, struct str name, const struct parameters *p)
{
    struct policy *policy;

    if (p->is_concurrent && p->has_limit) {
        if (p->limit && (!r->concurrent || p->limit < r->concurrent)) {
            r->concurrent = p->limit;
        }
        return;
    }
    policy = policy_of(r, FAMILY_STRUCTURED, name);
    if (!policy) {
        return;
    }
    policy->counts_requests &= !p->is_concurrent && !p->is_foreign;
    if (p->has_left) {
        policy->has_left = true;
        policy->left = p->left;
    }
    if (p->has_reset) {
        policy->has_reset = true;
        policy->reset_us = us_of_s(p->reset_s);
        policy->grain_us = US_PER_S;
    }
    policy->limit = p->has_limit ? p->limit : policy->limit;
    policy->window_us = p->has_window ? us_of_s(p->window_s) : policy->window_us;
}

/* limit=100, remaining=50, reset=30: one limit, spread over the members. */
static void read_dictionary_member(struct parameters *all, struct str key,
                                   const struct sfield_value *value)
{
    if (value->type != SFIELD_NUMBER) {
        return;
    }
    if (str_equal(key, STR("remaining"))) {
        all->has_left = to_count(value->number, &all->left);
    } else if (str_equal(key, STR("limit"))) {
        all->has_limit = to_count(value->number, &all->limit);
    } else if (str_equal(key, STR("reset"))) {
        all->has_reset = to_count(value->number, &all->reset_s);
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
        one.has_limit = value.type == SFIELD_NUMBER && to_count(value.number, &one.limit);
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

/* --- fields of one number each -------------------------------------------------------------------------- */

static bool starts_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_equal_nocase((struct str){ s.data, prefix.len }, prefix);
}

static struct str without(struct str s, struct str prefix)
{
    return (struct str){ s.data + prefix.len, s.len - prefix.len };
}

/* "", "-minute": the window that a name's ending tells; false for what counts something else. */
static bool read_window(struct str suffix, uint64_t *window_us)
{
    static const struct {
        struct str name;
        uint64_t seconds;
    } windows[] = {
        { STR_INIT(""), 0 },          { STR_INIT("-second"), 1 },  { STR_INIT("-minute"), 60 },
        { STR_INIT("-hour"), 3600 },  { STR_INIT("-day"), 86400 }, { STR_INIT("-month"), 2678400 },
        { STR_INIT("-requests"), 0 },
    };

    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        if (str_equal_nocase(suffix, windows[i].name)) {
            *window_us = windows[i].seconds * US_PER_S;
            return true;
        }
    }
    return false;
}

enum part { PART_NONE, PART_LIMIT, PART_LEFT, PART_RESET, PART_RESET_AFTER };

static enum part part_of(struct str rest, struct str *suffix)
{
    static const struct {
        struct str name;
        enum part part;
    } parts[] = {
        { STR_INIT("limit"), PART_LIMIT },
        { STR_INIT("remaining"), PART_LEFT },
        { STR_INIT("reset-after"), PART_RESET_AFTER },
        { STR_INIT("reset"), PART_RESET },
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (starts_nocase(rest, parts[i].name)) {
            *suffix = without(rest, parts[i].name);
            return parts[i].part;
        }
    }
    return PART_NONE;
}

static void read_part(struct reading *r, enum family family, struct str rest, struct str value)
{
    struct policy *policy;
    struct str suffix;
    uint64_t number, window_us;
    enum part part = part_of(rest, &suffix);

    if (part == PART_NONE || !read_window(suffix, &window_us)) {
        return;
    }
    policy = policy_of(r, family, suffix);
    if (!policy) {
        return;
    }
    policy->window_us = window_us;
    if (part == PART_LIMIT && read_count(value, &number)) {
        policy->limit = number;
    } else if (part == PART_LEFT && read_count(value, &number)) {
        policy->left = policy->has_left && policy->left < number ? policy->left : number;
        policy->has_left = true;
    } else if ((part == PART_RESET || part == PART_RESET_AFTER) &&
               read_reset(value, r->wall_us, part == PART_RESET_AFTER, &number)) {
        policy->reset_us =
            policy->has_reset && policy->reset_us > number ? policy->reset_us : number;
        policy->has_reset = true;
        policy->grain_us = grain_of(r, value, number);
    }
}

static const struct {
    struct str prefix;
    enum family family;
} families[] = {
    { STR_INIT("ratelimit-"), FAMILY_DRAFT },
    { STR_INIT("x-ratelimit-"), FAMILY_X_RATELIMIT },
    { STR_INIT("x-rate-limit-"), FAMILY_X_RATE_LIMIT },
};

#define FAMILIES (sizeof families / sizeof families[0])

static bool is_structured(struct str name)
{
    return str_equal_nocase(name, STR("ratelimit")) ||
           str_equal_nocase(name, STR("ratelimit-policy"));
}

bool quota_is_field(struct str name)
{
    for (size_t i = 0; i < FAMILIES; i++) {
        if (starts_nocase(name, families[i].prefix)) {
            return true;
        }
    }
    return is_structured(name) || retry_after_unit_us(name);
}

static void read_field(struct reading *r, const struct quota_field *field)
{
    if (is_structured(field->name)) {
        read_structured(r, field->value);
        return;
    }
    for (size_t i = 0; i < FAMILIES; i++) {
        if (starts_nocase(field->name, families[i].prefix)) {
            read_part(r, families[i].family, without(field->name, families[i].prefix),
                      field->value);
        }
    }
}

/* --- the tightest --------------------------------------------------------------------------------------- */

/* A limit of 0 with nothing left is how some say that there is none. */
static bool is_usable(const struct policy *p)
{
    return p->has_left && p->counts_requests && (p->left || p->limit || p->has_reset);
}

/* One with a deadline is tighter than one without; else the one that allows fewer a second, which is
 * left / reset; among those that allow none, the one that does so for longer. */
static bool is_tighter(const struct quota *a, const struct quota *b)
{
    double allows_a, allows_b;

    if (a->has_reset != b->has_reset) {
        return a->has_reset;
    }
    if (!a->has_reset || (!a->left && !b->left)) {
        return a->has_reset ? a->reset_us > b->reset_us : a->left < b->left;
    }
    allows_a = (double)a->left * (double)b->reset_us;
    allows_b = (double)b->left * (double)a->reset_us;
    return allows_a < allows_b;
}

static struct quota quota_of(const struct policy *p)
{
    struct quota q = { .has_left = true,
                       .left = p->left,
                       .limit = p->limit,
                       .window_us = p->window_us,
                       .grain_us = p->grain_us };

    q.has_reset = p->has_reset || p->window_us;
    q.reset_us = p->has_reset ? p->reset_us : p->window_us;
    return q;
}

void quota_read(const struct quota_field *fields, size_t count, int64_t wall_us,
                struct quota *quota)
{
    struct reading r = { .wall_us = wall_us };

    *quota = (struct quota){ 0 };
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(fields[i].name, STR("date"))) {
            r.wall_us = retry_after_server_us(fields[i].value, wall_us);
            r.has_date = true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        read_field(&r, &fields[i]);
    }
    for (size_t i = 0; i < r.count; i++) {
        struct quota one = quota_of(&r.policies[i]);

        if (is_usable(&r.policies[i]) && (!quota->has_left || is_tighter(&one, quota))) {
            *quota = one;
        }
    }
    quota->concurrent = r.concurrent;
}

bool quota_is_spent(const struct quota *quota)
{
    return quota->has_left && quota->left == 0 && quota->has_reset && quota->reset_us > 0;
}

/* --- problem types ---------------------------------------------------------------------------------------- */

static const struct {
    struct str ending;
    const char *words;
} problems[] = {
    [QUOTA_PROBLEM_EXCEEDED] = { STR_INIT("quota-exceeded"), "quota exceeded" },
    [QUOTA_PROBLEM_REDUCED] = { STR_INIT("temporary-reduced-capacity"),
                                "temporary reduced capacity" },
    [QUOTA_PROBLEM_ABNORMAL] = { STR_INIT("abnormal-usage-detected"), "abnormal usage detected" },
};

enum quota_problem quota_problem_read(struct str content_type, struct str body)
{
    struct str value, raw;

    if (!str_equal_nocase(str_trim(str_cut(&content_type, ';')), STR("application/problem+json")) ||
        !json_check(body, 64, NULL) || !json_find(body, STR("/type"), &value)) {
        return QUOTA_PROBLEM_NONE;
    }
    raw = json_string_raw(value);
    for (int i = QUOTA_PROBLEM_EXCEEDED; i <= QUOTA_PROBLEM_ABNORMAL; i++) {
        struct str ending = problems[i].ending;

        if (raw.len >= ending.len &&
            memcmp(raw.data + raw.len - ending.len, ending.data, ending.len) == 0) {
            return (enum quota_problem)i;
        }
    }
    return QUOTA_PROBLEM_NONE;
}

const char *quota_problem_name(enum quota_problem problem)
{
    return problem == QUOTA_PROBLEM_NONE ? "" : problems[problem].words;
}
