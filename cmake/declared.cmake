# SPDX-License-Identifier: MIT OR Apache-2.0
#
# What the C header declares:
#
#   qdtls_rs_declared_functions(<result> <header>)
#   qdtls_rs_abi_version(<result> <header>)

function(qdtls_rs_declared_functions result header)
    # In the header only declarations start in the first column and contain a parenthesis.
    file(STRINGS "${header}" declarations REGEX "^[a-z].*\\(")
    list(TRANSFORM declarations REPLACE "^([^(]*[ *])?([A-Za-z0-9_]+)\\(.*" "\\2" OUTPUT_VARIABLE functions)
    if(NOT functions)
        message(FATAL_ERROR "${header} declares no function")
    endif()
    set(${result} "${functions}" PARENT_SCOPE)
endfunction()

function(qdtls_rs_abi_version result header)
    file(STRINGS "${header}" version REGEX "^#define QDTLS_ABI_VERSION ")
    string(REGEX MATCH "[0-9]+$" version "${version}")
    if(NOT version)
        message(FATAL_ERROR "${header} has no ABI version")
    endif()
    set(${result} "${version}" PARENT_SCOPE)
endfunction()
