#include "base/pattern_program.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32 /* groups within groups */
#define REPEAT_MAX 255

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

/* --- pieces that take one byte ------------------------------------------------------------------------- */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static void emit_set(struct parser *p, const struct pattern_set *set)
{
    struct pattern *m = p->made;

    if (m->set_count == PATTERN_SETS_MAX) {
        fail(p, "more than 32 sets in brackets");
        return;
    }
    m->sets[m->set_count] = *set;
    if (m->folds) {
        for (unsigned c = 'A'; c <= 'Z'; c++) {
            if (pattern_set_has(set, c)) {
                pattern_set_add(&m->sets[m->set_count], c | 0x20);
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
    c = pattern_fold(c, p->made->folds);
    emit(p, (struct step){ OP_BYTE, (uint8_t)c, 0, 0 });
}

/* After a backslash: a class, or a byte as it stands. */
static void parse_escape(struct parser *p)
{
    struct pattern_set set = { { 0 } };
    char c = peek(p);
    const char *class = pattern_class_of_escape(c);

    if (at_end(p)) {
        fail(p, "a backslash at the end quotes nothing");
    } else if (class) {
        pattern_set_add_class(&set, class, is_upper(c));
        emit_set(p, &set);
    } else if (c >= '1' && c <= '9') {
        fail(p, "back-references are not supported");
    } else if (pattern_is_word(c)) {
        fail(p, "this escape has no meaning here; \\d \\w \\s \\D \\W \\S and \\ before "
                "punctuation do");
    } else {
        emit_byte(p, c);
    }
    p->at++;
}

/* "[:alpha:]" within brackets, after its first bracket. */
static void parse_class(struct parser *p, struct pattern_set *set)
{
    char name[8] = "";
    size_t len = 0;

    p->at++;
    while (len < sizeof name - 1 && peek(p) >= 'a' && peek(p) <= 'z') {
        name[len++] = p->text.data[p->at++];
    }
    if (!pattern_class_is_known(name) || !take(p, ':') || !take(p, ']')) {
        fail(p, "want a class such as [:alpha:]");
        return;
    }
    pattern_set_add_class(set, name, false);
}

/* One byte of a set; false when it was a class, or is wrong. */
static bool parse_member(struct parser *p, struct pattern_set *set, unsigned *member)
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

        if (at_end(p) || (pattern_is_word(quoted) && !pattern_class_of_escape(quoted))) {
            fail(p, "this escape has no meaning here");
            return false;
        }
        p->at++;
        if (pattern_class_of_escape(quoted)) {
            pattern_set_add_class(set, pattern_class_of_escape(quoted), is_upper(quoted));
            return false;
        }
        c = quoted;
    }
    *member = (unsigned char)c;
    return true;
}

static void parse_set(struct parser *p)
{
    struct pattern_set set = { { 0 } };
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
            pattern_set_add(&set, c);
        }
    }
    if (!take(p, ']')) {
        fail(p, "the bracket [ is not closed");
    }
    if (p->made->folds && inverted) { /* before it is turned over */
        for (unsigned c = 'A'; c <= 'Z'; c++) {
            if (pattern_set_has(&set, c) || pattern_set_has(&set, c | 0x20)) {
                pattern_set_add(&set, c);
                pattern_set_add(&set, c | 0x20);
            }
        }
    }
    if (inverted) {
        pattern_set_invert(&set);
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
