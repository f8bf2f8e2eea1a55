# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Converts cargo's list of sources FROM into TO, the list of sources of OUTPUT.

file(READ "${FROM}" sources)
string(REGEX REPLACE "^[^\n]*: " "" sources "${sources}")
string(REPLACE " " "\\ " output "${OUTPUT}")
file(WRITE "${TO}" "${output}: ${sources}")
