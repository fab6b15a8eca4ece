#include "cmd/completions.h"

#include <string.h>

/* What stands in the place of a value or an operand. */
enum kind { KIND_NONE, KIND_FREE, KIND_WORDS, KIND_FILE, KIND_DIR };

static enum kind value_kind(const struct option_row *row)
{
    return !row->value                  ? KIND_NONE
           : row->words                 ? KIND_WORDS
           : strstr(row->value, "DIR")  ? KIND_DIR
           : strstr(row->value, "FILE") ? KIND_FILE
                                        : KIND_FREE;
}

/* A run is a directory; a list or a job file is a file, in one of some directory. */
static enum kind operand_kind(const struct option_table *table)
{
    return strstr(table->synopsis, "FILE") || strstr(table->synopsis, ".json") ? KIND_FILE
           : strstr(table->synopsis, "RUN")                                    ? KIND_DIR
                                                                               : KIND_FREE;
}

/* Calls `print` for each option of a table; `context` is what it prints to. */
static void each_row(const struct option_table *table,
                     void (*print)(const struct option_row *row, const char *command, FILE *to),
                     FILE *to)
{
    const struct option_table *has = table->like ? table->like : table;

    for (size_t i = 0; i < has->group_count; i++) {
        for (size_t j = 0; j < has->groups[i].count; j++) {
            print(&has->groups[i].rows[j], table->command, to);
        }
    }
}

/* With blanks between them. */
static void print_words(const char *words, FILE *to)
{
    for (const char *c = words; *c; c++) {
        if (*c != ',') {
            fputc(*c, to);
        }
    }
}

static void print_commands(const struct option_table *const *tables, size_t count, FILE *to)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "%s%s", i ? " " : "", tables[i]->command);
    }
}

/* --- bash ------------------------------------------------------------------------------------------ */

static void print_bash_name(const struct option_row *row, const char *command, FILE *to)
{
    (void)command;
    fprintf(to, " --%s", row->name);
}

static void print_bash_value(const struct option_row *row, const char *command, FILE *to)
{
    enum kind kind = value_kind(row);

    if (kind == KIND_NONE) {
        return;
    }
    fprintf(to, "    %s:--%s", command, row->name);
    if (row->letter) {
        fprintf(to, "|%s:-%c", command, row->letter);
    }
    if (kind == KIND_WORDS) {
        fputs(") COMPREPLY=($(compgen -W '", to);
        print_words(row->words, to);
        fputs("' -- \"$word\")); return ;;\n", to);
    } else if (kind == KIND_FREE) {
        fputs(") return ;;\n", to);
    } else {
        fprintf(to, ") compopt -o filenames; COMPREPLY=($(compgen -%c -- \"$word\")); return ;;\n",
                kind == KIND_DIR ? 'd' : 'f');
    }
}

static void print_bash_operands(const struct option_table *table, FILE *to)
{
    enum kind kind = operand_kind(table);

    fprintf(to, "    %s) ", table->command);
    if (kind == KIND_FREE) {
        fputs(";;\n", to);
    } else {
        fprintf(to, "compopt -o filenames; COMPREPLY=($(compgen -%c -- \"$word\")) ;;\n",
                kind == KIND_DIR ? 'd' : 'f');
    }
}

/* bash cuts words at `=`: what stands before it is the option. */
static void print_bash(const struct option_table *const *tables, size_t count, FILE *to)
{
    fputs(
        "# bash completion for scrapetop; written by `scrapetop --completions bash`\n"
        "_scrapetop()\n{\n"
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words=\n"
        "    COMPREPLY=()\n"
        "    if [ \"$word\" = '=' ]; then\n        word=\n"
        "    elif [ \"$before\" = '=' ]; then\n        before=${COMP_WORDS[COMP_CWORD-2]}\n    fi\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        COMPREPLY=($(compgen -W \"--help --version help version ",
        to);
    print_commands(tables, count, to);
    fputs("\" -- \"$word\"))\n        return\n    fi\n    case ${COMP_WORDS[1]}:$before in\n", to);
    for (size_t i = 0; i < count; i++) {
        each_row(tables[i], print_bash_value, to);
    }
    fputs("    help:help) COMPREPLY=($(compgen -W \"", to);
    print_commands(tables, count, to);
    fputs("\" -- \"$word\")); return ;;\n    esac\n"
          "    case $word in\n    -*)\n        case ${COMP_WORDS[1]} in\n",
          to);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "        %s) words=\"--help", tables[i]->command);
        each_row(tables[i], print_bash_name, to);
        fputs("\" ;;\n", to);
    }
    fputs("        esac\n        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "        return ;;\n    esac\n    case ${COMP_WORDS[1]} in\n",
          to);
    for (size_t i = 0; i < count; i++) {
        print_bash_operands(tables[i], to);
    }
    fputs("    esac\n}\ncomplete -F _scrapetop scrapetop\n", to);
}

/* --- zsh ------------------------------------------------------------------------------------------- */

/* Within single quotes and _arguments' brackets. */
static void print_zsh_text(const char *text, FILE *to)
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

static void print_zsh_action(enum kind kind, const char *words, FILE *to)
{
    if (kind == KIND_WORDS) {
        fputs(":(", to);
        print_words(words, to);
        fputc(')', to);
    } else {
        fputs(kind == KIND_DIR ? ":_files -/" : kind == KIND_FILE ? ":_files" : ":", to);
    }
}

static void print_zsh_row(const struct option_row *row, const char *command, FILE *to)
{
    const char *many = row->repeats ? "*" : "", *sign = row->value ? "=" : "";

    (void)command;
    if (row->letter && row->repeats) {
        fprintf(to, "      '*'{-%c+,--%s%s}'[", row->letter, row->name, sign);
    } else if (row->letter) {
        fprintf(to, "      '(-%c --%s)'{-%c%s,--%s%s}'[", row->letter, row->name, row->letter,
                row->value ? "+" : "", row->name, sign);
    } else {
        fprintf(to, "      '%s--%s%s[", many, row->name, sign);
    }
    print_zsh_text(row->help, to);
    fputc(']', to);
    if (row->value) {
        fputc(':', to);
        print_zsh_text(row->value, to);
        print_zsh_action(value_kind(row), row->words, to);
    }
    fputs("' \\\n", to);
}

static void print_zsh(const struct option_table *const *tables, size_t count, FILE *to)
{
    fputs("#compdef scrapetop\n# written by `scrapetop --completions zsh`\n"
          "_scrapetop() {\n  local -a commands\n  commands=(\n"
          "    'help:What a command does, and its options'\n"
          "    'version:What this program is made of'\n",
          to);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "    '%s:", tables[i]->command);
        print_zsh_text(tables[i]->summary, to);
        fputs("'\n", to);
    }
    fputs("  )\n  if (( CURRENT == 2 )); then\n"
          "    _describe command commands\n    return\n  fi\n"
          "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n"
          "    help)\n      (( CURRENT == 2 )) && _describe command commands ;;\n",
          to);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "    %s)\n      _arguments \\\n", tables[i]->command);
        each_row(tables[i], print_zsh_row, to);
        fputs("      '(- *)'{-h,--help}'[Show this text]' \\\n      '*:operand", to);
        print_zsh_action(operand_kind(tables[i]), NULL, to);
        fputs("' ;;\n", to);
    }
    fputs("  esac\n}\n_scrapetop \"$@\"\n", to);
}

/* --- fish ------------------------------------------------------------------------------------------ */

/* Within single quotes. */
static void print_fish_text(const char *text, FILE *to)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\'' || *c == '\\') {
            fputc('\\', to);
        }
        fputc(*c == '\n' ? ' ' : *c, to);
    }
}

static void print_fish_begin(const char *command, FILE *to)
{
    fprintf(to, "complete -c scrapetop -n '__fish_seen_subcommand_from %s'", command);
}

static void print_fish_row(const struct option_row *row, const char *command, FILE *to)
{
    enum kind kind = value_kind(row);

    print_fish_begin(command, to);
    if (row->letter) {
        fprintf(to, " -s %c", row->letter);
    }
    fprintf(to, " -l %s", row->name);
    if (kind == KIND_WORDS) {
        fputs(" -x -a '", to);
        print_words(row->words, to);
        fputc('\'', to);
    } else if (kind == KIND_FILE) {
        fputs(" -r -F", to);
    } else if (kind == KIND_DIR) {
        fputs(" -x -a '(__fish_complete_directories)'", to);
    } else if (kind == KIND_FREE) {
        fputs(" -x", to);
    }
    fputs(" -d '", to);
    print_fish_text(row->help, to);
    fputs("'\n", to);
}

static void print_fish_operands(const struct option_table *table, FILE *to)
{
    enum kind kind = operand_kind(table);

    if (kind == KIND_FILE) {
        print_fish_begin(table->command, to);
        fputs(" -F\n", to);
    } else if (kind == KIND_DIR) {
        print_fish_begin(table->command, to);
        fputs(" -a '(__fish_complete_directories)'\n", to);
    }
}

static void print_fish(const struct option_table *const *tables, size_t count, FILE *to)
{
    fputs("# fish completion for scrapetop; written by `scrapetop --completions fish`\n"
          "complete -c scrapetop -f\n"
          "complete -c scrapetop -n __fish_use_subcommand -a help"
          " -d 'What a command does, and its options'\n"
          "complete -c scrapetop -n __fish_use_subcommand -a version"
          " -d 'What this program is made of'\n",
          to);
    print_fish_begin("help", to);
    fputs(" -a '", to);
    print_commands(tables, count, to);
    fputs("'\n", to);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "complete -c scrapetop -n __fish_use_subcommand -a %s -d '",
                tables[i]->command);
        print_fish_text(tables[i]->summary, to);
        fputs("'\n", to);
        each_row(tables[i], print_fish_row, to);
        print_fish_operands(tables[i], to);
    }
}

bool completions_print(const char *shell, const struct option_table *const *tables, size_t count,
                       FILE *to)
{
    static const struct {
        const char *name;
        void (*print)(const struct option_table *const *tables, size_t count, FILE *to);
    } shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };

    for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(shell, shells[i].name) == 0) {
            shells[i].print(tables, count, to);
            return true;
        }
    }
    return false;
}
