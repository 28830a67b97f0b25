/* A text as a cell of a comma-separated table (RFC 4180). Texts come from a trace, and the table may be opened by a spreadsheet or
 * shown by a terminal: one that would be a formula gets a ' in front (OWASP's "CSV injection"), what is not for a terminal is
 * written as display.h does. */
#ifndef MAREY_OUTPUT_CSV_TEXT_H
#define MAREY_OUTPUT_CSV_TEXT_H

#include <stdio.h>

/* What a row ends with. */
#define CSV_END "\r\n"

void csv_put_text(FILE *to, const char *text);
/* In quotes, otherwise as it is. */
void csv_put_quoted(FILE *to, const char *text);

#endif
