"""Functions made anew all the time, so that code objects stand where others stood."""


def make(i):
    text = "def made_%04d():\n" % i + "    return sum(range(%d))\n" % (20000 + i) + "\n" * 3
    space = {}
    exec(compile(text, "made_%04d.py" % i, "exec"), space)
    return space["made_%04d" % i]


def main():
    i = 0
    while True:
        i = (i + 1) % 10000
        function = make(i)
        for _ in range(10):
            function()


main()
