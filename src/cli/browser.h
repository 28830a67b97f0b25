/* The user's browser. */
#ifndef MAREY_CLI_BROWSER_H
#define MAREY_CLI_BROWSER_H

/* Has the browser show an address: what $BROWSER says, else xdg-open where there is a screen. Returns 0, or -1 where there is
 * no way. Whether it then does is its own affair. */
int browser_open(const char *url);
/* Whether this is a login from another machine without a screen of its own. */
int browser_is_remote(void);

#endif
