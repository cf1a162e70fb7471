option(PENSTOCK_WERROR "treat warnings in Penstock's own code as errors (on in the presets, off for packagers)" OFF)
add_library(penstock_warnings INTERFACE)
target_compile_options(penstock_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough -Wunused -Wthread-safety)
if(PENSTOCK_WERROR)
  target_compile_options(penstock_warnings INTERFACE -Werror)
endif()
