# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The Rust library as a target of a CMake project:
#
#   qdtls_rs_add_library(<target> LINKED|RUNTIME)
#
# creates an imported static library, which cargo builds. LINKED links the OpenSSL that the project has found; RUNTIME
# takes every function from the OpenSSL that the program has loaded, as a Qt with OpenSSL at run time needs.

# Independent of the including project's policies. CMP0116 makes Ninja honour the list of sources.
cmake_policy(VERSION 3.21)

include("${CMAKE_CURRENT_LIST_DIR}/isolate.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/rust_target.cmake")

get_filename_component(_qdtls_rs_repository "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(_qdtls_rs_cmake_dir "${CMAKE_CURRENT_LIST_DIR}")

set(QDTLS_RS_RUST_PROFILE "release" CACHE STRING "cargo profile of the Rust library; CMAKE_BUILD_TYPE has no influence")
set_property(CACHE QDTLS_RS_RUST_PROFILE PROPERTY STRINGS release dev)
set(QDTLS_RS_CARGO_TARGET_DIR "" CACHE PATH
    "cargo's target folder, below the build folder by default; builds that share one must not run at the same time")
set(QDTLS_RS_CARGO_ARGUMENTS "--locked" CACHE STRING "More arguments for `cargo rustc`, as a list")
option(QDTLS_RS_REMAP_PATHS "Name neither the repository's nor cargo's folder in the library" ON)

# Finds cargo and rustc. Stops if one is missing or too old.
function(qdtls_rs_find_cargo)
    # The program runs on the host, even if a toolchain file makes CMake search the target's root.
    set(places PATHS ENV CARGO_HOME "$ENV{HOME}/.cargo" PATH_SUFFIXES bin NO_CMAKE_FIND_ROOT_PATH)
    find_program(QDTLS_RS_CARGO cargo DOC "cargo, which builds the Rust library" ${places})
    if(NOT QDTLS_RS_CARGO)
        message(FATAL_ERROR "qdtls-rs: no cargo found: install Rust, or set QDTLS_RS_CARGO")
    endif()
    get_filename_component(cargo_dir "${QDTLS_RS_CARGO}" DIRECTORY)
    find_program(QDTLS_RS_RUSTC rustc DOC "rustc of the same toolchain" HINTS "${cargo_dir}" NO_CMAKE_FIND_ROOT_PATH)
    if(NOT QDTLS_RS_RUSTC)
        message(FATAL_ERROR "qdtls-rs: there is ${QDTLS_RS_CARGO}, but no rustc: set QDTLS_RS_RUSTC")
    endif()

    # cargo cannot say it: one that is too old stops at the edition in Cargo.toml, without the version that knows it.
    file(STRINGS "${_qdtls_rs_repository}/Cargo.toml" minimum REGEX "^rust-version = ")
    string(REGEX MATCH "[0-9.]+" minimum "${minimum}")
    foreach(program IN ITEMS "${QDTLS_RS_CARGO}" "${QDTLS_RS_RUSTC}")
        _qdtls_rs_ask(version_text "${program}" --version --verbose)
        string(REGEX MATCH "release: ([0-9.]+)" _ "${version_text}")
        if(CMAKE_MATCH_1 VERSION_LESS minimum)
            message(FATAL_ERROR
                "qdtls-rs: ${program} is ${CMAKE_MATCH_1}, but ${minimum} or later is needed: set QDTLS_RS_CARGO and "
                "QDTLS_RS_RUSTC to a later one")
        endif()
    endforeach()
    string(REGEX MATCH "host: ([^\n]+)" _ "${version_text}")
    set(_qdtls_rs_host "${CMAKE_MATCH_1}" PARENT_SCOPE)

    if(QDTLS_RS_RUST_PROFILE MATCHES "^(debug|test|bench|doc)$")
        message(FATAL_ERROR
            "qdtls-rs: QDTLS_RS_RUST_PROFILE=${QDTLS_RS_RUST_PROFILE} builds no library: set it to release or dev")
    endif()
endfunction()

function(qdtls_rs_add_library target mode)
    if(NOT mode MATCHES "^(LINKED|RUNTIME)$")
        message(FATAL_ERROR "qdtls-rs: qdtls_rs_add_library() takes LINKED or RUNTIME, not '${mode}'")
    endif()
    qdtls_rs_find_cargo()
    _qdtls_rs_find_target(triple)
    _qdtls_rs_native_libraries(native_libraries "${triple}")

    set(name "${CMAKE_STATIC_LIBRARY_PREFIX}qdtls_rs${CMAKE_STATIC_LIBRARY_SUFFIX}")
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}")
    _qdtls_rs_add_command("${folder}" "${name}" "${triple}" "${mode}")
    add_custom_target(${target}_cargo DEPENDS "${folder}/${name}")

    add_library(${target} STATIC IMPORTED GLOBAL)
    add_dependencies(${target} ${target}_cargo)
    set_target_properties(${target} PROPERTIES
        IMPORTED_LOCATION "${folder}/${name}"
        INTERFACE_INCLUDE_DIRECTORIES "${_qdtls_rs_repository}/include"
        QDTLS_RS_NATIVE_LIBRARIES "${native_libraries}")
    if(mode STREQUAL "LINKED" AND TARGET WrapOpenSSL::WrapOpenSSL)
        target_link_libraries(${target} INTERFACE WrapOpenSSL::WrapOpenSSL)
    elseif(mode STREQUAL "LINKED")
        target_link_libraries(${target} INTERFACE OpenSSL::SSL OpenSSL::Crypto)
    endif()
    target_link_libraries(${target} INTERFACE ${native_libraries})
endfunction()

# The Rust target; rustc must have its standard library, or RUSTFLAGS say where that is, as in Yocto.
function(_qdtls_rs_find_target result)
    qdtls_rs_rust_target(triple "${_qdtls_rs_host}")
    if(NOT triple)
        message(FATAL_ERROR
            "qdtls-rs: it is not known which Rust target ${CMAKE_SYSTEM_NAME} on '${CMAKE_SYSTEM_PROCESSOR}' "
            "is: set QDTLS_RS_RUST_TARGET")
    endif()
    _qdtls_rs_ask(library_dir "${QDTLS_RS_RUSTC}" --print target-libdir --target "${triple}")
    if(NOT EXISTS "${library_dir}" AND NOT "$ENV{RUSTFLAGS}" MATCHES "(^| )-L")
        message(FATAL_ERROR
            "qdtls-rs: ${QDTLS_RS_RUSTC} has no standard library for ${triple}: run `rustup target add ${triple}`, "
            "or set QDTLS_RS_RUST_TARGET")
    endif()
    set(${result} "${triple}" PARENT_SCOPE)
endfunction()

# The native libraries to link beside the library, as printed by rustc.
function(_qdtls_rs_native_libraries result triple)
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/qdtls_rs")
    file(WRITE "${folder}/empty.rs" "")
    separate_arguments(flags UNIX_COMMAND "$ENV{RUSTFLAGS}")
    _qdtls_rs_ask(unused "${QDTLS_RS_RUSTC}" ${flags}
        --print native-static-libs --crate-type staticlib --target "${triple}"
        --out-dir "${folder}" "${folder}/empty.rs")
    string(REGEX MATCH "native-static-libs: ([^\n]*)" _ "${stderr}")
    separate_arguments(libraries UNIX_COMMAND "${CMAKE_MATCH_1}")
    # Compilers add these two themselves. Named here, the first would be an additional shared library.
    list(REMOVE_ITEM libraries -lgcc_s -lc)
    if(NOT APPLE) # there, "-framework" comes before each of several names
        list(REMOVE_DUPLICATES libraries)
    endif()
    set(${result} "${libraries}" PARENT_SCOPE)
endfunction()

# The command that runs cargo, with the output <folder>/<name>. That is made from cargo's file, and is never the same
# one: cargo does not touch an up-to-date library, so make would run it again each time. cargo's list of sources is
# converted so that it names CMake's output.
function(_qdtls_rs_add_command folder name triple mode)
    set(profile_dir "${QDTLS_RS_RUST_PROFILE}")
    if(profile_dir STREQUAL "dev")
        set(profile_dir debug)
    endif()
    set(cargo_dir "${QDTLS_RS_CARGO_TARGET_DIR}")
    if(NOT cargo_dir)
        set(cargo_dir "${folder}/cargo")
    endif()
    set(built "${cargo_dir}/${triple}/${profile_dir}/${name}")
    string(REGEX REPLACE "${CMAKE_STATIC_LIBRARY_SUFFIX}$" ".d" sources_of_built "${built}")

    set(features)
    if(mode STREQUAL "RUNTIME")
        set(features --no-default-features)
    endif()
    _qdtls_rs_environment(environment "${triple}")
    _qdtls_rs_remapping(remapping)
    _qdtls_rs_size(size)
    qdtls_rs_isolate_command(isolate "${built}" "${folder}/${name}")
    add_custom_command(
        OUTPUT "${folder}/${name}"
        COMMAND "${CMAKE_COMMAND}" -E env ${environment}
            # --target even for the host: otherwise cargo's configuration could move the output.
            "${QDTLS_RS_CARGO}" rustc --quiet --package qdtls-rs --lib --crate-type staticlib
            --profile "${QDTLS_RS_RUST_PROFILE}" --target "${triple}" --target-dir "${cargo_dir}"
            ${features} ${remapping} ${QDTLS_RS_CARGO_ARGUMENTS} ${size}
        COMMAND ${isolate}
        COMMAND "${CMAKE_COMMAND}"
            "-DFROM=${sources_of_built}" "-DTO=${folder}/${name}.d" "-DOUTPUT=${folder}/${name}"
            -P "${_qdtls_rs_cmake_dir}/depfile.cmake"
        DEPFILE "${folder}/${name}.d"
        DEPENDS
            "${_qdtls_rs_repository}/Cargo.toml"
            "${_qdtls_rs_repository}/Cargo.lock"
            "${_qdtls_rs_repository}/build.rs"
            "${_qdtls_rs_repository}/cbindgen.toml"
            "${_qdtls_rs_cmake_dir}/declared.cmake"
            "${_qdtls_rs_cmake_dir}/isolate_archive.cmake"
        WORKING_DIRECTORY "${_qdtls_rs_repository}"
        COMMENT "Building the Rust library qdtls-rs"
        VERBATIM)
endfunction()

# Options that replace the folders of the build in debug information and in texts of panics, so that equal sources give
# equal libraries. RUSTFLAGS and target.*.rustflags of cargo's configuration take their place, as cargo documents.
function(_qdtls_rs_remapping result)
    set(${result} "" PARENT_SCOPE)
    if(QDTLS_RS_REMAP_PATHS AND NOT QDTLS_RS_RUST_PROFILE STREQUAL "dev")
        set(cargo_home "$ENV{CARGO_HOME}")
        if(NOT cargo_home)
            set(cargo_home "$ENV{HOME}$ENV{USERPROFILE}/.cargo")
        endif()
        # The later of two that fit counts: cargo's folder may be below the repository.
        string(CONCAT flags
            "'--remap-path-prefix=${_qdtls_rs_repository}=/usr/src/qdtls-rs', "
            "'--remap-path-prefix=${cargo_home}=/usr/src/cargo'")
        set(${result} --config "build.rustflags=[${flags}]" PARENT_SCOPE)
    endif()
endfunction()

# Options for the compiler that make the library smaller by a tenth. LLVM copies into their callers only small functions,
# and those that are marked for it, as all are that handle each datagram.
function(_qdtls_rs_size result)
    set(options)
    if(NOT QDTLS_RS_RUST_PROFILE STREQUAL "dev")
        if(NOT "--" IN_LIST QDTLS_RS_CARGO_ARGUMENTS)
            list(APPEND options --)
        endif()
        list(APPEND options -C llvm-args=-inline-threshold=10)
    endif()
    set(${result} "${options}" PARENT_SCOPE)
endfunction()

# Environment variables for cargo and the build script of openssl-sys.
function(_qdtls_rs_environment result triple)
    set(environment "RUSTC=${QDTLS_RS_RUSTC}")
    # Headers and libraries of the OpenSSL that the project has found. It is never bundled: a bundled one would be a
    # second OpenSSL in the process.
    list(APPEND environment OPENSSL_STATIC=0 OPENSSL_NO_VENDOR=1)
    if(OPENSSL_INCLUDE_DIR)
        set(library_dir "${OPENSSL_INCLUDE_DIR}")
        foreach(library IN ITEMS "${OPENSSL_SSL_LIBRARY}" "${OPENSSL_CRYPTO_LIBRARY}")
            if(EXISTS "${library}")
                get_filename_component(library_dir "${library}" DIRECTORY)
            endif()
        endforeach()
        list(APPEND environment "OPENSSL_INCLUDE_DIR=${OPENSSL_INCLUDE_DIR}" "OPENSSL_LIB_DIR=${library_dir}")
    endif()
    if(CMAKE_OSX_DEPLOYMENT_TARGET)
        list(APPEND environment "MACOSX_DEPLOYMENT_TARGET=${CMAKE_OSX_DEPLOYMENT_TARGET}")
    endif()
    if(CMAKE_CROSSCOMPILING)
        # The C compiler that reads OpenSSL's headers.
        set(compiler "${CMAKE_C_COMPILER}")
        set(flags)
        if(NOT compiler)
            set(compiler "${CMAKE_CXX_COMPILER}")
        endif()
        if(CMAKE_CXX_COMPILER_TARGET)
            string(APPEND flags " --target=${CMAKE_CXX_COMPILER_TARGET}")
        endif()
        if(CMAKE_SYSROOT)
            string(APPEND flags " --sysroot=${CMAKE_SYSROOT}")
        endif()
        list(APPEND environment "CC_${triple}=${compiler}" "CFLAGS_${triple}=${flags}")
    endif()
    set(${result} "${environment}" PARENT_SCOPE)
endfunction()

# Runs cargo or rustc. Sets <result> to its output and stderr to its errors.
function(_qdtls_rs_ask result program)
    execute_process(
        COMMAND "${program}" ${ARGN}
        # Not in the repository: an old cargo would read its manifest first.
        WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
        RESULT_VARIABLE status
        OUTPUT_VARIABLE output
        ERROR_VARIABLE errors
        OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT status EQUAL 0)
        string(REPLACE ";" " " arguments "${ARGN}")
        message(FATAL_ERROR "qdtls-rs: `${program} ${arguments}` failed: ${status}\n${errors}")
    endif()
    set(${result} "${output}" PARENT_SCOPE)
    set(stderr "${errors}" PARENT_SCOPE)
endfunction()
