/* Categories: switches that the program's text holds (marey.h), and what is on. */
#ifndef MAREY_TRACE_CATEGORY_H
#define MAREY_TRACE_CATEGORY_H

/* Recording goes on or off: sets every known category's switch. */
void categories_apply(int recording);
/* What marey_categories does. On error nothing has changed. */
int categories_set(const char *list);
/* What it would return. */
int categories_valid(const char *list);
void categories_lock(void);
void categories_unlock(void);

#endif
