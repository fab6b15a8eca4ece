#include "plan/credential.h"

#define CHANCE_MAX 1e-6 /* of a row that is no sign of anything */

void credential_accepted(struct credential *c, uint64_t began_us)
{
    c->well++;
    c->row = 0;
    if (began_us > c->well_began_us) {
        c->well_began_us = began_us;
    }
}

bool credential_is_good_since(const struct credential *c, uint64_t refused_us)
{
    return c->well_began_us > refused_us;
}

/* The shortest row that would be a surprise, were requests refused alone as often as so far. */
static unsigned row_of_no_chance(const struct credential *c)
{
    double part = (double)(c->alone + 1) / (double)(c->alone + c->well + 2), chance = 1;
    unsigned row = 0;

    if (!c->alone) {
        return CREDENTIAL_ROW_MIN;
    }
    while (row < CREDENTIAL_ROW_MAX && (row < CREDENTIAL_ROW_MIN || chance > CHANCE_MAX)) {
        chance *= part;
        row++;
    }
    return row;
}

enum credential_word credential_refused(struct credential *c, uint64_t refused_us)
{
    if (!refused_us) {
        c->row++;
        return c->row >= row_of_no_chance(c) ? CREDENTIAL_LOST : CREDENTIAL_WAIT;
    }
    if (!credential_is_good_since(c, refused_us) && !c->alone) {
        return CREDENTIAL_WAIT;
    }
    c->alone++;
    return CREDENTIAL_ALONE;
}

bool credential_is_worth_a_try(const struct credential *c, bool was_asked_again)
{
    return c->well > 0 && !was_asked_again;
}
