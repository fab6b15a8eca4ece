#include "ui/background.h"

#include <stddef.h>
#include <string.h>

static const char *const names[BACKGROUND_COUNT] = {
    [BACKGROUND_AUTO] = "auto",
    [BACKGROUND_DARK] = "dark",
    [BACKGROUND_LIGHT] = "light",
};

const char *background_name(enum background background)
{
    return names[background];
}

bool background_parse(struct str name, enum background *background)
{
    for (int i = 0; i < BACKGROUND_COUNT; i++) {
        if (str_equal(name, str_view(names[i]))) {
            *background = (enum background)i;
            return true;
        }
    }
    return false;
}

/* The last field is the background, one of sixteen colours: 7 and the bright ones but 8 are light. */
enum background background_of_fgbg(const char *text)
{
    const char *last = text ? strrchr(text, ';') : NULL;
    unsigned number = 0;

    if (!last || !last[1] || strlen(last + 1) > 2) {
        return BACKGROUND_AUTO;
    }
    for (const char *c = last + 1; *c; c++) {
        if (*c < '0' || *c > '9') {
            return BACKGROUND_AUTO;
        }
        number = number * 10 + (unsigned)(*c - '0');
    }
    return number > 15                 ? BACKGROUND_AUTO
           : number == 7 || number > 8 ? BACKGROUND_LIGHT
                                       : BACKGROUND_DARK;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One to four digits stand for the same share of the whole: f, ff and ffff are all of it. */
static bool take_share(struct str *rest, double *share)
{
    unsigned value = 0, whole = 0;
    size_t digits = 0;

    while (digits < rest->len && digits < 4 && hex_digit(rest->data[digits]) >= 0) {
        value = value * 16 + (unsigned)hex_digit(rest->data[digits++]);
        whole = whole * 16 + 15;
    }
    rest->data += digits;
    rest->len -= digits;
    *share = digits ? (double)value / whole : 0;
    return digits > 0;
}

static bool take_slash(struct str *rest)
{
    if (!rest->len || rest->data[0] != '/') {
        return false;
    }
    rest->data++;
    rest->len--;
    return true;
}

enum background background_of_answer(struct str text)
{
    static const char *const begins[] = { "11;rgb:", "11;rgba:" };
    double red, green, blue;

    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        struct str rest = text;

        if (!str_starts(text, str_view(begins[i]))) {
            continue;
        }
        rest.data += strlen(begins[i]);
        rest.len -= strlen(begins[i]);
        if (take_share(&rest, &red) && take_slash(&rest) && take_share(&rest, &green) &&
            take_slash(&rest) && take_share(&rest, &blue)) {
            return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 ? BACKGROUND_LIGHT
                                                                    : BACKGROUND_DARK;
        }
    }
    return BACKGROUND_AUTO;
}

bool background_may_be_answer(struct str text)
{
    struct str begin = STR("11;rgb");

    return text.len < begin.len ? str_starts(begin, text) : str_starts(text, begin);
}
