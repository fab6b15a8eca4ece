/**
 * Auth: the credential that the requests of a run carry, and where it comes from.
 *
 * A bearer token, a user with a password and a key are known from the start. A login call, and OAuth
 * 2.0's client credentials (RFC 6749 section 4.4), are asked for a token, which ends some day:
 *
 *   AWAITED --auth_ask--> ASKING --a token--> IN HAND --its time is over, or it is refused--> AWAITED
 *      ^                    |  |                 `--about to end: asked anew, and used meanwhile
 *      `------ again -------´  `--refused, or all tries used--> LOST
 *
 * Tokens are numbered. A request notes at its start whose token it carries, so that of two hundred
 * that were refused with token 7 the first one makes it void and the others only wait for token 8:
 * one login for all. Nobody waits while the token in hand is good, and there is never more than one
 * login under way.
 *
 * A token that is refused before any request succeeded with it is suspect: after AUTH_UNPROVEN_MAX of them in a row
 * the run is LOST. (One alone may only be a matter of order: the answers that succeeded are read later.) A request
 * that is refused with several tokens while others succeed is at fault itself: it then uses up its tries. Tokens that
 * have worked are given up after AUTH_REFUSED_MAX refusals without a success.
 *
 * A login call whose answer sets a cookie and holds no token is a login, too, also when it is a redirect, as of
 * forms: the jar carries the cookie (fetch/cookies.h). It is refused by a 401, or by a redirect to the login.
 *
 * Bound to one origin: auth_is_for says whether a host is it. Told the time and the random bits; knows
 * no sockets.
 *
 * Ownership  auth_release overwrites what it holds. The job is borrowed.
 * Errors     E-AUTH1: the job does not say whom the credential is for, or it cannot be sent.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_AUTH_H
#define SCRAPETOP_ENGINE_AUTH_H

#include "base/buf.h"
#include "base/url.h"
#include "fetch/fetch.h"
#include "job/auth/auth_kind.h"
#include "job/job.h"

#define AUTH_UNPROVEN_MAX 3 /* tokens refused in a row, none of which has ever worked */
#define AUTH_REFUSED_MAX 100
#define AUTH_FREE_REFUSALS 3 /* tokens that may refuse one request before that costs a try */
#define AUTH_RENEW_PART 10   /* asked anew when this part of its life is left, */
#define AUTH_RENEW_MAX_US (30 * US_PER_S) /* and not earlier than this */
#define AUTH_LIFE_MAX_S UINT64_C(315360000)

struct auth {
    const struct job_login *login; /* NULL: none */
    const struct job_retry *retry;
    char origin[URL_ORIGIN_MAX]; /* url_origin_key's */
    bool is_asked;               /* the token comes from a login call */
    bool has_tried_both;         /* OAuth: the client in a header, and in the form */
    bool has_tried_given;        /* a refresh token that was kept was refused */
    bool is_keeping; /* a new refresh token is being written down: the token is not used before */
    struct auth_memory memory;
    /* the login set a cookie: that is the credential, and libcurl's jar carries it */
    bool by_cookie;

    bool has_token, is_asking, is_lost;
    bool is_proven;    /* a request has succeeded with this one */
    uint32_t number;   /* of the token in hand, or the last one; from 1 */
    bool was_proven;   /* one has, with any token */
    unsigned unproven; /* tokens refused in a row */
    unsigned refused;  /* requests since the last success */
    unsigned tries;    /* of the login that is under way */
    uint64_t asked_us, due_us, renew_us, expires_us;
    uint64_t logins;
    struct buf token, header, query; /* the credential: a header line, or a part of the query */
    struct buf client;               /* OAuth: the header line that names the client */
    struct buf body;                 /* of the login call */
};

/** Nothing of it need be released when this fails. */
MUST_CHECK enum result auth_init(struct auth *auth, const struct job *job, struct err *err);
void auth_release(struct auth *auth);

/** Whether the credential may be sent to the origin with this key. */
bool auth_is_for(const struct auth *auth, const char *origin_key);

#define AUTH_TOKEN_LABEL "login.token"

/** The texts that must be shown nowhere, besides the job's secrets: the token in hand first. */
MUST_CHECK enum result auth_register(const struct auth *auth, struct secrets *secrets,
                                     struct err *err);

/** Requests to the origin wait. */
bool auth_is_awaited(const struct auth *auth, uint64_t now_us);

/** A login call is due, if any request needs a token. */
bool auth_should_ask(const struct auth *auth, uint64_t now_us);

/** When auth_should_ask becomes true by time alone; TIME_NEVER when it does not. */
uint64_t auth_wake_us(const struct auth *auth);

/** The login begins: the request to start (id 0, not of the plan) and what goes with it. NULL when out of
 *  memory. */
struct request *auth_ask(struct auth *auth, uint32_t endpoint, uint64_t now_us,
                         struct fetch_extra *extra);

/** What the endpoint of that request says. */
struct fetch_endpoint auth_endpoint(const struct auth *auth);

/** The login is a command, and is to be run now: it is taken for asked. */
bool auth_run(struct auth *auth, uint64_t now_us);

/** A refresh token has come that is to be kept (auth->memory.refresh) before the token is used; auth_kept says
 *  that it is. To be asked after AUTH_TOKEN. */
bool auth_wants_keeping(struct auth *auth);
void auth_kept(struct auth *auth);

enum auth_news {
    AUTH_TOKEN, /* there is a new one */
    AUTH_LATER, /* not yet: auth_wake_us tells when it is asked again */
    AUTH_LOST,  /* none can be had: `why` says why, in words without secrets */
};

/** The login was answered. */
enum auth_news auth_answered(struct auth *auth, const struct response *response, uint64_t now_us,
                             int64_t wall_us, uint64_t random, char why[AUTH_WHY_MAX]);

/** The command has printed this. */
enum auth_news auth_take_printed(struct auth *auth, struct str token, char why[AUTH_WHY_MAX]);

/** Another worker of the fleet has got it, with a refresh token (or an empty text) that takes the place of the one
 *  here. `life_us`: 0: nobody said. AUTH_LATER: there is no memory for it. */
enum auth_news auth_take_shared(struct auth *auth, struct str token, struct str refresh,
                                uint64_t life_us, uint64_t now_us);

/** Only the refresh token, which the next login goes by. */
void auth_take_refresh(struct auth *auth, struct str refresh);

/** The command failed, as it may in passing: it is run again when it has gone well before. */
enum auth_news auth_failed_passing(struct auth *auth, uint64_t now_us, uint64_t random);

/** No token can be had. */
enum auth_news auth_fail(struct auth *auth);

/** The login call was cancelled by us: it may be made again at once. */
void auth_cancelled(struct auth *auth);

/** What a request to the origin carries; it notes the number of the token. */
void auth_carry(const struct auth *auth, struct request *request, struct fetch_extra *extra);

/** The request was answered well. */
void auth_accepted(struct auth *auth, struct request *request);

enum auth_refusal {
    AUTH_REFUSAL_FREE, /* ask again with the next token, at no cost */
    AUTH_REFUSAL_TRY,  /* likewise, but it was one of its tries */
    AUTH_REFUSAL_LOST, /* nor will there be a better one for anybody: `why` */
};

/** The answer sends the request to the login, as of a session that has ended. */
bool auth_is_sent_back(const struct auth *auth, const struct response *response);

/** The request was answered 401, and its token comes from a login call. One that was given as it is is
 *  watched by plan/credential.h. */
enum auth_refusal auth_refused(struct auth *auth, struct request *request, char why[AUTH_WHY_MAX]);

#endif
