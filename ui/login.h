/**
 * The login in a few words: whether there is a token, and how long it lasts.
 *
 * Of a credential that is given from the start there is nothing to tell but that it was refused.
 */
#ifndef SCRAPETOP_UI_LOGIN_H
#define SCRAPETOP_UI_LOGIN_H

#include "engine/snapshot.h"
#include "ui/theme.h"

#define LOGIN_TEXT_MAX 176 /* a URL and a code fit */

/** "ok, expires in 12:04", "asked", "renewing", "failed", ...; `brief`: "12:04". False: there is nothing
 *  to tell, and the text is empty. */
bool login_text(const struct snapshot_login *login, bool brief, char text[LOGIN_TEXT_MAX],
                enum role *role);

#endif
