/* Secrets replaced: by stars for people, by their labels where they must be put in again. */
#include "job/secret.h"

#include "base/json_text.h"
#include "base/os.h"
#include "base/url_make.h"

#include <string.h>

#define SEAL STR("{secret:")
#define NO_SEAL STR("{secret:}") /* that text itself, when it came from somebody else */

/* --- what an escaped byte means --------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_number(struct str digits)
{
    int number = 0;

    for (size_t i = 0; i < digits.len; i++) {
        int digit = hex(digits.data[i]);

        if (digit < 0 || number > 0xFFFF) {
            return -1;
        }
        number = number * 16 + digit;
    }
    return digits.len ? number : -1;
}

/* %41, and %2541 for who escapes twice. */
static size_t percent(struct str text, char want, char *c)
{
    for (size_t head = 1; head <= 3 && text.len >= head + 2; head += 2) {
        int number = hex_number((struct str){ text.data + head, 2 });

        if (number >= 0 && (char)number == want) {
            *c = want;
            return head + 2;
        }
        if (!str_starts(text, STR("%25"))) {
            break;
        }
    }
    return 0;
}

/* Of a JSON string; ASCII only, which is what secrets are made of. */
static size_t backslash(struct str text, char *c)
{
    static const char letters[] = "bfnrt", means[] = "\b\f\n\r\t";
    const char *letter;

    if (text.len < 2) {
        return 0;
    }
    if (text.data[1] == 'u') {
        int number = text.len >= 6 ? hex_number((struct str){ text.data + 2, 4 }) : -1;

        *c = (char)number;
        return number < 0 || number > 0x7F ? 0 : 6;
    }
    letter = text.data[1] ? strchr(letters, text.data[1]) : NULL;
    *c = letter ? means[letter - letters] : text.data[1];
    return 2;
}

static size_t entity(struct str text, char *c)
{
    static const struct {
        struct str name;
        char means;
    } names[] = { { STR_INIT("&amp;"), '&' },
                  { STR_INIT("&lt;"), '<' },
                  { STR_INIT("&gt;"), '>' },
                  { STR_INIT("&quot;"), '"' },
                  { STR_INIT("&apos;"), '\'' } };
    struct str rest = text, number;
    bool is_hex;
    int value = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_starts(text, names[i].name)) {
            *c = names[i].means;
            return names[i].name.len;
        }
    }
    number = str_cut(&rest, ';');
    if (!rest.data || number.len < 3 || number.len > 8 || number.data[1] != '#') {
        return 0;
    }
    is_hex = (number.data[2] | 0x20) == 'x';
    number = (struct str){ number.data + (is_hex ? 3 : 2), number.len - (is_hex ? 3 : 2) };
    if (is_hex) {
        value = hex_number(number);
    } else {
        for (size_t i = 0; i < number.len && value >= 0; i++) {
            value = number.data[i] >= '0' && number.data[i] <= '9'
                        ? value * 10 + (number.data[i] - '0')
                        : -1;
        }
    }
    *c = (char)value;
    return value <= 0 || value > 0x7F || !number.len ? 0 : (size_t)(rest.data - text.data);
}

/* How many bytes at the head of `text` mean `want` by an escape; 0 when they do not. */
static size_t escapes(struct str text, char want)
{
    char c = '\0';
    size_t len = 0;

    switch (text.data[0]) {
    case '%':
        len = percent(text, want, &c);
        break;
    case '\\':
        len = backslash(text, &c);
        break;
    case '&':
        len = entity(text, &c);
        break;
    case '+':
        c = ' ';
        len = 1;
        break;
    default:
        break;
    }
    return c == want ? len : 0;
}

/* --- finding them ----------------------------------------------------------------------------------- */

struct match {
    size_t len;    /* of the text */
    size_t secret; /* so many bytes of the value it stands for */
};

/* How far the text goes on as the value does: byte by byte as it is, or where `escaped`, as it is meant. */
static struct match follow(struct str text, const char *value, bool escaped)
{
    struct match m = { 0, 0 };

    while (value[m.secret] && m.len < text.len) {
        struct str rest = { text.data + m.len, text.len - m.len };
        size_t used = escaped ? escapes(rest, value[m.secret]) : 0;

        if (!used) {
            used = rest.data[0] == value[m.secret];
        }
        if (!used) {
            break;
        }
        m.len += used;
        m.secret++;
    }
    return m;
}

static struct match match_at(struct str text, const char *value)
{
    struct match plain = follow(text, value, false), meant = follow(text, value, true);

    return meant.secret > plain.secret ? meant : plain;
}

static bool may_begin(const struct secrets *secrets, char c)
{
    return secrets->begins[(unsigned char)c] || c == '%' || c == '\\' || c == '&' || c == '+';
}

/* A URL begins as others do. */
static size_t least_begun(const char *value)
{
    const char *authority = strstr(value, "://");

    return SECRET_BEGUN_BYTES + (authority ? (size_t)(authority - value) + 3 : 0);
}

/* The length of the whole secret that `text` starts with, 0 for none; `which` gets it. */
static size_t whole_at(const struct secrets *secrets, struct str text, const struct secret **which)
{
    if (!may_begin(secrets, text.data[0])) {
        return 0;
    }
    for (size_t i = 0; i < secrets->count; i++) {
        struct match m = match_at(text, secrets->list[i].value);

        if (!secrets->list[i].value[m.secret]) {
            *which = &secrets->list[i];
            return m.len;
        }
    }
    return 0;
}

/* The length of the longest beginning of one. `cut`: the text ends where it does by our doing. */
static size_t begun_at(const struct secrets *secrets, struct str text, bool cut)
{
    size_t longest = 0;

    if (!may_begin(secrets, text.data[0])) {
        return 0;
    }
    for (size_t i = 0; i < secrets->count; i++) {
        const char *value = secrets->list[i].value;
        struct match m = match_at(text, value);
        bool counts = m.secret >= least_begun(value) || (cut && m.secret && m.len == text.len);

        longest = counts && m.len > longest ? m.len : longest;
    }
    return longest;
}

bool secrets_are_in(const struct secrets *secrets, struct str text)
{
    const struct secret *which;

    for (; secrets->count && text.len; text.data++, text.len--) {
        if (whole_at(secrets, text, &which)) {
            return true;
        }
    }
    return false;
}

/* As secret_label makes it: other text may begin like a sealed one, too. */
static bool is_label(struct str label)
{
    for (size_t i = 0; i < label.len; i++) {
        char c = label.data[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.')) {
            return false;
        }
    }
    return label.len < SECRET_LABEL_SIZE;
}

/* "{secret:LABEL}" at the head: its length, or 0. */
static size_t sealed_at(struct str text, struct str *label)
{
    struct str rest = text;

    if (!str_starts(text, SEAL)) {
        return 0;
    }
    *label = str_cut(&rest, '}');
    if (!rest.data) {
        return 0;
    }
    label->data += SEAL.len;
    label->len -= SEAL.len;
    if (!is_label(*label)) {
        return 0;
    }
    return (size_t)(rest.data - text.data);
}

static size_t hidden_at(const struct secrets *secrets, struct str text, enum secret_reach reach)
{
    const struct secret *which;
    struct str label;
    size_t len = text.data[0] == '{' ? sealed_at(text, &label) : 0;

    if (!len && secrets->count) {
        len = whole_at(secrets, text, &which);
        if (!len && reach != SECRETS_WHOLE) {
            len = begun_at(secrets, text, reach == SECRETS_CUT);
        }
    }
    return len;
}

enum result secrets_redact(const struct secrets *secrets, struct str text, enum secret_reach reach,
                           struct buf *out)
{
    struct str plain = { text.data, 0 }; /* what has been passed over, not yet appended */
    enum result result = RESULT_OK;

    if (!secrets->count) {
        return buf_append_str(out, text);
    }
    while (text.len && result == RESULT_OK) {
        size_t len = hidden_at(secrets, text, reach);

        if (len) {
            result = buf_append_str(out, plain);
            result = result == RESULT_OK ? buf_append_str(out, SECRET_STARS) : result;
            plain = (struct str){ text.data + len, 0 };
        } else {
            plain.len++;
            len = 1;
        }
        text.data += len;
        text.len -= len;
    }
    return result == RESULT_OK ? buf_append_str(out, plain) : result;
}

/* --- sealing ------------------------------------------------------------------------------------------ */

static enum result seal_one(const struct secrets *secrets, struct str *text, struct buf *out)
{
    const struct secret *which;
    size_t len = secrets->count ? whole_at(secrets, *text, &which) : 0;
    enum result result;

    if (len) {
        result = buf_printf(out, "{secret:%s}", which->label);
    } else if (str_starts(*text, SEAL)) {
        len = SEAL.len;
        result = buf_append_str(out, NO_SEAL);
    } else {
        len = 1;
        result = buf_append_char(out, text->data[0]);
    }
    text->data += len;
    text->len -= len;
    return result;
}

enum result secrets_seal(const struct secrets *secrets, struct str text, struct buf *out)
{
    enum result result = RESULT_OK;

    while (text.len && result == RESULT_OK) {
        result = seal_one(secrets, &text, out);
    }
    return result;
}

bool secret_is_sealed(struct str text)
{
    return text.len && memmem(text.data, text.len, SEAL.data, SEAL.len) != NULL;
}

static enum result put_value(struct str value, enum secret_place place, struct buf *out)
{
    struct buf quoted = { 0 };
    enum result result;

    switch (place) {
    case SECRET_IN_URL:
        return url_append_encoded(out, value);
    case SECRET_AS_IS:
        return buf_append_str(out, value);
    case SECRET_IN_JSON:
        break;
    }
    result = json_text_append(&quoted, value);
    if (result == RESULT_OK) { /* it stands within a string already */
        result = buf_append(out, quoted.data + 1, quoted.len - 2);
    }
    if (quoted.data) {
        os_wipe(quoted.data, quoted.cap);
    }
    buf_release(&quoted);
    return result;
}

enum result secrets_unseal(const struct secrets *secrets, struct str text, enum secret_place place,
                           struct buf *out)
{
    enum result result = RESULT_OK;

    while (text.len && result == RESULT_OK) {
        struct str label, value;
        size_t len = text.data[0] == '{' ? sealed_at(text, &label) : 0;

        if (!len) {
            len = 1;
            result = buf_append_char(out, text.data[0]);
        } else if (!label.len) {
            result = buf_append_str(out, SEAL);
        } else {
            value = secrets_find(secrets, label);
            result = value.data ? put_value(value, place, out) : RESULT_NOT_FOUND;
        }
        text.data += len;
        text.len -= len;
    }
    return result;
}
