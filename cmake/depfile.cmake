# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Writes cargo's list of sources, FROM, as the list of the sources of OUTPUT, TO.

file(READ "${FROM}" sources)
string(REGEX REPLACE "^[^\n]*: " "" sources "${sources}")
string(REPLACE " " "\\ " output "${OUTPUT}")
file(WRITE "${TO}" "${output}: ${sources}")
