#include "ui/pieces.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct piece *pieces_add(struct pieces *line, int rank, int width, enum role role,
                         const char *label, const char *format, ...)
{
    struct piece *piece = &line->pieces[line->count < PIECES_MAX ? line->count++ : PIECES_MAX - 1];
    va_list args;

    *piece = (struct piece){ .role = role, .rank = rank, .width = width };
    snprintf(piece->label, sizeof piece->label, "%s", label);
    va_start(args, format);
    vsnprintf(piece->text, sizeof piece->text, format, args);
    va_end(args);
    return piece;
}

static int piece_columns(const struct piece *piece)
{
    char safe[4 * PIECE_TEXT_MAX];
    int text = (int)utf8_display(safe, sizeof safe, str_view(piece->text), PIECE_TEXT_MAX);
    int label = piece->label[0] ? (int)strlen(piece->label) + 1 : 0;

    return label + (text > piece->width ? text : piece->width);
}

int pieces_columns(const struct pieces *line)
{
    int columns = 0;

    for (size_t i = 0; i < line->count; i++) {
        columns += piece_columns(&line->pieces[i]) + (i ? PIECE_GAP : 0);
    }
    return columns;
}

static void drop_last_ranked(struct pieces *line)
{
    size_t worst = 0;

    for (size_t i = 0; i < line->count; i++) {
        worst = line->pieces[i].rank >= line->pieces[worst].rank ? i : worst;
    }
    memmove(&line->pieces[worst], &line->pieces[worst + 1],
            (line->count - worst - 1) * sizeof line->pieces[0]);
    line->count--;
}

static void draw_piece(const struct piece *piece, struct pane pane, int row, int at)
{
    int columns = piece_columns(piece);

    if (piece->label[0]) {
        draw_text(pane, row, at, columns, ROLE_DIM, str_view(piece->label));
        at += (int)strlen(piece->label) + 1;
        columns -= (int)strlen(piece->label) + 1;
    }
    draw_text(pane, row, at, columns, piece->role, str_view(piece->text));
}

void pieces_draw(struct pieces *line, struct pane pane, int row)
{
    int margin = pane.rect.columns > 60 ? 1 : 0;
    int left = margin, right = pane.rect.columns - margin;

    while (line->count > 1 && pieces_columns(line) > right - left) {
        drop_last_ranked(line);
    }
    for (size_t i = line->count; i-- > 0;) {
        if (line->pieces[i].at_right) {
            right -= piece_columns(&line->pieces[i]);
            draw_piece(&line->pieces[i], pane, row, right);
            right -= PIECE_GAP;
        }
    }
    for (size_t i = 0; i < line->count; i++) {
        if (!line->pieces[i].at_right) {
            draw_piece(&line->pieces[i], pane, row, left);
            left += piece_columns(&line->pieces[i]) + PIECE_GAP;
        }
    }
}
