// toml++ as a part of the program: Debian has it as a shared library, and as headers that hold all of it.
#define TOML_IMPLEMENTATION
#include <toml++/toml.h>
