/* "answers": what a job says of the answers that it gets. */
#include "job/job_read.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/pattern.h"
#include "job/job_parts.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_MIN 100
#define STATUS_MAX 999

/* --- lists ------------------------------------------------------------------------------------------ */

/* The elements of an array, or the value by itself. */
static void each(struct job_reader *r, struct answer_rule *rule, const char *key, struct str value,
                 bool (*take)(struct job_reader *r, struct answer_rule *rule, struct str item))
{
    struct json_walk walk;
    struct str item;
    size_t count = 0;

    if (json_type_of(value) != JSON_ARRAY) {
        take(r, rule, value);
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item)) {
        if (count++ == ANSWER_RULE_VALUES_MAX) {
            job_text_fault(&r->text, item, "E-CFG2", "\"%s\": more than %d", key,
                           ANSWER_RULE_VALUES_MAX);
            return;
        }
        if (!take(r, rule, item)) {
            return;
        }
    }
    if (!count) {
        job_text_fault(&r->text, value, "E-CFG2", "\"%s\": the list is empty", key);
    }
}

/* "404", "5xx", "400-499". */
static bool parse_range(struct str text, struct answer_range *range)
{
    struct str high = text;
    struct str low = str_cut(&high, '-');
    uint64_t from, to;

    if (text.len == 3 && text.data[0] >= '1' && text.data[0] <= '9' && text.data[1] == 'x' &&
        text.data[2] == 'x') {
        from = 100U * (unsigned)(text.data[0] - '0');
        to = from + 99;
    } else if (!str_to_u64(low, &from)) {
        return false;
    } else if (!high.data) {
        to = from;
    } else if (!str_to_u64(high, &to)) {
        return false;
    }
    if (from < STATUS_MIN || to > STATUS_MAX || from > to) {
        return false;
    }
    *range = (struct answer_range){ (uint16_t)from, (uint16_t)to };
    return true;
}

static bool take_status(struct job_reader *r, struct answer_rule *rule, struct str item)
{
    struct str raw = json_type_of(item) == JSON_NUMBER ? str_trim(item) : json_string_raw(item);
    struct answer_range range, *ranges;

    if (!raw.data || !parse_range(raw, &range)) {
        job_text_fault(&r->text, item, "E-CFG2",
                       "\"status\": want statuses from %d to %d: 404, \"5xx\", \"400-499\"",
                       STATUS_MIN, STATUS_MAX);
        return true;
    }
    ranges = reallocarray(rule->statuses, rule->status_count + 1, sizeof *ranges);
    if (!ranges) {
        r->text.no_memory = true;
        return false;
    }
    rule->statuses = ranges;
    ranges[rule->status_count++] = range;
    return true;
}

static bool take_value(struct job_reader *r, struct answer_rule *rule, struct str item)
{
    enum json_type type = json_type_of(item);
    struct answer_value *values;
    char *text;

    if (type == JSON_OBJECT || type == JSON_ARRAY) {
        job_text_fault(&r->text, item, "E-CFG2",
                       "\"is\": want strings, numbers, true, false or null");
        return true;
    }
    text = type == JSON_STRING ? job_text_string(&r->text, "is", item) : str_dup(str_trim(item));
    if (!text) {
        r->text.no_memory |= type != JSON_STRING;
        return true;
    }
    values = reallocarray(rule->values, rule->value_count + 1, sizeof *values);
    if (!values) {
        free(text);
        r->text.no_memory = true;
        return false;
    }
    rule->values = values;
    values[rule->value_count++] =
        (struct answer_value){ .text = text, .is_null = type == JSON_NULL };
    return true;
}

static bool take_body(struct job_reader *r, struct answer_rule *rule, struct str item)
{
    struct str raw = json_string_raw(item);

    for (int i = 0; raw.data && i < ANSWER_BODY_COUNT; i++) {
        if (str_equal(raw, str_view(answer_body_name((enum answer_body)i)))) {
            rule->bodies |= 1U << i;
            return true;
        }
    }
    job_text_fault(&r->text, item, "E-CFG2",
                   "\"body\": want \"json\", \"html\", \"xml\", \"text\", \"binary\" or \"empty\"");
    return true;
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static void read_status(struct job_reader *r, void *target, struct str value)
{
    each(r, target, "status", value, take_status);
}

static void read_is(struct job_reader *r, void *target, struct str value)
{
    each(r, target, "is", value, take_value);
}

static void read_body_types(struct job_reader *r, void *target, struct str value)
{
    each(r, target, "body", value, take_body);
}

static void read_matches(struct job_reader *r, void *target, struct str value)
{
    struct answer_rule *rule = target;
    struct pattern *pattern;
    struct err err;

    rule->pattern = job_text_string(&r->text, "matches", value);
    if (!rule->pattern) {
        return;
    }
    if (pattern_new(&pattern, str_view(rule->pattern), &err) == RESULT_OK) {
        pattern_free(pattern);
    } else {
        err_prefix(&err, "\"matches\"");
        job_text_fault_of(&r->text, value, &err);
    }
}

static void read_do(struct job_reader *r, void *target, struct str value)
{
    struct answer_rule *rule = target;
    struct str raw = json_string_raw(value);
    struct job_hint hint = job_hint_for(raw);
    char near[JOB_HINT_MAX], all[128] = "";

    for (int i = 0; i < ANSWER_DO_COUNT; i++) {
        size_t used = strlen(all);
        struct str name = str_view(answer_actions[i].name);

        if (raw.data && str_equal(raw, name)) {
            rule->action = (enum answer_do)i;
            return;
        }
        job_hint_offer(&hint, name);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", name.data);
    }
    job_hint_print(&hint, near);
    job_text_fault(&r->text, value, "E-CFG2", "\"do\": want one of %s%s", all,
                   raw.data ? near : "");
}

/* A header's name, in lower case. */
static char *header_name(struct str name)
{
    char *lower = str_dup(name);

    for (char *at = lower; at && *at; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
    }
    return lower;
}

static bool is_header_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!job_is_name_char(name.data[i]) && !strchr("!#$%&'*+^`|~", name.data[i])) {
            return false;
        }
    }
    return name.len > 0 && name.len <= 64;
}

static void read_header(struct job_reader *r, void *target, struct str value)
{
    struct answer_rule *rule = target;
    char *name = job_text_string(&r->text, "header", value);

    if (name && !is_header_name(str_view(name))) {
        job_text_fault(&r->text, value, "E-CFG2", "\"header\": want the name of a header");
    } else if (name) {
        rule->header = (struct answer_place){ header_name(str_view(name)), true };
        r->text.no_memory |= !rule->header.name;
    }
    free(name);
}

/* "header:Retry-After" or "/error/retry_after". */
static void read_place(struct job_reader *r, const char *key, const char *text, struct str value,
                       struct answer_place *place)
{
    struct json_pointer pointer;
    struct str name = str_view(text);
    bool is_header = str_starts(name, STR("header:"));
    bool is_good;

    if (is_header) {
        name = (struct str){ name.data + 7, name.len - 7 };
    }
    is_good = is_header ? is_header_name(name)
                        : name.len > 0 && json_pointer_parse(&pointer, name, NULL) == RESULT_OK;
    if (!is_good) {
        job_text_fault(&r->text, value, "E-PTR1",
                       "\"%s\": \"%.64s\" is neither a JSON Pointer (/job/url) nor a header "
                       "(header:Location)%s",
                       key, text, strcmp(key, "wait") == 0 ? " nor a time (30s)" : "");
        return;
    }
    *place = (struct answer_place){ is_header ? header_name(name) : str_dup(name), is_header };
    r->text.no_memory |= !place->name;
}

static void read_wait(struct job_reader *r, void *target, struct str value)
{
    static const struct job_key time = { .name = "wait",
                                         .kind = JOB_KEY_TIME,
                                         .offset = offsetof(struct answer_rule, wait_us),
                                         .high = UINT64_MAX };
    struct answer_rule *rule = target;
    struct str raw = json_string_raw(value);
    char *text;

    if (!raw.len || (raw.data[0] >= '0' && raw.data[0] <= '9')) {
        rule->has_wait = true;
        job_read_value(r, &time, rule, value);
        return;
    }
    text = job_text_string(&r->text, "wait", value);
    if (text) {
        read_place(r, "wait", text, value, &rule->wait);
    }
    free(text);
}

static void read_place_of(struct job_reader *r, const char *key, struct answer_place *place,
                          struct str value)
{
    char *text = job_text_string(&r->text, key, value);

    if (text) {
        read_place(r, key, text, value, place);
    }
    free(text);
}

static void read_url(struct job_reader *r, void *target, struct str value)
{
    read_place_of(r, "url", &((struct answer_rule *)target)->url, value);
}

static void read_then(struct job_reader *r, void *target, struct str value)
{
    read_place_of(r, "then", &((struct answer_rule *)target)->then, value);
}

static void read_unit(struct job_reader *r, void *target, struct str value)
{
    static const struct {
        struct str name;
        uint64_t us;
    } units[] = {
        { STR_INIT("us"), 1 },
        { STR_INIT("ms"), US_PER_MS },
        { STR_INIT("s"), US_PER_S },
        { STR_INIT("m"), 60 * US_PER_S },
        { STR_INIT("h"), 3600 * US_PER_S },
    };
    struct answer_rule *rule = target;
    struct str raw = json_string_raw(value);

    for (size_t i = 0; raw.data && i < sizeof units / sizeof units[0]; i++) {
        if (str_equal(raw, units[i].name)) {
            rule->unit_us = units[i].us;
            return;
        }
    }
    job_text_fault(&r->text, value, "E-CFG2", "\"unit\": want \"ms\", \"s\", \"m\" or \"h\"");
}

/* The words "present" and "absent" have no meaning as false. */
static void read_presence(struct job_reader *r, void *target, struct str value)
{
    (void)target;
    if (json_type_of(value) != JSON_BOOL || str_trim(value).data[0] != 't') {
        job_text_fault(&r->text, value, "E-CFG2", "\"present\" and \"absent\": want true");
    }
}

enum {
    ANSWER_KEY_DO,
    ANSWER_KEY_STATUS,
    ANSWER_KEY_HEADER,
    ANSWER_KEY_AT,
    ANSWER_KEY_BODY,
    ANSWER_KEY_PRESENT,
    ANSWER_KEY_ABSENT,
    ANSWER_KEY_IS,
    ANSWER_KEY_MATCHES,
    ANSWER_KEY_WAIT,
    ANSWER_KEY_UNIT,
    ANSWER_KEY_FOR,
    ANSWER_KEY_URL,
    ANSWER_KEY_THEN,
    ANSWER_KEY_FIRST,
};

#define FIELD(field) offsetof(struct answer_rule, field)

/* clang-format off */
static const struct job_key answer_keys[] = {
    [ANSWER_KEY_DO] = { "do", JOB_KEY_OTHER, .read = read_do,
      .help = "@actions",
      .schema = JOB_JSON("enum": "@actions") },
    [ANSWER_KEY_STATUS] = { "status", JOB_KEY_OTHER, .read = read_status,
      .help = "404, \"5xx\", \"400-499\", or a list of them",
      .schema = JOB_JSON("anyOf": [{"anyOf": [{"type": "integer", "minimum": 100, "maximum": 999}, {"type":
                         "string", "pattern": "^[1-9](xx|[0-9][0-9](-[1-9][0-9][0-9])?)$"}]}, {"type": "array"
                         , "minItems": 1, "maxItems": 64, "items": {"anyOf": [{"type": "integer", "minimum":
                         100, "maximum": 999}, {"type": "string", "pattern":
                         "^[1-9](xx|[0-9][0-9](-[1-9][0-9][0-9])?)$"}]}}]) },
    [ANSWER_KEY_HEADER] = { "header", JOB_KEY_OTHER, .read = read_header,
      .help = "Name of a header that is there, or whose value is tested",
      .schema = JOB_JSON("type": "string", "minLength": 1, "maxLength": 64) },
    [ANSWER_KEY_AT] = { "at", JOB_KEY_WHOLE, FIELD(at.name),
      .help = "JSON Pointer to what is there and not null, or is tested; \"\" is the whole body" },
    [ANSWER_KEY_BODY] = { "body", JOB_KEY_OTHER, .read = read_body_types,
      .help = "What the body is",
      .schema = JOB_JSON("anyOf": [{"enum": "@bodies"}, {"type": "array", "minItems": 1, "maxItems": 64,
                         "items": {"enum": "@bodies"}}]) },
    [ANSWER_KEY_PRESENT] = { "present", JOB_KEY_OTHER, .read = read_presence,
      .help = "It is there, and not null (so it is without a test)",
      .schema = JOB_JSON("enum": [true]) },
    [ANSWER_KEY_ABSENT] = { "absent", JOB_KEY_OTHER, .read = read_presence,
      .help = "It is not there, or null",
      .schema = JOB_JSON("enum": [true]) },
    [ANSWER_KEY_IS] = { "is", JOB_KEY_OTHER, .read = read_is,
      .help = "Its value, or a list of which it is one",
      .schema = JOB_JSON("anyOf": [{"type": ["string", "number", "boolean", "null"]}, {"type": "array",
                         "minItems": 1, "maxItems": 64, "items": {"type": ["string", "number", "boolean",
                         "null"]}}]) },
    [ANSWER_KEY_MATCHES] = { "matches", JOB_KEY_OTHER, .read = read_matches,
      .help = "A pattern that is found in its value: POSIX extended, \\d \\w \\s, (?i) in front",
      .schema = JOB_JSON("type": "string", "maxLength": 512) },
    [ANSWER_KEY_WAIT] = { "wait", JOB_KEY_OTHER, .read = read_wait,
      .help = "With retry, hold, again: 30, \"30s\", or where that is told: \"header:Retry-After\", "
              "\"/error/retry_after\"",
      .schema = JOB_JSON("anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern":
                         "^([0-9]|/|header:[^ ])"}]) },
    [ANSWER_KEY_UNIT] = { "unit", JOB_KEY_OTHER, .read = read_unit,
      .help = "Of a bare number at \"wait\" (s)",
      .schema = JOB_JSON("enum": ["us", "ms", "s", "m", "h"]) },
    [ANSWER_KEY_FOR] = { "for", JOB_KEY_TIME, FIELD(for_us), 1, UINT64_MAX,
      .help = "With again: how long in all (max_wait of \"retry\")" },
    [ANSWER_KEY_URL] = { "url", JOB_KEY_OTHER, .read = read_url,
      .help = "With again: where to ask: \"header:Location\", \"/job/url\" (where it was asked)",
      .schema = JOB_JSON("type": "string", "pattern": "^(/|header:[^ ])") },
    [ANSWER_KEY_THEN] = { "then", JOB_KEY_OTHER, .read = read_then,
      .help = "With again: where the result lies, once it is ready: \"/result/url\"",
      .schema = JOB_JSON("type": "string", "pattern": "^(/|header:[^ ])") },
    [ANSWER_KEY_FIRST] = { "first", JOB_KEY_BOOL, FIELD(is_first),
      .help = "Before the rules of endpoints" },
};

const struct job_keys job_answer_keys =
    JOB_KEYS("answer", answer_keys, .help = "A rule: what is done when all of its conditions hold.",
             .schema = JOB_JSON("required": ["do"], "anyOf": [{"required": ["status"]}, {"required": ["header"]},
                                {"required": ["at"]}, {"required": ["body"]}]));
/* clang-format on */

/* --- a rule as a whole --------------------------------------------------------------------------------- */

static bool has(uint64_t seen, int key)
{
    return seen >> key & 1;
}

static void settle_test(struct job_reader *r, struct answer_rule *rule, uint64_t seen,
                        struct str value)
{
    int tests = has(seen, ANSWER_KEY_PRESENT) + has(seen, ANSWER_KEY_ABSENT) +
                has(seen, ANSWER_KEY_IS) + has(seen, ANSWER_KEY_MATCHES);
    int places = has(seen, ANSWER_KEY_HEADER) + has(seen, ANSWER_KEY_AT);

    rule->test = has(seen, ANSWER_KEY_ABSENT)    ? ANSWER_TEST_ABSENT
                 : has(seen, ANSWER_KEY_IS)      ? ANSWER_TEST_IS
                 : has(seen, ANSWER_KEY_MATCHES) ? ANSWER_TEST_MATCHES
                                                 : ANSWER_TEST_PRESENT;
    if (tests > 1) {
        job_text_fault(&r->text, value, "E-CFG8",
                       "want one of \"present\", \"absent\", \"is\" and \"matches\"");
    } else if (tests && !places) {
        job_text_fault(&r->text, value, "E-CFG4",
                       "\"present\", \"absent\", \"is\" and \"matches\" want \"at\" or \"header\", "
                       "whose value it is about");
    } else if (places == 2 && rule->test != ANSWER_TEST_PRESENT) {
        job_text_fault(&r->text, value, "E-CFG8",
                       "both \"at\" and \"header\" are given: the rule could be about either's "
                       "value");
    }
    if (!places && !has(seen, ANSWER_KEY_STATUS) && !has(seen, ANSWER_KEY_BODY)) {
        job_text_fault(&r->text, value, "E-CFG4",
                       "the rule has no condition; want \"status\", \"header\", \"at\" or "
                       "\"body\"");
    }
}

static void settle_action(struct job_reader *r, const struct answer_rule *rule, uint64_t seen,
                          struct str value)
{
    static const int of_wait[] = { ANSWER_KEY_WAIT, ANSWER_KEY_UNIT };
    static const int of_place[] = { ANSWER_KEY_URL, ANSWER_KEY_THEN, ANSWER_KEY_FOR };
    const struct answer_action *action = &answer_actions[rule->action];

    for (size_t i = 0; i < sizeof of_wait / sizeof of_wait[0]; i++) {
        if (has(seen, of_wait[i]) && !action->takes_wait) {
            job_text_fault(&r->text, value, "E-CFG8", "\"%s\" has no meaning with \"do\": \"%s\"",
                           answer_keys[of_wait[i]].name, action->name);
        }
    }
    for (size_t i = 0; i < sizeof of_place / sizeof of_place[0]; i++) {
        if (has(seen, of_place[i]) && !action->takes_place) {
            job_text_fault(&r->text, value, "E-CFG8",
                           "\"%s\" has a meaning with \"do\": \"again\" alone",
                           answer_keys[of_place[i]].name);
        }
    }
    if (has(seen, ANSWER_KEY_UNIT) && !rule->wait.name) {
        job_text_fault(&r->text, value, "E-CFG4",
                       "\"unit\" wants a \"wait\" that is told by a header or a pointer");
    }
}

/* The JSON as job.json has it; and the same for people, who know where it stands. */
static void keep_text(struct job_reader *r, struct answer_rule *rule, struct str value)
{
    char *json = job_text_compact(value);
    size_t skipped = json && str_starts(str_view(json), STR(JOB_ANSWER_FIRST))
                         ? strlen(JOB_ANSWER_FIRST) - 1
                         : 0;

    if (json && str_trim(value).len > ANSWER_RULE_BYTES_MAX) {
        job_text_fault(&r->text, value, "E-CFG2", "a rule is over %d bytes", ANSWER_RULE_BYTES_MAX);
    }
    rule->json = json;
    rule->text = json ? str_dup(str_view(json + skipped)) : NULL;
    if (rule->text && skipped) {
        rule->text[0] = '{';
    }
    r->text.no_memory |= !rule->text;
}

void job_read_answer_rule(struct job_reader *r, struct answer_rules *rules, struct str value)
{
    struct answer_rule *rule = answer_rules_add(rules);
    size_t faults = r->text.faults->count;
    uint64_t seen;

    if (!rule) {
        r->text.no_memory = true;
        return;
    }
    rule->unit_us = US_PER_S;
    seen = job_read_object(r, &job_answer_keys, rule, value);
    if (json_type_of(value) != JSON_OBJECT) {
        return;
    }
    keep_text(r, rule, value);
    if (!has(seen, ANSWER_KEY_DO)) {
        job_text_fault(&r->text, value, "E-CFG4", "the rule has no \"do\"");
    }
    settle_test(r, rule, seen, value);
    if (r->text.faults->count == faults) {
        settle_action(r, rule, seen, value);
    }
}

/* What an earlier rule takes is never seen by a later one. */
static void check_order(struct job_reader *r, const struct answer_rules *rules, size_t at,
                        struct str value)
{
    for (size_t i = 0; i < at; i++) {
        const struct answer_rule *earlier = &rules->list[i], *later = &rules->list[at];

        if (earlier->is_first == later->is_first && answer_rule_covers(earlier, later)) {
            job_text_fault(&r->text, value, "E-ANS1",
                           "rule %zu can never match: rule %zu takes all that it could, and stands "
                           "before it",
                           at + 1, i + 1);
            return;
        }
    }
}

void job_read_answers(struct job_reader *r, struct answer_rules *rules, struct str value)
{
    size_t faults = r->text.faults->count;
    struct json_walk walk;
    struct str item;

    if (json_type_of(value) != JSON_ARRAY) {
        job_text_fault(&r->text, value, "E-CFG2", "\"answers\": want an array of rules");
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, NULL, &item) && !r->text.no_memory) {
        if (rules->count == ANSWER_RULES_MAX) {
            job_text_fault(&r->text, item, "E-CFG2", "\"answers\": more than %d rules",
                           ANSWER_RULES_MAX);
            return;
        }
        job_read_answer_rule(r, rules, item);
        if (!r->text.no_memory && r->text.faults->count == faults) {
            check_order(r, rules, rules->count - 1, item);
        }
    }
}

bool job_put_answers(cJSON *to, const char *name, const struct answer_rules *rules)
{
    cJSON *array = rules->count ? cJSON_AddArrayToObject(to, name) : NULL;

    for (size_t i = 0; array && i < rules->count; i++) {
        if (!cJSON_AddItemToArray(array, cJSON_CreateRaw(rules->list[i].json))) {
            return false;
        }
    }
    return !rules->count || array;
}
