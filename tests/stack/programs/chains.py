"""Two deep chains of calls that do nothing but call and return: no function of one ever calls one
of the other."""


def a_16():
    return 1


def a_15():
    return a_16()


def a_14():
    return a_15()


def a_13():
    return a_14()


def a_12():
    return a_13()


def a_11():
    return a_12()


def a_10():
    return a_11()


def a_9():
    return a_10()


def a_8():
    return a_9()


def a_7():
    return a_8()


def a_6():
    return a_7()


def a_5():
    return a_6()


def a_4():
    return a_5()


def a_3():
    return a_4()


def a_2():
    return a_3()


def a_1():
    return a_2()


def a_0():
    return a_1()


def b_16():
    return 1


def b_15():
    return b_16()


def b_14():
    return b_15()


def b_13():
    return b_14()


def b_12():
    return b_13()


def b_11():
    return b_12()


def b_10():
    return b_11()


def b_9():
    return b_10()


def b_8():
    return b_9()


def b_7():
    return b_8()


def b_6():
    return b_7()


def b_5():
    return b_6()


def b_4():
    return b_5()


def b_3():
    return b_4()


def b_2():
    return b_3()


def b_1():
    return b_2()


def b_0():
    return b_1()


def main():
    while True:
        a_0()
        b_0()


main()
