# SPDX-License-Identifier: MIT OR Apache-2.0
"""The library as a package of Conan 2, built from the sources around it. cargo and rustc are the machine's."""

import re
from pathlib import Path

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

REPOSITORY = Path(__file__).parent.parent.parent
SOURCES = (
    "benches/*",
    "build.rs",
    "Cargo.lock",
    "Cargo.toml",
    "cbindgen.toml",
    "cmake/*",
    "docs/abi.md",
    "examples/rust/*",
    "fuzz/Cargo.toml",
    "fuzz/fuzz_targets/*",
    "fuzz/src/*",
    "include/*",
    "LICENSE-*",
    "src/*",
    "tests/*.rs",
    "xtask/*",
)


class QDtlsRs(ConanFile):
    name = "qdtls-rs"
    license = "MIT OR Apache-2.0"
    description = "DTLS on OpenSSL with a C ABI, written in Rust"
    topics = ("dtls", "openssl", "security")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False]}
    default_options = {"shared": False}

    def set_version(self):
        manifest = load(self, REPOSITORY / "Cargo.toml")
        self.version = re.search(r'^version = "(.*)"', manifest, re.MULTILINE)[1]

    def export_sources(self):
        for pattern in SOURCES:
            copy(self, pattern, REPOSITORY, self.export_sources_folder)

    def configure(self):
        # Of C, not of C++.
        self.settings.rm_safe("compiler.cppstd")
        self.settings.rm_safe("compiler.libcxx")
        if self.options.shared:
            # One inside the library would be a second one in the process.
            self.options["openssl"].shared = True

    def requirements(self):
        # Programs hand OpenSSL's objects to the library.
        self.requires("openssl/[>=1.1.1 <5]", transitive_headers=True)

    def package_id(self):
        # It has no influence on cargo's profile.
        del self.info.settings.build_type

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["QDTLS_RS_SHARED_LIBRARY"] = bool(self.options.shared)
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure(build_script_folder="cmake")
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE-*", self.source_folder, Path(self.package_folder, "licenses"))

    def package_info(self):
        # The package's own file for find_package(), in place of one that Conan makes.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/QDtlsRs"]
        self.cpp_info.set_property("pkg_config_name", "qdtls_rs")
        # What rustc wants to have linked, as found by the build.
        description = load(self, Path(self.package_folder, "lib/pkgconfig/qdtls_rs.pc"))
        libraries = re.search(r"^Libs: (.*)", description, re.MULTILINE)[1]
        self.cpp_info.libs, self.cpp_info.system_libs = ["qdtls_rs"], re.findall(r"-l(\S+)", libraries)[1:]
