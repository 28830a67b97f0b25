/* Categories: switches that the program's text holds (marey.h), and what is on. */
#ifndef MAREY_TRACE_CATEGORY_H
#define MAREY_TRACE_CATEGORY_H

/* Recording goes on or off: sets every known category's switch. */
void categories_apply(int recording);
/* marey_categories without its lock. */
int categories_set(const char *list);
void categories_lock(void);
void categories_unlock(void);

#endif
