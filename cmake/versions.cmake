# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The versions of Qt that are taken, and what is said about them.
#
# The adapter uses private interfaces of Qt, which change between minor versions. Each list names one patch release per
# minor version. Other patch releases of that minor version are taken with a notice, because security fixes come as
# patch releases.

# The plugin was compiled for it and passed Qt's own tests.
set(QDTLS_RS_KNOWN_QT 6.4.2 6.8.2 6.11.2)

# A plugin compiled for another Qt passed them on its official binaries (`cargo xtask wheels`). All are between known ones.
set(QDTLS_RS_LIKELY_QT 6.5.3 6.6.3 6.7.3 6.9.3 6.10.3)

# qdtls_rs_check_qt_version(<version> <variable>): says what is to be said. The variable becomes true if nothing is
# known of this minor version, so that only a compiler can tell.
function(qdtls_rs_check_qt_version version unknown)
    set(${unknown} FALSE PARENT_SCOPE)
    _qdtls_rs_same_minor("${version}" "${QDTLS_RS_KNOWN_QT}" known)
    _qdtls_rs_same_minor("${version}" "${QDTLS_RS_LIKELY_QT}" likely)
    if(known AND NOT version VERSION_EQUAL known)
        message(NOTICE "qdtls-rs: tested with Qt ${known}; this is ${version}")
    elseif(likely)
        message(NOTICE
            "qdtls-rs: Qt ${version} is likely to work: a plugin compiled for another Qt passed Qt's tests on the "
            "official ${likely}; run those of QDtls")
    elseif(NOT known)
        set(${unknown} TRUE PARENT_SCOPE)
        message(WARNING "qdtls-rs: Qt ${version} is untested: run Qt's tests of QDtls before you use the result")
    endif()
endfunction()

# The one of the versions that has the minor version of this one, or nothing.
function(_qdtls_rs_same_minor version versions result)
    string(REGEX MATCH "^[0-9]+\\.[0-9]+\\." series "${version}.")
    string(REPLACE "." "\\." series "${series}")
    list(FILTER versions INCLUDE REGEX "^${series}")
    set(${result} "${versions}" PARENT_SCOPE)
endfunction()
