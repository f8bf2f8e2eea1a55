# SPDX-License-Identifier: MIT OR Apache-2.0
#
# CMake has cargo build the library within Qt's build. The sources are used where they are, and the crates are those of
# `cargo vendor`: a build has no network.

QDTLS_RS_DIR := "${@os.path.abspath('${THISDIR}/../../../..')}"
QDTLS_RS_CRATES ?= "${QDTLS_RS_DIR}/target/vendor"

# For the target, rustc's description of it with its standard library; nothing for Qt's tools on the build machine.
INHIBIT_DEFAULT_RUST_DEPS = "1"
inherit rust
DEPENDS:append:class-target = " cargo-native rust-native ${RUSTLIB_DEP}"

export CARGO_HOME = "${WORKDIR}/qdtls-rs-cargo"
export RUSTFLAGS
RUSTFLAGS:append:class-target = " --remap-path-prefix=${QDTLS_RS_DIR}=/usr/src/qdtls-rs"

EXTRA_OECMAKE:append:class-target = " \
    -DFEATURE_dtls=ON \
    -DCMAKE_PROJECT_QtBase_INCLUDE=${QDTLS_RS_DIR}/cmake/qt-build.cmake \
    -DQDTLS_RS_RUST_TARGET=${RUST_HOST_SYS} \
"

# Programs that cargo builds for itself are linked by the build machine's compiler.
do_configure:prepend:class-target() {
    [ -d "${QDTLS_RS_CRATES}" ] || bbfatal "qdtls-rs: no crates in ${QDTLS_RS_CRATES}: make it with cargo vendor"
    mkdir -p "${CARGO_HOME}"
    cat > "${CARGO_HOME}/config.toml" <<EOF
[source.crates-io]
replace-with = "qdtls-rs"
[source.qdtls-rs]
directory = "${QDTLS_RS_CRATES}"
[net]
offline = true
[target.${RUST_BUILD_SYS}]
linker = "${RUST_BUILD_CCLD}"
EOF
}

# A change of these makes BitBake build Qt's library again.
QDTLS_RS_FILES = ""
QDTLS_RS_FILES:class-target = "\
    ${QDTLS_RS_DIR}/Cargo.lock:True \
    ${QDTLS_RS_DIR}/Cargo.toml:True \
    ${QDTLS_RS_DIR}/build.rs:True \
    ${QDTLS_RS_DIR}/cbindgen.toml:True \
    ${QDTLS_RS_DIR}/cmake:True \
    ${QDTLS_RS_DIR}/include:True \
    ${QDTLS_RS_DIR}/src:True \
"
do_configure[file-checksums] += "${QDTLS_RS_FILES}"
do_compile[file-checksums] += "${QDTLS_RS_FILES}"
