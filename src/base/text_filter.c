#include "base/text_filter.h"

#include <string.h>

bool text_filter_passes(const char *filter, const char *text)
{
    bool exclude = filter[0] == '!';
    const char *wanted = filter + (exclude ? 1 : 0);

    return !wanted[0] || (strcasestr(text, wanted) != NULL) != exclude;
}
