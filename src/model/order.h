/* What tables may be sorted by. */
#ifndef MAREY_MODEL_ORDER_H
#define MAREY_MODEL_ORDER_H

enum order {
    ORDER_USUAL, /* what is most useful for a table: samples by self, others by total */
    ORDER_SELF,
    ORDER_TOTAL,
    ORDER_COUNT, /* of samples: as self */
    ORDER_MEAN,  /* of samples: as self */
    ORDER_MAX,   /* of samples: as self */
    ORDER_NAME,
};

#endif
