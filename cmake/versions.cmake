# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The tested versions of Qt.
#
# The adapter uses private interfaces of Qt, which change between minor versions. The list names one patch release per
# minor version: the one whose plugin passed Qt's own tests. Other patch releases of that minor version are accepted
# with a notice, because security fixes come as patch releases.

set(QDTLS_RS_TESTED_QT 6.4.2 6.8.2 6.11.2)

option(QDTLS_RS_ALLOW_UNTESTED_QT "Build with an untested version of Qt" OFF)

function(qdtls_rs_check_qt_version version)
    string(REGEX REPLACE "^([0-9]+\\.[0-9]+).*" "\\1." series "${version}")
    foreach(tested IN LISTS QDTLS_RS_TESTED_QT)
        string(FIND "${tested}" "${series}" position)
        if(version VERSION_EQUAL tested)
            return()
        elseif(position EQUAL 0)
            message(NOTICE "qdtls-rs: tested with Qt ${tested}; this is ${version}")
            return()
        endif()
    endforeach()
    string(REPLACE ";" ", " known "${QDTLS_RS_TESTED_QT}")
    if(NOT QDTLS_RS_ALLOW_UNTESTED_QT)
        message(FATAL_ERROR
            "qdtls-rs: not known to work with Qt ${version}, but with ${known} and their patch releases: set "
            "QDTLS_RS_ALLOW_UNTESTED_QT=ON to build nevertheless, and run Qt's tests of QDtls")
    endif()
    message(NOTICE "qdtls-rs: Qt ${version} is untested; known to work are ${known} and their patch releases")
endfunction()
