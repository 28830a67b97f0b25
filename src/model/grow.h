/* Arrays that grow. */
#ifndef MAREY_MODEL_GROW_H
#define MAREY_MODEL_GROW_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Room for one more element behind `count`, in an array of `capacity` elements at `*array` (NULL at first). Doubles.
 * Returns 0, or -1 where memory is short: then nothing has changed. */
static inline int grow_array(void **array, uint32_t count, uint32_t *capacity,
                             size_t element_bytes) {
    if (count < *capacity)
        return 0;
    if (count > UINT32_MAX / 2)
        return -1;
    uint32_t larger = count < 2 ? 4 : count * 2;
    void *grown = realloc(*array, larger * element_bytes);
    if (!grown)
        return -1;
    *array = grown;
    *capacity = larger;
    return 0;
}

#define GROW(array, count, capacity)                                                               \
    grow_array((void **)&(array), count, &(capacity), sizeof *(array))

#endif
