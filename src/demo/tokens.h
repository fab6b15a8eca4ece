/**
 * Tokens: what the logins of the embedded API hand out, and how long each is good.
 *
 * A token tells its number and proves it, so none need be kept but the moment it ends and how often it
 * may still be used. The last TOKENS_KEPT are known; older ones are refused.
 *
 * Told the time, never reads a clock.
 * Threads  the server's thread only.
 */
#ifndef SCRAPETOP_DEMO_TOKENS_H
#define SCRAPETOP_DEMO_TOKENS_H

#include "base/str.h"

#include <stdint.h>

#define TOKENS_KEPT 64
#define TOKEN_TEXT_MAX 64

struct tokens {
    uint64_t seed;
    uint64_t life_us;  /* of each */
    uint64_t uses_max; /* of each; 0: as often as one likes */
    uint64_t issued;
    struct {
        uint64_t ends_us, uses;
    } kept[TOKENS_KEPT]; /* by number, modulo */
};

/** Makes the next token. */
void tokens_issue(struct tokens *tokens, uint64_t now_us, char text[TOKEN_TEXT_MAX]);

/** Whether `token` is one of ours and still good; counts the use. */
bool tokens_admit(struct tokens *tokens, struct str token, uint64_t now_us);

#endif
