/*
 * The expression becomes a program whose jumps are relative, so that a piece of it can be moved, copied
 * and put after a new step without a look inside:
 *
 *   a|b   split +1, +3;  a;  jump +2;  b
 *   a*    split +1, +3;  a;  jump -2
 *   a?    split +1, +2;  a
 *   a+    a;  split -1, +1
 *
 * It is run with all the places at once where it may be.
 */
#include "base/pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETS_MAX 32
#define DEPTH_MAX 32 /* groups within groups */
#define REPEAT_MAX 255

enum op { OP_BYTE, OP_ANY, OP_SET, OP_SPLIT, OP_JUMP, OP_BEGIN, OP_END, OP_MATCH };

struct step {
    uint8_t op;
    uint8_t value;     /* OP_BYTE: which; OP_SET: the set's number */
    int16_t to, or_to; /* OP_JUMP, OP_SPLIT: relative */
};

struct set {
    uint8_t bits[32];
};

struct pattern {
    uint16_t count, set_count;
    bool folds; /* upper case is lower case */
    struct step steps[PATTERN_STEPS_MAX];
    struct set sets[SETS_MAX];
};

struct parser {
    struct pattern *made;
    struct str text;
    size_t at;
    unsigned depth;
    const char *fault; /* the first */
    size_t fault_at;
};

/* --- the program ----------------------------------------------------------------------------------- */

static void fail(struct parser *p, const char *fault)
{
    if (!p->fault) {
        p->fault = fault;
        p->fault_at = p->at;
    }
}

static bool has_room(struct parser *p, size_t more)
{
    if (p->made->count + more >= PATTERN_STEPS_MAX) { /* and the last one */
        fail(p, "too long when its repetitions are written out");
    }
    return !p->fault;
}

static void emit(struct parser *p, struct step step)
{
    if (has_room(p, 1)) {
        p->made->steps[p->made->count++] = step;
    }
}

/* A step before the piece that begins at `from`. */
static void put_before(struct parser *p, uint16_t from, struct step step)
{
    struct pattern *m = p->made;

    if (has_room(p, 1)) {
        memmove(&m->steps[from + 1], &m->steps[from], (m->count - from) * sizeof m->steps[0]);
        m->steps[from] = step;
        m->count++;
    }
}

static int16_t length_from(const struct parser *p, uint16_t from)
{
    return (int16_t)(p->made->count - from);
}

static void make_optional(struct parser *p, uint16_t from)
{
    put_before(p, from, (struct step){ OP_SPLIT, 0, 1, (int16_t)(length_from(p, from) + 1) });
}

static void make_repeated(struct parser *p, uint16_t from)
{
    int16_t length = length_from(p, from);

    emit(p, (struct step){ OP_SPLIT, 0, (int16_t)-length, 1 });
}

/* {low,high}; `high` is -1 for no end. */
static void make_counted(struct parser *p, uint16_t from, int low, int high)
{
    struct step piece[PATTERN_STEPS_MAX];
    int16_t length = length_from(p, from);
    int optional = high < 0 ? 1 : high - low;

    memcpy(piece, &p->made->steps[from], (size_t)length * sizeof piece[0]);
    p->made->count = from;
    for (int i = 0; i < low && has_room(p, (size_t)length); i++) {
        memcpy(&p->made->steps[p->made->count], piece, (size_t)length * sizeof piece[0]);
        p->made->count = (uint16_t)(p->made->count + length);
    }
    for (int i = 0; i < optional && has_room(p, (size_t)length + 1); i++) {
        uint16_t at = p->made->count;

        memcpy(&p->made->steps[at], piece, (size_t)length * sizeof piece[0]);
        p->made->count = (uint16_t)(at + length);
        if (high < 0) {
            make_repeated(p, at);
            make_optional(p, at);
        } else { /* out of the rest of them, too */
            put_before(p, at,
                       (struct step){ OP_SPLIT, 0, 1, (int16_t)((optional - i) * (length + 1)) });
        }
    }
}

/* --- sets ---------------------------------------------------------------------------------------------- */

/* isalpha and its kind as the C locale has them, whatever the program's is. */
static bool class_has(const char *name, int c)
{
    static const struct {
        const char *name;
        const char *ranges; /* pairs */
    } classes[] = {
        { "alpha", "azAZ" },    { "digit", "09" },      { "alnum", "azAZ09" },
        { "upper", "AZ" },      { "lower", "az" },      { "blank", "  \t\t" },
        { "space", "  \t\r" },  { "xdigit", "09afAF" }, { "punct", "!/:@[`{~" },
        { "print", " ~" },      { "graph", "!~" },      { "cntrl", "\x01\x1f\x7f\x7f" },
        { "word", "azAZ09__" },
    };

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strcmp(classes[i].name, name) == 0) {
            for (const char *pair = classes[i].ranges; *pair; pair += 2) {
                if (c >= pair[0] && c <= pair[1]) {
                    return true;
                }
            }
            return strcmp(name, "cntrl") == 0 && c == 0;
        }
    }
    return false;
}

static bool is_word(char c)
{
    return class_has("word", c);
}

static bool class_is_known(const char *name)
{
    return class_has(name, ' ') || class_has(name, 'a') || class_has(name, 'A') ||
           class_has(name, '0') || class_has(name, '!') || class_has(name, '\n');
}

static void set_add(struct set *set, unsigned c)
{
    set->bits[c / 8] = (uint8_t)(set->bits[c / 8] | 1U << c % 8);
}

static bool set_has(const struct set *set, unsigned c)
{
    return set->bits[c / 8] >> c % 8 & 1;
}

static void set_invert(struct set *set)
{
    for (size_t i = 0; i < sizeof set->bits; i++) {
        set->bits[i] = (uint8_t)~set->bits[i];
    }
}

static void set_add_class(struct set *set, const char *name, bool without)
{
    for (unsigned c = 0; c < 256; c++) {
        if ((c < 128 && class_has(name, (int)c)) != without) {
            set_add(set, c);
        }
    }
}

/* What \d and its kind stand for; NULL: nothing. */
static const char *class_of_escape(char c)
{
    switch (c | 0x20) {
    case 'd':
        return "digit";
    case 'w':
        return "word";
    case 's':
        return "space";
    default:
        return NULL;
    }
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static void emit_set(struct parser *p, const struct set *set)
{
    struct pattern *m = p->made;

    if (m->set_count == SETS_MAX) {
        fail(p, "more than 32 sets in brackets");
        return;
    }
    m->sets[m->set_count] = *set;
    if (m->folds) {
        for (unsigned c = 'A'; c <= 'Z'; c++) {
            if (set_has(set, c)) {
                set_add(&m->sets[m->set_count], c | 0x20);
            }
        }
    }
    emit(p, (struct step){ OP_SET, (uint8_t)m->set_count++, 0, 0 });
}

/* --- reading ---------------------------------------------------------------------------------------------- */

static bool at_end(const struct parser *p)
{
    return p->at >= p->text.len;
}

static char peek(const struct parser *p)
{
    return at_end(p) ? '\0' : p->text.data[p->at];
}

static bool take(struct parser *p, char c)
{
    if (at_end(p) || p->text.data[p->at] != c) {
        return false;
    }
    p->at++;
    return true;
}

static void emit_byte(struct parser *p, char c)
{
    c = (char)(p->made->folds && is_upper(c) ? c | 0x20 : c);
    emit(p, (struct step){ OP_BYTE, (uint8_t)c, 0, 0 });
}

/* After a backslash: a class, or a byte as it stands. */
static void parse_escape(struct parser *p)
{
    struct set set = { { 0 } };
    char c = peek(p);
    const char *class = class_of_escape(c);

    if (at_end(p)) {
        fail(p, "a backslash at the end quotes nothing");
    } else if (class) {
        set_add_class(&set, class, is_upper(c));
        emit_set(p, &set);
    } else if (c >= '1' && c <= '9') {
        fail(p, "back-references are not supported");
    } else if (is_word(c)) {
        fail(p, "this escape has no meaning here; \\d \\w \\s \\D \\W \\S and \\ before "
                "punctuation do");
    } else {
        emit_byte(p, c);
    }
    p->at++;
}

/* "[:alpha:]" within brackets, after its first bracket. */
static void parse_class(struct parser *p, struct set *set)
{
    char name[8] = "";
    size_t len = 0;

    p->at++;
    while (len < sizeof name - 1 && peek(p) >= 'a' && peek(p) <= 'z') {
        name[len++] = p->text.data[p->at++];
    }
    if (!class_is_known(name) || !take(p, ':') || !take(p, ']')) {
        fail(p, "want a class such as [:alpha:]");
        return;
    }
    set_add_class(set, name, false);
}

/* One byte of a set; false when it was a class, or is wrong. */
static bool parse_member(struct parser *p, struct set *set, unsigned *member)
{
    char c = p->text.data[p->at++];

    if (c == '[' && peek(p) == ':') {
        parse_class(p, set);
        return false;
    }
    if (c == '[' && (peek(p) == '.' || peek(p) == '=')) {
        fail(p, "collations are not supported");
        return false;
    }
    if (c == '\\') {
        char quoted = peek(p);

        if (at_end(p) || (is_word(quoted) && !class_of_escape(quoted))) {
            fail(p, "this escape has no meaning here");
            return false;
        }
        p->at++;
        if (class_of_escape(quoted)) {
            set_add_class(set, class_of_escape(quoted), is_upper(quoted));
            return false;
        }
        c = quoted;
    }
    *member = (unsigned char)c;
    return true;
}

static void parse_set(struct parser *p)
{
    struct set set = { { 0 } };
    bool inverted = take(p, '^'), is_first = true;
    unsigned low, high;

    while (!at_end(p) && !p->fault && (is_first || peek(p) != ']')) {
        is_first = false;
        if (!parse_member(p, &set, &low)) {
            continue;
        }
        high = low;
        if (peek(p) == '-' && p->at + 1 < p->text.len && p->text.data[p->at + 1] != ']') {
            p->at++;
            if (!parse_member(p, &set, &high) || high < low) {
                fail(p, "this range has no end, or one before its beginning");
            }
        }
        for (unsigned c = low; c <= high && c < 256; c++) {
            set_add(&set, c);
        }
    }
    if (!take(p, ']')) {
        fail(p, "the bracket [ is not closed");
    }
    if (p->made->folds && inverted) { /* before it is turned over */
        for (unsigned c = 'A'; c <= 'Z'; c++) {
            if (set_has(&set, c) || set_has(&set, c | 0x20)) {
                set_add(&set, c);
                set_add(&set, c | 0x20);
            }
        }
    }
    if (inverted) {
        set_invert(&set);
    }
    emit_set(p, &set);
}

static void parse_branches(struct parser *p);

static void parse_group(struct parser *p)
{
    if (peek(p) == '?') {
        fail(p, "(?...) is not supported, but for (?i) at the beginning");
    } else if (++p->depth > DEPTH_MAX) {
        fail(p, "more than 32 groups within each other");
    } else {
        parse_branches(p);
        if (!take(p, ')')) {
            fail(p, "the parenthesis ( is not closed");
        }
        p->depth--;
    }
}

/* False when there is nothing that could be repeated. */
static bool parse_atom(struct parser *p)
{
    char c = p->text.data[p->at++];

    switch (c) {
    case '(':
        parse_group(p);
        return true;
    case '[':
        parse_set(p);
        return true;
    case '.':
        emit(p, (struct step){ OP_ANY, 0, 0, 0 });
        return true;
    case '^':
        emit(p, (struct step){ OP_BEGIN, 0, 0, 0 });
        return false;
    case '$':
        emit(p, (struct step){ OP_END, 0, 0, 0 });
        return false;
    case '\\':
        parse_escape(p);
        return true;
    case '*':
    case '+':
    case '?':
    case '{':
        p->at--;
        fail(p, "nothing stands here that could be repeated; \\ before it makes it plain");
        return false;
    default:
        emit_byte(p, c);
        return true;
    }
}

static bool parse_number(struct parser *p, int *number)
{
    size_t from = p->at;

    for (*number = 0; peek(p) >= '0' && peek(p) <= '9' && *number <= REPEAT_MAX; p->at++) {
        *number = *number * 10 + (peek(p) - '0');
    }
    return p->at > from && *number <= REPEAT_MAX;
}

static void parse_count(struct parser *p, uint16_t from)
{
    int low, high;

    if (!parse_number(p, &low)) {
        fail(p, "want {N}, {N,} or {N,M} with numbers up to 255; \\{ is a plain brace");
        return;
    }
    high = low;
    if (take(p, ',') && !parse_number(p, &high)) {
        high = -1;
    }
    if (!take(p, '}') || (high >= 0 && high < low)) {
        fail(p, "want {N}, {N,} or {N,M} with numbers up to 255; \\{ is a plain brace");
        return;
    }
    make_counted(p, from, low, high);
}

/* Whether there was one. */
static bool parse_quantifier(struct parser *p, uint16_t from)
{
    if (take(p, '*')) {
        make_repeated(p, from);
        make_optional(p, from);
    } else if (take(p, '+')) {
        make_repeated(p, from);
    } else if (take(p, '?')) {
        make_optional(p, from);
    } else if (take(p, '{')) {
        parse_count(p, from);
    } else {
        return false;
    }
    return true;
}

static void parse_branch(struct parser *p)
{
    while (!p->fault && !at_end(p) && peek(p) != '|' && !(peek(p) == ')' && p->depth)) {
        uint16_t from = p->made->count;

        if (peek(p) == ')') {
            fail(p, "no parenthesis ( is open here; \\) is a plain one");
        } else if (parse_atom(p)) {
            while (!p->fault && parse_quantifier(p, from)) {
            }
        }
    }
}

static void parse_branches(struct parser *p)
{
    uint16_t from = p->made->count;

    parse_branch(p);
    while (!p->fault && take(p, '|')) {
        uint16_t second;
        int16_t length;

        put_before(p, from, (struct step){ OP_SPLIT, 0, 1, (int16_t)(length_from(p, from) + 2) });
        second = p->made->count;
        emit(p, (struct step){ OP_JUMP, 0, 0, 0 });
        parse_branch(p);
        length = length_from(p, second);
        p->made->steps[second].to = length;
    }
}

enum result pattern_new(struct pattern **made, struct str text, struct err *err)
{
    struct parser p = { .text = text };

    if (text.len > PATTERN_BYTES_MAX) {
        return err_set(err, RESULT_INVALID, "E-PAT1", "the pattern is over %d bytes",
                       PATTERN_BYTES_MAX);
    }
    p.made = calloc(1, sizeof *p.made);
    if (!p.made) {
        return err_nomem(err, "reading a pattern");
    }
    if (str_starts(text, STR("(?i)"))) {
        p.made->folds = true;
        p.at = 4;
    }
    parse_branches(&p);
    if (p.fault) {
        enum result result =
            err_set(err, RESULT_INVALID, "E-PAT1", "pattern \"%.*s\", byte %zu: %s",
                    (int)(text.len < 100 ? text.len : 100), text.data, p.fault_at + 1, p.fault);

        free(p.made);
        return result;
    }
    p.made->steps[p.made->count++] = (struct step){ OP_MATCH, 0, 0, 0 };
    *made = p.made;
    return RESULT_OK;
}

void pattern_free(struct pattern *pattern)
{
    free(pattern);
}

/* --- running ------------------------------------------------------------------------------------------------ */

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
        switch ((enum op)step->op) {
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
    switch ((enum op)step->op) {
    case OP_BYTE:
        return step->value == c;
    case OP_ANY:
        return true;
    default:
        return set_has(&m->sets[step->value], c);
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

            c = (char)(m->folds && is_upper(c) ? c | 0x20 : c);
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
