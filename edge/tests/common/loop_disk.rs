//! An ext4 file system on a loop device in a temporary file, for what needs a disk of its own.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What is missing to run tests with a disk of their own here. Under CI that is a failure.
pub fn missing() -> Option<String> {
    let reason = lacking()?;
    println!("disk faults and power cuts: SKIPPED: {reason}");
    assert!(std::env::var_os("CI").is_none(), "under CI that is a failure: {reason}");
    Some(reason)
}

fn lacking() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root".into());
    }
    if !Path::new("/dev/loop-control").exists() {
        return Some("no loop devices".into());
    }
    let lacks = |tool: &&str| {
        let found = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];
        !found.iter().any(|dir| Path::new(dir).join(tool).exists())
    };
    let lacking: Vec<&str> = ["mkfs.ext4", "mount", "umount"].into_iter().filter(lacks).collect();
    if !lacking.is_empty() {
        return Some(format!("missing: {}", lacking.join(", ")));
    }
    let python = Command::new("python3").arg("-c").arg("import fcntl").status();
    if !python.is_ok_and(|status| status.success()) {
        return Some("missing: python3".into());
    }
    Disk::try_new(8, 8).err().map(|error| format!("a loop device can not be mounted: {error}"))
}

pub struct Disk {
    dir: TempDir,
    mounted: bool,
    /// The image lies in a memory file system of this size, if it is smaller than the image.
    backed: bool,
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

impl Disk {
    pub fn new(mebibytes: u64) -> Self {
        Self::try_new(mebibytes, mebibytes).unwrap()
    }

    /// A disk of which only the first part to be written can be: after that every write fails with
    /// an input/output error, as on a card that dies.
    pub fn dying(mebibytes: u64, writable: u64) -> Self {
        Self::try_new(mebibytes, writable).unwrap()
    }

    fn try_new(mebibytes: u64, writable: u64) -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
        let mut disk = Self { dir, mounted: false, backed: writable < mebibytes };
        let backing = disk.dir.path().join("backing");
        std::fs::create_dir(&backing).map_err(|e| e.to_string())?;
        if disk.backed {
            let size = format!("size={writable}M");
            let path = backing.to_str().unwrap_or_default();
            run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", path])?;
        }
        let image = File::create(disk.image()).map_err(|e| e.to_string())?;
        image.set_len(mebibytes << 20).map_err(|e| e.to_string())?;
        std::fs::create_dir(disk.root()).map_err(|e| e.to_string())?;
        run("mkfs.ext4", &["-q", "-F", disk.image().to_str().unwrap_or_default()])?;
        disk.mount("rw")?;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.dir.path().join("backing/image")
    }

    pub fn root(&self) -> PathBuf {
        self.dir.path().join("mounted")
    }

    pub fn data(&self) -> PathBuf {
        self.root().join("data")
    }

    fn mount(&mut self, how: &str) -> Result<(), String> {
        let (image, root) = (self.image(), self.root());
        let options = format!("loop,{how}");
        let paths = [image.to_str().unwrap_or_default(), root.to_str().unwrap_or_default()];
        run("mount", &["-o", &options, paths[0], paths[1]])?;
        self.mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> Result<(), String> {
        run("umount", &[self.root().to_str().unwrap_or_default()])?;
        self.mounted = false;
        Ok(())
    }

    /// `EXT4_IOC_SHUTDOWN` with `NOLOGFLUSH`: nothing more reaches the device, not even the log.
    pub fn cut_power(&self) {
        let script = "import fcntl, os, struct, sys\n\
            fd = os.open(sys.argv[1], os.O_RDONLY)\n\
            fcntl.ioctl(fd, 0x8004587d, struct.pack('I', 2))\n";
        run("python3", &["-c", script, self.root().to_str().unwrap()]).unwrap();
    }

    /// Mounts it again; nobody may have a file of it open.
    pub fn back_again(&mut self, how: &str) {
        self.unmount().unwrap();
        self.mount(how).unwrap();
    }

    /// Makes it read-only, or writable, under those who have files open.
    pub fn remount(&self, how: &str) -> Result<(), String> {
        run("mount", &["-o", &format!("remount,{how}"), self.root().to_str().unwrap()])
    }

    /// Fills it to the last block; it is freed by removing the file.
    pub fn fill(&self) -> PathBuf {
        let path = self.root().join("filler");
        let mut file = File::create(&path).unwrap();
        for piece in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![7; piece]).is_ok() {}
        }
        let _ = file.sync_all();
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted
            && let Err(error) = self.unmount()
        {
            eprintln!("left mounted: {error}");
        }
        if self.backed {
            let _ = run("umount", &[self.dir.path().join("backing").to_str().unwrap_or_default()]);
        }
    }
}
