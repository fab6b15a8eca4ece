#include "job/env_file.h"

#include "base/os.h"
#include "job/secret.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

char *env_file_beside(const char *job_path)
{
    const char *slash = strrchr(job_path, '/');
    struct str head = { job_path, slash ? (size_t)(slash - job_path) + 1 : 0 };
    struct buf path = { 0 };
    char *copy = NULL;

    if (buf_append_str(&path, head) == RESULT_OK &&
        buf_append_str(&path, STR(".env")) == RESULT_OK) {
        copy = str_dup(buf_view(&path));
    }
    buf_release(&path);
    return copy;
}

static struct str without_quotes(struct str value)
{
    if (value.len >= 2 && (value.data[0] == '"' || value.data[0] == '\'') &&
        value.data[value.len - 1] == value.data[0]) {
        return (struct str){ value.data + 1, value.len - 2 };
    }
    return value;
}

static bool line_names(struct str line, const char *name, struct str *value)
{
    struct str key;

    line = str_trim(line);
    if (str_starts(line, STR("export "))) {
        line.data += 7;
        line.len -= 7;
    }
    *value = line;
    key = str_trim(str_cut(value, '='));
    if (!value->data || !str_equal(key, str_view(name))) {
        return false;
    }
    *value = without_quotes(str_trim(*value));
    return true;
}

enum result env_file_find(const char *path, const char *name, struct buf *value, struct err *err)
{
    struct buf text;
    struct str rest, found;
    enum result result;

    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return RESULT_NOT_FOUND;
    }
    buf_init(&text, SECRET_FILE_MAX);
    result = secret_read_file(path, &text, err);
    rest = buf_view(&text);
    if (result == RESULT_OK) {
        result = RESULT_NOT_FOUND;
    }
    while (rest.len && result == RESULT_NOT_FOUND) {
        if (line_names(str_cut(&rest, '\n'), name, &found)) {
            if (memchr(found.data, '\0', found.len)) {
                result =
                    err_set(err, RESULT_INVALID, "E-SEC1", "%s: %s holds a NUL byte", path, name);
            } else if ((result = buf_append_str(value, found)) != RESULT_OK) {
                result = err_nomem(err, "reading a file of variables");
            }
        }
    }
    if (text.data) {
        os_wipe(text.data, text.cap);
    }
    buf_release(&text);
    return result;
}
