#include "base/body_format.h"

static const struct str names[BODY_FORMAT_COUNT] = {
    [BODY_AUTO] = STR_INIT("auto"),     [BODY_JSON] = STR_INIT("json"),
    [BODY_NDJSON] = STR_INIT("ndjson"), [BODY_CSV] = STR_INIT("csv"),
    [BODY_TSV] = STR_INIT("tsv"),       [BODY_XML] = STR_INIT("xml"),
    [BODY_TEXT] = STR_INIT("text"),     [BODY_HTML] = STR_INIT("html"),
    [BODY_BYTES] = STR_INIT("bytes"),
};

const char *body_format_name(enum body_format format)
{
    return names[format].data;
}

bool body_format_parse(struct str text, enum body_format *format)
{
    for (int i = 0; i < BODY_FORMAT_COUNT; i++) {
        if (str_equal_nocase(text, names[i])) {
            *format = (enum body_format)i;
            return true;
        }
    }
    return false;
}

bool body_format_is_kept(enum body_format format)
{
    return format == BODY_TEXT || format == BODY_HTML || format == BODY_BYTES;
}

char body_delimiter_parse(struct str text)
{
    if (str_equal_nocase(text, STR("tab")) || str_equal(text, STR("\\t"))) {
        return '\t';
    }
    return text.len == 1 && text.data[0] != '"' && text.data[0] != '\n' && text.data[0] != '\r'
               ? text.data[0]
               : 0;
}

static bool ends_with(struct str text, struct str end)
{
    return text.len > end.len &&
           str_equal_nocase((struct str){ text.data + text.len - end.len, end.len }, end);
}

enum body_format body_format_of_name(struct str name)
{
    static const struct {
        struct str end;
        enum body_format format;
    } ends[] = {
        { STR_INIT(".csv"), BODY_CSV },      { STR_INIT(".tsv"), BODY_TSV },
        { STR_INIT(".tab"), BODY_TSV },      { STR_INIT(".xml"), BODY_XML },
        { STR_INIT(".rss"), BODY_XML },      { STR_INIT(".atom"), BODY_XML },
        { STR_INIT(".jsonl"), BODY_NDJSON }, { STR_INIT(".ndjson"), BODY_NDJSON },
        { STR_INIT(".json"), BODY_JSON },
    };
    static const struct str packed[] = { STR_INIT(".gz"), STR_INIT(".zst"), STR_INIT(".zip") };

    for (size_t i = 0; i < sizeof packed / sizeof packed[0]; i++) {
        if (ends_with(name, packed[i])) {
            name.len -= packed[i].len;
            break;
        }
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends_with(name, ends[i].end)) {
            return ends[i].format;
        }
    }
    return BODY_AUTO;
}

static bool has_header_absent(struct str parameters)
{
    while (parameters.len) {
        if (str_equal_nocase(str_trim(str_cut(&parameters, ';')), STR("header=absent"))) {
            return true;
        }
    }
    return false;
}

enum body_format body_format_of_type(struct str content_type, bool *no_header)
{
    static const struct {
        struct str type;
        enum body_format format;
    } types[] = {
        { STR_INIT("text/csv"), BODY_CSV },
        { STR_INIT("application/csv"), BODY_CSV },
        { STR_INIT("application/x-csv"), BODY_CSV },
        { STR_INIT("text/x-csv"), BODY_CSV },
        { STR_INIT("text/comma-separated-values"), BODY_CSV },
        { STR_INIT("text/tab-separated-values"), BODY_TSV },
        { STR_INIT("text/tsv"), BODY_TSV },
        { STR_INIT("application/xml"), BODY_XML },
        { STR_INIT("text/xml"), BODY_XML },
    };
    struct str type = str_trim(str_cut(&content_type, ';'));

    *no_header = false;
    for (size_t i = 0; type.len && i < sizeof types / sizeof types[0]; i++) {
        if (str_equal_nocase(type, types[i].type)) {
            *no_header = types[i].format == BODY_CSV && has_header_absent(content_type);
            return types[i].format;
        }
    }
    return ends_with(type, STR("+xml")) && !str_equal_nocase(type, STR("application/xhtml+xml"))
               ? BODY_XML
               : BODY_AUTO;
}
