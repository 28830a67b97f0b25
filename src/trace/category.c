/* See category.h. */
#include "category.h"

#include <pthread.h>
#include <string.h>

#include "marey.h"
#include "names.h"

enum { RULES_MAX = 256, UNKNOWN = 2 };

/* The last rule that names a category decides; else the default. */
struct rule {
    uint32_t name;
    int on;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static marey_category *known; /* those that were used, linked */
static struct rule rules[RULES_MAX];
static unsigned rule_count;
static int otherwise = 1;
static int is_recording;

void categories_lock(void) {
    pthread_mutex_lock(&lock);
}

void categories_unlock(void) {
    pthread_mutex_unlock(&lock);
}

static int allowed(uint32_t name) {
    for (unsigned i = 0; i < rule_count; i++)
        if (rules[i].name == name)
            return rules[i].on;
    return otherwise;
}

static void apply(void) {
    for (marey_category *category = known; category; category = category->next)
        __atomic_store_n(&category->on, is_recording && allowed(category->name), __ATOMIC_RELAXED);
}

void categories_apply(int recording) {
    categories_lock();
    is_recording = recording;
    apply();
    categories_unlock();
}

int marey__category_on(marey_category *category) {
    uint32_t name = marey_name_id(category->text);
    categories_lock();
    if (category->on == UNKNOWN) {
        category->name = name;
        category->next = known;
        known = category;
        __atomic_store_n(&category->on, is_recording && allowed(name), __ATOMIC_RELAXED);
    }
    int on = (int)category->on;
    categories_unlock();
    return on == 1;
}

static int set_rule(uint32_t name, int on) {
    unsigned i = 0;
    while (i < rule_count && rules[i].name != name)
        i++;
    if (i == RULES_MAX)
        return MAREY_ELIMIT;
    rules[i] = (struct rule){name, on};
    if (i == rule_count)
        rule_count++;
    return 0;
}

int marey_category_enable(const char *name, int on) {
    if (!name || !*name)
        return MAREY_EINVAL;
    uint32_t id = marey_name_id(name);
    categories_lock();
    int code = set_rule(id, !!on);
    apply();
    categories_unlock();
    return code;
}

int categories_valid(const char *list) {
    unsigned count = 0;
    for (const char *at = list; at && *at;) {
        at += strspn(at, " \t,");
        size_t bytes = strcspn(at, " \t,");
        if (bytes == 1 && *at == '-')
            return MAREY_EINVAL;
        count += bytes > 0;
        at += bytes;
    }
    return count > RULES_MAX ? MAREY_ELIMIT : 0;
}

/* One entry of the list, without the space around it: "db", "-gc", "*". */
static void set_entry(const char *entry, size_t bytes) {
    int on = entry[0] != '-';
    entry += !on;
    bytes -= (size_t)!on;
    if (bytes == 1 && entry[0] == '*') {
        otherwise = on;
        return;
    }
    set_rule(marey_name_id_n(entry, bytes), on);
}

static void set_list(const char *list) {
    for (const char *at = list; *at;) {
        at += strspn(at, " \t,");
        size_t bytes = strcspn(at, " \t,");
        if (bytes)
            set_entry(at, bytes);
        at += bytes;
    }
}

int marey_categories(const char *list) {
    return categories_set(list);
}

/* A list that names what is on leaves the rest off; one that only names what is off leaves the rest on. */
static int names_something_on(const char *list) {
    for (const char *at = list; *at; at += strcspn(at, " \t,")) {
        at += strspn(at, " \t,");
        if (*at && *at != '-')
            return 1;
    }
    return 0;
}

int categories_set(const char *list) {
    int code = categories_valid(list);
    if (code)
        return code;
    categories_lock();
    rule_count = 0;
    otherwise = !list || !names_something_on(list);
    if (list)
        set_list(list);
    apply();
    categories_unlock();
    return 0;
}
