/* Inside `marey top`: gives the terminal back after a crash. (Its own file: the header of terminfo takes common words.) */
#ifndef MAREY_CLI_TOP_RESTORE_H
#define MAREY_CLI_TOP_RESTORE_H

/* Before curses: how the terminal is. After it: from now on a crash sets it so again. */
void top_restore_begin(void);
void top_restore_arm(void);

#endif
