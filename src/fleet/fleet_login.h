/**
 * One login for all of a fleet (login.lua): who needs a token gets the one that is there, or may log in when nobody else does.
 *
 *   fleet_login_ask --> nobody logs in --> `may`: it logs in itself --fleet_login_put--> the others get that token
 *                   `-> another does ---> asked again some times a second, until there is one
 *
 * Tokens come and go as sealed text (fleet/sealed.h); each has a number, which says only whether two are the same.
 *
 * Threads  loop thread.
 */
#ifndef SCRAPETOP_FLEET_FLEET_LOGIN_H
#define SCRAPETOP_FLEET_FLEET_LOGIN_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define FLEET_TOKEN_NUMBER_MAX 32
#define FLEET_SEALED_MAX 65536

struct fleet;

struct fleet_login_ask {
    char have[FLEET_TOKEN_NUMBER_MAX]; /* the token in hand: another is wanted; or empty */
    bool is_refused;                   /* and that one is good for nobody */
    uint64_t most_us;                  /* so long a login may take; it is asked again meanwhile */
};

/** From now on, until fleet_login_rest. */
void fleet_login_ask(struct fleet *fleet, const struct fleet_login_ask *ask);

/** No token is wanted. `gives_up`: it was let log in, and does not. */
void fleet_login_rest(struct fleet *fleet, bool gives_up);

/** It has logged in. `life_us`: how long the token is good; 0: nobody said. `keeps`: what is sealed with it, a refresh
 *  token, is of use for longer. */
void fleet_login_put(struct fleet *fleet, struct str sealed, uint64_t life_us, bool keeps);

/** It has logged in for itself alone. */
void fleet_login_note_own(struct fleet *fleet);

struct fleet_login_news {
    bool may;                            /* log in: the others wait for that */
    char number[FLEET_TOKEN_NUMBER_MAX]; /* of `sealed`, or of the one that was put */
    bool is_put;
    struct buf sealed; /* empty: none; with `may`: one that has ended, for its refresh token */
    uint64_t left_us;
    bool is_own;     /* of fleet_login_note_own: */
    uint64_t logins; /* of all workers so far */
};

/** The news since the last call; false when there is none. `sealed` is released by the caller. */
bool fleet_login_take(struct fleet *fleet, struct fleet_login_news *news);

#endif
