/* What a table says to people, to man and to shells. */
#include "cmd/options.h"

#include <string.h>

#define HELP_COLUMNS 80
#define HELP_INDENT 26 /* where the explanations start */

static const struct option_row help_row = { 'h', "help", NULL, "Show this text", OPTION_FLAG, 0, 0,
                                            0,   NULL,   false };

static void print_spaces(size_t count, FILE *to)
{
    fprintf(to, "%*s", (int)count, "");
}

/* `text` by words from `column` on, further lines indented by `indent`. */
static void print_wrapped(const char *text, size_t column, size_t indent, FILE *to)
{
    size_t at = column;

    while (*text) {
        size_t len = strcspn(text, " \n");

        if (at > indent && at + 1 + len > HELP_COLUMNS) {
            fputc('\n', to);
            print_spaces(indent, to);
            at = indent;
        } else if (at > indent) {
            fputc(' ', to);
            at++;
        }
        fwrite(text, 1, len, to);
        at += len;
        text += len;
        if (*text == '\n') {
            fputc('\n', to);
            print_spaces(indent, to);
            at = indent;
        }
        text += *text != '\0';
    }
    fputc('\n', to);
}

static void print_row(const struct option_row *row, FILE *to)
{
    int used = row->letter ? fprintf(to, "  -%c, ", row->letter) : fprintf(to, "      ");

    used += fprintf(to, "--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
    if (used + 2 > HELP_INDENT) {
        fputc('\n', to);
        used = 0;
    }
    print_spaces((size_t)(HELP_INDENT - used), to);
    print_wrapped(row->help, HELP_INDENT, HELP_INDENT, to);
}

void options_print_help(const struct option_table *table, FILE *to)
{
    fprintf(to, "Usage: scrapetop %s %s\n\n", table->command, table->synopsis);
    print_wrapped(table->summary, 0, 0, to);
    if (table->details) {
        fputc('\n', to);
        print_wrapped(table->details, 0, 0, to);
    }
    for (size_t i = 0; i < table->group_count; i++) {
        const struct option_group *group = &table->groups[i];

        fprintf(to, "\n%s:\n", group->title);
        for (size_t j = 0; j < group->count; j++) {
            print_row(&group->rows[j], to);
        }
    }
    fprintf(to, "\n");
    print_row(&help_row, to);
    for (const char *const *line = table->examples; line && *line; line++) {
        fprintf(to, "%s  %s\n", line == table->examples ? "\nExamples:\n" : "", *line);
    }
}

/* man(7): a backslash and a dash have meanings anywhere, a dot and a quote at the start of a line. */
static void print_roff(const char *text, FILE *to)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\\') {
            fputs("\\e", to);
        } else if (*c == '-') {
            fputs("\\-", to);
        } else if ((*c == '.' || *c == '\'') && (c == text || c[-1] == '\n')) {
            fprintf(to, "\\&%c", *c);
        } else {
            fputc(*c, to);
        }
    }
}

static void print_roff_row(const struct option_row *row, FILE *to)
{
    fputs(".TP\n", to);
    if (row->letter) {
        fprintf(to, "\\fB\\-%c\\fR, ", row->letter);
    }
    fputs("\\fB\\-\\-", to);
    print_roff(row->name, to);
    fputs("\\fR", to);
    if (row->value) {
        fputs(" \\fI", to);
        print_roff(row->value, to);
        fputs("\\fR", to);
    }
    fputc('\n', to);
    print_roff(row->help, to);
    fputs(".\n", to);
}

void options_print_man(const struct option_table *table, FILE *to)
{
    fputs(".SS \"scrapetop ", to);
    print_roff(table->command, to);
    fputs("\"\n\\fBscrapetop ", to);
    print_roff(table->command, to);
    fputs("\\fR ", to);
    print_roff(table->synopsis, to);
    fputs("\n.PP\n", to);
    print_roff(table->summary, to);
    fputs(".\n", to);
    if (table->details) {
        print_roff(table->details, to);
        fputc('\n', to);
    }
    for (size_t i = 0; i < table->group_count; i++) {
        const struct option_group *group = &table->groups[i];

        fputs(".PP\n\\fI", to);
        print_roff(group->title, to);
        fputs("\\fR\n", to);
        for (size_t j = 0; j < group->count; j++) {
            print_roff_row(&group->rows[j], to);
        }
    }
}

static bool wants_file(const struct option_row *row)
{
    return row->value && (strstr(row->value, "FILE") || strstr(row->value, "DIR"));
}

static void print_bash_words(const struct option_table *table, FILE *to)
{
    fprintf(to, "    %s) words=\"--help", table->command);
    for (size_t i = 0; i < table->group_count; i++) {
        for (size_t j = 0; j < table->groups[i].count; j++) {
            fprintf(to, " --%s", table->groups[i].rows[j].name);
        }
    }
    fputs("\" ;;\n", to);
}

void options_print_bash(const struct option_table *const *tables, size_t count, FILE *to)
{
    fputs("# bash completion for scrapetop; written by `scrapetop --completions bash`\n"
          "_scrapetop()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} words=\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        COMPREPLY=($(compgen -W \"--help --version",
          to);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, " %s", tables[i]->command);
    }
    fputs("\" -- \"$word\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n", to);
    for (size_t i = 0; i < count; i++) {
        print_bash_words(tables[i], to);
    }
    fputs("    esac\n"
          "    case $word in\n"
          "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
          "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
          "    esac\n}\ncomplete -o filenames -F _scrapetop scrapetop\n",
          to);
}

/* Within single quotes and _arguments' brackets. */
static void print_zsh(const char *text, FILE *to)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\'') {
            fputs("'\\''", to);
        } else if (strchr("[]:\\", *c)) {
            fprintf(to, "\\%c", *c);
        } else {
            fputc(*c == '\n' ? ' ' : *c, to);
        }
    }
}

static void print_zsh_row(const struct option_row *row, FILE *to)
{
    const char *many = row->repeats ? "*" : "";

    if (row->letter && row->repeats) {
        fprintf(to, "      '*'{-%c,--%s}'[", row->letter, row->name);
    } else if (row->letter) {
        fprintf(to, "      '(-%c --%s)'{-%c,--%s}'[", row->letter, row->name, row->letter,
                row->name);
    } else {
        fprintf(to, "      '%s--%s[", many, row->name);
    }
    print_zsh(row->help, to);
    fputc(']', to);
    if (row->value) {
        fputc(':', to);
        print_zsh(row->value, to);
        fputs(wants_file(row) ? ":_files" : ":", to);
    }
    fputs("' \\\n", to);
}

void options_print_zsh(const struct option_table *const *tables, size_t count, FILE *to)
{
    fputs("#compdef scrapetop\n# written by `scrapetop --completions zsh`\n"
          "_scrapetop() {\n  local -a commands\n  commands=(\n",
          to);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "    '%s:", tables[i]->command);
        print_zsh(tables[i]->summary, to);
        fputs("'\n", to);
    }
    fputs("  )\n  if (( CURRENT == 2 )); then\n"
          "    _describe command commands\n    return\n  fi\n"
          "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n",
          to);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "    %s)\n      _arguments \\\n", tables[i]->command);
        for (size_t j = 0; j < tables[i]->group_count; j++) {
            for (size_t k = 0; k < tables[i]->groups[j].count; k++) {
                print_zsh_row(&tables[i]->groups[j].rows[k], to);
            }
        }
        fputs("      '*::_files' ;;\n", to);
    }
    fputs("  esac\n}\n_scrapetop \"$@\"\n", to);
}
