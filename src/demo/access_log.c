#include "demo/access_log.h"

#include "base/clock.h"
#include "base/parents.h"

#include <errno.h>

#define LINE_BUFFER_BYTES 65536 /* holds the longest line, so that each is one write */

enum result access_log_open(struct access_log *log, const char *path, struct err *err)
{
    log->file = NULL;
    if (!path) {
        return RESULT_OK;
    }
    parents_make(path, 0777);
    log->file = fopen(path, "ae");
    if (!log->file) {
        return err_set_write(err, errno, "E-DEMO4", "cannot open the access log %s", path);
    }
    setvbuf(log->file, NULL, _IOLBF, LINE_BUFFER_BYTES);
    return RESULT_OK;
}

void access_log_close(struct access_log *log)
{
    if (log->file) {
        fclose(log->file);
        log->file = NULL;
    }
}

static void put_plain(FILE *file, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c > 0x20 && c < 0x7F) {
            putc_unlocked(c, file);
        } else {
            fprintf(file, "%%%02X", c);
        }
    }
}

void access_log_write(struct access_log *log, const struct access_line *line)
{
    char wall[CLOCK_TEXT_SIZE];

    if (!log->file) {
        return;
    }
    clock_format_utc(line->wall_us, wall);
    fprintf(log->file, "%llu %s %u ", (unsigned long long)line->arrived_us, wall, line->status);
    put_plain(log->file, line->method);
    putc_unlocked(' ', log->file);
    put_plain(log->file, line->url);
    fprintf(log->file, " %u %llu\n", line->in_flight, (unsigned long long)line->took_us);
}
