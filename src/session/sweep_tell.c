#include "session/sweep_tell.h"

#include "base/message.h"
#include "base/parents.h"

#include <errno.h>
#include <stdio.h>

static int write_svg(const struct sweep *sweep, const char *path, struct buf *text)
{
    FILE *file;
    struct err err;
    int code = EXIT_WELL;

    buf_reset(text);
    if (sweep_svg(sweep, text) != RESULT_OK) {
        err_nomem(&err, "drawing the sweep");
        return message_fail(&err);
    }
    parents_make(path, 0777);
    file = fopen(path, "we");
    if (!file || fwrite(text->data, 1, text->len, file) != text->len) {
        err_set_write(&err, errno, "E-OUT1", "cannot write %s", path);
        code = message_fail(&err);
    }
    if (file && fclose(file) != 0 && code == EXIT_WELL) {
        err_set_write(&err, errno, "E-OUT1", "cannot write %s", path);
        code = message_fail(&err);
    }
    return code;
}

int sweep_tell(const struct sweep *sweep, bool json, const char *svg, int code)
{
    struct buf text = { 0 };
    enum result result = json ? sweep_json(sweep, &text) : sweep_text(sweep, &text);

    if (code == EXIT_DRAINED && sweep->recommended) {
        code = EXIT_WELL; /* stopped because it had found out: what is left was not the point */
    }
    if (result == RESULT_OK) {
        fwrite(text.data, 1, text.len, stdout);
        fflush(stdout);
    }
    if (svg) {
        int drawn = write_svg(sweep, svg, &text);

        code = code == EXIT_WELL ? drawn : code;
    }
    buf_release(&text);
    return code;
}
