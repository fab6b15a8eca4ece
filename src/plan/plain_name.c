#include "plan/plain_name.h"

struct str plain_name(struct str name, char room[PLAIN_NAME_MAX])
{
    size_t len = 0;

    for (size_t i = 0; i < name.len && len < PLAIN_NAME_MAX; i++) {
        char c = name.data[i];

        if (c >= 'A' && c <= 'Z') {
            c = (char)(c + ('a' - 'A'));
        }
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            room[len++] = c;
        }
    }
    return (struct str){ room, len };
}
