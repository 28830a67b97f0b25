/* Whether two measurements differ by more than chance.
 *
 * What follows each other in a recording is alike: a program that is in a function now is mostly still there a millisecond
 * later, and a slow query is followed by slow ones. Counted as if they were independent, a thousand samples say more than they
 * do. So each side is cut into batches, one after the other, and how much these differ tells how much the whole may
 * ("batch means"; P. Welch, The Statistical Analysis of Simulation Results, 1983). Where they differ less than independent
 * draws would, those count. Of shares it is how much each batch differs from the one before it (J. von Neumann, Distribution
 * of the Ratio of the Mean Square Successive Difference to the Variance, 1941): a program that first does one thing and then
 * another does so in the next run too, and that is not chance.
 *
 * What one recording cannot tell is how much a program differs from one run to the next: a machine that was busy in one of
 * them makes a difference, and not by chance. */
#ifndef MAREY_MODEL_CHANCE_H
#define MAREY_MODEL_CHANCE_H

#include <stdint.h>

enum {
    CHANCE_BATCHES = 32,      /* of a side, at most */
    CHANCE_BATCHES_LEAST = 8, /* with fewer nothing is said about what follows each other */
    CHANCE_VALUES_LEAST = 4,  /* of a side: with fewer nothing is certain */
};

/* How much of a whole goes to one of its parts: weights of samples in a function, of all samples. Added in order of time. */
struct chance_share {
    double sum;            /* of the part */
    double in_batch, last; /* of the current batch and of the one before it */
    double squares;        /* of the differences from one batch to the next, so far */
    uint32_t batch;
};

/* The whole that shares are of. */
struct chance_whole {
    double sum, squares; /* of the weights, and of the squares of single ones */
};

/* `before`: the sum of all weights that came before, of the whole's parts alike. */
void chance_share_add(struct chance_share *share, const struct chance_whole *whole, double before,
                      double weight);

/* The probability that two shares differ so much, or more, where nothing has changed: the test of two proportions. 1 where
 * there is too little to tell (fewer than ten samples on both sides together). */
double chance_of_shares(const struct chance_share *a, const struct chance_whole *a_whole,
                        const struct chance_share *b, const struct chance_whole *b_whole);

/* The same of two lists of durations, each in order of time: the rank-sum test (Mann and Whitney 1947), with ties. 1 where a
 * side has fewer than CHANCE_VALUES_LEAST. Returns -1 where memory is short. */
double chance_of_durations(const int64_t *a, uint32_t a_count, const int64_t *b, uint32_t b_count);

/* Of many probabilities what share of those that are no larger is expected to be by chance alone (Benjamini and
 * Hochberg 1995), each in its place. Returns 0, or -1 where memory is short. */
int chance_correct(double *probabilities, uint32_t count);

#endif
