#include "demo/tokens.h"

#include "demo/draw.h"

#include <stdio.h>

static void format(uint64_t seed, uint64_t number, char text[TOKEN_TEXT_MAX])
{
    struct draw d = draw_start(seed, DRAW_TOKEN, number);

    snprintf(text, TOKEN_TEXT_MAX, "demo-%llu-%016llx", (unsigned long long)number,
             (unsigned long long)draw_next(&d));
}

void tokens_issue(struct tokens *tokens, uint64_t now_us, char text[TOKEN_TEXT_MAX])
{
    uint64_t number = tokens->issued++;

    tokens->kept[number % TOKENS_KEPT].ends_us = now_us + tokens->life_us;
    tokens->kept[number % TOKENS_KEPT].uses = 0;
    format(tokens->seed, number, text);
}

bool tokens_admit(struct tokens *tokens, struct str token, uint64_t now_us)
{
    struct str rest = token;
    char right[TOKEN_TEXT_MAX];
    uint64_t number;

    (void)str_cut(&rest, '-');
    if (!str_to_u64(str_cut(&rest, '-'), &number) || number >= tokens->issued ||
        tokens->issued - number > TOKENS_KEPT) {
        return false;
    }
    format(tokens->seed, number, right);
    if (!str_equal(token, str_view(right)) ||
        now_us >= tokens->kept[number % TOKENS_KEPT].ends_us) {
        return false;
    }
    return ++tokens->kept[number % TOKENS_KEPT].uses <= tokens->uses_max || !tokens->uses_max;
}
