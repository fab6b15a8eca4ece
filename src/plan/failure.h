/**
 * Failure: how an attempt may end, and what a failure is called.
 *
 * There is one list of classes. The screen, the report, `--class`, events.jsonl and the ledger all use it,
 * so `--class` takes every class that a report shows. Code passes `struct failure` around and
 * compares its numbers; the words are made here, last, for people. Nothing reads them back, save the words
 * that a user types (failure_choice_parse) and what ledgers of before version 3 have (failure_guess).
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_PLAN_FAILURE_H
#define SCRAPETOP_PLAN_FAILURE_H

#include "base/str.h"

/** How an attempt ended, as far as the network and the body go. What follows from it (done, again,
 *  final) is plan/retry.h's to say. The ledger keeps the numbers: append only, never renumber. */
enum outcome {
    OUTCOME_OK,         /* 2xx, complete, valid JSON; or 204 */
    OUTCOME_STATUS,     /* complete, with a status other than 2xx */
    OUTCOME_REDIRECT,   /* 301 302 303 307 308 with a usable Location */
    OUTCOME_DNS,        /* host not found, or its resolver silent */
    OUTCOME_CONNECT,    /* refused, reset, unreachable, closed without an answer */
    OUTCOME_TLS,        /* certificate or handshake */
    OUTCOME_TIMEOUT,    /* connect, stall or total */
    OUTCOME_SHORT_BODY, /* ended before its announced end */
    OUTCOME_BAD_JSON,   /* 2xx, complete, but not JSON to its end */
    OUTCOME_TOO_BIG,    /* passed the body ceiling, or expands beyond reason */
    OUTCOME_ENCODING,   /* Content-Encoding unknown or broken */
    OUTCOME_PROTOCOL,   /* not HTTP, or a header past its ceiling */
    OUTCOME_REFUSED,    /* by us: bad URL, redirect to another scheme or a private address */
    OUTCOME_LOCAL,      /* our own shortage (descriptors, memory): no fault of the request */
    OUTCOME_CANCELLED,  /* by us, at abort: no try used */
    OUTCOME_DROPPED,    /* by the user: it was not asked again */
    OUTCOME_NO_RECORDS, /* valid JSON, but no records where the listing's pages have them */
    OUTCOME_RULE,       /* a rule of the job says that this answer is a failure */
    OUTCOME_WRONG_TYPE, /* 2xx, but a body of a type that nobody asked for, such as HTML */
    OUTCOME_LIMIT,      /* 2xx whose body says that a limit was met, or that the server is busy */
    OUTCOME_NOT_READY,  /* the result is still being made, and the time for that is over */
    OUTCOME_NOT_ASKED,  /* by us: the server has refused all pages of its listing from one on */
    OUTCOME_BAD_BODY, /* 2xx, complete, but not what its format is to be, to its end: CSV, XML, gzip */
    OUTCOME_UNSAFE_BODY, /* 2xx, but not to be read: an archive in an archive, XML with entities */
    OUTCOME_PROXY,       /* a proxy's failure, not that of the host */
    OUTCOME_COUNT,
};

/** One word for logs and tests: "ok", "timeout", ... */
const char *outcome_name(enum outcome outcome);

/** The ledger keeps the numbers: append only, never renumber. */
enum failure_class {
    FAILURE_NONE,   /* no failure */
    FAILURE_STATUS, /* an HTTP status, which goes with it */
    FAILURE_DNS,    /* as the outcomes of these names: */
    FAILURE_CONNECT,
    FAILURE_TLS,
    FAILURE_TIMEOUT,
    FAILURE_SHORT_BODY,
    FAILURE_BAD_JSON,
    FAILURE_TOO_BIG,
    FAILURE_ENCODING,
    FAILURE_PROTOCOL,
    FAILURE_REFUSED,
    FAILURE_DROPPED,
    FAILURE_NO_RECORDS,
    FAILURE_RULE,
    FAILURE_WRONG_TYPE,
    FAILURE_MAYBE_SENT, /* what must not be sent twice was sent, and no answer says what became of it */
    FAILURE_OTHER,
    FAILURE_LIMIT, /* as the outcomes of these names: */
    FAILURE_NOT_READY,
    FAILURE_NOT_ASKED, /* beyond what the server allows: a deep-paging limit */
    FAILURE_BAD_BODY,  /* as the outcomes of these names: */
    FAILURE_UNSAFE_BODY,
    FAILURE_PROXY, /* as the outcome of this name */
    FAILURE_CLASS_COUNT,
};

/** A class and, of FAILURE_STATUS, the status; 0 of all others. */
struct failure {
    enum failure_class class;
    int status;
};

/** The class of an end. FAILURE_NONE for what is no failure (OK, a redirect, cancelled). */
struct failure failure_of(enum outcome outcome, int status);

bool failure_equal(struct failure a, struct failure b);

/** By class, then by status: negative, 0 or positive. */
int failure_compare(struct failure a, struct failure b);

/** No answer came and none was begun, so it may be the network: dns, connect, timeout. */
bool failure_is_unanswered(struct failure failure);

#define FAILURE_TEXT_MAX 24

/** "HTTP 404", "short body": as reports and lists show it. Empty for FAILURE_NONE. */
void failure_format(struct failure failure, char text[FAILURE_TEXT_MAX]);

/** "404", "short": at most 8 columns, for a narrow column of a table. */
void failure_format_brief(struct failure failure, char text[FAILURE_TEXT_MAX]);

/** "404", "short-body": as `--class` takes it, and as events.jsonl and JSON reports have it. */
void failure_format_word(struct failure failure, char text[FAILURE_TEXT_MAX]);

/** Which failures are meant: all, one class, one status, or all statuses of a hundred. Zeroed: all. */
struct failure_choice {
    enum failure_class class; /* FAILURE_NONE: all */
    int status;               /* FAILURE_STATUS: 404, or the first figure of "4xx" */
};

bool failure_choice_has(const struct failure_choice *choice, struct failure failure);

/** Reads "404", "HTTP 404", "4xx", "short-body" or "short body". False when no class is called so. */
bool failure_choice_parse(struct str text, struct failure_choice *choice);

/** As it is typed: "4xx", "short-body"; empty for all. */
void failure_choice_format(const struct failure_choice *choice, char text[FAILURE_TEXT_MAX]);

/** What `--class` takes beside the statuses: the words of all classes. */
#define FAILURE_WORDS                                                                              \
    "dns, connect, tls, timeout, short-body, bad-json, too-big, encoding, protocol, refused, "     \
    "dropped-by-you, no-records, rule, wrong-type, maybe-sent, other, limit, "                     \
    "not-ready, not-asked, bad-body, unsafe-body, proxy"

/** For rows of a ledger of before version 3, which has nothing but the reason in words: its outcome and
 *  class, as well as can be told. Nothing else may call this. */
void failure_guess(struct str reason, int status, enum outcome *outcome, struct failure *failure);

#endif
