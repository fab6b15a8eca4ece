#include "probe/curl_config.h"

#include "base/os.h"
#include "base/read_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static enum result read_whole(int fd, const char *path, struct buf *text, struct err *err)
{
    enum result result;

    buf_init(text, CURL_CONFIG_MAX);
    result = buf_reserve(text, CURL_CONFIG_MAX); /* it may hold secrets: no copy is given back */
    if (result == RESULT_OK) {
        result = read_all(fd, text);
    }
    if (result == RESULT_IO) {
        return err_set_errno(err, errno, "E-CURL1", "cannot read %s", path);
    }
    if (result == RESULT_LIMIT) {
        return err_set(err, result, "E-CURL1", "%s is over %d bytes", path, CURL_CONFIG_MAX);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading a file of options");
}

enum result curl_config_open(struct curl_config *c, const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum result result;

    *c = (struct curl_config){ .line = 0 };
    snprintf(c->path, sizeof c->path, "%s", path);
    if (fd < 0) {
        return err_set_errno(err, errno, "E-CURL1", "cannot read %s", path);
    }
    result = read_whole(fd, path, &c->text, err);
    close(fd);
    c->rest = buf_view(&c->text);
    if (result != RESULT_OK) {
        curl_config_release(c);
    }
    return result;
}

static void wipe(struct buf *buf)
{
    if (buf->data) {
        os_wipe(buf->data, buf->cap);
    }
    buf_release(buf);
}

void curl_config_release(struct curl_config *c)
{
    wipe(&c->text);
    wipe(&c->option);
    wipe(&c->value);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct str skip(struct str text, bool separators)
{
    while (text.len && (is_blank(text.data[0]) ||
                        (separators && (text.data[0] == '=' || text.data[0] == ':')))) {
        text.data++;
        text.len--;
    }
    return text;
}

static char escaped(char c)
{
    return c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'v' ? '\v' : c;
}

/* A quoted value, whose end may be missing, as for curl. */
static enum result read_quoted(struct curl_config *c, struct str text)
{
    enum result result = RESULT_OK;

    for (size_t i = 1; i < text.len && text.data[i] != '"' && result == RESULT_OK; i++) {
        bool is_escape = text.data[i] == '\\' && i + 1 < text.len;

        i += is_escape;
        result = buf_append_char(&c->value, is_escape ? escaped(text.data[i]) : text.data[i]);
    }
    return result;
}

static enum result read_value(struct curl_config *c, struct str text)
{
    size_t len = 0;

    buf_reset(&c->value);
    c->has_value = text.len > 0;
    if (text.len && text.data[0] == '"') {
        return read_quoted(c, text);
    }
    while (len < text.len && !is_blank(text.data[len])) {
        len++;
    }
    return buf_append_str(&c->value, (struct str){ text.data, len });
}

static enum result read_line(struct curl_config *c, struct str line)
{
    bool has_dash = line.data[0] == '-';
    size_t len = 0;
    struct str option;

    while (len < line.len && !is_blank(line.data[len]) &&
           (has_dash || (line.data[len] != '=' && line.data[len] != ':'))) {
        len++;
    }
    option = (struct str){ line.data, len };
    buf_reset(&c->option);
    if (buf_append_str(&c->option, option) != RESULT_OK) {
        return RESULT_NOMEM;
    }
    return read_value(c, skip((struct str){ line.data + len, line.len - len }, !has_dash));
}

static bool says_nothing(struct str line)
{
    return !line.len || line.data[0] == '#' || line.data[0] == '/' || line.data[0] == '*';
}

enum result curl_config_next(struct curl_config *c, bool *more, struct err *err)
{
    *more = false;
    while (c->rest.len) {
        struct str line = skip(str_cut(&c->rest, '\n'), false);

        c->line++;
        if (c->line == 1 && str_starts(line, STR("\xEF\xBB\xBF"))) {
            line = (struct str){ line.data + 3, line.len - 3 };
        }
        if (says_nothing(line)) {
            continue;
        }
        *more = true;
        return read_line(c, line) == RESULT_OK ? RESULT_OK
                                               : err_nomem(err, "reading a file of options");
    }
    return RESULT_OK;
}
