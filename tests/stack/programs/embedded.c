/* A C program that runs Python: embedded FILE. */
#include <Python.h>
#include <stdio.h>

int main(int argc, char **argv) {
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!file)
        return 2;
    Py_Initialize();
    int failed = PyRun_SimpleFile(file, argv[1]);
    Py_Finalize();
    return failed != 0;
}
