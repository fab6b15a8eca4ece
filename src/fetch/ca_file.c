#include "fetch/ca_file.h"

#include "base/base64.h"
#include "base/read_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#define DER_SEQUENCE 0x30

/* The labels of PEM blocks that hold one; after a "trusted" one there is more than the certificate. */
static const struct {
    struct str begin, end;
    bool has_more;
} kinds[] = {
    { STR_INIT("-----BEGIN CERTIFICATE-----"), STR_INIT("-----END CERTIFICATE-----"), false },
    { STR_INIT("-----BEGIN X509 CERTIFICATE-----"), STR_INIT("-----END X509 CERTIFICATE-----"),
      false },
    { STR_INIT("-----BEGIN TRUSTED CERTIFICATE-----"),
      STR_INIT("-----END TRUSTED CERTIFICATE-----"), true },
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static enum result read_regular(int fd, const char *path, struct buf *text, struct err *err)
{
    struct stat st;
    enum result result;

    if (fstat(fd, &st) != 0) {
        return err_set_errno(err, errno, "E-TLS3", "CA file %s", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, RESULT_INVALID, "E-TLS3", "CA file %s is no file", path);
    }
    result = read_all(fd, text);
    if (result == RESULT_IO) {
        return err_set_errno(err, errno, "E-TLS3", "CA file %s", path);
    }
    if (result == RESULT_LIMIT) {
        return err_set(err, RESULT_INVALID, "E-TLS3", "CA file %s is over %u MiB", path,
                       CA_FILE_MAX >> 20);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading the CA file");
}

/* One DER sequence, and nothing after it. */
static bool is_sequence(struct str der, bool has_more)
{
    const unsigned char *bytes = (const unsigned char *)der.data;
    size_t length, head = 2;

    if (der.len < 4 || bytes[0] != DER_SEQUENCE) {
        return false;
    }
    length = bytes[1];
    if (length >= 0x80) { /* so many bytes of it follow */
        size_t count = length & 0x7F;

        if (count == 0 || count > 4 || der.len < 2 + count) {
            return false;
        }
        length = 0;
        for (size_t i = 0; i < count; i++) {
            length = length << 8 | bytes[2 + i];
        }
        head += count;
    }
    return length <= der.len - head && (has_more || length == der.len - head) && length > 0 &&
           bytes[head] == DER_SEQUENCE;
}

/* What is wrong with the block whose lines follow in `*rest`; NULL: nothing. */
static const char *check_block(struct str *rest, size_t kind, unsigned *number, bool *no_memory)
{
    struct buf base64 = { .max = 0 }, der = { .max = 0 };
    const char *wrong = "it is cut off";

    while (rest->len) {
        struct str line = str_trim(str_cut(rest, '\n'));

        ++*number;
        if (str_equal(line, kinds[kind].end)) {
            enum result result = base64_decode(&der, buf_view(&base64));

            *no_memory |= result == RESULT_NOMEM;
            wrong = result == RESULT_OK && is_sequence(buf_view(&der), kinds[kind].has_more)
                        ? NULL
                        : "it is damaged";
            break;
        }
        *no_memory |= buf_append_str(&base64, line) != RESULT_OK;
    }
    buf_release(&base64);
    buf_release(&der);
    return wrong;
}

static enum result check_text(struct str text, const char *path, struct err *err)
{
    unsigned number = 0, count = 0;
    bool no_memory = false;

    while (text.len) {
        struct str line = str_trim(str_cut(&text, '\n'));
        unsigned begin = ++number;

        for (size_t i = 0; i < KINDS; i++) {
            const char *wrong;

            if (!str_equal(line, kinds[i].begin)) {
                continue;
            }
            wrong = check_block(&text, i, &number, &no_memory);
            if (no_memory) {
                return err_nomem(err, "reading the CA file");
            }
            if (wrong) {
                return err_set(err, RESULT_INVALID, "E-TLS3",
                               "CA file %s:%u: no certificate can be read here: %s", path, begin,
                               wrong);
            }
            count++;
        }
    }
    return count ? RESULT_OK
                 : err_set(err, RESULT_INVALID, "E-TLS3",
                           "CA file %s holds no certificate; want PEM, which begins with %s", path,
                           kinds[0].begin.data);
}

enum result ca_file_check(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct buf text;
    enum result result;

    if (fd < 0) {
        return err_set_errno(err, errno, "E-TLS3", "CA file %s", path);
    }
    buf_init(&text, CA_FILE_MAX);
    result = read_regular(fd, path, &text, err);
    close(fd);
    if (result == RESULT_OK) {
        result = check_text(buf_view(&text), path, err);
    }
    buf_release(&text);
    return result;
}
