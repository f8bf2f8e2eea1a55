# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Checks all prerequisites. Each missing one stops with one message that names the remedy.

function(stop)
    message(FATAL_ERROR "qdtls-rs: ${ARGV0}")
endfunction()

find_package(Qt6 QUIET COMPONENTS Core Network)
if(NOT TARGET Qt6::Network)
    stop("no Qt 6 with QtNetwork found: install qt6-base-dev, or set CMAKE_PREFIX_PATH to a Qt")
endif()
# From 6.10 on, the private modules are packages of their own; earlier they come with the public ones.
if(NOT TARGET Qt6::NetworkPrivate)
    find_package(Qt6 QUIET COMPONENTS CorePrivate NetworkPrivate)
endif()
get_target_property(qt_network_include_dirs Qt6::Network INTERFACE_INCLUDE_DIRECTORIES)
set(private_header "${Qt6_VERSION}/QtNetwork/private/qtlsbackend_p.h")
find_file(qt_tls_backend_header "${private_header}" PATHS ${qt_network_include_dirs} NO_DEFAULT_PATH NO_CACHE)
if(NOT TARGET Qt6::NetworkPrivate OR NOT qt_tls_backend_header)
    stop("Qt ${Qt6_VERSION} has no private headers of QtNetwork: install qt6-base-private-dev")
endif()

# The module of a feature differs between versions of Qt.
set(qt_features)
foreach(module Core Network)
    foreach(scope PUBLIC PRIVATE)
        get_target_property(features Qt6::${module} QT_ENABLED_${scope}_FEATURES)
        list(APPEND qt_features ${features})
    endforeach()
endforeach()
foreach(feature IN ITEMS openssl dtls)
    if(NOT feature IN_LIST qt_features)
        stop("Qt ${Qt6_VERSION} was built without its ${feature} feature, so its TLS plugin has no DTLS to replace")
    endif()
endforeach()

if(NOT EXISTS "${QT_SOURCE_DIR}/.cmake.conf")
    stop("QT_SOURCE_DIR ('${QT_SOURCE_DIR}') is not the source of qtbase ${Qt6_VERSION}")
endif()
file(STRINGS "${QT_SOURCE_DIR}/.cmake.conf" version_line REGEX "^set\\(QT_REPO_MODULE_VERSION ")
string(REGEX MATCH "[0-9]+(\\.[0-9]+)+" qt_source_version "${version_line}")
if(NOT qt_source_version VERSION_EQUAL Qt6_VERSION)
    stop("QT_SOURCE_DIR holds qtbase ${qt_source_version}, but the installed Qt is ${Qt6_VERSION}")
endif()

find_package(OpenSSL QUIET)
if(NOT OPENSSL_INCLUDE_DIR)
    stop("no OpenSSL headers found: install libssl-dev, or set OPENSSL_ROOT_DIR")
endif()

# As Qt was built, by default.
set(linked_by_default OFF)
if("openssl_linked" IN_LIST qt_features)
    set(linked_by_default ON)
endif()
option(OPENSSL_LINKED "Link the plugin to OpenSSL instead of loading OpenSSL at run time" ${linked_by_default})
if(OPENSSL_LINKED AND NOT TARGET OpenSSL::SSL)
    stop("the plugin is to be linked to OpenSSL, but its libraries were not found: install libssl-dev")
endif()

if(NOT STOCK)
    include(../versions.cmake)
    qdtls_rs_check_qt_version("${Qt6_VERSION}")
endif()
if(NOT STOCK AND QDTLS_RS_LIBRARY AND NOT EXISTS "${QDTLS_RS_LIBRARY}")
    stop("QDTLS_RS_LIBRARY ('${QDTLS_RS_LIBRARY}') does not exist; without it cargo builds the library")
endif()
