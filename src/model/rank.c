/* See rank.h. */
#include "model/rank.h"

#include "model/map.h"

static void swap(int64_t *a, int64_t *b) {
    int64_t keep = *a;
    *a = *b;
    *b = keep;
}

/* Puts the value of that rank (0: the smallest) at its place, smaller ones before, larger ones behind (Hoare's
 * quickselect). The pivot is the middle of three, one of them by chance: no file can be made to be slow; nor can equal
 * values, as both sides stop at them. */
static int64_t select_rank(int64_t *values, uint64_t count, uint64_t rank) {
    uint64_t low = 0, high = count - 1;
    while (low < high) {
        uint64_t middle = low + map_mix(low ^ high << 32) % (high - low);
        if (values[middle] < values[low])
            swap(&values[middle], &values[low]);
        if (values[high] < values[low])
            swap(&values[high], &values[low]);
        if (values[high] < values[middle])
            swap(&values[high], &values[middle]);
        int64_t pivot = values[middle];
        uint64_t i = low, j = high;
        for (;;) {
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&values[i++], &values[j--]);
        }
        if (rank <= j)
            high = j;
        else
            low = j + 1;
    }
    return values[rank];
}

int64_t rank_percentile(int64_t *values, uint64_t count, unsigned percent) {
    uint64_t rank = (count * percent + 99) / 100;
    return select_rank(values, count, rank ? rank - 1 : 0);
}
