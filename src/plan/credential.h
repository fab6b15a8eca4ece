/**
 * Credential: tells an expired credential from URLs that it may not access.
 *
 * A fixed credential (a secret header, a token, a key) is refused with 401. When it has ended, every later request is
 * refused; when only a URL is forbidden, other requests still succeed. So a request that is refused is set aside at
 * first, neither tried nor failed:
 *
 *   set aside --another that began later went well--> asked once more --refused--> refused alone: it failed
 *        |--many different ones in a row--> the credential is LOST
 *        `--nothing else is left to ask--> asked once more --refused--> LOST; alone, if others were so before
 *
 * How many are many depends on how often one is refused alone: a row of them is to be no chance.
 *
 * Pure; told the time (monotonic, microseconds). Any thread.
 */
#ifndef SCRAPETOP_PLAN_CREDENTIAL_H
#define SCRAPETOP_PLAN_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#define CREDENTIAL_ROW_MIN 5 /* different requests refused in a row, when none was refused alone */
#define CREDENTIAL_ROW_MAX 50

/** Zeroed: nothing was answered. */
struct credential {
    uint64_t well;          /* requests that went well since it is watched */
    uint64_t well_began_us; /* of those the one that was begun last; 0: there is none */
    uint64_t alone;         /* requests that were refused alone */
    unsigned row;           /* different requests refused in a row, nothing well in between */
};

/** A request that carried it, begun at that time, went well. */
void credential_accepted(struct credential *credential, uint64_t began_us);

enum credential_word {
    CREDENTIAL_WAIT,  /* set the request aside */
    CREDENTIAL_ALONE, /* it alone is refused: it failed */
    CREDENTIAL_LOST,  /* the credential is refused */
};

/** A request was refused. `refused_us`: when it was refused first, if it was asked once more since; else 0. */
enum credential_word credential_refused(struct credential *credential, uint64_t refused_us);

/** A request that was refused at that time need not stay aside: one that was begun later went well. */
bool credential_is_good_since(const struct credential *credential, uint64_t refused_us);

/** Nothing is left to ask but what was refused. True when that is to be asked once more, before the
 *  credential is taken for lost. `was_asked_again`: that has been done. */
bool credential_is_worth_a_try(const struct credential *credential, bool was_asked_again);

#endif
