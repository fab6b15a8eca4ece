#include "base/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define BLOCK 4096
#define NO_CONVERSION ((iconv_t)-1)

static const struct {
    struct str name;
    const char *system;
} charsets[] = {
    { STR_INIT("iso-8859-2"), "ISO-8859-2" },
    { STR_INIT("latin2"), "ISO-8859-2" },
    { STR_INIT("iso-8859-3"), "ISO-8859-3" },
    { STR_INIT("iso-8859-4"), "ISO-8859-4" },
    { STR_INIT("iso-8859-5"), "ISO-8859-5" },
    { STR_INIT("iso-8859-6"), "ISO-8859-6" },
    { STR_INIT("iso-8859-7"), "ISO-8859-7" },
    { STR_INIT("iso-8859-8"), "ISO-8859-8" },
    { STR_INIT("iso-8859-9"), "WINDOWS-1254" },
    { STR_INIT("latin5"), "WINDOWS-1254" },
    { STR_INIT("iso-8859-10"), "ISO-8859-10" },
    { STR_INIT("iso-8859-13"), "ISO-8859-13" },
    { STR_INIT("iso-8859-14"), "ISO-8859-14" },
    { STR_INIT("iso-8859-16"), "ISO-8859-16" },
    { STR_INIT("windows-1250"), "WINDOWS-1250" },
    { STR_INIT("cp1250"), "WINDOWS-1250" },
    { STR_INIT("windows-1251"), "WINDOWS-1251" },
    { STR_INIT("cp1251"), "WINDOWS-1251" },
    { STR_INIT("windows-1253"), "WINDOWS-1253" },
    { STR_INIT("cp1253"), "WINDOWS-1253" },
    { STR_INIT("windows-1254"), "WINDOWS-1254" },
    { STR_INIT("cp1254"), "WINDOWS-1254" },
    { STR_INIT("windows-1255"), "WINDOWS-1255" },
    { STR_INIT("cp1255"), "WINDOWS-1255" },
    { STR_INIT("windows-1256"), "WINDOWS-1256" },
    { STR_INIT("cp1256"), "WINDOWS-1256" },
    { STR_INIT("windows-1257"), "WINDOWS-1257" },
    { STR_INIT("cp1257"), "WINDOWS-1257" },
    { STR_INIT("windows-1258"), "WINDOWS-1258" },
    { STR_INIT("cp1258"), "WINDOWS-1258" },
    { STR_INIT("koi8-r"), "KOI8-R" },
    { STR_INIT("koi8-u"), "KOI8-U" },
    { STR_INIT("ibm866"), "IBM866" },
    { STR_INIT("cp866"), "IBM866" },
    { STR_INIT("macintosh"), "MACINTOSH" },
    { STR_INIT("tis-620"), "TIS-620" },
    { STR_INIT("shift_jis"), "CP932" },
    { STR_INIT("shift-jis"), "CP932" },
    { STR_INIT("sjis"), "CP932" },
    { STR_INIT("windows-31j"), "CP932" },
    { STR_INIT("ms932"), "CP932" },
    { STR_INIT("euc-jp"), "EUC-JP" },
    { STR_INIT("iso-2022-jp"), "ISO-2022-JP" },
    { STR_INIT("euc-kr"), "UHC" },
    { STR_INIT("ks_c_5601-1987"), "UHC" },
    { STR_INIT("windows-949"), "UHC" },
    { STR_INIT("gb2312"), "GB18030" },
    { STR_INIT("gbk"), "GB18030" },
    { STR_INIT("gb18030"), "GB18030" },
    { STR_INIT("big5"), "BIG5-HKSCS" },
    { STR_INIT("big5-hkscs"), "BIG5-HKSCS" },
    { STR_INIT("utf-32"), "UTF-32" },
    { STR_INIT("utf-32le"), "UTF-32LE" },
    { STR_INIT("utf-32be"), "UTF-32BE" },
};

const char *charset_find(struct str name)
{
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
        iconv_t to;

        if (!str_equal_nocase(name, charsets[i].name)) {
            continue;
        }
        to = iconv_open("UTF-8", charsets[i].system);
        if (to == NO_CONVERSION) {
            return NULL;
        }
        iconv_close(to);
        return charsets[i].system;
    }
    return NULL;
}

bool charset_is_told_from_utf8(const char *found)
{
    return strncmp(found, "ISO-2022", 8) != 0 && strncmp(found, "UTF-32", 6) != 0;
}

/* The rest is given out, too: some letters wait for what may follow. */
static enum result convert(iconv_t to, struct str bytes, struct buf *out)
{
    char *in = (char *)(uintptr_t)bytes.data, block[BLOCK];
    size_t left = bytes.len;
    enum result result = RESULT_OK;
    bool is_end = false;

    while (result == RESULT_OK && !is_end) {
        char *at = block;
        size_t room = sizeof block, done;

        is_end = !left;
        done = is_end ? iconv(to, NULL, NULL, &at, &room) : iconv(to, &in, &left, &at, &room);
        if (done == (size_t)-1 && errno != E2BIG) {
            return RESULT_INVALID;
        }
        result = buf_append(out, block, sizeof block - room);
    }
    return result;
}

enum result charset_read(const char *found, struct str bytes, struct buf *out)
{
    iconv_t to = iconv_open("UTF-8", found);
    enum result result;

    if (to == NO_CONVERSION) {
        return RESULT_NOMEM;
    }
    result = convert(to, bytes, out);
    iconv_close(to);
    return result;
}

bool charset_map(const char *found, int map[256])
{
    iconv_t to = iconv_open("UTF-32LE", found);
    bool is_single = to != NO_CONVERSION;

    for (int i = 0; is_single && i < 256; i++) {
        char byte = (char)i, *in = &byte;
        unsigned char code[16];
        char *at = (char *)code;
        size_t left = 1, room = sizeof code;
        bool is_one = iconv(to, &in, &left, &at, &room) != (size_t)-1 &&
                      iconv(to, NULL, NULL, &at, &room) != (size_t)-1;

        is_single = is_one || errno == EILSEQ;
        map[i] = is_one && room == sizeof code - 4 ? code[0] | code[1] << 8 | code[2] << 16 : -1;
    }
    if (to != NO_CONVERSION) {
        iconv_close(to);
    }
    return is_single;
}
