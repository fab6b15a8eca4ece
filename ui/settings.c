#include "ui/settings.h"

#include "base/parents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX 4096

void settings_path(char path[SETTINGS_PATH_MAX])
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int length = 0;

    if (config && config[0] == '/') { /* a relative one is to be ignored, says the specification */
        length = snprintf(path, SETTINGS_PATH_MAX, "%s/scrapetop/config", config);
    } else if (home && home[0] == '/') {
        length = snprintf(path, SETTINGS_PATH_MAX, "%s/.config/scrapetop/config", home);
    }
    if (length <= 0 || length >= SETTINGS_PATH_MAX) {
        path[0] = '\0';
    }
}

static void read_switch(struct str value, bool *on)
{
    if (str_equal(value, STR("on")) || str_equal(value, STR("off"))) {
        *on = str_equal(value, STR("on"));
    }
}

/* A name that can be written again as it was. */
static bool is_word(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < ' ') {
            return false;
        }
    }
    return text.len && text.len < SETTINGS_WORD_MAX;
}

/* "sort In flight" and "BYTES" or "BYTES, inverted"; whether there are such is not known here. */
static void read_sort(struct settings *settings, struct str panel, struct str value)
{
    struct settings_sort *sort = &settings->sorts[settings->sort_count];
    struct str column = str_trim(str_cut(&value, ','));

    if (settings->sort_count == SETTINGS_SORTS_MAX || !is_word(panel) || !is_word(column)) {
        return;
    }
    snprintf(sort->panel, sizeof sort->panel, "%.*s", STR_ARG(panel));
    snprintf(sort->column, sizeof sort->column, "%.*s", STR_ARG(column));
    sort->inverted = str_equal(str_trim(value), STR("inverted"));
    settings->sort_count++;
}

static void read_line(struct settings *settings, struct str line)
{
    struct str name = str_trim(str_cut(&line, '=')), value = str_trim(line);
    char word[32];

    if (str_equal(name, STR("theme"))) {
        snprintf(word, sizeof word, "%.*s", STR_ARG(value));
        if (!theme_parse(word, &settings->theme)) {
            settings->theme = THEME_DEFAULT;
        }
    } else if (str_equal(name, STR("background"))) {
        if (!background_parse(value, &settings->background)) {
            settings->background = BACKGROUND_AUTO;
        }
    } else if (str_equal(name, STR("mouse"))) {
        read_switch(value, &settings->mouse);
    } else if (str_equal(name, STR("notify"))) {
        read_switch(value, &settings->notify);
    } else if (str_starts(name, STR("sort "))) {
        name.data += strlen("sort ");
        name.len -= strlen("sort ");
        read_sort(settings, str_trim(name), value);
    }
}

void settings_load(struct settings *settings, const char *path)
{
    char bytes[FILE_BYTES_MAX];
    struct str rest;
    ssize_t length;
    int fd = path[0] ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

    if (fd < 0) {
        return;
    }
    length = read(fd, bytes, sizeof bytes);
    close(fd);
    rest = (struct str){ bytes, length > 0 ? (size_t)length : 0 };
    while (rest.len) {
        read_line(settings, str_cut(&rest, '\n'));
    }
}

static bool write_lines(const struct settings *settings, FILE *file)
{
    bool well = fprintf(file, "theme = %s\nbackground = %s\nmouse = %s\nnotify = %s\n",
                        theme_name(settings->theme), background_name(settings->background),
                        settings->mouse ? "on" : "off", settings->notify ? "on" : "off") > 0;

    for (size_t i = 0; i < settings->sort_count; i++) {
        const struct settings_sort *sort = &settings->sorts[i];

        well &= fprintf(file, "sort %s = %s%s\n", sort->panel, sort->column,
                        sort->inverted ? ", inverted" : "") > 0;
    }
    return well;
}

enum result settings_save(const struct settings *settings, const char *path, struct err *err)
{
    char beside[SETTINGS_PATH_MAX + 8];
    FILE *file;
    bool well;

    if (!path[0]) {
        return err_set(err, RESULT_NOT_FOUND, "E-CONF1", "no home directory for the settings");
    }
    parents_make(path, 0700);
    snprintf(beside, sizeof beside, "%s.new", path);
    file = fopen(beside, "we");
    if (!file) {
        return err_set_errno(err, errno, "E-CONF2", "%s", path);
    }
    well = write_lines(settings, file);
    well &= fclose(file) == 0;
    if (!well || rename(beside, path) != 0) {
        unlink(beside);
        return err_set_errno(err, errno, "E-CONF2", "%s", path);
    }
    return RESULT_OK;
}
