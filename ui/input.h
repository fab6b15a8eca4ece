/**
 * Bytes of a terminal in, keys out.
 *
 * A sequence it does not know is swallowed whole: were its tail taken for keys, a stray answer of
 * the terminal or a function key could halve a cap or end a run. For the same reason text that was
 * pasted is marked, so that only prompts take it. It never waits: a lone Esc becomes a key when the
 * time that is told to it says that nothing followed.
 *
 * Units  microseconds. Threads: none of its own.
 */
#ifndef SCRAPETOP_UI_INPUT_H
#define SCRAPETOP_UI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INPUT_ESCAPE_US UINT64_C(150000) /* a sequence is never slower; slow links need some time */
#define INPUT_KEYS_MAX 2                 /* out of one byte */
#define INPUT_PARAMETERS_MAX 3
#define INPUT_STRING_MAX 40 /* "11;rgba:ffff/ffff/ffff/ffff" */

/** Below 0x110000 a key is its character: 'q', 0x0C for Ctrl-L, U+00E9. */
enum input_special {
    INPUT_UP = 0x110000,
    INPUT_DOWN,
    INPUT_LEFT,
    INPUT_RIGHT,
    INPUT_PAGE_UP,
    INPUT_PAGE_DOWN,
    INPUT_HOME,
    INPUT_END,
    INPUT_INSERT,
    INPUT_DELETE,
    INPUT_BACK_TAB,
    INPUT_ENTER,
    INPUT_BACKSPACE,
    INPUT_ESCAPE,
    INPUT_F1, /* to F12, in order */
    INPUT_F12 = INPUT_F1 + 11,
    INPUT_CLICK,
    INPUT_WHEEL_UP,
    INPUT_WHEEL_DOWN,
    INPUT_TOLD_DARK, /* no keys: what the terminal answers when it is asked for its background */
    INPUT_TOLD_LIGHT,
    INPUT_TOLD_ALL, /* no answer comes any more */
};

struct input_key {
    uint32_t code;
    bool pasted;
    int row, column; /* of the mouse, from 0 */
};

enum input_state {
    INPUT_GROUND,
    INPUT_AFTER_ESCAPE,
    INPUT_SEQUENCE,      /* CSI ... final byte */
    INPUT_CONSOLE,       /* CSI [ of the Linux console: one byte more */
    INPUT_SINGLE,        /* SS3: one byte more */
    INPUT_STRING,        /* OSC, DCS, ...: until BEL or ST */
    INPUT_STRING_ESCAPE, /* Esc within it, the first half of ST */
    INPUT_CHARACTER,     /* within a UTF-8 character */
};

struct input {
    enum input_state state;
    uint64_t last_us;   /* when the last byte came */
    uint64_t escape_us; /* when a lone Esc was given out; 0: long ago */
    unsigned parameters[INPUT_PARAMETERS_MAX];
    unsigned parameter_at;         /* the one whose digits come */
    bool odd;                      /* it has more than digits and semicolons: not one of ours */
    bool of_mouse;                 /* CSI < */
    bool of_kind;                  /* CSI ? */
    bool expects;                  /* an answer of the terminal may come: set by the caller */
    char string[INPUT_STRING_MAX]; /* its beginning */
    size_t string_length;
    char character[4];
    size_t character_length;
    bool pasting;
};

void input_init(struct input *in);

/** Returns how many keys the byte completed. */
size_t input_feed(struct input *in, unsigned char byte, uint64_t now_us,
                  struct input_key keys[INPUT_KEYS_MAX]);

/** To be called now and then: gives out a lone Esc, forgets what was left unfinished. */
size_t input_idle(struct input *in, uint64_t now_us, struct input_key keys[INPUT_KEYS_MAX]);

#endif
