#include "base/temporary_file.h"

#include "base/os.h"

#include <stdlib.h>

int temporary_file(void)
{
    const char *directory = getenv("TMPDIR");

    return os_tmpfile(directory && *directory ? directory : "/tmp");
}
