/* What a table says to people and to man. */
#include "cmd/options.h"

#include "job/answer_rule.h"
#include "job/job_schema.h"
#include "table/format.h"

#include <string.h>

#define HELP_COLUMNS 80
#define HELP_INDENT 26 /* where the explanations start */

static const struct option_row help_row = { 'h',         "help", NULL, "Show this text",
                                            OPTION_FLAG, 0,      0,    0,
                                            NULL,        false,  NULL };

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

        if (group->title) {
            fprintf(to, "\n%s:\n", group->title);
        }
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

void options_print_man_formats(FILE *to)
{
    struct buf text = { 0 };

    if (table_formats_describe(&text) == RESULT_OK) {
        fwrite(text.data, 1, text.len, to);
    }
    buf_release(&text);
}

/* The actions of answer rules, each as the manual lists it. */
void options_print_man_actions(FILE *to)
{
    for (int i = 0; i < ANSWER_DO_COUNT; i++) {
        fprintf(to, ".TP\n.B %s\n", answer_actions[i].name);
        print_roff(answer_actions[i].help, to);
        fputs(".\n", to);
    }
}

enum result options_print_schema(FILE *to, struct err *err)
{
    struct buf endings = { 0 }, text = { 0 };
    enum result result = table_formats_endings(&endings);

    if (result == RESULT_OK) {
        result = job_schema_write(buf_cstr(&endings), &text, err);
    } else {
        err_nomem(err, "printing the schema");
    }
    if (result == RESULT_OK) {
        fwrite(text.data, 1, text.len, to);
    }
    buf_release(&endings);
    buf_release(&text);
    return result;
}

void options_print_man_examples(const struct option_table *const *tables, size_t count, FILE *to)
{
    for (size_t i = 0; i < count; i++) {
        for (const char *const *line = tables[i]->examples; line && *line; line++) {
            fputs(line == tables[i]->examples ? ".PP\n.nf\n" : "", to);
            print_roff(*line, to);
            fputs(line[1] ? "\n" : "\n.fi\n", to);
        }
    }
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

        if (group->title) {
            fputs(".PP\n\\fI", to);
            print_roff(group->title, to);
            fputs("\\fR\n", to);
        }
        for (size_t j = 0; j < group->count; j++) {
            print_roff_row(&group->rows[j], to);
        }
    }
}
