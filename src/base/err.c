#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void
err_fill(struct err *err, enum result result, const char *code, const char *format, va_list args)
{
    err->result = result;
    snprintf(err->code, sizeof err->code, "%s", code ? code : "");
    vsnprintf(err->text, sizeof err->text, format, args);
}

enum result err_set(struct err *err, enum result result, const char *code, const char *format, ...)
{
    va_list args;

    if (err) {
        va_start(args, format);
        err_fill(err, result, code, format, args);
        va_end(args);
    }
    return result;
}

static enum result result_of_errno(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return RESULT_FULL;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
        return RESULT_DENIED;
    case ENOENT:
    case ENOTDIR:
        return RESULT_NOT_FOUND;
    case EISDIR:
    case ENAMETOOLONG:
        return RESULT_INVALID;
    case ENOMEM:
        return RESULT_NOMEM;
    default:
        return RESULT_IO;
    }
}

__attribute__((format(printf, 5, 0))) static void fill_errno(struct err *err, enum result result,
                                                             int errnum, const char *code,
                                                             const char *format, va_list args)
{
    size_t used;

    if (err) {
        err_fill(err, result, code, format, args);
        used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(errnum));
    }
}

enum result err_set_errno(struct err *err, int errnum, const char *code, const char *format, ...)
{
    enum result result = result_of_errno(errnum);
    va_list args;

    va_start(args, format);
    fill_errno(err, result, errnum, code, format, args);
    va_end(args);
    return result;
}

enum result err_set_write(struct err *err, int errnum, const char *code, const char *format, ...)
{
    enum result result = result_of_errno(errnum);
    va_list args;

    if (errnum == EACCES || errnum == EPERM || errnum == EROFS) {
        result = RESULT_IO;
    }
    va_start(args, format);
    fill_errno(err, result, errnum, code, format, args);
    va_end(args);
    return result;
}

enum result err_nomem(struct err *err, const char *doing)
{
    return err_set(err, RESULT_NOMEM, "E-MEM1", "out of memory while %s", doing);
}

void err_prefix(struct err *err, const char *format, ...)
{
    char rest[ERR_TEXT_MAX];
    va_list args;
    size_t used;

    if (!err) {
        return;
    }
    memcpy(rest, err->text, sizeof rest);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", rest);
}
