#include "job/job_read.h"

#include <stdlib.h>
#include <string.h>

char *job_absolute_path(const struct job_reader *r, const char *path)
{
    const char *slash = strrchr(r->path, '/');
    char *head =
        slash ? str_dup((struct str){ r->path, (size_t)(slash - r->path) }) : str_dup(STR("."));
    char *directory = head && head[0] ? realpath(head, NULL) : NULL;
    struct buf text = { 0 };
    char *absolute = NULL;

    if (path[0] == '/') {
        absolute = str_dup(str_view(path));
    } else if (head &&
               buf_printf(&text, "%s/%s", directory ? directory : head, path) == RESULT_OK) {
        absolute = str_dup(buf_view(&text));
    }
    buf_release(&text);
    free(directory);
    free(head);
    return absolute;
}
