/**
 * Answer rules: what a job says of the answers that it gets. "404 means that there is no such item";
 * "202: ask again where Location points"; "a 200 with /error/code rate_limited holds the host".
 *
 *   { "status": [404, 410], "do": "empty" }
 *   { "at": "/error/code", "is": "rate_limited", "do": "hold", "wait": "/error/retry_after" }
 *   { "status": 202, "do": "again", "url": "header:Location", "wait": "header:Retry-After" }
 *
 * A rule matches when all of its conditions do, and the first one that matches says what follows. They are
 * asked in this order: those that are `first` (the command line's), the endpoint's own, the job's. What no
 * rule matches is as it always was. plan/answer.h evaluates them.
 *
 * Ownership  answer_rules_release frees all of a list.
 * Units      microseconds.
 * Threads    read-only after loading, so any.
 */
#ifndef SCRAPETOP_JOB_ANSWER_RULE_H
#define SCRAPETOP_JOB_ANSWER_RULE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_RULES_MAX 64        /* of one list */
#define ANSWER_RULE_VALUES_MAX 64  /* of one "is", one "status" */
#define ANSWER_RULE_BYTES_MAX 4096 /* of one rule */

/* clang-format off */
/**
 * What a rule may say, one row each: ROW(NAME, name, fields of struct answer_action...); FIRST is the first row.
 *
 * A new action is a row here and a function act_NAME in engine/opinion_heed.c. Runs keep an action's number nowhere.
 */
#define ANSWER_ACTIONS(FIRST, ROW)                                                                \
    FIRST(OK, ok, .help = "a good answer, whatever its status")                                   \
    ROW(EMPTY, empty, .help = "settled well, without records: no such item")                      \
    ROW(END, end, .help = "the same, and its listing ends here")                                  \
    ROW(RETRY, retry, .help = "asked again after a backoff, while there are tries", .takes_wait = true)\
    ROW(HOLD, hold, .help = "the same, and the whole host waits, as after a 429", .takes_wait = true)\
    ROW(AGAIN, again, .help = "not ready: asked again at no cost of a try", .takes_wait = true,   \
        .takes_place = true)                                                                      \
    ROW(FAIL, fail, .help = "failed for good")                                                    \
    ROW(STOP, stop, .help = "the run stops, and can be resumed")                                  \
    ROW(LOGIN, login, .help = "the token is refused, as by a 401")
/* clang-format on */

enum answer_do {
#define ANSWER_DO(NAME, ...) ANSWER_##NAME,
    ANSWER_ACTIONS(ANSWER_DO, ANSWER_DO)
#undef ANSWER_DO
        ANSWER_DO_COUNT,
};

/** What may stand beside "do". */
struct answer_action {
    const char *name;
    const char *help; /* one clause */
    bool takes_wait;  /* "wait", "unit" */
    bool takes_place; /* "url", "then", "for" */
};

/** "ok, empty, end, ...": for help. */
#define ANSWER_DO_WORDS ANSWER_ACTIONS(ANSWER_DO_FIRST_WORD, ANSWER_DO_WORD)
#define ANSWER_DO_FIRST_WORD(NAME, name, ...) #name
#define ANSWER_DO_WORD(NAME, name, ...) ", " #name

extern const struct answer_action answer_actions[ANSWER_DO_COUNT];

/** What a body is, by its bytes first. */
enum answer_body {
    ANSWER_BODY_EMPTY,
    ANSWER_BODY_JSON,
    ANSWER_BODY_HTML,
    ANSWER_BODY_XML,
    ANSWER_BODY_TEXT,
    ANSWER_BODY_BINARY,
    ANSWER_BODY_COUNT,
};

const char *answer_body_name(enum answer_body body);

/** Statuses from `low` to `high`. */
struct answer_range {
    uint16_t low, high;
};

/** One of the values of "is". */
struct answer_value {
    char *text;   /* of a string what it means, of a number or boolean as it is written */
    bool is_null; /* then `text` is "null" */
};

enum answer_test {
    ANSWER_TEST_PRESENT, /* there, and not null */
    ANSWER_TEST_ABSENT,  /* the opposite */
    ANSWER_TEST_IS,      /* one of `values` */
    ANSWER_TEST_MATCHES, /* `pattern` (base/pattern.h) */
};

/** Where a text is found: in a header, or at a JSON Pointer into the body. */
struct answer_place {
    char *name; /* of the header in lower case; the pointer; NULL: nowhere */
    bool is_header;
};

struct answer_rule {
    char *text;    /* as it was given, for people; and ... */
    char *json;    /* ... as a job file has it */
    bool is_first; /* asked before those of endpoints */
    enum answer_do action;

    /* conditions: those that are not given hold */
    struct answer_range *statuses;
    size_t status_count;
    unsigned bodies; /* bits by enum answer_body; 0: any */
    struct answer_place header,
        at; /* both may be given; then only whether they are there is asked */
    enum answer_test test;
    struct answer_value *values;
    size_t value_count;
    char *pattern;

    /* what goes with the action */
    struct answer_place wait; /* where the wait is told; or else */
    uint64_t wait_us;         /* it is this, when has_wait */
    bool has_wait;
    uint64_t unit_us;         /* of a bare number at `wait` */
    uint64_t for_us;          /* ANSWER_AGAIN: how long in all; 0: the job's retry.max_wait */
    struct answer_place url;  /* ANSWER_AGAIN: where to ask; else where it was asked */
    struct answer_place then; /* ANSWER_AGAIN: where the result lies, once it is ready */
};

struct answer_rules {
    struct answer_rule *list;
    size_t count;
};

void answer_rules_release(struct answer_rules *rules);

/** Room for one more, zeroed; NULL when out of memory. Pointers got before are void. */
struct answer_rule *answer_rules_add(struct answer_rules *rules);

/** Takes those out that are `first`. */
void answer_rules_drop_first(struct answer_rules *rules);

/** Whatever `later` matches, `earlier` does: it stands in vain after it. May be told of some only, never
 *  of one that does not. */
bool answer_rule_covers(const struct answer_rule *earlier, const struct answer_rule *later);

/** The short spelling of the command line, `status=404,410 do=empty`, as the JSON of a job file: words of
 *  the form key=value, a comma between several values; a value with blanks or commas in single or double
 *  quotes; `present` and `absent` by themselves. A text that begins with a brace is taken as it is. E-ARG1. */
MUST_CHECK enum result answer_rule_spell(struct str words, struct buf *json, struct err *err);

#endif
