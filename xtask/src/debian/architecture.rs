// SPDX-License-Identifier: MIT OR Apache-2.0
//! Architectures of Debian other than the machine's: how to build for them, and what runs their programs.
//!
//! All tools are the machine's, from cross compilers to Qt's moc; only libraries are those of the architecture.

/// By the names that others give it.
pub struct Architecture {
    pub debian: &'static str,
    /// Its first word is CMake's processor, too.
    pub rust: &'static str,
    /// The compilers are called so, with `-gcc` or `-g++` behind it.
    tools: &'static str,
    /// The folder of its libraries.
    libraries: &'static str,
    /// QEMU's name; none if the machine's processor runs its programs.
    pub emulator: Option<&'static str>,
}

pub const ARM64: Architecture = Architecture {
    debian: "arm64",
    rust: "aarch64-unknown-linux-gnu",
    tools: "aarch64-linux-gnu",
    libraries: "aarch64-linux-gnu",
    emulator: Some("aarch64"),
};

pub const ARMHF: Architecture = Architecture {
    debian: "armhf",
    rust: "armv7-unknown-linux-gnueabihf",
    tools: "arm-linux-gnueabihf",
    libraries: "arm-linux-gnueabihf",
    emulator: Some("arm"),
};

pub const I386: Architecture = Architecture {
    debian: "i386",
    rust: "i686-unknown-linux-gnu",
    tools: "i686-linux-gnu",
    libraries: "i386-linux-gnu",
    emulator: None,
};

/// With the other byte order.
pub const S390X: Architecture = Architecture {
    debian: "s390x",
    rust: "s390x-unknown-linux-gnu",
    tools: "s390x-linux-gnu",
    libraries: "s390x-linux-gnu",
    emulator: Some("s390x"),
};

/// QEMU, and its descriptions of what it runs, which chroot-enter.sh gives to the kernel.
const EMULATION: [&str; 2] = ["qemu-user", "qemu-user-binfmt"];

impl Architecture {
    /// The packages in place of those that a native build takes.
    pub fn packages(&self, native: &[&str]) -> Vec<String> {
        let debian = self.debian;
        let of_package = |name: &&str| match *name {
            // A program that loads others.
            "valgrind" => self.emulator.is_none().then(|| format!("valgrind:{debian}")),
            library if ["lib", "qt6-"].iter().any(|start| library.starts_with(start)) => {
                Some(format!("{library}:{debian}"))
            }
            tool => Some(tool.into()),
        };
        let emulation = self.emulator.iter().flat_map(|_| EMULATION).map(String::from);
        let cross = [format!("g++-{}", self.tools), format!("libstd-rust-dev:{debian}")];
        native.iter().filter_map(of_package).chain(cross).chain(emulation).collect()
    }

    /// What tells cargo, CMake and pkg-config to build for it.
    pub fn environment(&self) -> Vec<(String, String)> {
        let Self { rust, tools, libraries, .. } = self;
        let processor = rust.split('-').next().unwrap_or_default();
        let linker = format!("CARGO_TARGET_{}_LINKER", rust.to_uppercase().replace('-', "_"));
        [
            (&*linker, &*format!("{tools}-gcc")),
            ("CMAKE_TOOLCHAIN_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/src/debian/toolchain.cmake")),
            ("QDTLS_PROCESSOR", processor),
            ("QDTLS_TOOLS", tools),
            ("QDTLS_LIBRARIES", libraries),
            ("PKG_CONFIG_ALLOW_CROSS", "1"),
            // As the compiler's own folder it stays out of what pkg-config prints.
            ("PKG_CONFIG_SYSTEM_LIBRARY_PATH", &format!("/usr/lib/{libraries}")),
            ("PKG_CONFIG_LIBDIR", &format!("/usr/lib/{libraries}/pkgconfig:/usr/share/pkgconfig")),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_foreign_and_tools_are_not() {
        let native = ["cmake", "libssl-dev", "qt6-base-dev", "valgrind"];
        let foreign =
            ["cmake", "libssl-dev:i386", "qt6-base-dev:i386", "valgrind:i386", "g++-i686-linux-gnu"];
        assert_eq!(I386.packages(&native), [&foreign[..], &["libstd-rust-dev:i386"]].concat());
        assert_eq!(
            ARM64.packages(&native)[3..],
            ["g++-aarch64-linux-gnu", "libstd-rust-dev:arm64", "qemu-user", "qemu-user-binfmt"]
        );
        let linker = ("CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER", "arm-linux-gnueabihf-gcc");
        assert!(ARMHF.environment().iter().any(|(name, value)| (&**name, &**value) == linker));
    }
}
