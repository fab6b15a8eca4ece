#include "table/format.h"

#include "base/os.h"
#include "s3/place.h"
#include "table/output_file.h"
#include "table/packing.h"
#include "table/postgres/postgres_place.h"
#include "table/postgres/postgres_sink.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FORMAT_ROW(name) &name##_format,

const struct table_format *const table_formats[] = { TABLE_FORMATS(FORMAT_ROW, FORMAT_ROW) NULL };

const struct table_format *table_format_named(struct str name)
{
    for (size_t i = 0; table_formats[i]; i++) {
        if (str_equal(name, str_view(table_formats[i]->name))) {
            return table_formats[i];
        }
    }
    return NULL;
}

static bool same_word(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.data, b.data, a.len) == 0;
}

static const struct table_format *format_ending_in(struct str ending)
{
    for (size_t i = 0; table_formats[i]; i++) {
        struct str rest = str_view(table_formats[i]->endings);

        while (rest.data) {
            if (same_word(ending, str_cut(&rest, ' '))) {
                return table_formats[i];
            }
        }
    }
    return NULL;
}

static const struct table_packing *packing_ending_in(struct str ending)
{
    for (size_t i = 0; table_packings[i]; i++) {
        if (same_word(ending, str_view(table_packings[i]->ending))) {
            return table_packings[i];
        }
    }
    return NULL;
}

/* What stands after the name's last dot, which is not its first character, and is taken off; or "". */
static struct str take_ending(struct str *name)
{
    const char *dot = name->len > 1 ? os_memrchr(name->data + 1, '.', name->len - 1) : NULL;
    struct str ending = STR("");

    if (dot) {
        ending = (struct str){ dot + 1, (size_t)(name->data + name->len - dot - 1) };
        name->len = (size_t)(dot - name->data);
    }
    return ending;
}

/* Letters and digits, not digits alone: a format that we do not have. */
static bool is_foreign(struct str ending)
{
    bool has_letter = false;

    for (size_t i = 0; i < ending.len; i++) {
        if (!isalnum((unsigned char)ending.data[i])) {
            return false;
        }
        has_letter |= !isdigit((unsigned char)ending.data[i]);
    }
    return has_letter;
}

/* Appends what fits. */
static void add_text(char text[TABLE_ENDINGS_MAX], const char *between, struct str word)
{
    size_t len = strlen(text);

    snprintf(text + len, TABLE_ENDINGS_MAX - len, "%s.%.*s", between, STR_ARG(word));
}

const char *table_endings(char text[TABLE_ENDINGS_MAX])
{
    text[0] = '\0';
    for (size_t i = 0; table_formats[i]; i++) {
        struct str rest = str_view(table_formats[i]->endings);

        while (rest.data) {
            add_text(text, text[0] ? ", " : "", str_cut(&rest, ' '));
        }
    }
    for (size_t i = 0; table_packings[i]; i++) {
        add_text(text, i ? " or " : "; text formats also with ",
                 str_view(table_packings[i]->ending));
    }
    return text;
}

/* What the name's endings say: NULL where they say nothing. `*last` is the one that tells the format. */
static struct table_output read_endings(struct str name, struct str *last)
{
    struct table_output output = { .path = NULL };

    *last = take_ending(&name);
    output.packing = packing_ending_in(*last);
    if (output.packing) {
        *last = take_ending(&name);
    }
    output.format = format_ending_in(*last);
    return output;
}

const struct table_format *table_format_ending(struct str ending)
{
    char name[TABLE_ENDINGS_MAX];
    struct table_output output;

    snprintf(name, sizeof name, "t.%.*s", STR_ARG(ending));
    output = read_endings(str_view(name), &ending);
    return output.format && output.packing && !output.format->packable ? NULL : output.format;
}

static enum result no_format(const char *path, struct err *err)
{
    char endings[TABLE_ENDINGS_MAX];

    return err_set(err, RESULT_INVALID, "E-ARG1",
                   "%s: no table is written in such a file; end its name in %s", path,
                   table_endings(endings));
}

static enum result check(const struct table_output *output, struct err *err)
{
    if (output->packing && !output->format->packable) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "%s: %s is not packed as a whole; leave out .%s", output->path,
                       output->format->name, output->packing->ending);
    }
    if (output->format->has_place &&
        (strcmp(output->path, "-") == 0 || s3_is_place(output->path))) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "%s wants a file, not %s",
                       output->format->name,
                       s3_is_place(output->path) ? "an object of a store" : "stdout");
    }
    return RESULT_OK;
}

static enum result init_place(struct table_output *output, const char *url,
                              const struct table_format *format, struct err *err)
{
    *output = (struct table_output){ .path = url, .format = &postgres_sink };
    return format ? err_set(err, RESULT_INVALID, "E-ARG1", "%s: the URL says %s, not %s", url,
                            postgres_sink.name, format->name)
                  : postgres_place_check(url, err);
}

enum result table_output_init(struct table_output *output, const char *path,
                              const struct table_format *format, struct err *err)
{
    const char *slash = strrchr(path, '/');
    struct str last;

    if (postgres_place_is(path)) {
        return init_place(output, path, format, err);
    }
    *output = read_endings(str_view(slash ? slash + 1 : path), &last);
    output->path = path;
    if (!format && !output->format && (output->packing || is_foreign(last))) {
        return no_format(path, err);
    }
    if (format && output->format && output->format != format) {
        return err_set(err, RESULT_INVALID, "E-ARG1", "%s: the name says %s, not %s", path,
                       output->format->name, format->name);
    }
    output->format = format ? format : output->format ? output->format : table_formats[0];
    return check(output, err);
}

enum result table_output_init_like(struct table_output *output, const char *path,
                                   const struct table_format *format,
                                   const struct table_format *like, struct err *err)
{
    const char *slash = strrchr(path, '/');
    struct str last;

    *output = read_endings(str_view(slash ? slash + 1 : path), &last);
    output->path = path;
    if (postgres_place_is(path) || (output->format && output->format != like)) {
        struct str endings = str_view(like->endings), first = str_cut(&endings, ' ');

        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "%s: it is written to a file; end its name in .%.*s", path, STR_ARG(first));
    }
    output->format = format;
    return check(output, err);
}

void table_output_make_parents(const struct table_output *output)
{
    if (!output->format->may_be_away) {
        output_make_parents(output->path);
    }
}

enum result table_output_check(const struct table_output *output, struct err *err)
{
    return output->format->has_place ? output->format->check(output->path, err)
                                     : output_check(output->path, err);
}

const char *table_outputs_text(const struct table_output *outputs, size_t count,
                               char text[TABLE_OUTPUTS_TEXT])
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count && len < TABLE_OUTPUTS_TEXT; i++) {
        len += (size_t)snprintf(text + len, TABLE_OUTPUTS_TEXT - len, "%s%s", i ? ", " : "",
                                outputs[i].path);
    }
    return text;
}

static enum result add_ending(struct buf *out, struct str ending, const char *packing)
{
    return buf_printf(out, "%s%.*s%s%s", out->len ? " " : "", STR_ARG(ending), packing ? "." : "",
                      packing ? packing : "");
}

enum result table_formats_endings(struct buf *out)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; table_formats[i]; i++) {
        struct str rest = str_view(table_formats[i]->endings);

        while (rest.data && result == RESULT_OK) {
            struct str ending = str_cut(&rest, ' ');

            result = add_ending(out, ending, NULL);
            for (size_t j = 0;
                 table_formats[i]->packable && table_packings[j] && result == RESULT_OK; j++) {
                result = add_ending(out, ending, table_packings[j]->ending);
            }
        }
    }
    return result;
}

/* ".TP", then ".csv" in bold, and what it is. */
static enum result describe(struct buf *out, const char *endings, const char *about)
{
    struct str rest = str_view(endings);
    enum result result = buf_append_str(out, STR(".TP\n.B"));

    for (const char *between = " "; rest.data && result == RESULT_OK; between = ", ") {
        struct str ending = str_cut(&rest, ' ');

        result = buf_printf(out, "%s.%.*s", between, STR_ARG(ending));
    }
    return result == RESULT_OK ? buf_printf(out, "\n%s\n", about) : result;
}

enum result table_formats_describe(struct buf *out)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; table_formats[i] && result == RESULT_OK; i++) {
        result = describe(out, table_formats[i]->endings, table_formats[i]->about);
    }
    for (size_t i = 0; table_packings[i] && result == RESULT_OK; i++) {
        result = describe(out, table_packings[i]->ending, table_packings[i]->about);
    }
    return result;
}
