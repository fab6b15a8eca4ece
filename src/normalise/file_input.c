#include "normalise/file_input.h"

#include "base/body_text.h"
#include "base/grow.h"
#include "base/json_scan.h"
#include "base/temporary_file.h"
#include "normalise/file_source.h"
#include "read/body_read.h"
#include "read/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES 16384

void file_inputs_init(struct file_inputs *inputs, const struct body_reading *how)
{
    *inputs = (struct file_inputs){ .spool = -1 };
    inputs->how = how ? *how : (struct body_reading){ .as = BODY_AUTO };
}

void file_inputs_release(struct file_inputs *inputs)
{
    if (inputs->spool >= 0) {
        close(inputs->spool);
    }
    for (size_t i = 0; i < inputs->count; i++) {
        free(inputs->list[i].path);
        cells_file_release(&inputs->list[i].cells);
        free(inputs->list[i].fault);
    }
    free(inputs->list);
}

static bool is_stdin(const struct file_input *input)
{
    return strcmp(input->path, "-") == 0;
}

enum body_format file_input_format(const struct file_inputs *inputs, const struct file_input *input,
                                   struct str head, char *delimiter)
{
    enum body_format format = inputs->how.as;

    *delimiter = 0;
    if (format == BODY_AUTO) {
        format = body_format_of_name(str_view(input->path));
    }
    if (format == BODY_AUTO &&
        body_head_is_csv(json_without_bom(head), head.len < input->size, delimiter)) {
        format = BODY_CSV;
    }
    return format;
}

static enum result need_spool(struct file_inputs *inputs, struct err *err)
{
    inputs->spool = inputs->spool < 0 ? temporary_file() : inputs->spool;
    return inputs->spool < 0 ? err_set_errno(err, errno, "E-IN2", "cannot create a temporary file")
                             : RESULT_OK;
}

/* Bytes of the input go to the spool, where it lies then. */
static enum result spool(struct file_inputs *inputs, struct file_input *input, struct str bytes,
                         struct err *err)
{
    size_t put = 0;

    while (put < bytes.len) {
        ssize_t n = pwrite(inputs->spool, bytes.data + put, bytes.len - put,
                           (off_t)(inputs->spooled + put));

        if (n < 0 && errno != EINTR) {
            return err_set_errno(err, errno, "E-IN2", "cannot keep %s in a temporary file",
                                 is_stdin(input) ? "standard input" : input->path);
        }
        put += n > 0 ? (size_t)n : 0;
    }
    inputs->spooled += bytes.len;
    input->size += bytes.len;
    return RESULT_OK;
}

static void begin_spooling(struct file_inputs *inputs, struct file_input *input)
{
    input->is_spooled = true;
    input->begin = inputs->spooled;
    input->size = 0;
}

static enum result copy_stdin(struct file_inputs *inputs, struct file_input *input, struct err *err)
{
    enum result result = need_spool(inputs, err);
    char room[COPY_BYTES];
    ssize_t got;

    begin_spooling(inputs, input);
    while (result == RESULT_OK && (got = read(STDIN_FILENO, room, sizeof room)) != 0) {
        if (got < 0 && errno == EINTR) {
            continue;
        }
        result = got < 0 ? err_set_errno(err, errno, "E-IN2", "cannot read standard input")
                         : spool(inputs, input, (struct str){ room, (size_t)got }, err);
    }
    return result;
}

static enum result new_input(struct file_inputs *inputs, const char *path,
                             struct file_input **input, struct err *err)
{
    struct file_input *list = grow_by_one(inputs->list, inputs->count, &inputs->cap, sizeof *list);

    if (!list) {
        return err_nomem(err, "opening input");
    }
    inputs->list = list;
    *input = &inputs->list[inputs->count];
    **input = (struct file_input){ .path = strdup(path) };
    if (!(*input)->path) {
        return err_nomem(err, "opening input");
    }
    inputs->count++;
    return RESULT_OK;
}

struct unpacking {
    struct file_inputs *inputs;
    size_t at; /* of the packed input: the first file within takes its place */
    const char *path;
    bool has_one;
    struct err *err;
};

static enum result begin_member(void *context, struct str name)
{
    struct unpacking *u = context;
    struct file_inputs *inputs = u->inputs;
    struct file_input *input = &inputs->list[u->at];
    enum result result = RESULT_OK;
    char *path = NULL;

    if (name.len && asprintf(&path, "%s: %.*s", u->path, STR_ARG(name)) < 0) {
        return err_nomem(u->err, "unpacking");
    }
    if (u->has_one) {
        result = new_input(inputs, path ? path : u->path, &input, u->err);
        free(path);
    } else if (path) {
        free(input->path);
        input->path = path;
    }
    u->has_one = true;
    if (result == RESULT_OK) {
        begin_spooling(inputs, input);
    }
    return result;
}

static enum result put_member(void *context, struct str bytes)
{
    struct unpacking *u = context;

    return spool(u->inputs, &u->inputs->list[u->inputs->count - 1], bytes, u->err);
}

/* Nothing of the file is read: it is a record that is no good, as others are that cannot be read. */
static enum result give_up(struct file_input *input, const char *why, struct err *err)
{
    input->fault = strdup(why);
    input->size = 0;
    input->form = RECORD_DOCUMENT;
    input->form_known = true;
    return input->fault ? RESULT_OK : err_nomem(err, "unpacking");
}

/* `fd` is the packed file, of `size` bytes. What comes out is another file's, or several. */
static enum result unpack_input(struct file_inputs *inputs, int fd, uint64_t size, enum pack pack,
                                struct err *err)
{
    size_t at = inputs->count - 1;
    char *path = strdup(inputs->list[at].path), why[UNPACK_WHY_MAX] = "";
    struct unpacking u = { inputs, at, path, false, err };

    struct unpack_source source = { STR_NONE, fd, size };
    struct unpack_sink sink = { begin_member, put_member, &u };
    enum result result = path ? need_spool(inputs, err) : err_nomem(err, "unpacking");

    if (result == RESULT_OK) {
        result = unpack_files(&source, pack, UINT64_MAX, &sink, why);
        if (result == RESULT_OK && !u.has_one) {
            snprintf(why, sizeof why, "holds no file");
            result = RESULT_INVALID;
        }
    }
    if (result == RESULT_INVALID || result == RESULT_DENIED || result == RESULT_LIMIT) {
        result = give_up(&inputs->list[inputs->count - 1], why, err); /* the file that came last */
    } else if (result != RESULT_OK && why[0]) {
        err_set(err, result, "E-IN2", "%s %s", path, why);
    }
    free(path);
    return result;
}

/* A document in UTF-16 is read as one (base/body_text.h); a table is not looked at as a whole. */
static bool is_cells(const struct file_inputs *inputs, const struct file_input *input,
                     struct str text)
{
    char delimiter;
    enum body_format format = file_input_format(inputs, input, text, &delimiter);

    return format == BODY_CSV || format == BODY_TSV;
}

/* The letters that the user says, or that a table in UTF-16 says itself: then it is read from the spool. */
static enum result decode_input(struct file_inputs *inputs, struct file_input *input, int fd,
                                struct err *err)
{
    struct buf made = { .max = 4 * FILE_DECODED_MAX };
    enum result result = RESULT_OK;
    size_t size = (size_t)input->size, got = 0;
    unsigned was = 0;
    struct str text;
    char *bytes;

    if (input->size > FILE_DECODED_MAX) {
        return err_set(err, RESULT_LIMIT, "E-IN2",
                       "%s is not UTF-8 and over 256 MiB: iconv -t UTF-8 it before", input->path);
    }
    bytes = malloc(size + 1);
    if (!bytes) {
        return err_nomem(err, "opening input");
    }
    result = cells_file_read_at(fd, input->path, bytes, size, input->begin, &got, err);
    if (result == RESULT_OK &&
        body_text_letters((struct str){ bytes, got }, STR(""), str_view(inputs->how.charset), &made,
                          &text, &was) != RESULT_OK) {
        result = give_up(input, "is not in the letters that it has", err);
    } else if (result == RESULT_OK && (inputs->how.charset || is_cells(inputs, input, text))) {
        result = need_spool(inputs, err);
        begin_spooling(inputs, input);
        result = result == RESULT_OK ? spool(inputs, input, text, err) : result;
    }
    buf_release(&made);
    free(bytes);
    return result;
}

static bool wants_decoding(const struct file_inputs *inputs, struct str head)
{
    const struct str charset = str_view(inputs->how.charset);
    bool is_wide = str_starts(head, STR("\xFF\xFE")) || str_starts(head, STR("\xFE\xFF"));

    return is_wide || (charset.len && !str_equal_nocase(charset, STR("utf-8")) &&
                       !str_equal_nocase(charset, STR("utf8")));
}

/* Of a file that lies in `fd` or, if it is spooled, there. */
static enum result look_at_letters(struct file_inputs *inputs, struct file_input *input, int fd,
                                   struct err *err)
{
    char head[2];
    size_t want = input->size < sizeof head ? (size_t)input->size : sizeof head;
    ssize_t got;

    if (input->fault) {
        return RESULT_OK;
    }
    fd = input->is_spooled ? inputs->spool : fd;
    got = pread(fd, head, want, (off_t)input->begin);
    if (got < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    return wants_decoding(inputs, (struct str){ head, (size_t)got })
               ? decode_input(inputs, input, fd, err)
               : RESULT_OK;
}

/* What the file is that has just been added: as it lies there, or to be made into something else first. */
static enum result look_into(struct file_inputs *inputs, int fd, struct err *err)
{
    struct file_input *input = &inputs->list[inputs->count - 1];
    char head[8] = { 0 };
    ssize_t got = pread(fd, head, sizeof head, (off_t)input->begin);
    struct str begin = { head, got > 0 ? (size_t)got : 0 };
    enum pack pack = unpack_kind(begin);
    size_t first = inputs->count - 1;
    enum result result = RESULT_OK;

    if (got < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    if (pack != PACK_NONE && inputs->how.as != BODY_BYTES) {
        result = input->begin == 0 ? unpack_input(inputs, fd, input->size, pack, err)
                                   : err_set(err, RESULT_INVALID, "E-IN2",
                                             "standard input is packed: unpack it before");
    }
    for (size_t i = first; result == RESULT_OK && i < inputs->count; i++) {
        result = look_at_letters(inputs, &inputs->list[i], fd, err);
    }
    return result;
}

static enum result add_file(struct file_inputs *inputs, struct file_input *input, struct err *err)
{
    enum result result;
    struct stat st;
    int fd;

    if (access(input->path, R_OK) != 0 || stat(input->path, &st) != 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    if (!S_ISREG(st.st_mode)) {
        return err_set(err, RESULT_INVALID, "E-IN2", "%s is %s, not a file", input->path,
                       S_ISDIR(st.st_mode) ? "a directory" : "a device or pipe");
    }
    input->size = (uint64_t)st.st_size;
    fd = open(input->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", input->path);
    }
    result = look_into(inputs, fd, err);
    close(fd);
    return result;
}

enum result file_inputs_add(struct file_inputs *inputs, const char *path, struct err *err)
{
    struct file_input *input;
    enum result result = new_input(inputs, path, &input, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (!is_stdin(input)) {
        return add_file(inputs, input, err);
    }
    if (inputs->has_stdin) {
        return err_set(err, RESULT_INVALID, "E-IN2", "\"-\" is given twice");
    }
    inputs->has_stdin = true;
    result = copy_stdin(inputs, input, err);
    return result == RESULT_OK ? look_into(inputs, inputs->spool, err) : result;
}
