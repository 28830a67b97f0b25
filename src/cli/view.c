/* marey view: a trace in the browser. This is what a path means; http.c answers sockets, src/page questions.
 *
 * Who knows the token in the address may read the trace. It is printed, and given to nobody else: the browser is started
 * with a ticket that is good once, because what programs are started with is no secret on a machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/browser.h"
#include "cli/command.h"
#include "cli/http.h"
#include "cli/reading.h"
#include "output/display.h"
#include "page/assets.h"
#include "page/page.h"

enum { SECRET_BYTES = 16, SECRET_DIGITS = 2 * SECRET_BYTES, PERFETTO_PORT = 9001, PERFETTO_S = 60 };

static const char perfetto_origin[] = "https://ui.perfetto.dev";

static const char help_text[] =
    "usage: marey view [OPTIONS] FILE\n"
    "\n"
    "Shows a trace in the browser: a timeline, flame graphs, tables and the call tree. The page "
    "comes "
    "from this command\n"
    "and is for this machine alone; nothing is sent anywhere. '-' is the standard input. Ctrl-C "
    "ends "
    "it.\n"
    "\n"
    "  -p, --port N          listen there (otherwise at a port that is free)\n"
    "      --no-browser      only print the address\n"
    "  -h, --help            this page\n"
    "\n"
    "The browser is what $BROWSER says, or else your desktop's.\n"
    "\n"
    "exit status: 0 ended by Ctrl-C, 1 the file cannot be read, 2 wrong usage or no port\n"
    "\n"
    "examples:\n"
    "  marey view app.perfetto-trace\n"
    "  marey view --no-browser --port 8100 app.perfetto-trace\n"
    "  BROWSER=firefox marey view app.perfetto-trace\n";

struct view {
    struct page *page;
    struct http *http;
    const char *path; /* of the trace */
    char token[SECRET_DIGITS + 1], ticket[SECRET_DIGITS + 1], perfetto[SECRET_DIGITS + 1];
    char address[SECRET_DIGITS + 3]; /* "/TOKEN/" */
    atomic_int ticket_used;
};

/* ------------------------------------------------------------------ secrets */

/* 128 random bits. Returns 0, or -1 where there are none to be had. */
static int make_secret(char *digits) {
    unsigned char bytes[SECRET_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return -1;
    for (size_t i = 0; i < SECRET_BYTES; i++)
        snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

/* Whether a path is "/" and the secret, then "/" or its end; *rest: behind that. How long it takes says nothing about
 * how much of it was right. */
static int has_secret(const char *path, const char *secret, const char **rest) {
    unsigned char wrong = 0;
    if (*path != '/' || strnlen(path + 1, SECRET_DIGITS) < SECRET_DIGITS)
        return 0;
    for (int i = 0; i < SECRET_DIGITS; i++)
        wrong |= (unsigned char)(path[1 + i] ^ secret[i]);
    *rest = path + 1 + SECRET_DIGITS;
    return !wrong && (!**rest || **rest == '/');
}

/* ------------------------------------------------------------------ the file */

/* The trace's own bytes. */
static void answer_file(const struct view *view, struct http_answer *answer) {
    int file = strcmp(view->path, "-") != 0 ? open(view->path, O_RDONLY | O_CLOEXEC) : -1;
    struct stat is;
    if (file < 0)
        return;
    if (fstat(file, &is) || !S_ISREG(is.st_mode)) {
        close(file);
        return;
    }
    answer->status = 200;
    answer->content_type = "application/octet-stream";
    answer->file = file + 1;
    answer->filename = page_filename(view->page, NULL);
}

static void answer_text(struct http_answer *answer, int status, const char *text) {
    answer->status = status;
    answer->content_type = "application/json";
    answer->bytes = strdup(text);
    answer->size = answer->bytes ? strlen(text) : 0;
}

/* On port 9001, which Perfetto's page may read from: the trace, to that page alone, once. */
static void answer_perfetto(void *context, const struct http_request *request,
                            struct http_answer *answer) {
    const struct view *view = context;
    const char *rest;
    if (!has_secret(request->path, view->perfetto, &rest) || *rest)
        return;
    answer_file(view, answer);
    answer->origin = perfetto_origin;
}

/* Source: Perfetto's tools/open_trace_in_ui; 9001 is the one port that its Content-Security-Policy allows. */
static void open_in_perfetto(struct view *view, struct http_answer *answer) {
    char text[256];
    if (!strcmp(view->path, "-"))
        answer_text(answer, 404, "{\"error\": \"the trace came from the standard input\"}");
    else if (http_open_once(view->http, PERFETTO_PORT, PERFETTO_S, answer_perfetto))
        answer_text(answer, 503,
                    "{\"error\": \"port 9001, which Perfetto reads from, is in use\"}");
    else {
        snprintf(text, sizeof text, "{\"url\": \"%s/#!/?url=http://127.0.0.1:%d/%s\"}",
                 perfetto_origin, PERFETTO_PORT, view->perfetto);
        answer_text(answer, 200, text);
    }
}

/* -------------------------------------------------------------------- paths */

static void answer_asset(const char *path, const struct http_request *request,
                         struct http_answer *answer) {
    const struct page_asset *asset = page_asset(path);
    if (!asset || !strcmp(path, PAGE_SINGLE))
        return;
    answer->policy = page_asset_policy(path);
    answer->etag = asset->etag;
    answer->status = 304;
    if (request->if_none && strstr(request->if_none, asset->etag))
        return;
    answer->status = 200;
    answer->content_type = asset->content_type;
    answer->bytes = (char *)(uintptr_t)asset->bytes;
    answer->size = asset->size;
    answer->is_lasting = answer->is_gzip = 1;
}

static void answer_question(struct view *view, const char *path, const struct http_request *request,
                            struct http_answer *answer) {
    struct page_answer said;
    page_answer(view->page, path, request->query, &said);
    answer->status = said.status;
    answer->content_type = said.content_type;
    answer->bytes = said.bytes; /* whose owner is now the server, as of its name */
    answer->size = said.size;
    answer->filename = said.filename;
}

static void answer_path(struct view *view, const char *path, const struct http_request *request,
                        struct http_answer *answer) {
    if (!*path)
        answer_asset("index.html", request, answer);
    else if (!strcmp(path, "trace"))
        answer_file(view, answer);
    else if (!strcmp(path, "open-in-perfetto"))
        open_in_perfetto(view, answer);
    else if (!strncmp(path, "api/", 4) || !strcmp(path, "convert"))
        answer_question(view, path, request, answer);
    else
        answer_asset(path, request, answer);
}

static void redirect(const struct view *view, struct http_answer *answer) {
    answer->status = 303;
    answer->location = view->address;
}

static void answer_request(void *context, const struct http_request *request,
                           struct http_answer *answer) {
    struct view *view = context;
    const char *rest;
    int is_ticket = has_secret(request->path, view->ticket, &rest) && !*rest &&
                    !atomic_exchange(&view->ticket_used, 1);
    if (!is_ticket && !has_secret(request->path, view->token, &rest))
        return;
    if (!*rest)
        redirect(view, answer);
    else
        answer_path(view, rest + 1, request, answer);
}

/* ------------------------------------------------------------------ command */

static void say_where(const struct view *view) {
    const char *connection = getenv("SSH_CONNECTION");
    char host[128] = "HOST";
    printf("http://127.0.0.1:%u%s\n", http_port(view->http), view->address);
    if (browser_is_remote() && sscanf(connection, "%*s %*s %127s", host) == 1) {
        struct text shown = {0};
        display_add(&shown, host, 0);
        printf("From your own machine: ssh -L %u:127.0.0.1:%u %s, then open that address there.\n",
               http_port(view->http), http_port(view->http), text_of(&shown));
        text_free(&shown);
    }
    puts("Ctrl-C ends it.");
    fflush(stdout);
}

static void show(const struct view *view) {
    char url[64 + SECRET_DIGITS];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/%s", http_port(view->http), view->ticket);
    if (!browser_is_remote())
        browser_open(url);
}

static int serve(struct view *view, uint16_t port, int no_browser) {
    if (make_secret(view->token) || make_secret(view->ticket) || make_secret(view->perfetto))
        return usage_error("view", "no random numbers: %s", strerror(errno));
    snprintf(view->address, sizeof view->address, "/%s/", view->token);
    view->http = http_open(port, answer_request, view);
    if (!view->http)
        return usage_error("view", "cannot listen on port %u of 127.0.0.1: %s", port,
                           strerror(errno));
    say_where(view);
    if (!no_browser)
        show(view);
    int failed = http_run(view->http);
    http_close(view->http);
    return failed ? EXIT_FOUND : EXIT_OK;
}

static int view_file(const char *path, uint16_t port, int no_browser) {
    struct view view = {.path = path};
    struct trace trace;
    int status = read_trace(&trace, "view", path, PAGE_KEEP);
    int error = status < 0 ? page_open_trace(&view.page, &trace, path) : 0;
    if (error)
        status = read_error("view", path, error);
    if (status < 0) {
        if (strcmp(path, "-") != 0)
            page_offer_perfetto(view.page);
        status = serve(&view, port, no_browser);
    }
    page_close(view.page);
    trace_free(&trace);
    return status;
}

static int run(int argc, char **argv) {
    enum { OPTION_NO_BROWSER = 256 };
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"no-browser", no_argument, NULL, OPTION_NO_BROWSER},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    uint32_t port = 0;
    int option, no_browser = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":p:h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help_text, stdout);
            return EXIT_OK;
        }
        if (option == '?' || option == ':')
            return option_error("view", option, argv, options);
        if (option == OPTION_NO_BROWSER)
            no_browser = 1;
        else if (parse_count(optarg, &port) || port > UINT16_MAX)
            return usage_error("view", "--port: '%s' is no port", optarg);
    }
    if (optind == argc)
        return usage_error("view", "which file?");
    if (argc - optind > 1)
        return usage_error("view", "one file at a time");
    return view_file(argv[optind], (uint16_t)port, no_browser);
}

const struct command command_view = {"view", "show a trace in the browser", help_text, run};
