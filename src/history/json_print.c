#include "history/json_print.h"

#include "base/say.h"

void json_print(FILE *to, struct json_writer *w)
{
    say_json(to, buf_view(w->out));
    buf_reset(w->out);
}
