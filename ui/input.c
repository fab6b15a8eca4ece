#include "ui/input.h"

#include "base/utf8.h"
#include "ui/background.h"

#include <string.h>

#define BYTE_BELL 0x07
#define BYTE_ESCAPE 0x1B
#define BYTE_DELETE 0x7F
#define PARAMETER_MAX 9999
#define LATE_US (4 * INPUT_ESCAPE_US)
#define ANSWER_US (20 * INPUT_ESCAPE_US) /* nobody types one, so its end is worth waiting for */

void input_init(struct input *in)
{
    memset(in, 0, sizeof *in);
}

static size_t give(struct input *in, uint32_t code, struct input_key *key)
{
    *key = (struct input_key){ .code = code, .pasted = in->pasting };
    return 1;
}

static uint32_t function_key(unsigned number)
{
    return (uint32_t)INPUT_F1 + number - 1;
}

/* CSI number ~ as xterm, rxvt and the Linux console number their keys; 0: not one of ours. */
static uint32_t numbered_key(unsigned number)
{
    static const uint32_t low[] = { 0,         INPUT_HOME,    INPUT_INSERT,    INPUT_DELETE,
                                    INPUT_END, INPUT_PAGE_UP, INPUT_PAGE_DOWN, INPUT_HOME,
                                    INPUT_END };

    if (number < sizeof low / sizeof low[0]) {
        return low[number];
    }
    if (number >= 11 && number <= 15) {
        return function_key(number - 10);
    }
    if (number >= 17 && number <= 21) {
        return function_key(number - 11);
    }
    if (number == 23 || number == 24) {
        return function_key(number - 12);
    }
    return 0;
}

static uint32_t lettered_key(unsigned char letter)
{
    switch (letter) {
    case 'A':
        return INPUT_UP;
    case 'B':
        return INPUT_DOWN;
    case 'C':
        return INPUT_RIGHT;
    case 'D':
        return INPUT_LEFT;
    case 'F':
        return INPUT_END;
    case 'H':
        return INPUT_HOME;
    case 'M':
        return INPUT_ENTER; /* of the keypad, SS3 only */
    case 'P':
    case 'Q':
    case 'R':
    case 'S':
        return function_key((unsigned)letter - 'P' + 1);
    case 'Z':
        return INPUT_BACK_TAB;
    default:
        return 0;
    }
}

/* CSI < button ; column ; row M, or m when the button is released (xterm's SGR mode). */
static size_t mouse_key(struct input *in, unsigned char final, struct input_key *key)
{
    static const uint32_t codes[] = {
        [0] = INPUT_CLICK, [64] = INPUT_WHEEL_UP, [65] = INPUT_WHEEL_DOWN
    };
    unsigned button = in->parameters[0];

    if (final != 'M' || button >= sizeof codes / sizeof codes[0] || !codes[button] ||
        !in->parameters[1] || !in->parameters[2]) {
        return 0;
    }
    give(in, codes[button], key);
    key->column = (int)in->parameters[1] - 1;
    key->row = (int)in->parameters[2] - 1;
    return 1;
}

static size_t end_sequence(struct input *in, unsigned char final, struct input_key *key)
{
    unsigned parameter = in->parameters[0];
    uint32_t code = 0;

    in->state = INPUT_GROUND;
    if (in->of_mouse) {
        return mouse_key(in, final, key);
    }
    if (in->of_kind && final == 'c' && in->expects) {
        return give(in, INPUT_TOLD_ALL, key);
    }
    if (in->odd) {
        return 0;
    }
    if (final == '~' && parameter == 200) {
        in->pasting = true;
    } else if (final == '~' && parameter == 201) {
        in->pasting = false;
    } else if (final == '~') {
        code = numbered_key(parameter);
    } else if (final != 'M') {
        code = lettered_key(final);
    }
    return code ? give(in, code, key) : 0;
}

static size_t feed_sequence(struct input *in, unsigned char byte, struct input_key *key)
{
    bool is_first = in->parameter_at == 0 && in->parameters[0] == 0 && !in->odd && !in->of_mouse;

    if (byte >= '0' && byte <= '9') {
        unsigned *parameter =
            &in->parameters[in->parameter_at < INPUT_PARAMETERS_MAX ? in->parameter_at
                                                                    : INPUT_PARAMETERS_MAX - 1];

        if (in->parameter_at < INPUT_PARAMETERS_MAX && *parameter <= PARAMETER_MAX) {
            *parameter = *parameter * 10 + byte - '0';
        }
        return 0;
    }
    if (byte == '[' && is_first) {
        in->state = INPUT_CONSOLE;
        return 0;
    }
    if (byte >= 0x40 && byte <= 0x7E) {
        return end_sequence(in, byte, key);
    }
    if (byte == ';') {
        in->parameter_at++;
    } else if (byte == '<' && is_first) {
        in->of_mouse = true;
    } else {
        in->of_kind = byte == '?' && is_first;
        in->odd = true;
    }
    return 0;
}

/* A string of the terminal's own: only its answer about the background is heeded. */
static size_t end_string(struct input *in, struct input_key *key)
{
    enum background told = background_of_answer((struct str){ in->string, in->string_length });

    in->state = INPUT_GROUND;
    if (!in->expects || told == BACKGROUND_AUTO) {
        return 0;
    }
    return give(in, told == BACKGROUND_LIGHT ? INPUT_TOLD_LIGHT : INPUT_TOLD_DARK, key);
}

static size_t feed_string(struct input *in, unsigned char byte, struct input_key *key)
{
    if (byte == BYTE_BELL) {
        return end_string(in, key);
    }
    if (byte == BYTE_ESCAPE) {
        in->state = INPUT_STRING_ESCAPE;
    } else if (in->string_length < sizeof in->string) {
        in->string[in->string_length++] = (char)byte;
    }
    return 0;
}

static size_t feed_ground(struct input *in, unsigned char byte, struct input_key *key)
{
    switch (byte) {
    case BYTE_ESCAPE:
        in->state = INPUT_AFTER_ESCAPE;
        return 0;
    case '\r':
    case '\n':
        return give(in, INPUT_ENTER, key);
    case '\b':
    case BYTE_DELETE:
        return give(in, INPUT_BACKSPACE, key);
    default:
        break;
    }
    if (byte < 0x80) {
        return byte ? give(in, byte, key) : 0;
    }
    in->character[0] = (char)byte;
    in->character_length = 1;
    in->state = INPUT_CHARACTER;
    return 0;
}

static size_t feed_character(struct input *in, unsigned char byte, struct input_key *key)
{
    uint32_t code;

    if ((byte & 0xC0) != 0x80) {
        in->state = INPUT_GROUND; /* cut short: forget it, the byte stands for itself */
        return feed_ground(in, byte, key);
    }
    in->character[in->character_length++] = (char)byte;
    if (utf8_decode((struct str){ in->character, in->character_length }, &code)) {
        in->state = INPUT_GROUND;
        return give(in, code, key);
    }
    if (in->character_length == sizeof in->character) {
        in->state = INPUT_GROUND;
    }
    return 0;
}

static void begin_sequence(struct input *in, unsigned char byte)
{
    memset(in->parameters, 0, sizeof in->parameters);
    in->parameter_at = 0;
    in->odd = in->of_mouse = in->of_kind = false;
    in->string_length = 0;
    switch (byte) {
    case '[':
        in->state = INPUT_SEQUENCE;
        break;
    case 'O':
        in->state = INPUT_SINGLE;
        break;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
        in->state = INPUT_STRING;
        break;
    default:
        in->state = INPUT_GROUND; /* Alt with a key: none of ours */
    }
}

static size_t feed_by_state(struct input *in, unsigned char byte, struct input_key *key)
{
    uint32_t code;

    switch (in->state) {
    case INPUT_GROUND:
        return feed_ground(in, byte, key);
    case INPUT_AFTER_ESCAPE:
        if (byte == BYTE_ESCAPE) {
            return give(in, INPUT_ESCAPE, key);
        }
        begin_sequence(in, byte);
        return 0;
    case INPUT_SEQUENCE:
        return feed_sequence(in, byte, key);
    case INPUT_CONSOLE:
        in->state = INPUT_GROUND;
        return byte >= 'A' && byte <= 'E' ? give(in, function_key((unsigned)byte - 'A' + 1), key)
                                          : 0;
    case INPUT_SINGLE:
        in->state = INPUT_GROUND;
        code = lettered_key(byte);
        return code ? give(in, code, key) : 0;
    case INPUT_STRING:
        return feed_string(in, byte, key);
    case INPUT_STRING_ESCAPE:
        if (byte == '\\') {
            return end_string(in, key);
        }
        in->state = INPUT_STRING;
        return 0;
    case INPUT_CHARACTER:
        return feed_character(in, byte, key);
    }
    return 0;
}

/* How long what was begun may stay unfinished. */
static uint64_t patience(const struct input *in)
{
    bool is_string = in->state == INPUT_STRING || in->state == INPUT_STRING_ESCAPE;

    return in->expects && is_string &&
                   background_may_be_answer((struct str){ in->string, in->string_length })
               ? ANSWER_US
               : INPUT_ESCAPE_US;
}

size_t input_idle(struct input *in, uint64_t now_us, struct input_key keys[INPUT_KEYS_MAX])
{
    bool escaped = in->state == INPUT_AFTER_ESCAPE;

    if (in->state == INPUT_GROUND || now_us - in->last_us < patience(in)) {
        return 0;
    }
    in->state = INPUT_GROUND;
    if (!escaped) {
        return 0;
    }
    in->escape_us = now_us;
    return give(in, INPUT_ESCAPE, &keys[0]);
}

size_t input_feed(struct input *in, unsigned char byte, uint64_t now_us,
                  struct input_key keys[INPUT_KEYS_MAX])
{
    size_t count = input_idle(in, now_us, keys);

    in->last_us = now_us;
    /* The tail of an arrow key whose Esc was taken for a lone one on a very slow link: `[` is the
     * key that halves the cap, so rather lose a key than misread one. */
    if (in->state == INPUT_GROUND && in->escape_us && now_us - in->escape_us < LATE_US &&
        (byte == '[' || byte == 'O' || (byte == ']' && in->expects))) {
        in->escape_us = 0;
        begin_sequence(in, byte);
        return count;
    }
    in->escape_us = 0;
    return count + feed_by_state(in, byte, &keys[count]);
}
