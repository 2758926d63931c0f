//! An ext4 file system on a loop device in a temporary file, for what needs a disk of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anju_journal::{
    FollowWhen, Journal, Lane, NotRecorded, Notice, Recording, Settings, Trouble, Urgency,
};
use tempfile::TempDir;

use crate::common::{body, verify};

/// What is missing to run these tests here.
pub fn missing() -> Option<String> {
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
    Disk::try_new(8).err().map(|error| format!("a loop device can not be mounted: {error}"))
}

pub struct Disk {
    dir: TempDir,
    mounted: bool,
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

impl Disk {
    pub fn new(mebibytes: u64) -> Disk {
        Disk::try_new(mebibytes).unwrap()
    }

    fn try_new(mebibytes: u64) -> Result<Disk, String> {
        let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
        let mut disk = Disk { dir, mounted: false };
        let image = std::fs::File::create(disk.image()).map_err(|e| e.to_string())?;
        image.set_len(mebibytes << 20).map_err(|e| e.to_string())?;
        std::fs::create_dir(disk.root()).map_err(|e| e.to_string())?;
        run("mkfs.ext4", &["-q", "-F", disk.image().to_str().unwrap_or_default()])?;
        disk.mount("rw")?;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    fn root(&self) -> PathBuf {
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

    pub fn back_again(&mut self) {
        self.unmount().unwrap();
        self.mount("rw").unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted
            && let Err(error) = self.unmount()
        {
            eprintln!("left mounted: {error}");
        }
    }
}

fn settings(min_free_bytes: u64) -> Settings {
    Settings { min_free_bytes, retry_every: Duration::from_millis(20), ..Settings::default() }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn within<T: Send>(wait: impl Future<Output = T> + Send) -> T {
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("in time")
}

/// With the reserve of the settings, and without one: sled itself then runs into the end.
pub fn a_full_disk_stops_no_alert() {
    for reserve in [8 << 20, 0] {
        let disk = Disk::new(48);
        let (journal, _, mut notices) = Journal::open(&disk.data(), settings(reserve)).unwrap();
        let before = journal.append(Lane::Alerts, Urgency::Now, body);
        within(before.receipt.durable()).unwrap();
        let filler = disk.root().join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while std::io::Write::write_all(&mut file, &[7; 65536]).is_ok() {}
        let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
        // Enough that the preallocated part of the engine's file does not suffice.
        let full = |result| matches!(result, Err(NotRecorded::Suspended(_)));
        let mut hit = None;
        for _ in 0..60_000 {
            let appended = journal.append(Lane::Events, Urgency::Grouped, body);
            if appended.number.seq % 1000 == 0 {
                let alert = journal.append(Lane::Alerts, Urgency::Now, body);
                if full(within(alert.receipt.durable())) {
                    hit = Some(alert);
                    break;
                }
            }
        }
        let hit = hit.expect("a full disk is noticed");
        let mut seen = false;
        while !seen {
            let records = within(follower.next(100));
            seen = records.iter().any(|record| record.number == hit.number);
        }
        assert!(matches!(journal.stats().recording, Recording::Suspended(_)));
        assert!(!within(async { journal.read_merged(0, 10) }).is_empty() || reserve == 0);
        drop(file);
        std::fs::remove_file(&filler).unwrap();
        within(async {
            while !matches!(notices.recv().await, Some(Notice::Resumed)) {}
            while hit.receipt.durable().await.is_err() {
                tokio::task::yield_now().await;
            }
        });
        assert!(journal.close(Duration::from_secs(20)));
        let (journal, opened, _) = Journal::open(&disk.data(), settings(reserve)).unwrap();
        assert!(opened.clean && opened.set_aside.is_none(), "{opened:?}");
        let records = journal.read_merged(0, 100_000);
        verify(&records);
        assert_eq!(records.len() as u64, opened.durable, "nothing is missing");
        assert!(journal.close(Duration::from_secs(20)));
        println!("full disk, reserve {reserve}: alerts went on, {} entries kept", records.len());
    }
}

pub fn a_read_only_disk_stops_no_alert() {
    let mut disk = Disk::new(48);
    let (journal, before, _) = Journal::open(&disk.data(), settings(0)).unwrap();
    let kept = journal.append(Lane::Alerts, Urgency::Now, body);
    within(kept.receipt.durable()).unwrap();
    assert!(journal.close(Duration::from_secs(20)));
    disk.unmount().unwrap();
    disk.mount("ro").unwrap();
    let (journal, opened, _) = Journal::open(&disk.data(), settings(0)).unwrap();
    assert_eq!(opened.recording, Recording::Suspended(Trouble::ReadOnly));
    assert!(opened.set_aside.is_none() && opened.epoch > before.epoch);
    let mut follower = journal.follow("up", Lane::Alerts, FollowWhen::AtOnce).unwrap();
    let alert = journal.append(Lane::Alerts, Urgency::Now, body);
    assert_eq!(within(follower.next(10)).first().map(|r| r.number), Some(alert.number));
    follower.ack(alert.number.seq);
    assert!(within(alert.receipt.durable()).is_err());
    journal.close(Duration::from_secs(20));
    disk.unmount().unwrap();
    disk.mount("rw").unwrap();
    let (journal, opened, _) = Journal::open(&disk.data(), settings(0)).unwrap();
    assert!(opened.set_aside.is_none() && opened.recording.is_active());
    assert_eq!(journal.read_merged(0, 10).len(), 1);
    assert!(journal.close(Duration::from_secs(20)));
    println!("read-only disk: alerts went on, nothing set aside");
}
