# SPDX-License-Identifier: MIT OR Apache-2.0
"""Builds the programs of tests/consumers, which shake hands, with the package, and runs them."""

import os
from pathlib import Path

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain

REPOSITORY = Path(__file__).parent.parent.parent.parent


class TestPackage(ConanFile):
    settings = "os", "arch", "compiler", "build_type"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        # Nothing is written beside the recipe.
        self.folders.build = self.folders.generators = str(REPOSITORY / "target/conan")

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.user_presets_path = False
        is_shared = self.dependencies[self.tested_reference_str].options.shared
        toolchain.cache_variables["LIBRARY"] = "Shared" if is_shared else "QDtlsRs"
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure(build_script_folder=REPOSITORY / "tests/consumers/cmake")
        cmake.build()

    def test(self):
        if can_run(self):
            for program in ["c_program", "cpp_program"]:
                self.run(os.path.join(self.build_folder, program), env="conanrun")
