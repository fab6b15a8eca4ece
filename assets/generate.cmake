# Run by the build: the program prints its options, completions and the schema of job files. The page gets the options in
# the place of @OPTIONS@, and the keys of job files, as the schema describes them, in the place of @JOB_KEYS@.
#   cmake -DPROGRAM=... -DVERSION=... -DSOURCE=scrapetop.1.in -DTO=DIR -P generate.cmake
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${PROGRAM} --man OUTPUT_FILE ${TO}/options.man COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --man examples OUTPUT_FILE ${TO}/examples.man
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --man formats OUTPUT_FILE ${TO}/formats.man
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --man actions OUTPUT_FILE ${TO}/actions.man
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --man schema OUTPUT_FILE ${TO}/scrapetop-job.schema.json
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --completions bash OUTPUT_FILE ${TO}/scrapetop.bash
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --completions zsh OUTPUT_FILE ${TO}/_scrapetop
    COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} --completions fish OUTPUT_FILE ${TO}/scrapetop.fish
    COMMAND_ERROR_IS_FATAL ANY)

# man_text(TO TEXT): TEXT as roff source.
function(man_text to text)
    string(REPLACE "\\" "\\e" text "${text}")
    string(REPLACE "-" "\\-" text "${text}")
    string(REPLACE "\"" "\\(dq" text "${text}")
    string(REGEX REPLACE "^([.'])" "\\\\&\\1" text "${text}")
    set(${to} "${text}" PARENT_SCOPE)
endfunction()

# add_object(WHERE...): what the object is, and its keys; a key without words of its own is an object that has them.
function(add_object)
    string(JSON description GET "${SCHEMA_TEXT}" ${ARGN} description)
    string(JSON properties GET "${SCHEMA_TEXT}" ${ARGN} properties)
    string(JSON count LENGTH "${properties}")
    math(EXPR last "${count} - 1")
    set(object job)
    if(ARGN)
        list(GET ARGN -1 object)
    endif()
    man_text(object "${object}")
    man_text(description "${description}")
    string(APPEND JOB_KEYS ".SS ${object}\n${description}\n")
    foreach(i RANGE ${last})
        string(JSON key MEMBER "${properties}" ${i})
        string(JSON words ERROR_VARIABLE none GET "${properties}" ${key} description)
        if(none)
            set(words "See below.")
        endif()
        man_text(key "${key}")
        man_text(words "${words}")
        string(APPEND JOB_KEYS ".TP\n.B ${key}\n${words}\n")
    endforeach()
    set(JOB_KEYS "${JOB_KEYS}" PARENT_SCOPE)
endfunction()

file(READ ${TO}/scrapetop-job.schema.json SCHEMA_TEXT)
set(JOB_KEYS "")
add_object()
string(JSON definition_count LENGTH "${SCHEMA_TEXT}" definitions)
math(EXPR definition_last "${definition_count} - 1")
foreach(d RANGE ${definition_last})
    string(JSON definition MEMBER "${SCHEMA_TEXT}" definitions ${d})
    string(JSON has_keys ERROR_VARIABLE no_keys GET "${SCHEMA_TEXT}" definitions ${definition} properties)
    if(NOT no_keys)
        add_object(definitions ${definition})
    endif()
endforeach()

file(READ ${TO}/options.man OPTIONS)
file(READ ${TO}/examples.man EXAMPLES)
file(READ ${TO}/formats.man FORMATS)
file(READ ${TO}/actions.man ACTIONS)
configure_file(${SOURCE} ${TO}/scrapetop.1 @ONLY)
