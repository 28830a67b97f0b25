"""ox_profile's interface (0.2.14): statistical profiling that can be paused, alone or in Flask.

    from marey.compat.ox_profile.core import launchers
    profiler = launchers.SimpleLauncher.launch()
    work()
    print(profiler.show())

Samples are taken by Marey's native thread, without the GIL: a thousand a second are a thousand also
while the program computes, and nothing is stopped for them.
"""
