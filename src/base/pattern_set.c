#include "base/pattern_set.h"

#include <stddef.h>
#include <string.h>

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

bool pattern_is_word(char c)
{
    return class_has("word", c);
}

bool pattern_class_is_known(const char *name)
{
    return class_has(name, ' ') || class_has(name, 'a') || class_has(name, 'A') ||
           class_has(name, '0') || class_has(name, '!') || class_has(name, '\n');
}

void pattern_set_add(struct pattern_set *set, unsigned c)
{
    set->bits[c / 8] = (uint8_t)(set->bits[c / 8] | 1U << c % 8);
}

void pattern_set_invert(struct pattern_set *set)
{
    for (size_t i = 0; i < sizeof set->bits; i++) {
        set->bits[i] = (uint8_t)~set->bits[i];
    }
}

void pattern_set_add_class(struct pattern_set *set, const char *name, bool without)
{
    for (unsigned c = 0; c < 256; c++) {
        if ((c < 128 && class_has(name, (int)c)) != without) {
            pattern_set_add(set, c);
        }
    }
}

const char *pattern_class_of_escape(char c)
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
