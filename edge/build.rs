//! When the `anju` program was built, and how it is linked: small, because most of what the box keeps
//! in memory are the program's own pages.

use std::env::var;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    // Seconds since 1970: no box lives earlier. https://reproducible-builds.org/specs/source-date-epoch
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let built = var("SOURCE_DATE_EPOCH").ok().and_then(|epoch| epoch.parse().ok());
    println!("cargo:rustc-env=ANJU_BUILT={}", built.unwrap_or_else(now));
    let target = |key: &str| var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // The relocations of vtables and tables of texts: 400 KiB that the loader reads at each start
    // become 5. Needs glibc 2.36 (Debian 12); a linker that does not know it only warns.
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    // Functions of the same code become one, another 300 KiB. Only LLVM's linker does that, which
    // is the compiler's own choice on x86-64 as long as nobody asks for another.
    let asked = ["RUSTC_LINKER", "CARGO_ENCODED_RUSTFLAGS"];
    if target("ARCH") == "x86_64" && asked.iter().all(|key| var(key).unwrap_or_default().is_empty())
    {
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    }
}
