# Run by the build: the program prints its options, the page gets them in the place of @OPTIONS@.
#   cmake -DPROGRAM=... -DVERSION=... -DSOURCE=scrapetop.1.in -DTO=DIR -P generate.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${PROGRAM} --man OUTPUT_FILE ${TO}/options.man COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --man examples OUTPUT_FILE ${TO}/examples.man
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --completions bash OUTPUT_FILE ${TO}/scrapetop.bash
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --completions zsh OUTPUT_FILE ${TO}/_scrapetop
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --completions fish OUTPUT_FILE ${TO}/scrapetop.fish
    COMMAND_ERROR_IS_FATAL ANY)
file(READ ${TO}/options.man OPTIONS)
file(READ ${TO}/examples.man EXAMPLES)
configure_file(${SOURCE} ${TO}/scrapetop.1 @ONLY)
