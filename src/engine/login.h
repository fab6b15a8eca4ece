/**
 * Login: gets the token that requests carry; they wait until it is there (AUTH).
 *
 *   frontier: "its host awaits a token" --> the login call, once for all --> token --> they go on
 *   judge: 401 ----- token void, request back to the frontier ----^
 *
 * The login call is a transfer like any other, within the cap, the rate and the holds of its host, but
 * not one of the plan: it has no id, is not stored, and counts as no request. What it brings (its body,
 * the token) is overwritten as soon as it has been read.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_LOGIN_H
#define SCRAPETOP_ENGINE_LOGIN_H

#include "base/err.h"
#include "base/str.h"
#include "job/auth/auth_kind.h"
#include "store/kept_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct fetch_extra;
struct login_command;
struct request;
struct response;
struct snapshot_login;

#define LOGIN_TOKENS_KEPT 16 /* so many of the latest are shown nowhere */

struct login_state {
    /* Indices of origins: */
    uint32_t home;                            /* the one that the credential is for */
    uint32_t host;                            /* the login call's */
    uint32_t device_host;                     /* that of the call that asks for a code */
    bool has_home, has_host, has_device_host; /* they are referred to */
    bool is_taken;                            /* the token in hand is another worker's */
    bool is_demanded;                         /* somebody has a use for a token */
    struct login_command *command;            /* under way; or NULL */
    struct kept_file refresh;                 /* where a refresh token is kept; closed: nowhere */
    char told[AUTH_WHY_MAX];                  /* the prompt that was told last */
    char *tokens[LOGIN_TOKENS_KEPT];
    size_t token_count;
};

MUST_CHECK enum result login_init(struct engine *engine, struct err *err);
void login_release(struct engine *engine);

/** No more requests will be made: a slow login call is cancelled. */
void login_stop(struct engine *engine);

/** Of the transfers in flight, those that are the login's: one or none. */
size_t login_in_flight(const struct engine *engine);

/** Requests that a token has run out for wait from now on. */
void login_look(struct engine *engine, uint64_t now_us);

/** A token is wanted, and a login may be asked now. */
bool login_is_due(struct engine *engine, uint64_t now_us);
void login_start(struct engine *engine, uint64_t now_us);

/** While requests wait for a token: when the next login call is due. */
uint64_t login_wake_us(struct engine *engine);

/** Another worker of the fleet has logged in (engine/fleet_login.h). */
void login_take_shared(struct engine *engine, struct str token, struct str refresh,
                       uint64_t life_us);

/** What the request carries. */
void login_carry(struct engine *engine, struct request *request, struct fetch_extra *extra,
                 uint64_t now_us);

/** True when the response was the login call's; it has been handled. */
bool login_takes(struct engine *engine, struct response *response);

enum login_word {
    LOGIN_SILENT, /* nothing to do with logins */
    LOGIN_FREE,   /* ask again with the next token */
    LOGIN_TRY,    /* likewise, at the cost of a try */
};
enum login_word login_heed(struct engine *engine, struct response *response);

/** A rule says that its credential is refused. Without a login there is no other, and the run stops. */
enum login_word login_refused(struct engine *engine, struct response *response);

/** Its credential is the login's: one that was given, or the token of a call. */
bool login_is_carried(const struct engine *engine, const struct request *request);

/** No request can go well any more with the credential that there is: the run stops with EXIT_AUTH. */
void login_lose(struct engine *engine, const char *why);

/** Its credential was taken. */
void login_accepted(struct engine *engine, struct request *request);
void login_snapshot(const struct engine *engine, uint64_t now_us, struct snapshot_login *out);

#endif
