#include "base/pattern_program.h"

struct places {
    uint16_t at[PATTERN_STEPS_MAX];
    size_t count;
};

struct runner {
    const struct pattern *pattern;
    struct places now, next;
    uint32_t seen[PATTERN_STEPS_MAX]; /* in which turn a step was last reached */
    uint32_t turn;
    bool matched;
};

/* The step, and those that it leads to without a byte. */
static void reach(struct runner *r, struct places *places, uint16_t first, bool at_begin,
                  bool at_end)
{
    uint16_t stack[PATTERN_STEPS_MAX + 1];
    size_t depth = 0;

    stack[depth++] = first;
    while (depth) {
        uint16_t at = stack[--depth];
        const struct step *step = &r->pattern->steps[at];

        if (r->seen[at] == r->turn) {
            continue;
        }
        r->seen[at] = r->turn;
        switch ((enum pattern_op)step->op) {
        case OP_JUMP:
            stack[depth++] = (uint16_t)(at + step->to);
            break;
        case OP_SPLIT: /* the stack holds each step once at most, and one more */
            stack[depth++] = (uint16_t)(at + step->or_to);
            stack[depth++] = (uint16_t)(at + step->to);
            break;
        case OP_BEGIN:
        case OP_END:
            if (step->op == OP_BEGIN ? at_begin : at_end) {
                stack[depth++] = (uint16_t)(at + 1);
            }
            break;
        case OP_MATCH:
            r->matched = true;
            break;
        default:
            places->at[places->count++] = at;
            break;
        }
    }
}

static bool takes(const struct pattern *m, const struct step *step, unsigned char c)
{
    switch ((enum pattern_op)step->op) {
    case OP_BYTE:
        return step->value == c;
    case OP_ANY:
        return true;
    default:
        return pattern_set_has(&m->sets[step->value], c);
    }
}

bool pattern_matches(const struct pattern *m, struct str text)
{
    struct runner r = { .pattern = m };
    struct places *now = &r.now, *next = &r.next;

    for (size_t i = 0; i <= text.len && !r.matched; i++) {
        struct places *other = now;

        r.turn++;
        if (i > 0) {
            char c = text.data[i - 1];

            c = pattern_fold(c, m->folds);
            next->count = 0;
            for (size_t k = 0; k < now->count; k++) {
                if (takes(m, &m->steps[now->at[k]], (unsigned char)c)) {
                    reach(&r, next, (uint16_t)(now->at[k] + 1), false, i == text.len);
                }
            }
            now = next;
            next = other;
        }
        reach(&r, now, 0, i == 0, i == text.len); /* a match may begin here */
    }
    return r.matched;
}
