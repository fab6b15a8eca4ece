/* What --var gives that is a secret: put in where its placeholder stands, before anything is read there, so that it is
 * treated as if the file had it. It never becomes a variable, whose values are stored with every record. */
#include "job/job_read.h"

#include "base/json_text.h"
#include "base/os.h"
#include "base/url_make.h"
#include "job/job_parts.h"

#include <stdlib.h>
#include <string.h>

/* `${NAME}`, or a text whose variable has the name of a credential. */
static bool is_secret(struct str name, struct str value)
{
    return value.data &&
           (job_names_variable(value) || (value.len >= SECRET_MIN_BYTES && secret_name_is(name)));
}

bool job_given_is_secret(const struct job_reader *r, size_t index)
{
    struct str value = str_view(r->given->vars[index]), name = str_cut(&value, '=');

    return is_secret(name, value);
}

bool job_given_is_used(const struct job_reader *r, size_t index)
{
    return r->given_used >> index & 1;
}

/* The secret that a placeholder, without its braces, names. */
static bool find(const struct job_reader *r, struct str placeholder, size_t *index)
{
    for (size_t i = 0; r->given && i < r->given->var_count; i++) {
        struct str value = str_view(r->given->vars[i]);

        if (str_equal(str_cut(&value, '='), placeholder) && job_given_is_secret(r, i)) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* A brace of it begins no placeholder. */
static enum result put_escaped(struct str text, const char *brace, struct buf *out)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < text.len && result == RESULT_OK; i++) {
        result = text.data[i] == '{' ? buf_append_str(out, str_view(brace))
                                     : buf_append(out, text.data + i, 1);
    }
    return result;
}

/* It stands within a string that is there. */
static enum result put_json(struct str value, struct buf *out)
{
    struct buf quoted = { 0 };
    enum result result = json_text_append(&quoted, value);

    if (result == RESULT_OK) {
        result = put_escaped((struct str){ quoted.data + 1, quoted.len - 2 }, "\\u007b", out);
    }
    job_wipe(&quoted);
    return result;
}

/* As the place wants it; what stands for a variable of the environment stays as it is, for who reads the place. */
static enum result put_value(struct str value, enum template_context context, bool is_plain,
                             struct buf *out)
{
    if (job_names_variable(value) || context == TEMPLATE_HEADER) {
        return buf_append_str(out, value);
    }
    return context == TEMPLATE_JSON ? put_json(value, out)
           : is_plain               ? put_escaped(value, "{{", out)
                                    : url_append_encoded(out, value);
}

struct filling {
    struct job_reader *r;
    enum template_context context;
    struct buf out;
    uint64_t put; /* bits of those that were put in */
};

static void skip(struct str *rest, size_t len)
{
    rest->data += len;
    rest->len -= len;
}

/* What begins with a brace: a placeholder of a secret, or one byte, two of a brace that is plain. */
static enum result take_brace(struct filling *f, struct str *rest, bool is_variable)
{
    size_t plus = rest->len > 1 && rest->data[1] == '+', index;
    size_t plain = rest->len > 1 && rest->data[1] == '{' ? 2 : 1;
    const char *name = rest->data + 1 + plus, *end = memchr(rest->data, '}', rest->len);
    enum result result;

    if (!is_variable && plain == 1 && end > name &&
        find(f->r, (struct str){ name, (size_t)(end - name) }, &index)) {
        struct str value = str_view(f->r->given->vars[index]);

        (void)str_cut(&value, '=');
        f->put |= UINT64_C(1) << index;
        skip(rest, (size_t)(end - rest->data) + 1);
        return put_value(value, f->context, plus, &f->out);
    }
    result = buf_append(&f->out, rest->data, plain);
    skip(rest, plain);
    return result;
}

static enum result fill(struct filling *f, struct str text)
{
    enum result result = RESULT_OK;
    struct str rest = text;

    while (rest.len && result == RESULT_OK) {
        const char *brace = memchr(rest.data, '{', rest.len);
        size_t len = brace ? (size_t)(brace - rest.data) : rest.len;
        bool is_variable = len && rest.data[len - 1] == '$';

        result = buf_append(&f->out, rest.data, len);
        skip(&rest, len);
        if (rest.len && result == RESULT_OK) {
            result = take_brace(f, &rest, is_variable);
        }
    }
    return result;
}

/* The text as it would be stored. */
static bool is_stored(struct filling *f, const char *header, struct str value)
{
    struct buf hidden = { 0 }, put = { 0 };
    bool is = false;

    if (header) {
        return !header_is_secret(str_view(header)) || memchr(f->out.data, '{', f->out.len);
    }
    if (!buf_cstr(&f->out) ||
        job_hide_typed(f->r->job, buf_cstr(&f->out), f->context == TEMPLATE_URL, &hidden) !=
            RESULT_OK ||
        put_value(value, f->context, false, &put) != RESULT_OK || !buf_cstr(&put) ||
        (hidden.len && !buf_cstr(&hidden))) {
        f->r->text.no_memory = true;
    } else {
        is = hidden.len && strstr(buf_cstr(&hidden), buf_cstr(&put));
    }
    job_wipe(&hidden);
    job_wipe(&put);
    return is;
}

/* A secret that was typed is kept nowhere where its place tells that it is one, as one that the file has. Elsewhere it
 * would be stored. */
static void check_typed(struct filling *f, const char *header, struct str name, struct str value,
                        struct str at)
{
    char label[SECRET_LABEL_SIZE];

    secret_label(label, "var", name);
    if (secrets_add(&f->r->job->secrets, value, label, NULL) != RESULT_OK) {
        f->r->text.no_memory = true;
    } else if (is_stored(f, header, value)) {
        job_text_fault(&f->r->text, at, "E-SEC4",
                       "--var %.*s: a secret here would be stored with every record; give it as "
                       "--var '%.*s=${NAME}' for a header, or as \"login\": {\"key\": \"${NAME}\", "
                       "\"query\": \"api_key\"}",
                       STR_ARG(name), STR_ARG(name));
    }
}

char *job_put_given(struct job_reader *r, char *text, enum template_context context,
                    const char *header, struct str at)
{
    struct filling f = { .r = r, .context = context };
    char *filled = NULL;

    if (!text || !r->given || !r->given->var_count) {
        return text;
    }
    buf_init(&f.out, JOB_TEXT_MAX);
    if (fill(&f, str_view(text)) != RESULT_OK || !(filled = str_dup(buf_view(&f.out)))) {
        r->text.no_memory = true;
    }
    for (size_t i = 0; filled && i < r->given->var_count; i++) {
        struct str value = str_view(r->given->vars[i]), name = str_cut(&value, '=');

        if (f.put >> i & 1 && !job_names_variable(value)) {
            check_typed(&f, header, name, value, at);
        }
    }
    r->given_used |= f.put;
    job_wipe(&f.out);
    os_wipe(text, strlen(text));
    free(text);
    return filled;
}
