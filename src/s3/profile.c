#include "s3/profile.h"

/* Whether the line begins a section, and whether it is the one of that name. */
static bool is_section(struct str line, struct str profile, bool *is_ours)
{
    struct str name;

    if (!line.len || line.data[0] != '[' || line.data[line.len - 1] != ']') {
        return false;
    }
    name = str_trim((struct str){ line.data + 1, line.len - 2 });
    if (str_starts(name, STR("profile ")) || str_starts(name, STR("profile\t"))) {
        name = str_trim((struct str){ name.data + 8, name.len - 8 });
    }
    *is_ours = str_equal(name, profile);
    return true;
}

struct str profile_value(struct str text, struct str profile, struct str key)
{
    bool is_ours = false;

    while (text.len) {
        struct str line = str_cut(&text, '\n');
        bool is_indented = line.len && (line.data[0] == ' ' || line.data[0] == '\t');
        struct str value = str_trim(line);

        if (is_indented || !value.len || value.data[0] == '#' || value.data[0] == ';' ||
            is_section(value, profile, &is_ours) || !is_ours) {
            continue;
        }
        if (str_equal(str_trim(str_cut(&value, '=')), key)) {
            return str_trim(value);
        }
    }
    return STR_NONE;
}
