# The libraries that scrapetop needs, each with the Debian package that has it. All that are missing are named at once,
# with the line that installs them.
find_package(PkgConfig)
if(NOT PKG_CONFIG_FOUND)
    message(FATAL_ERROR "pkg-config is missing, by which the libraries are found: install pkgconf (Debian: apt-get install pkg-config)")
endif()

set(scrapetop_missing "")
set(scrapetop_missing_packages "")

# scrapetop_library(NAME MODULE PACKAGE): PkgConfig::NAME, by pkg-config's module and least version.
macro(scrapetop_library name module package)
    pkg_check_modules(${name} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(NOT ${name}_FOUND)
        string(REGEX REPLACE "[<>=].*" "" plain "${module}")
        pkg_check_modules(${name}_OLD QUIET ${plain})
        if(${name}_OLD_FOUND)
            list(APPEND scrapetop_missing "  ${module} (this machine has ${${name}_OLD_VERSION})")
        else()
            list(APPEND scrapetop_missing "  ${module}")
        endif()
        list(APPEND scrapetop_missing_packages ${package})
    endif()
endmacro()

scrapetop_library(CURL "libcurl>=7.88" libcurl4-openssl-dev)
scrapetop_library(UV "libuv>=1.44" libuv1-dev)
scrapetop_library(NCURSES "ncursesw>=6.3" libncurses-dev) # with wide characters
scrapetop_library(CJSON "libcjson>=1.7.15" libcjson-dev)
scrapetop_library(SQLITE "sqlite3>=3.40" libsqlite3-dev)
scrapetop_library(CRYPTO "libcrypto>=3.0" libssl-dev)
scrapetop_library(ZSTD "libzstd>=1.5" libzstd-dev)
scrapetop_library(EXPAT "expat>=2.4" libexpat1-dev)
scrapetop_library(LIBZIP "libzip>=1.7" libzip-dev)
scrapetop_library(ZLIB "zlib>=1.2.11" zlib1g-dev)
scrapetop_library(BROTLIDEC "libbrotlidec>=1.0" libbrotli-dev)
if(SCRAPETOP_DEMO)
    scrapetop_library(MICROHTTPD "libmicrohttpd>=0.9.75" libmicrohttpd-dev)
endif()

# Several workers on one job: off, with a word, where hiredis is missing.
set(SCRAPETOP_FLEET AUTO CACHE STRING "Workers on one job by Redis, run --fleet (needs hiredis): AUTO, ON or OFF")
if(SCRAPETOP_FLEET STREQUAL "AUTO")
    pkg_check_modules(HIREDIS QUIET IMPORTED_TARGET GLOBAL "hiredis>=0.14")
    if(NOT HIREDIS_FOUND)
        message(NOTICE "-- run --fleet is left out: hiredis is missing (Debian: apt-get install libhiredis-dev)")
        set(SCRAPETOP_FLEET OFF)
    endif()
elseif(SCRAPETOP_FLEET)
    scrapetop_library(HIREDIS "hiredis>=0.14" libhiredis-dev)
endif()

# TLS to Redis, rediss://: off, with a word, where libssl is missing (libssl-dev has it beside libcrypto).
if(SCRAPETOP_FLEET)
    pkg_check_modules(SSL QUIET IMPORTED_TARGET GLOBAL "libssl>=3.0")
    if(NOT SSL_FOUND)
        message(NOTICE "-- TLS to Redis, run --fleet rediss://, is left out: libssl is missing (Debian: apt-get install libssl-dev)")
    endif()
endif()

# Tables into PostgreSQL: off, with a word, where libpq is missing.
set(SCRAPETOP_POSTGRES AUTO CACHE STRING "Tables into PostgreSQL, -o postgresql://... (needs libpq): AUTO, ON or OFF")
if(SCRAPETOP_POSTGRES STREQUAL "AUTO")
    pkg_check_modules(LIBPQ QUIET IMPORTED_TARGET GLOBAL "libpq>=14")
    if(NOT LIBPQ_FOUND)
        message(NOTICE "-- tables into PostgreSQL are left out: libpq is missing (Debian: apt-get install libpq-dev)")
        set(SCRAPETOP_POSTGRES OFF)
    endif()
elseif(SCRAPETOP_POSTGRES)
    scrapetop_library(LIBPQ "libpq>=14" libpq-dev)
endif()

if(scrapetop_missing)
    list(JOIN scrapetop_missing "\n" names)
    list(JOIN scrapetop_missing_packages " " packages)
    message(FATAL_ERROR "These libraries are missing or too old:\n${names}\n"
        "On Debian 12 or later scripts/deps installs them, or: apt-get install ${packages}\n"
        "docs/install.md has the names of other systems.")
endif()
