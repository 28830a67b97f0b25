#include "stack/stack_depth.h"

#include <stdlib.h>

enum { JUMP_REL = 1, JUMP_ABS = 2 };

/* What an instruction adds to the stack: `base + slope * operand` where it goes on, and `jump` more where it jumps. The
 * same in both versions (dis.stack_effect); what is not listed adds nothing. */
static const struct effect {
    int8_t base, slope;
    uint8_t jumps;
    int8_t jump;
} effects[256] = {
    [1] = {-1, 0, 0, 0},          /* POP_TOP */
    [4] = {1, 0, 0, 0},           /* DUP_TOP */
    [5] = {2, 0, 0, 0},           /* DUP_TOP_TWO */
    [16] = {-1, 0, 0, 0},         /* BINARY_MATRIX_MULTIPLY */
    [17] = {-1, 0, 0, 0},         /* INPLACE_MATRIX_MULTIPLY */
    [19] = {-1, 0, 0, 0},         /* BINARY_POWER */
    [20] = {-1, 0, 0, 0},         /* BINARY_MULTIPLY */
    [22] = {-1, 0, 0, 0},         /* BINARY_MODULO */
    [23] = {-1, 0, 0, 0},         /* BINARY_ADD */
    [24] = {-1, 0, 0, 0},         /* BINARY_SUBTRACT */
    [25] = {-1, 0, 0, 0},         /* BINARY_SUBSCR */
    [26] = {-1, 0, 0, 0},         /* BINARY_FLOOR_DIVIDE */
    [27] = {-1, 0, 0, 0},         /* BINARY_TRUE_DIVIDE */
    [28] = {-1, 0, 0, 0},         /* INPLACE_FLOOR_DIVIDE */
    [29] = {-1, 0, 0, 0},         /* INPLACE_TRUE_DIVIDE */
    [30] = {1, 0, 0, 0},          /* GET_LEN */
    [31] = {1, 0, 0, 0},          /* MATCH_MAPPING */
    [32] = {1, 0, 0, 0},          /* MATCH_SEQUENCE */
    [33] = {2, 0, 0, 0},          /* MATCH_KEYS */
    [48] = {-3, 0, 0, 0},         /* RERAISE */
    [49] = {1, 0, 0, 0},          /* WITH_EXCEPT_START */
    [51] = {1, 0, 0, 0},          /* GET_ANEXT */
    [52] = {1, 0, 0, 0},          /* BEFORE_ASYNC_WITH */
    [54] = {-7, 0, 0, 0},         /* END_ASYNC_FOR */
    [55] = {-1, 0, 0, 0},         /* INPLACE_ADD */
    [56] = {-1, 0, 0, 0},         /* INPLACE_SUBTRACT */
    [57] = {-1, 0, 0, 0},         /* INPLACE_MULTIPLY */
    [59] = {-1, 0, 0, 0},         /* INPLACE_MODULO */
    [60] = {-3, 0, 0, 0},         /* STORE_SUBSCR */
    [61] = {-2, 0, 0, 0},         /* DELETE_SUBSCR */
    [62] = {-1, 0, 0, 0},         /* BINARY_LSHIFT */
    [63] = {-1, 0, 0, 0},         /* BINARY_RSHIFT */
    [64] = {-1, 0, 0, 0},         /* BINARY_AND */
    [65] = {-1, 0, 0, 0},         /* BINARY_XOR */
    [66] = {-1, 0, 0, 0},         /* BINARY_OR */
    [67] = {-1, 0, 0, 0},         /* INPLACE_POWER */
    [70] = {-1, 0, 0, 0},         /* PRINT_EXPR */
    [71] = {1, 0, 0, 0},          /* LOAD_BUILD_CLASS */
    [72] = {-1, 0, 0, 0},         /* YIELD_FROM */
    [74] = {1, 0, 0, 0},          /* LOAD_ASSERTION_ERROR */
    [75] = {-1, 0, 0, 0},         /* INPLACE_LSHIFT */
    [76] = {-1, 0, 0, 0},         /* INPLACE_RSHIFT */
    [77] = {-1, 0, 0, 0},         /* INPLACE_AND */
    [78] = {-1, 0, 0, 0},         /* INPLACE_XOR */
    [79] = {-1, 0, 0, 0},         /* INPLACE_OR */
    [83] = {-1, 0, 0, 0},         /* RETURN_VALUE */
    [84] = {-1, 0, 0, 0},         /* IMPORT_STAR */
    [89] = {-3, 0, 0, 0},         /* POP_EXCEPT */
    [90] = {-1, 0, 0, 0},         /* STORE_NAME */
    [92] = {-1, 1, 0, 0},         /* UNPACK_SEQUENCE */
    [93] = {1, 0, JUMP_REL, -2},  /* FOR_ITER */
    [94] = {0, 1, 0, 0},          /* UNPACK_EX */
    [95] = {-2, 0, 0, 0},         /* STORE_ATTR */
    [96] = {-1, 0, 0, 0},         /* DELETE_ATTR */
    [97] = {-1, 0, 0, 0},         /* STORE_GLOBAL */
    [100] = {1, 0, 0, 0},         /* LOAD_CONST */
    [101] = {1, 0, 0, 0},         /* LOAD_NAME */
    [102] = {1, -1, 0, 0},        /* BUILD_TUPLE */
    [103] = {1, -1, 0, 0},        /* BUILD_LIST */
    [104] = {1, -1, 0, 0},        /* BUILD_SET */
    [105] = {1, -2, 0, 0},        /* BUILD_MAP */
    [107] = {-1, 0, 0, 0},        /* COMPARE_OP */
    [108] = {-1, 0, 0, 0},        /* IMPORT_NAME */
    [109] = {1, 0, 0, 0},         /* IMPORT_FROM */
    [110] = {0, 0, JUMP_REL, 0},  /* JUMP_FORWARD */
    [111] = {-1, 0, JUMP_ABS, 1}, /* JUMP_IF_FALSE_OR_POP */
    [112] = {-1, 0, JUMP_ABS, 1}, /* JUMP_IF_TRUE_OR_POP */
    [113] = {0, 0, JUMP_ABS, 0},  /* JUMP_ABSOLUTE */
    [114] = {-1, 0, JUMP_ABS, 0}, /* POP_JUMP_IF_FALSE */
    [115] = {-1, 0, JUMP_ABS, 0}, /* POP_JUMP_IF_TRUE */
    [116] = {1, 0, 0, 0},         /* LOAD_GLOBAL */
    [117] = {-1, 0, 0, 0},        /* IS_OP */
    [118] = {-1, 0, 0, 0},        /* CONTAINS_OP */
    [119] = {-3, 0, 0, 0},        /* RERAISE */
    [121] = {-2, 0, JUMP_ABS, 0}, /* JUMP_IF_NOT_EXC_MATCH */
    [122] = {0, 0, JUMP_REL, 6},  /* SETUP_FINALLY */
    [124] = {1, 0, 0, 0},         /* LOAD_FAST */
    [125] = {-1, 0, 0, 0},        /* STORE_FAST */
    [129] = {-1, 0, 0, 0},        /* GEN_START */
    [130] = {0, -1, 0, 0},        /* RAISE_VARARGS */
    [131] = {0, -1, 0, 0},        /* CALL_FUNCTION */
    [132] = {-1, 0, 0, 0},        /* MAKE_FUNCTION */
    [133] = {-1, 0, 0, 0},        /* BUILD_SLICE */
    [135] = {1, 0, 0, 0},         /* LOAD_CLOSURE */
    [136] = {1, 0, 0, 0},         /* LOAD_DEREF */
    [137] = {-1, 0, 0, 0},        /* STORE_DEREF */
    [141] = {-1, -1, 0, 0},       /* CALL_FUNCTION_KW */
    [142] = {-1, 0, 0, 0},        /* CALL_FUNCTION_EX */
    [143] = {1, 0, JUMP_REL, 5},  /* SETUP_WITH */
    [145] = {-1, 0, 0, 0},        /* LIST_APPEND */
    [146] = {-1, 0, 0, 0},        /* SET_ADD */
    [147] = {-2, 0, 0, 0},        /* MAP_ADD */
    [148] = {1, 0, 0, 0},         /* LOAD_CLASSDEREF */
    [152] = {-1, 0, 0, 0},        /* MATCH_CLASS */
    [154] = {0, 0, JUMP_REL, 5},  /* SETUP_ASYNC_WITH */
    [156] = {0, -1, 0, 0},        /* BUILD_CONST_KEY_MAP */
    [157] = {1, -1, 0, 0},        /* BUILD_STRING */
    [160] = {1, 0, 0, 0},         /* LOAD_METHOD */
    [161] = {-1, -1, 0, 0},       /* CALL_METHOD */
    [162] = {-1, 0, 0, 0},        /* LIST_EXTEND */
    [163] = {-1, 0, 0, 0},        /* SET_UPDATE */
    [164] = {-1, 0, 0, 0},        /* DICT_MERGE */
    [165] = {-1, 0, 0, 0},        /* DICT_UPDATE */
};

enum opcode {
    RETURN_VALUE = 83,
    RERAISE_3_9 = 48,
    RERAISE_3_10 = 119,
    JUMP_FORWARD = 110,
    JUMP_ABSOLUTE = 113,
    GEN_START = 129,
    RAISE_VARARGS = 130,
    MAKE_FUNCTION = 132,
    BUILD_SLICE = 133,
    CALL_FUNCTION_EX = 142,
    EXTENDED_ARG = 144,
    UNPACK_EX = 94,
    FORMAT_VALUE = 155
};

static bool goes_on(uint8_t opcode) {
    return opcode != RETURN_VALUE && opcode != RERAISE_3_9 && opcode != RERAISE_3_10 &&
           opcode != JUMP_FORWARD && opcode != JUMP_ABSOLUTE && opcode != RAISE_VARARGS;
}

/* Those whose operand is a set of bits. */
static int32_t effect_of(uint8_t opcode, uint32_t operand) {
    switch (opcode) {
    case MAKE_FUNCTION: return -1 - __builtin_popcount(operand & 15);
    case BUILD_SLICE: return operand == 3 ? -2 : -1;
    case CALL_FUNCTION_EX: return -1 - (int32_t)(operand & 1);
    case UNPACK_EX: return (int32_t)(operand & 255) + (int32_t)(operand >> 8);
    case FORMAT_VALUE: return operand & 4 ? -1 : 0;
    default:
        if (operand > STACK_DEPTH_MAX && effects[opcode].slope)
            return -STACK_DEPTH_MAX - 1;
        return effects[opcode].base + effects[opcode].slope * (int32_t)operand;
    }
}

/* The work that is left: where to go on, and how deep the stack is there. */
struct walk {
    const uint8_t *code;
    uint32_t count; /* of instructions */
    int32_t *depth; /* at each of them; -1: not reached yet */
    uint32_t *waiting;
    uint32_t waiting_count;
};

static void reach(struct walk *walk, uint64_t to, int32_t depth) {
    if (to >= walk->count || depth < 0 || depth > STACK_DEPTH_MAX || walk->depth[to] >= 0)
        return;
    walk->depth[to] = depth;
    walk->waiting[walk->waiting_count++] = (uint32_t)to; /* each is reached once */
}

/* Follows the instructions from `i` on to where they end. */
static void follow(struct walk *walk, uint32_t i, bool jumps_in_units) {
    uint32_t operand = 0;
    int32_t depth = walk->depth[i];
    for (; i < walk->count; i++) {
        uint8_t opcode = walk->code[2 * (size_t)i];
        operand = operand << 8 | walk->code[2 * (size_t)i + 1];
        walk->depth[i] = depth;
        if (opcode == EXTENDED_ARG)
            continue;
        depth += effect_of(opcode, operand);
        uint64_t units = jumps_in_units ? operand : operand / 2;
        if (effects[opcode].jumps)
            reach(walk, units + (effects[opcode].jumps == JUMP_REL ? (uint64_t)i + 1 : 0),
                  depth + effects[opcode].jump);
        if (!goes_on(opcode) || depth < 0 || depth > STACK_DEPTH_MAX)
            return;
        if (i + 1 < walk->count && walk->depth[i + 1] >= 0)
            return;
        operand = 0;
    }
}

static uint32_t operand_at(const uint8_t *code, uint32_t i) {
    uint32_t first = i, operand = 0;
    while (first > 0 && i - first < 3 && code[2 * (size_t)(first - 1)] == EXTENDED_ARG)
        first--;
    for (; first <= i; first++)
        operand = operand << 8 | code[2 * (size_t)first + 1];
    return operand;
}

bool stack_depth_find(const uint8_t *code, uint32_t bytes, uint32_t at, bool jumps_in_units,
                      struct call_site *site) {
    struct walk walk = {.code = code, .count = bytes / 2};
    if (bytes > STACK_DEPTH_CODE_MAX || at % 2 || at / 2 >= walk.count)
        return false;
    walk.depth = malloc(walk.count * sizeof *walk.depth);
    walk.waiting = malloc(walk.count * sizeof *walk.waiting);
    bool known = false;
    if (walk.depth && walk.waiting) {
        for (uint32_t i = 0; i < walk.count; i++)
            walk.depth[i] = -1;
        reach(&walk, 0, code[0] == GEN_START); /* a generator is started by a value on its stack */
        while (walk.waiting_count)
            follow(&walk, walk.waiting[--walk.waiting_count], jumps_in_units);
        *site = (struct call_site){walk.depth[at / 2], code[at], operand_at(code, at / 2)};
        known = site->depth >= 0;
    }
    free(walk.depth);
    free(walk.waiting);
    return known;
}
