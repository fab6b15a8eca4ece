/**
 * The texts of the fleet's Lua scripts, by enum fleet_script: src/fleet/NAME.lua, put into a C file by cmake.
 */
#ifndef SCRAPETOP_FLEET_SCRIPTS_H
#define SCRAPETOP_FLEET_SCRIPTS_H

extern const char *const fleet_scripts[];

#endif
