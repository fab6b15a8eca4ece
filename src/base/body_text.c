#include "base/body_text.h"

#include "base/charset.h"
#include "base/json_loose.h"
#include "base/utf8.h"

#include <string.h>

#define SEQUENCE_MARK '\x1E'

const char *body_was_words(unsigned bit)
{
    switch ((enum body_was)bit) {
    case BODY_WAS_MARKED:
        return "begins with a byte order mark, which is passed over";
    case BODY_WAS_UTF16:
        return "is UTF-16, and read as such";
    case BODY_WAS_LATIN:
        return "is in the letters that its charset names, and read as such";
    case BODY_WAS_LINES:
        return "is JSON Lines, taken for one array";
    case BODY_WAS_SEQUENCE:
        return "is a JSON text sequence, taken for one array";
    case BODY_WAS_NAN:
        return "has NaN, Infinity or undefined, taken for null";
    case BODY_WAS_LOOSE:
        return "is nearly JSON (control characters, escapes or a last comma that JSON has not), "
               "and read for what it means";
    case BODY_WAS_CSV:
        return "is a table of cells (CSV), and read as such";
    case BODY_WAS_XML:
        return "is XML, and read as such";
    case BODY_WAS_PACKED:
        return "is a compressed file, and unpacked";
    case BODY_WAS_STRIPPED:
        return "has a wrapping around it, which is taken away";
    case BODY_WAS_RAGGED:
        return "has rows of other lengths than its header: what is too many stands in \"_more\"";
    }
    return "";
}

const char *body_was_name(unsigned bit)
{
    static const char *const names[BODY_WAS_COUNT] = {
        [__builtin_ctz(BODY_WAS_MARKED)] = "bom",
        [__builtin_ctz(BODY_WAS_UTF16)] = "utf16",
        [__builtin_ctz(BODY_WAS_LATIN)] = "latin",
        [__builtin_ctz(BODY_WAS_LINES)] = "lines",
        [__builtin_ctz(BODY_WAS_SEQUENCE)] = "sequence",
        [__builtin_ctz(BODY_WAS_NAN)] = "nan",
        [__builtin_ctz(BODY_WAS_CSV)] = "csv",
        [__builtin_ctz(BODY_WAS_XML)] = "xml",
        [__builtin_ctz(BODY_WAS_PACKED)] = "packed",
        [__builtin_ctz(BODY_WAS_STRIPPED)] = "stripped",
        [__builtin_ctz(BODY_WAS_RAGGED)] = "ragged",
        [__builtin_ctz(BODY_WAS_LOOSE)] = "loose",
    };

    return bit && bit < 1U << BODY_WAS_COUNT ? names[__builtin_ctz(bit)] : "";
}

/* --- letters ---------------------------------------------------------------------------------------- */

enum letters { LETTERS_UTF8, LETTERS_LATIN, LETTERS_LATIN9, LETTERS_LE, LETTERS_BE, LETTERS_OTHER };

static const struct {
    struct str name;
    enum letters letters;
} charsets[] = {
    { STR_INIT("utf-8"), LETTERS_UTF8 },         { STR_INIT("utf8"), LETTERS_UTF8 },
    { STR_INIT("iso-8859-1"), LETTERS_LATIN },   { STR_INIT("iso8859-1"), LETTERS_LATIN },
    { STR_INIT("iso_8859-1"), LETTERS_LATIN },   { STR_INIT("latin1"), LETTERS_LATIN },
    { STR_INIT("latin-1"), LETTERS_LATIN },      { STR_INIT("us-ascii"), LETTERS_LATIN },
    { STR_INIT("ascii"), LETTERS_LATIN },        { STR_INIT("windows-1252"), LETTERS_LATIN },
    { STR_INIT("cp1252"), LETTERS_LATIN },       { STR_INIT("x-cp1252"), LETTERS_LATIN },
    { STR_INIT("iso-8859-15"), LETTERS_LATIN9 }, { STR_INIT("iso8859-15"), LETTERS_LATIN9 },
    { STR_INIT("latin9"), LETTERS_LATIN9 },      { STR_INIT("utf-16"), LETTERS_LE },
    { STR_INIT("utf-16le"), LETTERS_LE },        { STR_INIT("utf-16be"), LETTERS_BE },
};

/* The value of a content type's charset, without its quotes; STR_NONE when it has none. */
static struct str charset_of(struct str content_type)
{
    (void)str_cut(&content_type, ';');
    while (content_type.data && content_type.len) {
        struct str value = str_trim(str_cut(&content_type, ';')), name;

        name = str_trim(str_cut(&value, '='));
        value = str_trim(value);
        if (value.data && str_equal_nocase(name, STR("charset"))) {
            if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"') {
                value = (struct str){ value.data + 1, value.len - 2 };
            }
            return value;
        }
    }
    return STR_NONE;
}

static enum letters letters_of(struct str charset)
{
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
        if (str_equal_nocase(charset, charsets[i].name)) {
            return charsets[i].letters;
        }
    }
    return charset.len ? LETTERS_OTHER : LETTERS_UTF8;
}

/* What 0x80 to 0x9F stand for in Windows-1252; the five that it leaves out are themselves. */
static const uint16_t windows_1252[32] = {
    0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6,  0x2030, 0x160,
    0x2039, 0x152,  0x8D,   0x17D,  0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178,
};

static uint32_t latin_code(unsigned char c, enum letters letters)
{
    if (letters == LETTERS_LATIN) {
        return c >= 0x80 && c < 0xA0 ? windows_1252[c - 0x80] : c;
    }
    switch (c) { /* where ISO-8859-15 differs from ISO-8859-1 */
    case 0xA4:
        return 0x20AC;
    case 0xA6:
        return 0x160;
    case 0xA8:
        return 0x161;
    case 0xB4:
        return 0x17D;
    case 0xB8:
        return 0x17E;
    case 0xBC:
        return 0x152;
    case 0xBD:
        return 0x153;
    case 0xBE:
        return 0x178;
    default:
        return c;
    }
}

static enum result append_code(struct buf *out, uint32_t code)
{
    char bytes[4];
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char first[] = { 0, 0, 0xC0, 0xE0, 0xF0 };

    for (size_t i = len; i-- > 1; code >>= 6) {
        bytes[i] = (char)(0x80 | (code & 0x3F));
    }
    bytes[0] = (char)(first[len] | code);
    return buf_append(out, bytes, len);
}

static enum result read_latin(struct str body, enum letters letters, struct buf *out)
{
    enum result result = buf_reserve(out, body.len);

    for (size_t i = 0; result == RESULT_OK && i < body.len; i++) {
        result = append_code(out, latin_code((unsigned char)body.data[i], letters));
    }
    return result;
}

static uint32_t unit_at(struct str body, size_t at, enum letters letters)
{
    unsigned char a = (unsigned char)body.data[at], b = (unsigned char)body.data[at + 1];

    return letters == LETTERS_LE ? (uint32_t)(b << 8 | a) : (uint32_t)(a << 8 | b);
}

/* Half a character is no text. */
static enum result read_utf16(struct str body, enum letters letters, struct buf *out)
{
    enum result result = body.len % 2 ? RESULT_INVALID : buf_reserve(out, body.len / 2);

    for (size_t i = 0; result == RESULT_OK && i < body.len; i += 2) {
        uint32_t code = unit_at(body, i, letters);

        if (code >= 0xD800 && code < 0xDC00 && i + 2 < body.len) {
            uint32_t low = unit_at(body, i + 2, letters);

            if (low < 0xDC00 || low > 0xDFFF) {
                return RESULT_INVALID;
            }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            i += 2;
        } else if (code >= 0xD800 && code <= 0xDFFF) {
            return RESULT_INVALID;
        }
        result = append_code(out, code);
    }
    return result;
}

/* UTF-16 that nobody has marked: JSON begins with two ASCII characters, or one that is all (RFC 4627 section 3). */
static bool has_nuls_of(struct str body, enum letters letters)
{
    size_t high = letters == LETTERS_LE;

    return body.len >= 2 && !body.data[high] && body.data[!high] &&
           (body.len < 4 || (!body.data[2 + high] && body.data[2 + !high]));
}

/* Whose letters they are; a mark counts more than what the content type says. */
static enum letters find_letters(struct str *body, struct str content_type, unsigned *was)
{
    enum letters letters = letters_of(charset_of(content_type));
    size_t mark = str_starts(*body, STR("\xEF\xBB\xBF"))                                     ? 3
                  : str_starts(*body, STR("\xFF\xFE")) || str_starts(*body, STR("\xFE\xFF")) ? 2
                                                                                             : 0;

    if (mark) {
        letters = mark == 3 ? LETTERS_UTF8 : body->data[0] == '\xFF' ? LETTERS_LE : LETTERS_BE;
        *was |= mark == 3 ? BODY_WAS_MARKED : 0;
        *body = (struct str){ body->data + mark, body->len - mark };
    } else if (has_nuls_of(*body, LETTERS_LE)) {
        letters = LETTERS_LE;
    } else if (has_nuls_of(*body, LETTERS_BE)) {
        letters = LETTERS_BE;
    }
    return letters;
}

/* Many servers name another charset and send UTF-8: valid UTF-8 is read as such. A body in an unknown charset stays. */
static enum result read_other(struct str body, const char *found, struct buf *out, struct str *text,
                              unsigned *was)
{
    enum result result;

    if (!found || (charset_is_told_from_utf8(found) && utf8_valid_prefix(body) == body.len)) {
        return RESULT_OK;
    }
    result = charset_read(found, body, out);
    *text = buf_view(out);
    *was |= BODY_WAS_LATIN;
    return result;
}

/* `*text` becomes the body in UTF-8: a view of it, or what was made in `out`. */
static enum result read_letters(struct str body, enum letters letters, struct str charset,
                                struct buf *out, struct str *text, unsigned *was)
{
    enum result result = RESULT_OK;

    *text = body;
    switch (letters) {
    case LETTERS_UTF8:
        return RESULT_OK;
    case LETTERS_OTHER:
        return read_other(body, charset_find(charset), out, text, was);
    case LETTERS_LATIN:
    case LETTERS_LATIN9:
        /* Many who name them send UTF-8; what is that cannot be meant for the other. */
        if (utf8_valid_prefix(body) == body.len) {
            return RESULT_OK;
        }
        result = read_latin(body, letters, out);
        *was |= BODY_WAS_LATIN;
        break;
    default:
        result = read_utf16(body, letters, out);
        *was |= BODY_WAS_UTF16;
        break;
    }
    *text = buf_view(out);
    return result;
}

bool body_charset_is_known(struct str charset)
{
    return letters_of(charset) != LETTERS_OTHER || charset_find(charset);
}

bool body_charset_is_named(struct str content_type)
{
    return charset_of(content_type).len > 0;
}

struct str body_charset_unknown(struct str content_type)
{
    struct str charset = charset_of(content_type);

    return charset.len && !body_charset_is_known(charset) ? charset : STR_NONE;
}

bool body_charset_map(struct str charset, int map[256])
{
    enum letters letters = letters_of(charset);
    const char *found = letters == LETTERS_OTHER ? charset_find(charset) : NULL;

    if (found) {
        return charset_map(found, map);
    }
    for (int i = 0; i < 256; i++) {
        map[i] = (int)latin_code((unsigned char)i, letters);
    }
    return letters == LETTERS_LATIN || letters == LETTERS_LATIN9;
}

enum result body_text_letters(struct str body, struct str content_type, struct str charset,
                              struct buf *out, struct str *text, unsigned *was)
{
    enum letters letters = find_letters(&body, content_type, was);

    if (charset.len && body_charset_is_known(charset)) {
        letters = letters_of(charset);
    } else {
        charset = charset_of(content_type);
    }
    return read_letters(body, letters, charset, out, text, was);
}

/* --- lines -------------------------------------------------------------------------------------------- */

static bool names_lines(struct str content_type)
{
    static const struct str types[] = {
        STR_INIT("application/x-ndjson"),    STR_INIT("application/ndjson"),
        STR_INIT("application/jsonl"),       STR_INIT("application/x-jsonl"),
        STR_INIT("application/jsonlines"),   STR_INIT("application/x-jsonlines"),
        STR_INIT("application/json-lines"),  STR_INIT("application/x-json-lines"),
        STR_INIT("application/stream+json"), STR_INIT("application/x-json-stream"),
        STR_INIT("application/json-seq"),    STR_INIT("application/geo+json-seq"),
        STR_INIT("text/x-ndjson"),           STR_INIT("text/jsonl"),
    };
    struct str type = str_trim(str_cut(&content_type, ';'));

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (str_equal_nocase(type, types[i])) {
            return true;
        }
    }
    return false;
}

/* One array of the texts that `separator` parts. Where nobody says that there are several, there must be two
 * at least, and each an object or an array. */
static enum result append_texts(struct str text, char separator, bool is_named, struct buf *out)
{
    enum result result = buf_append_char(out, '[');
    size_t count = 0;

    while (result == RESULT_OK && text.len) {
        struct str each = str_trim(str_cut(&text, separator));

        if (!each.len) {
            continue;
        }
        if (!json_check(each, JSON_DEPTH_MAX - 1, NULL) ||
            (!is_named && json_type_of(each) < JSON_ARRAY)) {
            return RESULT_INVALID;
        }
        result = count++ ? buf_append_char(out, ',') : RESULT_OK;
        result = result == RESULT_OK ? buf_append_str(out, each) : result;
    }
    if (result == RESULT_OK && !is_named && count < 2) {
        return RESULT_INVALID;
    }
    return result == RESULT_OK ? buf_append_char(out, ']') : result;
}

static enum result append_lines(struct str text, struct str content_type, struct buf *out,
                                unsigned *was)
{
    bool is_sequence = text.len && text.data[0] == SEQUENCE_MARK;
    enum result result = append_texts(text, is_sequence ? SEQUENCE_MARK : '\n',
                                      is_sequence || names_lines(content_type), out);

    *was |= is_sequence ? BODY_WAS_SEQUENCE : BODY_WAS_LINES;
    return result;
}

bool body_text_bad_line(struct str text, struct str content_type, uint64_t *line,
                        struct json_error *error)
{
    bool is_lines = names_lines(content_type);

    for (*line = 1; text.data && text.len; ++*line) {
        struct str each = str_trim(str_cut(&text, '\n'));

        if (each.len && !json_check(each, JSON_DEPTH_MAX - 1, error)) {
            return is_lines;
        }
        is_lines |= each.len && json_type_of(each) >= JSON_ARRAY;
    }
    return false;
}

/* --- all of it ---------------------------------------------------------------------------------------- */

/* Most that comes here is a page of HTML or a body that was cut: those are told by how they begin and end. */
static bool may_be_json(struct str text, struct str content_type)
{
    text = str_trim(text);
    return text.len ? memchr("{[\"-0123456789tfnNI\x1E", text.data[0], 20) != NULL
                    : names_lines(content_type);
}

/* The text, which is all of `made` or lies elsewhere; that a large one is there twice is spared. */
static enum result put(struct str text, struct buf *made, struct buf *out)
{
    if (text.data != made->data || text.len != made->len) {
        return buf_append_str(out, text);
    }
    made->max = out->max;
    buf_release(out);
    buf_take(out, made);
    return RESULT_OK;
}

/* JSON Lines, or a sequence. */
static enum result put_lines(struct str text, struct str content_type, struct buf *out,
                             unsigned *was)
{
    unsigned lines = 0;
    enum result result = append_lines(str_trim(text), content_type, out, &lines);

    if (result == RESULT_INVALID) {
        buf_reset(out);
    }
    *was |= result == RESULT_OK ? lines : 0;
    return result;
}

/* `text` is UTF-8, in `letters` or in the body; `spare` is for what is made on the way. */
static enum result append_json(struct str text, struct str content_type, struct buf *letters,
                               struct buf *out, struct buf *spare, unsigned *was)
{
    unsigned had;
    enum result result;

    if (json_check(text, JSON_DEPTH_MAX, NULL)) {
        return put(text, letters, out);
    }
    result = put_lines(text, content_type, out, was);
    if (result != RESULT_INVALID) {
        return result;
    }
    result = json_loose_read(text, spare, &had);
    if (result != RESULT_OK || !had) {
        return result == RESULT_OK ? RESULT_INVALID : result;
    }
    *was |=
        (had & JSON_LOOSE_NAN ? BODY_WAS_NAN : 0) | (had & JSON_LOOSE_SIGNS ? BODY_WAS_LOOSE : 0);
    buf_release(letters);
    text = buf_view(spare);
    return json_check(text, JSON_DEPTH_MAX, NULL) ? put(text, spare, out)
                                                  : put_lines(text, content_type, out, was);
}

enum result body_text_read(struct str body, struct str content_type, struct buf *out, unsigned *was)
{
    struct buf letters = { .max = out->max }, spare = { .max = out->max };
    struct str text;
    enum result result;

    *was = 0;
    result = body_text_letters(body, content_type, STR_NONE, &letters, &text, was);
    if (result == RESULT_OK && !may_be_json(text, content_type)) {
        result = RESULT_INVALID;
    }
    result =
        result == RESULT_OK ? append_json(text, content_type, &letters, out, &spare, was) : result;
    buf_release(&letters);
    buf_release(&spare);
    return result;
}
