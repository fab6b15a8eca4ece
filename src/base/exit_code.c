#include "base/exit_code.h"

int exit_code_of(enum result result)
{
    switch (result) {
    case RESULT_OK:
        return EXIT_WELL;
    case RESULT_INVALID:
    case RESULT_LIMIT:
    case RESULT_NOT_FOUND:
    case RESULT_DENIED:
    case RESULT_BUSY:
        return EXIT_USAGE;
    case RESULT_FULL:
    case RESULT_IO:
    case RESULT_CORRUPT:
        return EXIT_STORAGE;
    case RESULT_CANCELLED:
        return EXIT_DRAINED;
    case RESULT_NOMEM:
        break;
    }
    return EXIT_INTERNAL;
}
