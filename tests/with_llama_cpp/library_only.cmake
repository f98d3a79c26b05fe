# Read by CMake inside of llama.cpp's project: the Python package needs its library alone, which halves the compiling.
set(LLAMA_BUILD_COMMON OFF)
