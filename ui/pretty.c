#include "ui/pretty.h"

#include <string.h>

struct printer {
    void (*visit)(void *context, struct str line);
    void *context;
    char line[PRETTY_LINE_MAX];
    size_t length;
    size_t depth;
    bool empty_line; /* it has nothing but its indentation yet */
};

static void put(struct printer *p, char c)
{
    if (p->length < sizeof p->line) {
        p->line[p->length++] = c;
    }
    p->empty_line = false;
}

static void end_line(struct printer *p)
{
    size_t steps = p->depth < PRETTY_DEPTH_SHOWN ? p->depth : PRETTY_DEPTH_SHOWN;

    if (!p->empty_line) {
        p->visit(p->context, (struct str){ p->line, p->length });
    }
    p->length = 2 * steps;
    memset(p->line, ' ', p->length);
    p->empty_line = true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A string whole, with its quotes; returns the offset after it. */
static size_t put_string(struct printer *p, struct str text, size_t at)
{
    put(p, text.data[at++]);
    while (at < text.len) {
        char c = text.data[at++];

        put(p, c);
        if (c == '\\' && at < text.len) {
            put(p, text.data[at++]);
        } else if (c == '"') {
            break;
        }
    }
    return at;
}

static void put_structure(struct printer *p, char c)
{
    switch (c) {
    case '{':
    case '[':
        put(p, c);
        p->depth++;
        end_line(p);
        break;
    case '}':
    case ']':
        p->depth -= p->depth > 0;
        end_line(p);
        put(p, c);
        break;
    case ',':
        put(p, c);
        end_line(p);
        break;
    case ':':
        put(p, c);
        put(p, ' ');
        break;
    default:
        put(p, c);
        break;
    }
}

static void print_plain(struct str text, void (*visit)(void *context, struct str line),
                        void *context)
{
    while (text.len) {
        struct str line = str_cut(&text, '\n');

        line.len -= line.len > 0 && line.data[line.len - 1] == '\r';
        line.len = line.len < PRETTY_LINE_MAX ? line.len : PRETTY_LINE_MAX;
        visit(context, line);
    }
}

void pretty_lines(struct str text, void (*visit)(void *context, struct str line), void *context)
{
    struct printer p = { .visit = visit, .context = context, .empty_line = true };
    struct str trimmed = str_trim(text);
    size_t at = 0;

    if (!trimmed.len || !strchr("{[", trimmed.data[0])) {
        print_plain(text, visit, context);
        return;
    }
    while (at < trimmed.len) {
        char c = trimmed.data[at];

        if (c == '"') {
            at = put_string(&p, trimmed, at);
            continue;
        }
        if (!is_space(c)) {
            put_structure(&p, c);
        }
        at++;
    }
    end_line(&p);
}
