/* Any question ("path?query") about any bytes as a trace, which stand behind it and a NUL: there is always an answer, it is no
 * larger than limits allow, and a refusal says why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marey.h"
#include "page/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER_MAX = 16 << 20 };

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void ask(struct page *page, const char *path, const char *query) {
    struct page_answer answer;
    page_answer(page, path, query, &answer);
    require(answer.status == 200 || answer.status == 400 || answer.status == 404 ||
                answer.status == 503,
            "a status of no kind");
    require(answer.status == 503 || (answer.bytes && answer.content_type), "no answer");
    require(answer.size <= ANSWER_MAX, "an answer without a limit");
    if (answer.status != 200 && answer.bytes)
        require(strstr(answer.bytes, "\"error\": ") != NULL, "a refusal without a reason");
    page_answer_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *path = strndup((const char *)data, size);
    size_t length = path ? strlen(path) : 0, skipped = length < size ? length + 1 : size;
    char *query = path ? strchr(path, '?') : NULL;
    struct page *page = NULL;
    if (query)
        *query++ = 0;
    if (path && page_open_memory(&page, data + skipped, size - skipped, "any") == 0) {
        ask(page, path, query);
        ask(page, "api/trace", NULL); /* whatever that question did */
    }
    page_close(page);
    free(path);
    return 0;
}
