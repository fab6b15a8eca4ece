#include "ui/terminal.h"

#include "base/buf.h"
#include "base/os.h"
#include "base/utf8.h"
#include "ui/background.h"
#include "ui/borrowed_signals.h"
#include "ui/crash.h"
#include "ui/terminal_type.h"
#include "ui/theme.h"

#include <curses.h>
#include <term.h>
#undef columns /* term.h has macros for capabilities; these are words of ours */
#undef lines

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PENDING_MAX (8U << 20) /* bytes; one full frame of the largest canvas is below it */
#define FAREWELL_WAIT_MS 200   /* a terminal that takes nothing for so long at the end is stalled */
#define FAREWELL_WAITS 50      /* for one that takes little at a time */
#define LEAVE_BYTES_MAX 65536
#define COLOURS 8
#define FINE_COLOURS 256
#define ANSWER_WAIT_MS 250                /* for an answer that would else be typed to the shell */
#define ANSWER_LATEST_S 5                 /* one that has not come by then never will */
#define MOUSE_ON "\033[?1000h\033[?1006h" /* presses and the wheel, in SGR form */
#define MOUSE_OFF "\033[?1006l\033[?1000l"

struct terminal {
    int fd; /* the terminal: non-blocking, of our own */
    struct termios cooked, raw;
    SCREEN *screen;
    FILE *frame; /* memory that ncurses takes for the terminal */
    struct canvas shown;
    struct buf pending; /* bytes for the terminal */
    size_t pending_from;
    struct buf leave;
    char reset[CRASH_RESET_MAX];
    bool bracketed_paste, colour, fine_colours, mouse;
    enum theme theme;
    bool light;
    bool asks; /* for the background's colour */
    bool asked;
    struct timespec asked_at;
    const char *stand_in; /* the type in the place of one that is not known */
    bool suspended;       /* given back, or not yet taken again */
    bool gone, repaint;
};

/* A terminal that is not our controlling one has no foreground group to be asked about. */
static bool in_foreground(const struct terminal *t)
{
    pid_t group = tcgetpgrp(t->fd);

    return group < 0 || group == getpgrp();
}

static enum result open_device(struct terminal *t, const char *device, struct err *err)
{
    t->fd = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0) {
        return err_set(err, RESULT_NOT_FOUND, "E-TTY1", "cannot open %s: %s", device,
                       strerror(errno));
    }
    if (tcgetattr(t->fd, &t->cooked) != 0) {
        return err_set(err, RESULT_NOT_FOUND, "E-TTY1", "%s is no terminal", device);
    }
    if (!in_foreground(t)) {
        return err_set(err, RESULT_NOT_FOUND, "E-TTY2", "%s belongs to another job", device);
    }
    t->raw = t->cooked;
    t->raw.c_iflag &= ~(tcflag_t)(IXON | IXOFF | ICRNL | INLCR | IGNCR | ISTRIP | INPCK);
    t->raw.c_oflag &= ~(tcflag_t)OPOST; /* the frame holds exact positions */
    t->raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
    t->raw.c_lflag |= ISIG;
    t->raw.c_cc[VMIN] = 1;
    t->raw.c_cc[VTIME] = 0;
    return RESULT_OK;
}

/* One capability without its padding notes ("$<5>"), which only real hardware needed. */
static void append_capability(char *text, size_t size, const char *name)
{
    const char *value = tigetstr(name);
    size_t used = strlen(text);

    if (!value || value == (const char *)-1) {
        return;
    }
    while (*value && used + 1 < size) {
        if (value[0] == '$' && value[1] == '<' && strchr(value, '>')) {
            value = strchr(value, '>') + 1;
            continue;
        }
        text[used++] = *value++;
    }
    text[used] = '\0';
}

static void prepare_reset(struct terminal *t)
{
    static const char *const names[] = { "sgr0", "op", "cnorm", "rmkx", "rmcup" };

    if (t->bracketed_paste) {
        snprintf(t->reset, sizeof t->reset, "\033[?2004l" MOUSE_OFF);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        append_capability(t->reset, sizeof t->reset, names[i]);
    }
}

static void prepare_colours(struct terminal *t, bool wanted)
{
    t->colour = wanted && has_colors() && start_color() == OK && COLORS >= COLOURS &&
                use_default_colors() == OK;
    t->fine_colours = t->colour && COLORS >= FINE_COLOURS && COLOR_PAIRS > FINE_COLOURS;
    for (short i = 0; t->colour && i < (t->fine_colours ? FINE_COLOURS : COLOURS); i++) {
        init_pair((short)(i + 1), i, -1);
    }
}

static enum result open_screen(struct terminal *t, const struct terminal_options *options,
                               struct err *err)
{
    int memory = os_memfd("scrapetop-frame");
    const char *enter, *type;

    if (memory < 0) {
        return err_set_errno(err, errno, "E-TTY3", "memory for frames");
    }
    t->frame = fdopen(memory, "w+");
    if (!t->frame) {
        close(memory);
        return err_nomem(err, "opening the terminal");
    }
    type = terminal_type_choose(options->type, t->fd);
    t->stand_in = type && type != options->type ? type : NULL;
    t->screen = type ? newterm(type, t->frame, t->frame) : NULL;
    if (!t->screen) {
        return err_set(err, RESULT_NOT_FOUND, "E-TTY4", "unknown terminal type (TERM=%s)",
                       options->type);
    }
    if (!tigetstr("cup") || tigetstr("cup") == (const char *)-1) {
        return err_set(err, RESULT_NOT_FOUND, "E-TTY4", "TERM=%s cannot place its cursor",
                       options->type);
    }
    enter = tigetstr("smcup");
    t->bracketed_paste = enter && enter != (const char *)-1 && strstr(enter, "[?1049h");
    prepare_colours(t, options->colour);
    t->asks = options->asks && t->bracketed_paste && t->colour;
    prepare_reset(t);
    typeahead(-1); /* it would poll the memory for keys */
    curs_set(0);
    return RESULT_OK;
}

/* Adds what ncurses has written to the bytes for the terminal. */
static void take_frame(struct terminal *t)
{
    int memory = fileno(t->frame);
    off_t length;
    char chunk[4096];

    fflush(t->frame);
    length = lseek(memory, 0, SEEK_CUR);
    for (off_t at = 0; at < length;) {
        size_t want = (size_t)(length - at) < sizeof chunk ? (size_t)(length - at) : sizeof chunk;
        ssize_t got = pread(memory, chunk, want, at);

        if (got <= 0 || buf_append(&t->pending, chunk, (size_t)got) != RESULT_OK) {
            t->repaint = true; /* half a frame: the next one starts from nothing */
            break;
        }
        at += got;
    }
    lseek(memory, 0, SEEK_SET);
}

static void append_text(struct terminal *t, const char *text)
{
    if (buf_append_str(&t->pending, str_view(text)) != RESULT_OK) {
        t->repaint = true;
    }
}

/* Everything that is pending, or what a terminal takes that does not stall: half a frame without the reset
 * after it would leave the shell with a broken screen, and a slow link is no reason for one. */
static void flush_bounded(struct terminal *t)
{
    for (int waits = 0; waits < FAREWELL_WAITS && terminal_wants_write(t); waits++) {
        struct pollfd poll_fd = { .fd = t->fd, .events = POLLOUT };

        terminal_flush(t);
        if (terminal_wants_write(t) && poll(&poll_fd, 1, FAREWELL_WAIT_MS) == 0) {
            break;
        }
    }
    buf_reset(&t->pending);
    t->pending_from = 0;
}

static void take_terminal(struct terminal *t)
{
    tcsetattr(t->fd, TCSANOW, &t->raw);
    crash_arm(t->fd, &t->cooked, str_view(t->reset));
    if (t->bracketed_paste) {
        append_text(t, "\033[?2004h");
    }
    if (t->mouse) {
        append_text(t, MOUSE_ON);
    }
    if (t->asks) {
        append_text(t, BACKGROUND_QUESTION);
        clock_gettime(CLOCK_MONOTONIC, &t->asked_at);
        t->asked = true;
    }
    t->suspended = false;
    t->repaint = true;
}

bool terminal_is_asked(const struct terminal *t)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return t->asked && now.tv_sec - t->asked_at.tv_sec < ANSWER_LATEST_S;
}

void terminal_was_answered(struct terminal *t)
{
    t->asked = false;
}

/* An answer that is still under way would be typed to the shell: the last of it ends in `c`. */
static void await_answer(struct terminal *t)
{
    struct pollfd poll_fd = { .fd = t->fd, .events = POLLIN };
    bool is_last = false;
    char bytes[256];

    while (!t->gone && !is_last && terminal_is_asked(t) && poll(&poll_fd, 1, ANSWER_WAIT_MS) > 0) {
        size_t got = terminal_read(t, bytes, sizeof bytes);

        is_last = !got || memchr(bytes, 'c', got);
    }
    t->asked = false;
}

static void give_terminal(struct terminal *t)
{
    if (t->suspended) {
        return;
    }
    await_answer(t);
    endwin();
    take_frame(t);
    append_text(t, t->reset);
    flush_bounded(t);
    tcsetattr(t->fd, TCSANOW, &t->cooked);
    crash_disarm();
    t->suspended = true;
}

enum result terminal_new(struct terminal **terminal, const struct terminal_options *options,
                         struct err *err)
{
    struct sigaction actions[BORROWED_SIGNALS];
    struct terminal *t;
    enum result result;

    if (!options->type || !options->type[0] || strcmp(options->type, "dumb") == 0) {
        return err_set(err, RESULT_NOT_FOUND, "E-TTY4", "TERM is dumb or not set");
    }
    t = calloc(1, sizeof *t);
    if (!t) {
        return err_nomem(err, "opening the terminal");
    }
    buf_init(&t->pending, PENDING_MAX);
    buf_init(&t->leave, LEAVE_BYTES_MAX);
    canvas_init(&t->shown, true);
    t->suspended = true;
    result = open_device(t, options->device, err);
    if (result != RESULT_OK) {
        goto fail_device;
    }
    borrowed_signals_save(actions);
    result = open_screen(t, options, err);
    borrowed_signals_restore(actions);
    if (result != RESULT_OK) {
        goto fail_screen;
    }
    take_terminal(t);
    terminal_resize(t);
    *terminal = t;
    return RESULT_OK;

fail_screen:
    if (t->screen) {
        delscreen(t->screen);
    }
    if (t->frame) {
        fclose(t->frame);
    }
fail_device:
    if (t->fd >= 0) {
        close(t->fd);
    }
    free(t);
    return result;
}

void terminal_free(struct terminal *t)
{
    struct sigaction actions[BORROWED_SIGNALS];

    if (!t) {
        return;
    }
    borrowed_signals_save(actions);
    give_terminal(t);
    if (t->leave.len && !t->gone) {
        buf_release(&t->pending);
        buf_take(&t->pending, &t->leave);
        flush_bounded(t);
    }
    delscreen(t->screen);
    borrowed_signals_restore(actions);
    fclose(t->frame);
    close(t->fd);
    canvas_release(&t->shown);
    buf_release(&t->pending);
    buf_release(&t->leave);
    free(t);
}

int terminal_fd(const struct terminal *t)
{
    return t->fd;
}

int terminal_rows(const struct terminal *t)
{
    return t->shown.rows;
}

int terminal_columns(const struct terminal *t)
{
    return t->shown.columns;
}

bool terminal_resize(struct terminal *t)
{
    struct winsize size = { 0 };
    int rows, columns;

    if (ioctl(t->fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
        size.ws_row = t->shown.rows ? (unsigned short)t->shown.rows : 24;
        size.ws_col = t->shown.columns ? (unsigned short)t->shown.columns : 80;
    }
    rows = size.ws_row < CANVAS_ROWS_MAX ? size.ws_row : CANVAS_ROWS_MAX;
    columns = size.ws_col < CANVAS_COLUMNS_MAX ? size.ws_col : CANVAS_COLUMNS_MAX;
    if (rows == t->shown.rows && columns == t->shown.columns) {
        t->repaint = true; /* it may have been smaller for a moment, and have lost what we drew */
        return false;
    }
    if (resizeterm(rows, columns) == OK && canvas_resize(&t->shown, rows, columns) == RESULT_OK) {
        t->repaint = true;
        return true;
    }
    return false;
}

bool terminal_gone(const struct terminal *t)
{
    return t->gone;
}

size_t terminal_read(struct terminal *t, char *bytes, size_t size)
{
    ssize_t got;

    /* In the background a read would stop the whole process, transfers and all. */
    if (t->gone || t->suspended || !in_foreground(t)) {
        return 0;
    }
    do {
        got = read(t->fd, bytes, size);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        return (size_t)got;
    }
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
        t->gone = true;
    }
    return 0;
}

static attr_t attributes_of(struct look look)
{
    return (look.bold ? A_BOLD : A_NORMAL) | (look.dim ? A_DIM : A_NORMAL) |
           (look.underline ? A_UNDERLINE : A_NORMAL) | (look.reverse ? A_REVERSE : A_NORMAL);
}

static void put_cell(const struct terminal *t, int row, int column, const struct cell *cell)
{
    struct look look = theme_look(t->theme, t->light, (enum role)cell->role);
    short colour = t->fine_colours && look.fine >= 0 ? look.fine : look.colour;
    struct str rest = { cell->glyph, cell->length };
    wchar_t wide[CCHARW_MAX + 1];
    size_t count = 0;
    cchar_t out;
    short pair = t->colour && colour >= 0 ? (short)(colour + 1) : 0;

    while (rest.len && count < CCHARW_MAX) {
        uint32_t code;
        size_t length = utf8_decode(rest, &code);

        if (!length) {
            break;
        }
        wide[count++] = (wchar_t)code;
        rest.data += length;
        rest.len -= length;
    }
    wide[count] = L'\0';
    if (count && setcchar(&out, wide, attributes_of(look), pair, NULL) == OK) {
        mvadd_wch(row, column, &out); /* ERR in the last corner, though it was put */
    }
}

/* Copies the changed cells to curses; true when there was one. */
static bool put_changes(struct terminal *t, const struct canvas *canvas)
{
    int rows = canvas->rows < t->shown.rows ? canvas->rows : t->shown.rows;
    int columns = canvas->columns < t->shown.columns ? canvas->columns : t->shown.columns;
    bool changed = false;

    for (int row = 0; row < rows; row++) {
        size_t from = (size_t)row * (size_t)canvas->columns;
        size_t to = (size_t)row * (size_t)t->shown.columns;

        for (int i = 0; i < columns; i++) {
            const struct cell *cell = &canvas->cells[from + (size_t)i];
            struct cell *before = &t->shown.cells[to + (size_t)i];

            if (t->repaint || !draw_cells_equal(cell, before)) {
                put_cell(t, row, i, cell);
                *before = *cell;
                changed = true;
            }
        }
    }
    return changed;
}

static bool put_cursor(struct terminal *t, const struct canvas *canvas)
{
    bool changed = canvas->cursor_row != t->shown.cursor_row ||
                   canvas->cursor_column != t->shown.cursor_column ||
                   canvas->cursor_shown != t->shown.cursor_shown;

    if (canvas->cursor_shown != t->shown.cursor_shown) {
        curs_set(canvas->cursor_shown ? 1 : 0);
    }
    t->shown.cursor_row = canvas->cursor_row;
    t->shown.cursor_column = canvas->cursor_column;
    t->shown.cursor_shown = canvas->cursor_shown;
    move(canvas->cursor_row, canvas->cursor_column);
    return changed;
}

bool terminal_show(struct terminal *t, const struct canvas *canvas)
{
    bool changed;

    if (t->suspended) {
        terminal_resume(t);
    }
    terminal_flush(t);
    if (t->gone || t->suspended || terminal_wants_write(t)) {
        return false;
    }
    if (t->repaint) {
        clearok(curscr, TRUE);
    }
    changed = put_changes(t, canvas);
    changed = put_cursor(t, canvas) || changed;
    t->repaint = false;
    if (changed) {
        wnoutrefresh(stdscr);
        doupdate();
        take_frame(t);
        terminal_flush(t);
    }
    return true;
}

void terminal_repaint(struct terminal *t)
{
    t->repaint = true;
}

void terminal_set_theme(struct terminal *t, enum theme theme, bool light)
{
    t->repaint = t->repaint || t->theme != theme || t->light != light;
    t->theme = theme;
    t->light = light;
}

const char *terminal_stand_in(const struct terminal *t)
{
    return t->stand_in;
}

void terminal_set_mouse(struct terminal *t, bool on)
{
    /* Who has no bracketed paste is no descendant of xterm, and would show the bytes. */
    if (t->mouse != on && t->bracketed_paste) {
        t->mouse = on;
        if (!t->suspended) {
            append_text(t, on ? MOUSE_ON : MOUSE_OFF);
        }
    }
}

void terminal_send(struct terminal *t, struct str bytes)
{
    if (t->suspended || t->gone || !t->bracketed_paste || terminal_wants_write(t)) {
        return;
    }
    if (buf_append_str(&t->pending, bytes) == RESULT_OK) {
        terminal_flush(t);
    }
}

bool terminal_wants_read(const struct terminal *t)
{
    return !t->gone && !t->suspended;
}

bool terminal_wants_write(const struct terminal *t)
{
    return !t->gone && t->pending_from < t->pending.len;
}

void terminal_flush(struct terminal *t)
{
    while (terminal_wants_write(t)) {
        ssize_t written =
            write(t->fd, t->pending.data + t->pending_from, t->pending.len - t->pending_from);

        if (written > 0) {
            t->pending_from += (size_t)written;
        } else if (written < 0 && errno != EINTR) {
            t->gone = errno != EAGAIN && errno != EWOULDBLOCK;
            break;
        }
    }
    if (!terminal_wants_write(t)) {
        buf_reset(&t->pending);
        t->pending_from = 0;
    }
}

void terminal_suspend(struct terminal *t)
{
    give_terminal(t);
}

void terminal_resume(struct terminal *t)
{
    if (!t->suspended || t->gone || !in_foreground(t)) {
        return;
    }
    take_terminal(t);
    terminal_resize(t);
}

void terminal_leave(struct terminal *t, struct str text)
{
    buf_reset(&t->leave);
    text.len = text.len < LEAVE_BYTES_MAX ? text.len : LEAVE_BYTES_MAX;
    if (buf_append_str(&t->leave, text) != RESULT_OK) {
        buf_reset(&t->leave); /* the farewell picture is a courtesy */
    }
}
