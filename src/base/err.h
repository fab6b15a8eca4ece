/**
 * Result and message: a code to branch on, a sentence to read.
 *
 * Every function that can fail for a reason outside our own code returns `enum result` and
 * takes a `struct err *` last, which may be NULL. The sentence names the file, key or URL at
 * fault and what to do; its code ("E-URL3") is stable, so that scripts and tests may match it.
 * What a server does (a 404, a timeout) is no error but an `enum outcome` (plan/failure.h).
 *
 * Ownership  the caller owns the struct; nothing is allocated.
 * Threads    one err belongs to one thread at a time.
 */
#ifndef SCRAPETOP_BASE_ERR_H
#define SCRAPETOP_BASE_ERR_H

enum result {
    RESULT_OK = 0,
    RESULT_NOMEM,     /* out of memory */
    RESULT_INVALID,   /* malformed input: usage, URL, JSON, job file */
    RESULT_LIMIT,     /* a named ceiling was passed */
    RESULT_NOT_FOUND, /* the thing asked for is not there */
    RESULT_DENIED,    /* permission, or refused for safety */
    RESULT_BUSY,      /* somebody else holds it */
    RESULT_FULL,      /* ENOSPC, EDQUOT, EFBIG: may pass when space returns */
    RESULT_IO,        /* any other failure of the disk or the system: final */
    RESULT_CORRUPT,   /* stored data contradicts itself */
    RESULT_CANCELLED, /* stopped because we were asked to */
};

#define MUST_CHECK __attribute__((warn_unused_result))

#define ERR_CODE_MAX 12
#define ERR_TEXT_MAX 1024

struct err {
    enum result result;
    char code[ERR_CODE_MAX]; /* "E-CFG1", or empty */
    char text[ERR_TEXT_MAX]; /* one sentence, may hold bytes from outside: escape before printing */
};

/** Fills `err` (when not NULL) and returns `result`, so that a failing line is one statement. */
enum result err_set(struct err *err, enum result result, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** As err_set, with ": " and the text of `errnum` after; picks FULL, DENIED, NOT_FOUND, INVALID (a path that
 *  can be none), NOMEM or IO by it. */
enum result err_set_errno(struct err *err, int errnum, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The same of a place that was to be written: that it may not be is a matter of storage, not of what was typed, so
 *  that DENIED is IO here. */
enum result err_set_write(struct err *err, int errnum, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The out-of-memory error, naming what was being done. */
enum result err_nomem(struct err *err, const char *doing);

/** Puts "PREFIX: " before the text, for a caller who knows the place better. */
void err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
