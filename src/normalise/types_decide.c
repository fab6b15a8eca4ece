/* What is read off the counts: a column's type, and which values keep it from one. */
#include "normalise/types.h"

#include "base/clock.h"

#include <string.h>

#define EPOCH_LOW_S INT64_C(978307200)   /* 2001-01-01 */
#define EPOCH_HIGH_S INT64_C(4102444800) /* 2100-01-01 */

const char *type_name(enum type type)
{
    static const char *const names[] = {
        [TYPE_TEXT] = "text",
        [TYPE_INT64] = "int64",
        [TYPE_DOUBLE] = "double",
        [TYPE_BOOLEAN] = "boolean",
        [TYPE_TIMESTAMP] = "timestamp",
        [TYPE_DATE] = "date",
        [TYPE_LOCAL_TIMESTAMP] = "local_timestamp",
    };

    return names[type];
}

static const char *const kind_names[KIND_COUNT][2] = {
    [KIND_INT] = { "whole number", "whole numbers" },
    [KIND_WIDE] = { "whole number above 2^53", "whole numbers above 2^53" },
    [KIND_DOUBLE] = { "fraction", "fractions" },
    [KIND_NUMBER] = { "number of too many digits", "numbers of too many digits" },
    [KIND_BOOLEAN] = { "boolean", "booleans" },
    [KIND_TIME] = { "timestamp", "timestamps" },
    [KIND_LOCAL] = { "timestamp without an offset", "timestamps without an offset" },
    [KIND_DATE] = { "date", "dates" },
    [KIND_TEXT_INT] = { "whole number in quotes", "whole numbers in quotes" },
    [KIND_TEXT_WIDE] = { "whole number above 2^53 in quotes",
                         "whole numbers above 2^53 in quotes" },
    [KIND_TEXT_DOUBLE] = { "fraction in quotes", "fractions in quotes" },
    [KIND_TEXT] = { "string", "strings" },
    [KIND_JSON] = { "array", "arrays" },
};

const char *type_kind_name(enum type_kind kind, uint64_t count)
{
    return kind_names[kind][count != 1];
}

static bool ends_with(struct str name, struct str end)
{
    return name.len >= end.len &&
           str_equal_nocase((struct str){ name.data + name.len - end.len, end.len }, end);
}

/* Words by which APIs call a time. */
static bool speaks_of_time(struct str name)
{
    static const struct str ends[] = {
        STR_INIT("_at"),      STR_INIT(".at"),   STR_INIT(".ts"),     STR_INIT("_ts"),
        STR_INIT("time"),     STR_INIT("date"),  STR_INIT("stamp"),   STR_INIT("created"),
        STR_INIT("updated"),  STR_INIT("epoch"), STR_INIT("expires"), STR_INIT("published"),
        STR_INIT("modified"),
    };

    if (name.len > 2 && memcmp(name.data + name.len - 2, "At", 2) == 0) {
        return true; /* createdAt, but not "what" */
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends_with(name, ends[i])) {
            return true;
        }
    }
    return str_equal_nocase(name, STR("ts")) || str_equal_nocase(name, STR("at"));
}

/* Microseconds in one of the numbers, 0 when they are no times. */
static int64_t epoch_unit(const struct type_facts *facts, struct str name)
{
    if (!speaks_of_time(name)) {
        return 0;
    }
    if (facts->low >= EPOCH_LOW_S && facts->high < EPOCH_HIGH_S) {
        return (int64_t)US_PER_S;
    }
    return facts->low >= EPOCH_LOW_S * 1000 && facts->high < EPOCH_HIGH_S * 1000
               ? (int64_t)US_PER_MS
               : 0;
}

#define BIT(kind) (1U << (kind))

/* Values that may stand in one column. Numbers within quotes, which only `coerce` files as such, may stand among
 * numbers and among strings: where they and the numbers are more than the other strings, they are numbers. */
static const struct family {
    uint32_t kinds;
    const char *name, *plural;
} families[] = {
    { BIT(KIND_INT) | BIT(KIND_WIDE) | BIT(KIND_DOUBLE) | BIT(KIND_NUMBER) | BIT(KIND_TEXT_INT) |
          BIT(KIND_TEXT_WIDE) | BIT(KIND_TEXT_DOUBLE),
      "number", "numbers" },
    { BIT(KIND_BOOLEAN), "boolean", "booleans" },
    { BIT(KIND_TIME), "timestamp", "timestamps" },
    { BIT(KIND_LOCAL), "timestamp without an offset", "timestamps without an offset" },
    { BIT(KIND_DATE), "date", "dates" },
    { BIT(KIND_TEXT), "string", "strings" },
    { BIT(KIND_JSON), "array", "arrays" },
};
#define FAMILY_COUNT (sizeof families / sizeof families[0])

static uint64_t count_of(const struct type_facts *facts, uint32_t kinds)
{
    uint64_t count = 0;

    for (int i = 0; i < KIND_COUNT; i++) {
        count += kinds >> i & 1 ? facts->seen[i] : 0;
    }
    return count;
}

struct type_odd types_odd(const struct type_facts *facts)
{
    const struct family *most = &families[0];
    uint32_t wide = BIT(KIND_WIDE) | BIT(KIND_TEXT_WIDE);
    uint32_t fractions = BIT(KIND_DOUBLE) | BIT(KIND_TEXT_DOUBLE);
    enum type_kind kind = facts->seen[KIND_NUMBER] ? KIND_NUMBER : KIND_WIDE;
    struct type_odd odd = { .is_not = true };

    for (size_t i = 1; i < FAMILY_COUNT; i++) {
        if (count_of(facts, families[i].kinds) > count_of(facts, most->kinds)) {
            most = &families[i];
        }
    }
    odd.name = most->name;
    odd.plural = most->plural;
    odd.kinds = ~most->kinds & (BIT(KIND_COUNT) - 1);
    odd.count = count_of(facts, odd.kinds);
    if (odd.count) {
        return odd;
    }
    odd.is_not = false; /* numbers, some of which no type keeps beside the others */
    if (kind == KIND_WIDE && count_of(facts, wide) > count_of(facts, fractions)) {
        kind = KIND_DOUBLE;
        wide = fractions;
    }
    odd.name = kind_names[kind][0];
    odd.plural = kind_names[kind][1];
    odd.kinds = kind == KIND_NUMBER ? BIT(KIND_NUMBER) : wide;
    odd.count = count_of(facts, odd.kinds);
    return odd;
}

/* The type of a column that holds nothing but numbers, TYPE_TEXT when none keeps all of them. */
static enum type number_type(const struct type_facts *facts)
{
    uint64_t wide = facts->seen[KIND_WIDE] + facts->seen[KIND_TEXT_WIDE];
    uint64_t fractions = facts->seen[KIND_DOUBLE] + facts->seen[KIND_TEXT_DOUBLE];

    if (facts->seen[KIND_NUMBER] || (wide && fractions)) {
        return TYPE_TEXT;
    }
    return fractions ? TYPE_DOUBLE : TYPE_INT64;
}

struct type_decision types_decide(const struct type_facts *facts, struct str name, bool coerce,
                                  bool assume_utc)
{
    const uint64_t *seen = facts->seen;
    uint64_t all = types_present(facts);
    uint64_t numbers = seen[KIND_INT] + seen[KIND_WIDE] + seen[KIND_DOUBLE] + seen[KIND_NUMBER];
    uint64_t quoted = seen[KIND_TEXT_INT] + seen[KIND_TEXT_WIDE] + seen[KIND_TEXT_DOUBLE];
    struct type_decision decision = { .type = TYPE_TEXT };

    if (all == 0) {
        return decision;
    }
    if (numbers + quoted == all) {
        decision.type = number_type(facts);
        decision.coerced = quoted && decision.type != TYPE_TEXT;
        decision.conflict = decision.type == TYPE_TEXT;
        if (coerce && decision.type == TYPE_INT64 && seen[KIND_INT] + seen[KIND_TEXT_INT] == all) {
            decision.epoch_unit_us = epoch_unit(facts, name);
        }
        if (decision.epoch_unit_us) {
            decision.type = TYPE_TIMESTAMP;
            decision.coerced = true;
        }
    } else if (seen[KIND_BOOLEAN] == all) {
        decision.type = TYPE_BOOLEAN;
    } else if (seen[KIND_TIME] + (assume_utc ? seen[KIND_LOCAL] : 0) == all) {
        decision.type = TYPE_TIMESTAMP;
    } else if (seen[KIND_LOCAL] == all) {
        decision.type = TYPE_LOCAL_TIMESTAMP;
    } else if (seen[KIND_DATE] == all) {
        decision.type = TYPE_DATE;
    } else {
        /* Strings of which some happen to be numbers are strings still. */
        decision.conflict =
            seen[KIND_JSON] != all && (seen[KIND_TEXT] + quoted != all || quoted > seen[KIND_TEXT]);
    }
    return decision;
}
